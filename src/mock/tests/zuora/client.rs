//! An HTTP client of a page's length, with any headers and bodies of bytes.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::mock::{CLIENT_ID, CLIENT_SECRET};

#[derive(Debug, Clone)]
pub(super) struct Client {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// A client without a token.
    pub(super) fn stranger(address: SocketAddr) -> Self {
        Self {
            address,
            headers: Vec::new(),
        }
    }

    /// A client with a token of its own.
    pub(super) async fn known(address: SocketAddr) -> Self {
        let client = Self::stranger(address);
        let token = client.token().await;
        client.with("Authorization", &format!("Bearer {token}"))
    }

    /// The same, with one more header.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client
            .headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// Asks for a token.
    pub(super) async fn token(&self) -> String {
        let form = [
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("grant_type", "client_credentials"),
        ];
        let reply = self.ask(&form).await;
        assert_eq!(reply.status, 200);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends a form to where tokens are.
    pub(super) async fn ask(&self, form: &[(&str, &str)]) -> Reply {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.with("Content-Type", "application/x-www-form-urlencoded")
            .send("POST", "/oauth/token", form.as_bytes())
            .await
            .unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, b"").await.unwrap()
    }

    pub(super) async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, b"").await.unwrap()
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, &body.to_string()).await
    }

    pub(super) async fn post_text(&self, path: &str, body: &str) -> Reply {
        self.json().send("POST", path, body.as_bytes()).await.unwrap()
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Reply {
        let body = body.to_string();
        self.json().send("PUT", path, body.as_bytes()).await.unwrap()
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.with("Content-Type", "application/merge-patch+json")
            .send("PATCH", path, body.to_string().as_bytes())
            .await
            .unwrap()
    }

    fn json(&self) -> Self {
        self.with("Content-Type", "application/json")
    }

    /// Sends one request on a connection of its own and reads to the end of it.
    pub(super) async fn send(&self, method: &str, path: &str, body: &[u8]) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(self.address).await?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n");
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Reply::parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "no answer"))
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        Some(Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head,
            body: bytes[end + 4..].to_vec(),
        })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(super) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }

    pub(super) fn code(&self) -> u64 {
        self.json()["code"].as_u64().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The body, decompressed.
    pub(super) fn unpacked(&self) -> Value {
        let mut text = String::new();
        flate2::read::GzDecoder::new(self.body.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }
}
