//! An API that takes no request without a token, and the token endpoint that gives them, on this machine.

use std::convert::Infallible;
use std::io::Read;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What the token endpoint is asked with.
pub(crate) const CLIENT_ID: &str = "CANARY-8f2c-client";
pub(crate) const CLIENT_SECRET: &str = "CANARY-8f2c & secret";

/// A request as the API read it.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, decompressed.
    pub(crate) body: String,
    /// How many bytes it had on its way.
    pub(crate) size: usize,
}

/// What the API does.
#[derive(Debug, Default)]
pub(crate) struct Manners {
    /// After so many requests that were taken the token in use is good no more, once.
    pub(crate) expires_after: Option<usize>,
    /// No token is ever good.
    pub(crate) trusts_nobody: bool,
    /// Replies and token errors repeat what was sent.
    pub(crate) echoes: bool,
    /// The statuses of the first requests that carry a good token.
    pub(crate) failures: Vec<u16>,
    /// Replies are compressed where that is asked for.
    pub(crate) packs: bool,
}

#[derive(Debug, Default)]
struct State {
    manners: Manners,
    tokens: usize,
    token_requests: usize,
    good: usize,
    refused: usize,
    taken: Vec<Taken>,
}

/// A server on a port of its own.
pub(crate) struct Guarded {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Guarded {
    /// Starts a server.
    pub(crate) fn start(runtime: &Runtime, manners: Manners) -> Self {
        let state = Arc::new(Mutex::new(State {
            manners,
            ..State::default()
        }));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(serve(listener, Arc::clone(&state)));
        Self { port, state }
    }

    /// A URL of the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// `destination.auth` of a job.
    pub(crate) fn auth(&self) -> String {
        let url = self.url("/oauth/token");
        format!(
            "{{type: oauth2, token_url: '{url}', client_id: {{env: CLIENT_ID}}, client_secret: {{env: CLIENT_SECRET}}}}"
        )
    }

    /// How often a token was asked for.
    pub(crate) fn token_requests(&self) -> usize {
        self.state.lock().unwrap().token_requests
    }

    /// How many requests came with a token that was good no more.
    pub(crate) fn refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }

    /// The requests with a good token, in the order of arrival.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        // A connection that breaks shows in what the binary reports.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, sent) = request.into_parts();
    let sent = sent.collect().await.unwrap().to_bytes();
    let mut state = state.lock().unwrap();
    let (status, body) = if head.uri.path() == "/oauth/token" {
        state.give_token(&head.headers, &sent)
    } else {
        state.take(&head.headers, &sent)
    };
    let mut response = Response::builder().status(status);
    let is_asked_for = head
        .headers
        .get("accept-encoding")
        .is_some_and(|asked| asked == "gzip");
    let body = match state.manners.packs && is_asked_for {
        true => {
            response = response.header("content-encoding", "gzip");
            packed(body.as_bytes())
        }
        false => body.into_bytes(),
    };
    Ok(response.body(Full::new(Bytes::from(body))).unwrap())
}

impl State {
    fn give_token(&mut self, headers: &HeaderMap, sent: &[u8]) -> (StatusCode, String) {
        self.token_requests += 1;
        let form = String::from_utf8(sent.to_vec()).unwrap();
        let is_ours = form.contains("grant_type=client_credentials")
            && form.contains("client_id=CANARY-8f2c-client")
            && form.contains("client_secret=CANARY-8f2c+%26+secret")
            && headers["content-type"] == "application/x-www-form-urlencoded";
        if !is_ours {
            let body = serde_json::json!({"error": "invalid_client", "error_description": form});
            return (StatusCode::UNAUTHORIZED, body.to_string());
        }
        self.tokens += 1;
        self.good = self.tokens;
        let body = serde_json::json!({
            "access_token": format!("CANARY-8f2c-token-{}", self.tokens),
            "token_type": "bearer",
            "expires_in": 3598,
        });
        (StatusCode::OK, body.to_string())
    }

    fn take(&mut self, headers: &HeaderMap, sent: &[u8]) -> (StatusCode, String) {
        let carried = headers
            .get("authorization")
            .map_or("", |value| value.to_str().unwrap());
        let echo = if self.manners.echoes { carried } else { "" };
        let good = format!("Bearer CANARY-8f2c-token-{}", self.good);
        if carried != good || self.good == 0 || self.manners.trusts_nobody {
            self.refused += 1;
            let body = serde_json::json!({"message": format!("no token {echo}")});
            return (StatusCode::UNAUTHORIZED, body.to_string());
        }
        let is_packed = headers.contains_key("content-encoding");
        self.taken.push(Taken {
            headers: headers.clone(),
            body: if is_packed {
                unpacked(sent)
            } else {
                String::from_utf8_lossy(sent).into_owned()
            },
            size: sent.len(),
        });
        if self.manners.expires_after == Some(self.taken.len()) {
            self.good = 0;
        }
        let status = match self.manners.failures.is_empty() {
            true => 200,
            false => self.manners.failures.remove(0),
        };
        let body = serde_json::json!({"ok": true, "name": "Acme", "echo": echo});
        (StatusCode::from_u16(status).unwrap(), body.to_string())
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::default())
        .read_to_end(&mut packed)
        .unwrap();
    packed
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_string(&mut text)
        .unwrap();
    text
}
