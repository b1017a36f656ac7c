//! SSRF through record-templated URLs: where a request may go.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use outpour::client::{
    AnyTransport, Fatal, HttpConfig, HttpTransport, Lookup, Outcome, Policy, Request, Sender, SenderSettings,
    Transport, TransportErrorKind, TransportSettings, is_public_address,
};
use url::Url;

use super::{plan, request, run};
use crate::harness::{Outcome as Ended, PEOPLE, Recorder, Scene, people};
use crate::raw_server::{Act, RawServer, write};
use crate::transports::WITH_LOOKUP;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

const PRIVATE: [&str; 38] = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::9.9.9.9",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
];

const PUBLIC: [&str; 9] = [
    "1.1.1.1",
    "9.9.9.9",
    "100.63.255.255",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700:4700::1111",
    "::ffff:9.9.9.9",
    "64:ff9b::9.9.9.9",
    "2002:909:909::1",
];

/// One of each transport, for which every name leads to these addresses, and how often it was asked.
fn transports(addresses: &[&str], http: &HttpConfig) -> [(AnyTransport, Arc<AtomicUsize>); 2] {
    WITH_LOOKUP.map(|make| {
        let (lookup, asked) = lookup(addresses);
        let settings = TransportSettings {
            http: http.clone(),
            ..TransportSettings::default()
        };
        (make(&settings, &lookup), asked)
    })
}

fn lookup(addresses: &[&str]) -> (Arc<Lookup>, Arc<AtomicUsize>) {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let lookup = move |_: &str| -> io::Result<Vec<IpAddr>> {
        // A name that is rebound leads elsewhere from the second time on.
        match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(addresses.clone()),
            _ => Ok(vec![IpAddr::from([192, 0, 2, 1])]),
        }
    };
    (Arc::new(lookup), asked)
}

fn post(url: &Url, host: &str) -> Request {
    let mut url = url.clone();
    url.set_host(Some(host)).unwrap();
    Request::new(Method::POST, url, "{}")
}

async fn server() -> RawServer {
    RawServer::start([vec![Act::Read, write(OK)]]).await
}

#[test]
fn ssrf_private_and_special_addresses_are_told_from_public_ones() {
    for (list, is_public) in [(&PRIVATE[..], false), (&PUBLIC[..], true)] {
        for text in list {
            assert_eq!(is_public_address(text.parse().unwrap()), is_public, "{text}");
        }
    }
}

#[tokio::test]
async fn ssrf_a_name_that_leads_to_a_private_address_is_not_connected_to() {
    let server = server().await;
    let url = server.url("http", "/in");
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        for (transport, _) in transports(&[address], &HttpConfig::default()) {
            let error = transport.send(&post(&url, "api.example")).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::PrivateAddress, "{error:?}");
            assert!(!error.kind().may_have_arrived());
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn ssrf_a_private_address_stops_the_run_without_a_retry_and_says_what_to_set() {
    for (transport, asked) in transports(&["10.1.2.3"], &HttpConfig::default()) {
        let sender = Sender::new(transport, &SenderSettings::default());
        let request = Request::new(Method::POST, "https://api.example/in".parse().unwrap(), "{}");
        let sent = sender.send(&request, &Policy::default()).await;
        let Outcome::Fatal(fatal @ Fatal::Tls(_)) = sent.outcome else {
            panic!("{sent:?}");
        };
        let text = chain(&fatal).join(": ");
        assert!(
            text.contains("`api.example` leads to `10.1.2.3`")
                && text.contains("http.allow_private_addresses: true"),
            "{text}"
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}

/// An error's chain of causes.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

#[tokio::test]
async fn ssrf_the_address_that_was_checked_is_the_one_connected_to() {
    let http = HttpConfig {
        allow_private_addresses: true,
        ..HttpConfig::default()
    };
    for (transport, asked) in transports(&["127.0.0.1"], &http) {
        let server = server().await;
        let url = server.url("http", "/in");
        let reply = transport.send(&post(&url, "api.example")).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), asked.load(Ordering::Relaxed)),
            (200, 1),
            "a second answer, which leads elsewhere, is never asked for"
        );
    }
}

