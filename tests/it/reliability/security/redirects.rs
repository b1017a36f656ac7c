//! Redirects and authentication: no redirect is followed, so none takes a secret along.

use http::{HeaderValue, Method};
use outpour::client::{AnyTransport, Request, Transport, TransportSettings};

use crate::harness::{Outcome, Scene};
use crate::raw_server::{Act, RawServer, write};
use crate::transports::both;

fn moved(status: u16, location: &str) -> Act {
    write(format!(
        "HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
    ))
}

/// Where a redirect could lead that a careless client would follow with its secrets.
fn places(other: &RawServer) -> [String; 5] {
    let url = other.url("http", "/elsewhere");
    let port = url.port().unwrap();
    [
        url.to_string(),
        "/elsewhere".to_owned(),
        format!("http://user:pass@localhost:{port}/elsewhere"),
        format!("//localhost:{port}/elsewhere"),
        format!("ftp://localhost:{port}/"),
    ]
}

/// Each place with each transport.
fn pairs(places: &[String]) -> impl Iterator<Item = (&String, AnyTransport)> {
    let with = |place| both(&TransportSettings::default()).map(|transport| (place, transport));
    places.iter().flat_map(with)
}

#[tokio::test]
async fn redirects_to_another_port_scheme_or_user_are_not_followed() {
    let other = RawServer::start([]).await;
    for status in [301, 302, 303, 307, 308] {
        for (place, transport) in pairs(&places(&other)) {
            let server = RawServer::start([vec![Act::Read, moved(status, place), Act::Read]]).await;
            let mut request = Request::new(Method::POST, server.url("http", "/in"), "{}");
            let secret = HeaderValue::from_static("Bearer CANARY");
            request.headers.insert("authorization", secret);
            let reply = transport.send(&request).await.unwrap();
            assert_eq!(reply.status.as_u16(), status, "{place}");
            assert_eq!(
                (server.requests().len(), server.connections()),
                (1, 1),
                "{status} {place}"
            );
        }
    }
    assert_eq!(other.connections(), 0);
}

#[test]
fn redirects_stop_a_run_with_75_and_the_secret_goes_nowhere() {
    let scene = Scene::new();
    let other = scene.runtime().block_on(RawServer::start([]));
    let script = vec![Act::Read, moved(307, other.url("http", "/elsewhere").as_str())];
    let server = scene.runtime().block_on(RawServer::start([script]));
    let url = server.url("http", "/in");
    let job = format!(
        "source: {{path: x.ndjson}}\ndestination: {{method: POST, url: '{url}', auth: {{type: bearer, token: {{env: SECRET}}}}}}\n"
    );
    scene.write("x.ndjson", "{\"a\":1}\n").write("job.yaml", job);
    let mut command = scene.command(&["run", "job.yaml", "--report", "json"]);
    let outcome = Outcome::of(command.env("SECRET", "CANARY-8f2c").output().unwrap(), &scene);
    assert!(
        outcome.stderr.contains("redirects are not followed"),
        "{}",
        outcome.stderr
    );
    outcome.ends_with(75);
    assert_eq!((server.requests().len(), other.connections()), (1, 0));
}
