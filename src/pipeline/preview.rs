//! The pipeline without its end: the exact requests that a run would send. Opens no socket.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderValue;

use super::Job;
use super::feed::{self, Feed, FeedSettings, Shaped};
use super::past::Past;
use crate::causes::in_one_line;
use crate::client::Request;
use crate::endpoint::{Prepared, Routes};
use crate::record::Fields;
use crate::request;
use crate::source::Source;

/// What a run would do, as far as it can be known without sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Records read.
    pub read: u64,
    /// Records left out by `where` or `map`.
    pub filtered: u64,
    /// Records that would be rejected before they are sent.
    pub rejected: u64,
    /// The first reasons of these rejects, with the record's place.
    pub reasons: Vec<String>,
    /// Records that would be sent.
    pub sent: u64,
    /// Requests that would be sent.
    pub requests: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Records whose identifiers were seen before.
    pub duplicates: u64,
    /// What the user should look at.
    pub warnings: Vec<String>,
    /// Why the input could not be read to its end.
    pub error: Option<String>,
}

/// Renders the requests of a run and hands each to `show` with the records that it carries, until that says false.
pub fn preview(
    job: Job,
    source: Box<dyn Source>,
    mut show: impl FnMut(&Request, &[Prepared]) -> bool,
) -> Preview {
    let stop = Arc::new(AtomicBool::new(false));
    let routes = job.routes.clone();
    let settings = FeedSettings {
        routes: job.routes,
        shaper: job.shaper,
        batch: job.batch,
        group_by: job.group_by,
        order_by: job.order_by,
        limit: job.limit,
        past: Past::default(),
        is_doubtful: false,
    };
    let mut feed = feed::start(source, settings, Arc::clone(&stop));
    let mut preview = Preview::default();
    let mut seen = Seen::default();
    while let Some(fed) = feed.blocking_recv() {
        match fed {
            Feed::Shaped(shaped) => {
                for batch in preview.take(shaped) {
                    if !preview.batch(&routes, &batch, &mut seen, &mut show) {
                        stop.store(true, Ordering::Relaxed);
                        return preview;
                    }
                }
            }
            Feed::End { error, notes, .. } => {
                preview.warnings.extend(notes);
                preview.error = error.map(|(_, because)| because);
            }
        }
    }
    preview
}

/// Identifiers seen so far, as hashes; bounded, so that a huge input costs no more than this.
#[derive(Default)]
struct Seen {
    hashes: HashSet<u64>,
    hasher: RandomState,
}

impl Seen {
    const MOST: usize = 10_000_000;

    fn is_new(&mut self, identifiers: &[String], item: &Prepared) -> bool {
        let Ok(fields) = Fields::parse(item.record.as_str()) else {
            return true;
        };
        let named = identifiers
            .iter()
            .filter_map(|name| Some((name, fields.at(name).ok()??)));
        let Some(first) = named
            .into_iter()
            .find(|(_, value)| !crate::record::is_blank(value))
        else {
            return true;
        };
        if self.hashes.len() >= Self::MOST {
            return true;
        }
        self.hashes.insert(self.hasher.hash_one(first))
    }
}

impl Preview {
    fn take(&mut self, shaped: Shaped) -> Vec<Vec<Prepared>> {
        self.read += shaped.read;
        self.filtered += shaped.filtered.count();
        self.warnings.extend(shaped.warnings);
        for reject in shaped.rejects {
            self.reject(format!("{}: {}", reject.position, reject.reason));
        }
        shaped.batches
    }

    fn batch(
        &mut self,
        routes: &Routes,
        batch: &[Prepared],
        seen: &mut Seen,
        show: &mut impl FnMut(&Request, &[Prepared]) -> bool,
    ) -> bool {
        let endpoint = routes.of(batch);
        // In a feed a second record is a change of the first.
        let counted = if routes.is_change_feed() { &[] } else { batch };
        for item in counted {
            if !endpoint.identifiers().is_empty() && !seen.is_new(endpoint.identifiers(), item) {
                self.duplicates += 1;
            }
        }
        match request::render(endpoint, batch) {
            Ok(mut request) => {
                if let Some(header) = endpoint.idempotency() {
                    request
                        .headers
                        .insert(header, HeaderValue::from_static("(a key of its own)"));
                }
                self.sent += batch.len() as u64;
                self.requests += 1;
                self.bytes += request.body.len() as u64;
                show(&request, batch)
            }
            Err(error) => {
                for item in batch {
                    self.reject(format!("{}: {}", item.record.position, in_one_line(&error)));
                }
                true
            }
        }
    }

    fn reject(&mut self, reason: String) {
        const SHOWN: usize = 10;
        self.rejected += 1;
        if self.reasons.len() < SHOWN {
            self.reasons.push(reason);
        }
    }
}
