//! An HTTP client of a page's length, so that the look-alike is not judged by the code that it is to judge.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::mock::{API_KEY, WRITE_KEY};

#[derive(Debug, Clone)]
pub(super) struct Caller {
    address: SocketAddr,
    pub(super) token: Option<String>,
    pub(super) content_type: &'static str,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Caller {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            token: None,
            content_type: "application/json",
        }
    }

    pub(super) fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// Calls the REST API, with its key unless another is set.
    pub(super) async fn rest(&self, method: &str, path: &str, body: &str) -> Reply {
        self.with_token(self.token.as_deref().unwrap_or(API_KEY))
            .send(method, &format!("/v1{path}"), body)
            .await
            .unwrap()
    }

    /// Posts an event, with the write key unless another is set.
    pub(super) async fn ingest(&self, body: &str) -> Reply {
        self.with_token(self.token.as_deref().unwrap_or(WRITE_KEY))
            .send("POST", "/ingest/v1/", body)
            .await
            .unwrap()
    }

    /// Sends one request on a connection of its own and reads to the end of it.
    pub(super) async fn send(&self, method: &str, target: &str, body: &str) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream
            .write_all(self.request(method, target, body).as_bytes())
            .await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Reply::parse(&String::from_utf8_lossy(&bytes))
            .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "no answer"))
    }

    pub(super) fn request(&self, method: &str, target: &str, body: &str) -> String {
        let token = self
            .token
            .as_ref()
            .map(|token| format!("X-Encharge-Token: {token}\r\n"));
        format!(
            "{method} {target} HTTP/1.1\r\nHost: mock\r\nConnection: close\r\nContent-Type: {}\r\n{}Content-Length: {}\r\n\r\n{body}",
            self.content_type,
            token.unwrap_or_default(),
            body.len(),
        )
    }
}

impl Reply {
    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some(Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The message of a REST error.
    pub(super) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}
