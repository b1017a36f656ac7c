//! A server that writes down the exact requests that it was sent, and answers all alike or each by what it carries.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// The method.
    pub(crate) method: String,
    /// The path and the query, as sent.
    pub(crate) target: String,
    /// The headers.
    pub(crate) headers: http::HeaderMap,
    /// The body.
    pub(crate) body: String,
}

/// Status and body of the answer to a request.
type Answer = dyn Fn(&Recorded) -> (u16, String) + Send + Sync;

/// A server on a port of its own.
pub(crate) struct Recorder {
    port: u16,
    seen: Arc<Mutex<Vec<Recorded>>>,
}

impl Recorded {
    /// The text of a header, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Method, target and body in one line.
    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.method, self.target, self.body)
    }
}

impl Recorder {
    /// Starts a server that answers each request with this status and body.
    pub(crate) fn start(runtime: &Runtime, status: u16, body: &'static str) -> Self {
        Self::answering(runtime, move |_| (status, body.to_owned()))
    }

    /// Starts a server that answers each request by what it carries.
    pub(crate) fn answering(
        runtime: &Runtime,
        answer: impl Fn(&Recorded) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(serve(listener, Arc::clone(&seen), Arc::new(answer)));
        Self { port, seen }
    }

    /// A URL of the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What arrived so far, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.seen.lock().unwrap().clone()
    }

    /// What arrived so far, a sorted line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.requests().iter().map(Recorded::line).collect();
        lines.sort();
        lines
    }
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Recorded>>>, answers: Arc<Answer>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
        let service = service_fn(move |request| answer(request, Arc::clone(&seen), Arc::clone(&answers)));
        // A connection that breaks shows in what the binary reports.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Vec<Recorded>>>,
    answers: Arc<Answer>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, sent) = request.into_parts();
    let sent = sent.collect().await.unwrap().to_bytes();
    let recorded = Recorded {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8_lossy(&sent).into_owned(),
    };
    let (status, body) = answers(&recorded);
    seen.lock().unwrap().push(recorded);
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}
