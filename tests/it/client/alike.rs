//! Both transports understand whatever a server sends alike: replies by chance, whole, cut, and wrong in many ways.

use http::Method;
use outpour::client::{AnyTransport, HttpConfig, Request, Transport};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::wire::settings;
use crate::raw_server::{Act, RawServer, write};
use crate::transports::both;

/// What is made of a reply.
type Understood = Result<(u16, Vec<(String, String)>, String, bool), String>;

fn line() -> impl Strategy<Value = &'static str> {
    let lines = vec![
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 201",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 429 Too many, sorry",
        "HTTP/1.1 503 ",
        "HTTP/1.1 600 ?",
        "HTTP/1.1 99 x",
        "HTTP/1.1 20 x",
        "HTTP/1.2 200 OK",
        "HTTP/2.0 200 OK",
        "http/1.1 200 OK",
        "\r\nHTTP/1.1 200 OK",
        "HTTP/1.1  200 OK",
        "",
    ];
    select(lines)
}

fn header() -> impl Strategy<Value = &'static str> {
    let headers = vec![
        "content-length: 5",
        "Content-Length:5",
        "content-length: 5 ",
        "content-length: 0",
        "content-length: 9",
        "content-length: 5, 5",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: x",
        "content-length: ",
        "content-length: 18446744073709551616",
        "content-length : 5",
        "transfer-encoding: chunked",
        "Transfer-Encoding: Chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, gzip",
        "transfer-encoding: identity",
        "connection: close",
        "connection: keep-alive",
        "X-Name: a value, \"with\" signs",
        "x-name:",
        "set-cookie: a=1",
        "set-cookie: b=2",
        " folded",
        "no colon",
        "bad name: 1",
        ": 1",
        "x-tab:\ta\tb\t",
        "x-delete: a\u{7f}b",
        "x-beyond: é",
    ];
    select(headers)
}

fn body() -> impl Strategy<Value = &'static str> {
    let bodies = vec![
        "",
        "hello",
        "hello",
        "hello, you",
        "hel",
        "5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nx-trailer: 1\r\n\r\n",
        "5 \r\nhello\r\n00\r\n\r\n",
        "5\r\nhelloX",
        "5\nhello\n0\n\n",
        "\r\n\r\n",
        "zzz\r\n",
        "-5\r\nhello\r\n",
        "10000000000000000\r\nhello",
        "fffffffffffffff0\r\nhello",
    ];
    select(bodies)
}

fn reply() -> impl Strategy<Value = String> {
    let first = select(vec![
        "",
        "",
        "",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: a\r\ncontent-length: 3\r\n\r\n",
    ]);
    let headers = prop::collection::vec(header(), 0..4);
    let end = select(vec!["\r\n", "\r\n", "\r\n", "\n"]);
    let whole = (first, line(), headers, end, body());
    let text = whole.prop_map(|(first, line, headers, end, body)| {
        let lines: Vec<&str> = [line].into_iter().chain(headers).collect();
        format!("{first}{}{end}{end}{body}", lines.join(end))
    });
    let cut = prop::option::weighted(0.3, any::<prop::sample::Index>());
    (text, cut).prop_map(|(text, cut)| match cut {
        None => text,
        Some(place) => {
            let places: Vec<usize> = text
                .char_indices()
                .map(|(place, _)| place)
                .chain([text.len()])
                .collect();
            text[..*place.get(&places)].to_owned()
        }
    })
}

/// What each of the transports makes of it.
async fn understood(transports: &[AnyTransport; 2], reply: &str) -> [Understood; 2] {
    let mut all = Vec::new();
    for transport in transports {
        let server = RawServer::start([vec![Act::Read, write(reply)]]).await;
        let request = Request::new(Method::POST, server.url("http", "/in"), "{}");
        all.push(match transport.send(&request).await {
            Err(error) => Err(format!("{:?}", error.kind())),
            Ok(reply) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let headers = reply.headers.iter();
                let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes())));
                Ok((
                    reply.status.as_u16(),
                    headers.collect(),
                    text(&reply.body),
                    reply.complete,
                ))
            }
        });
    }
    all.try_into().unwrap()
}

#[test]
fn both_transports_understand_any_reply_alike() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let transports = both(&settings(HttpConfig::default()));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(500));
    let judged = runner.run(&reply(), |reply| {
        let [direct, full] = runtime.block_on(understood(&transports, &reply));
        prop_assert_eq!(direct, full, "{:?}", reply);
        Ok(())
    });
    judged.unwrap();
}
