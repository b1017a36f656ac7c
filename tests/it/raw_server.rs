//! A server that speaks raw bytes, for the replies that no HTTP library would send.
//!
//! Each connection follows its own script of [`Act`]s and is closed at the script's end; connections beyond the last
//! script are closed at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// One thing that the server does on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Reads a whole request: head, and as much body as its `content-length` says.
    Read,
    /// Reads a request's head only.
    ReadHead,
    /// Writes these bytes.
    Write(String),
    /// Lets time pass.
    Wait(Duration),
    /// Ends the connection with a reset.
    Reset,
}

/// A server on a port of its own, with what it has seen.
#[derive(Debug)]
pub(crate) struct RawServer {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<String>,
    connections: usize,
    protocol: Option<String>,
}

/// Writes these bytes.
pub(crate) fn write(text: impl Into<String>) -> Act {
    Act::Write(text.into())
}

impl RawServer {
    /// Starts a server whose connections follow these scripts, in order.
    pub(crate) async fn start(scripts: impl IntoIterator<Item = Vec<Act>>) -> Self {
        Self::serve(scripts.into_iter().collect(), None).await
    }

    /// Starts a server that shakes hands first.
    pub(crate) async fn start_tls(
        acceptor: TlsAcceptor,
        scripts: impl IntoIterator<Item = Vec<Act>>,
    ) -> Self {
        Self::serve(scripts.into_iter().collect(), Some(acceptor)).await
    }

    async fn serve(scripts: Vec<Vec<Act>>, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut scripts = scripts.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                noted.lock().unwrap().connections += 1;
                let script = scripts.next().unwrap_or_default();
                tokio::spawn(connection(stream, script, acceptor.clone(), Arc::clone(&noted)));
            }
        });
        Self { port, seen }
    }

    /// A URL of the server.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> url::Url {
        format!("{scheme}://localhost:{}{path}", self.port)
            .parse()
            .unwrap()
    }

    /// The requests read so far, as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// The protocol that the last TLS handshake agreed on.
    pub(crate) fn protocol(&self) -> Option<String> {
        self.seen.lock().unwrap().protocol.clone()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

async fn connection(
    stream: TcpStream,
    script: Vec<Act>,
    acceptor: Option<TlsAcceptor>,
    seen: Arc<Mutex<Seen>>,
) {
    if script.iter().any(|act| matches!(act, Act::Reset)) {
        stream.set_zero_linger().unwrap();
    }
    match acceptor {
        None => play(stream, script, &seen).await,
        // A client that refuses the certificate ends the handshake; there is nothing to play then.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                let protocol = stream.get_ref().1.alpn_protocol();
                seen.lock().unwrap().protocol =
                    protocol.map(|name| String::from_utf8_lossy(name).into_owned());
                play(stream, script, &seen).await;
            }
        }
    }
}

async fn play(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: Vec<Act>, seen: &Mutex<Seen>) {
    for act in script {
        match act {
            Act::Read | Act::ReadHead => {
                let Some(request) = read(&mut stream, matches!(act, Act::Read)).await else {
                    return;
                };
                seen.lock().unwrap().requests.push(request);
            }
            // The client may have gone, which is what some tests are about.
            Act::Write(text) => drop(stream.write_all(text.as_bytes()).await),
            Act::Wait(time) => sleep(time).await,
            Act::Reset => return,
        }
    }
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut (impl AsyncRead + Unpin), whole: bool) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && (!whole || body.len() >= content_length(head))
        {
            return Some(text.into_owned());
        }
    }
}

fn content_length(head: &str) -> usize {
    let mut lengths = head.lines().filter_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length:")?
            .trim()
            .parse()
            .ok()
    });
    lengths.next_back().unwrap_or(0)
}
