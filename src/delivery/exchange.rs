//! A request and what came back, as it is told afterwards.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use url::Url;

use crate::client::{Fatal, Headers, Outcome, Reply, Request, Sent, TransportError};

/// A request and what came back, as reports and events tell it. Its `Debug` form leaves out the URL's query.
pub struct Exchange {
    /// The method.
    pub method: http::Method,
    url: Arc<Url>,
    /// The status of the last reply, if any came.
    pub status: Option<StatusCode>,
    /// The final reply, without its headers.
    pub reply: Option<Reply>,
    /// How many attempts were made, with those of earlier requests of the same records that the reply named alone.
    pub attempts: u32,
    /// From the first attempt to the outcome.
    pub elapsed: Duration,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("url", &self.shown_url())
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

/// How a request ended, without what its [`Exchange`] holds.
pub(super) enum Ended {
    Replied {
        status: StatusCode,
        is_cut_short: bool,
        key_generation: u32,
    },
    NotSent(TransportError),
    InDoubt(TransportError),
    Stopped,
    Fatal(Fatal),
}

impl Exchange {
    /// A request that was sent, of records of which `before` attempts had been made, and how it ended. None where it never
    /// left.
    pub(super) fn of(request: Request, sent: Sent, before: u32) -> (Option<Arc<Self>>, Ended) {
        let mut status = sent.last_status;
        let (reply, ended) = match sent.outcome {
            Outcome::Replied(mut reply) => {
                // Nobody needs them any more.
                reply.headers = Headers::default();
                status = Some(reply.status);
                let ended = Ended::Replied {
                    status: reply.status,
                    is_cut_short: reply.is_cut_short(),
                    key_generation: sent.key_generation,
                };
                (Some(reply), ended)
            }
            Outcome::InDoubt(error) => {
                status = None;
                (None, Ended::InDoubt(error))
            }
            Outcome::NotSent(error) => (None, Ended::NotSent(error)),
            Outcome::Stopped => (None, Ended::Stopped),
            Outcome::Fatal(fatal) => (None, Ended::Fatal(fatal)),
        };
        let Request { method, url, .. } = request;
        let exchange = (sent.attempts > 0).then(|| {
            Arc::new(Self {
                method,
                url,
                status,
                reply,
                attempts: before + sent.attempts,
                elapsed: sent.elapsed,
            })
        });
        (exchange, ended)
    }

    /// A request that was under way when the run waited no more.
    pub(super) fn unanswered(request: Request, before: u32, elapsed: Duration) -> Arc<Self> {
        let Request { method, url, .. } = request;
        Arc::new(Self {
            method,
            url,
            status: None,
            reply: None,
            attempts: before + 1,
            elapsed,
        })
    }

    /// The URL without its query, which may hold a secret.
    pub fn shown_url(&self) -> String {
        let mut url = Url::clone(&self.url);
        url.set_query(None);
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_debug_form_leaves_out_the_query_as_reports_do() {
        let url = "https://api.example.com/in?key=CANARY".parse().unwrap();
        let request = Request::new(http::Method::POST, url, "CANARY");
        let shown = format!("{:?}", Exchange::unanswered(request, 0, Duration::ZERO));
        assert!(
            shown.contains("https://api.example.com/in") && !shown.contains("CANARY"),
            "{shown}"
        );
    }
}