#[tokio::test]
async fn ssrf_localhost_leads_to_this_machine_and_nowhere_else() {
    let elsewhere = transports(&["10.1.2.3", "9.9.9.9"], &HttpConfig::default());
    let here = transports(&["9.9.9.9", "127.0.0.1"], &HttpConfig::default());
    for ((other, _), (own, _)) in elsewhere.into_iter().zip(here) {
        let server = server().await;
        let url = server.url("http", "/in");
        let error = other.send(&post(&url, "localhost")).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::PrivateAddress);
        let reply = own.send(&post(&url, "localhost")).await.unwrap();
        assert_eq!(reply.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn ssrf_a_host_that_is_written_as_an_address_is_the_users_own_will() {
    for (transport, asked) in transports(&[], &HttpConfig::default()) {
        let server = server().await;
        let url = server.url("http", "/in");
        let reply = transport.send(&post(&url, "127.0.0.1")).await.unwrap();
        assert_eq!((reply.status.as_u16(), asked.load(Ordering::Relaxed)), (200, 0));
    }
}

#[tokio::test]
async fn ssrf_with_a_proxy_only_the_proxys_own_name_is_looked_up() {
    let server = server().await;
    let mut proxy = server.url("http", "/");
    proxy.set_host(Some("proxy.example")).unwrap();
    let http = HttpConfig {
        proxy: Some(proxy.to_string()),
        ..HttpConfig::default()
    };
    let (lookup, asked) = lookup(&["127.0.0.1"]);
    let settings = TransportSettings {
        http,
        ..TransportSettings::default()
    };
    let transport = HttpTransport::with_lookup(&settings, &lookup).unwrap();
    let request = Request::new(Method::POST, "http://api.example/in".parse().unwrap(), "{}");
    let reply = transport.send(&request).await.unwrap();
    assert_eq!((reply.status.as_u16(), asked.load(Ordering::Relaxed)), (200, 1));
}

#[test]
fn ssrf_host_and_scheme_never_come_from_a_record() {
    for url in [
        "{record.url}",
        "https://{record.host}/x",
        "https://api.{record.host}/x",
        "https://api.example:{record.port}/x",
        "{record.scheme}://api.example/x",
    ] {
        let wrong = plan(&format!("method: POST, url: '{url}'"), "").unwrap_err();
        assert!(
            wrong.contains("scheme and host must be literal"),
            "{url}: {wrong}"
        );
    }
    let hostile = r#"{"id":"//evil.example/@evil.example:81/?x#y"}"#;
    let made = request("method: POST, url: 'https://api.example/{record.id}'", hostile).unwrap();
    assert_eq!(made.url.host_str(), Some("api.example"));
}

#[test]
fn ssrf_disguised_hosts_other_schemes_and_userinfo_are_refused() {
    for url in [
        "https://0x7f.1/",
        "https://2130706433/",
        "https://017700000001/",
        "https://１２７.０.０.１/",
        "https://127.1/",
        "file:///etc/passwd",
        "ftp://api.example/",
        "gopher://api.example/",
        "https://api.example@evil.example/",
        "https://user:pass@api.example/",
    ] {
        for job in [
            format!("method: POST, url: '{url}'"),
            format!("template: encharge/upsert-person, base_url: '{url}'"),
        ] {
            assert!(plan(&job, "").is_err(), "{job}");
        }
        let webhook = format!("webhook: {{url: '{url}'}}");
        let wrong = plan("method: POST, url: 'https://api.example/'", &webhook).unwrap_err();
        assert!(wrong.contains("webhook.url"), "{url}: {wrong}");
        assert!(!wrong.contains("user:pass"), "{wrong}");
    }
}

#[test]
fn ssrf_a_job_and_its_webhook_on_this_machine_work_by_address() {
    let hook = "webhook: {url: 'URL/hook'}";
    let scene = Scene::new();
    let receiver = Recorder::start(scene.runtime(), 200, "");
    let hook = hook.replace("URL", &receiver.url(""));
    let (_, server, outcome) = run("method: POST, url: 'URL/in'", &hook, "{\"a\":1}\n", &[]);
    outcome.ends_with(0);
    assert_eq!((server.requests().len(), receiver.requests().len()), (1, 1));
}

#[test]
fn ssrf_allow_private_addresses_is_an_option_of_the_job() {
    let scene = Scene::new();
    scene
        .write("people.ndjson", people::ndjson(2))
        .write("job.yaml", PEOPLE);
    let output = scene
        .job_command("run", &["--set", "http.allow_private_addresses=true"])
        .output();
    Ended::of(output.unwrap(), &scene).ends_with(0);
    let plan = plan(
        "method: POST, url: 'https://api.example/'",
        "http: {allow_private_addresses: true}",
    );
    assert!(plan.unwrap().transport.http.allow_private_addresses);
}
