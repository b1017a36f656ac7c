//! The look-alikes of vendors, as a verb of their own and beside a job.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};

use outpour::mock::{CLIENT_ID, CLIENT_SECRET, ZuoraState};

use crate::harness::Scene;

/// A look-alike that runs, and what it said of itself.
struct Running {
    mock: Child,
    said: Vec<String>,
    // The reader stays until the end: a mock whose output is closed ends.
    _rest: Box<dyn BufRead>,
}

impl Running {
    fn start(scene: &Scene, more: &[&str]) -> Self {
        let arguments = [&["mock", "zuora", "--port", "0"], more].concat();
        let mut mock = scene.command(&arguments).spawn().unwrap();
        let mut reader = BufReader::new(mock.stdout.take().unwrap());
        let mut said = Vec::new();
        while said.last().is_none_or(|line| line != "interrupt it to stop") {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).unwrap() > 0, "{said:?}");
            said.push(line.trim_end().to_owned());
        }
        Self {
            mock,
            said,
            _rest: Box::new(reader),
        }
    }

    fn address(&self) -> String {
        self.said[0].rsplit(' ').next().unwrap().to_owned()
    }

    /// The status and the body of an answer.
    fn call(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head}\r\nHost: mock\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn token(&self) -> String {
        let form = "POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
        let secret = CLIENT_SECRET.replace('/', "%2F");
        let body = format!("grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={secret}");
        let (status, body) = self.call(form, &body);
        assert_eq!(status, 200);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    fn interrupt(mut self) {
        let id = self.mock.id().to_string();
        Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert_eq!(self.mock.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn the_look_alike_of_zuora_says_where_it_is_and_what_opens_it() {
    let running = Running::start(&Scene::new(), &[]);
    let said = running.said.join("\n").replace(&running.address(), "[mock]");
    insta::assert_snapshot!(said, @"
    a Zuora look-alike listens on [mock]
      rest    base_url: http://[mock]     client_id: 3f9c1b7e-0a52-4c1d-9d7e-6f1e2a9b4c80     client_secret: mock-client-secret/7Qm2xL9vT4bN
      token   http://[mock]/oauth/token
      state   http://[mock]/_mock/state
    interrupt it to stop
    ");
    running.interrupt();
}

#[test]
fn a_tenant_with_definitions_is_had_from_a_file() {
    let scene = Scene::new();
    let definitions = r#"{"definitions":{"Vehicle":{"object":"Vehicle","label":"Vehicle"}}}"#;
    scene.write("definitions.json", definitions);
    let more = [
        "--definitions",
        "definitions.json",
        "--object",
        "Thing",
        "--token-requests",
        "1",
    ];
    let running = Running::start(&scene, &more);
    let list = format!(
        "GET /objects/definitions/default HTTP/1.1\r\nAuthorization: Bearer {}",
        running.token()
    );
    assert_eq!([running.call(&list, "").0, running.call(&list, "").0], [200, 401]);
    let (_, state) = running.call("GET /_mock/state HTTP/1.1", "");
    let state: ZuoraState = serde_json::from_str(&state).unwrap();
    assert_eq!(state.definitions.keys().collect::<Vec<_>>(), ["Thing", "Vehicle"]);
    running.interrupt();
}

#[test]
fn definitions_that_are_wrong_are_explained() {
    let scene = Scene::new();
    scene
        .write("wrong.json", r#"{"definitions":{"A":{"object":"A","label":""}}}"#)
        .write("cut.json", "{");
    let refused = |file| {
        let arguments = ["mock", "zuora", "--port", "0", "--definitions", file];
        scene.outpour(&arguments).ends_with(2).stderr
    };
    insta::assert_snapshot!(refused("wrong.json"), @"
    error: the mock cannot be started
      Caused by: the definitions to start with are refused: The object's label must not be empty
    ");
    insta::assert_snapshot!(refused("cut.json"), @"error: cut.json:1: not valid YAML: unclosed bracket '{'");
    assert!(refused("none.json").starts_with("error: `none.json` cannot be read: "));
}

#[test]
fn what_belongs_to_one_vendor_is_refused_at_another() {
    let scene = Scene::new();
    let outcome = scene.outpour(&["mock", "--token-life", "1s"]).ends_with(2);
    insta::assert_snapshot!(outcome.stderr, @"
    error: `--token-life` belongs to the look-alike of Zuora
      hint: `outpour mock zuora --token-life ..`
    ");
}

#[test]
fn a_manual_url_of_a_zuora_server_goes_to_the_look_alike_of_zuora() {
    let scene = Scene::new();
    let client = serde_json::json!({
        "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
    });
    scene.write("tokens.ndjson", format!("{client}\n")).write(
        "job.yaml",
        "
source: {path: tokens.ndjson}
destination: {method: POST, url: 'https://rest.sandbox.eu.zuora.com/oauth/token', content_type: form}
",
    );
    let arguments = ["run", "job.yaml", "--mock", "--report", "json"];
    let outcome = scene.outpour(&arguments).ends_with(0);
    assert_eq!(outcome.count("accepted"), 1);
    assert!(
        outcome
            .stderr
            .contains("the mock holds 0 definitions, 0 records; 1 request arrived"),
        "{}",
        outcome.stderr
    );
    let elsewhere = "destination.url=https://rest.zuora.com.example/x";
    let outcome = scene
        .outpour(&["run", "job.yaml", "--mock", "--set", elsewhere])
        .ends_with(2);
    assert!(
        outcome.stderr.contains("the mock stands in for "),
        "{}",
        outcome.stderr
    );
}
