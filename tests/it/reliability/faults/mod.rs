//! Destinations, networks and machines that fail: a test for each row of the table in docs/reliability.md.
//!
//! Most of them run the binary against a server of raw bytes ([`play`]), the others hold the real transport or the
//! sender against what no server on this machine can do, such as a pause of five minutes.

mod batches;
mod bodies;
mod breaking;
mod clock;
mod closed_outputs;
mod conflicts;
mod connecting;
mod crash;
mod keys;
mod ledger;
mod panics;
mod redirects;
mod refusals;
mod retry_after;
mod signals;
mod silence;
mod tls;
mod try_again;
mod webhook;

use tokio_rustls::TlsAcceptor;

use crate::harness::{Outcome, Scene};
use crate::raw_server::{Act, RawServer, write};

/// A run of the binary that has ended, and the server that it ran against.
pub(super) struct Played {
    pub(super) scene: Scene,
    pub(super) server: RawServer,
    pub(super) outcome: Outcome,
}

impl Played {
    /// Asserts the exit code, and shows both outputs where it is another.
    #[track_caller]
    pub(super) fn ends_with(self, code: i32) -> Self {
        Self {
            outcome: self.outcome.ends_with(code),
            ..self
        }
    }

    /// The report's read, accepted, rejected, filtered, in doubt and unsent, which must add up.
    #[track_caller]
    pub(super) fn totals(&self) -> [u64; 6] {
        self.outcome.totals()
    }

    /// The reasons of the rejects, in the order of the file.
    pub(super) fn reasons(&self) -> Vec<String> {
        let rejects = self.scene.records("job.rejected.ndjson");
        let reasons = rejects
            .iter()
            .map(|reject| reject["_error_reason"].as_str().unwrap().to_owned());
        reasons.collect()
    }

    /// How many requests the server has read.
    pub(super) fn requests(&self) -> usize {
        self.server.requests().len()
    }

    #[track_caller]
    pub(super) fn says(&self, words: &str) {
        assert!(
            self.outcome.stderr.contains(words),
            "`{words}` is missing: {}",
            self.outcome.stderr
        );
    }
}

/// A reply after which the connection is closed, so that each request has a script of its own.
pub(super) fn reply(status: &str, headers: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}");
    vec![Act::Read, write(text)]
}

/// A reply of nothing but its status.
pub(super) fn status(status: u16) -> Vec<Act> {
    reply(&format!("{status} Said"), "", "")
}

/// So many connections alike.
pub(super) fn times(count: usize, script: Vec<Act>) -> Vec<Vec<Act>> {
    std::iter::repeat_n(script, count).collect()
}

/// Runs a job over so many records, one request at a time, against a server whose connections follow these scripts.
/// `destination` is what the job says of it besides the URL; each of `set` is a further option, `key=value`.
pub(super) fn play(scripts: Vec<Vec<Act>>, destination: &str, records: usize, set: &[&str]) -> Played {
    let scene = Scene::new();
    let server = scene.runtime().block_on(RawServer::start(scripts));
    played(scene, server, "http", destination, records, set)
}

/// The same with TLS.
pub(super) fn play_tls(acceptor: TlsAcceptor, scripts: Vec<Vec<Act>>, set: &[&str]) -> Played {
    let scene = Scene::new();
    let server = scene.runtime().block_on(RawServer::start_tls(acceptor, scripts));
    played(scene, server, "https", "method: POST", 1, set)
}

/// Writes the job into the scene: `records.ndjson` to the server.
pub(super) fn write_job(scene: &Scene, url: &str, destination: &str, records: usize) {
    let lines = (1..=records).map(|number| format!("{{\"n\":{number}}}\n"));
    let job = format!(
        "source: {{path: records.ndjson}}\ndestination: {{url: '{url}', {destination}}}\n\
         limits: {{concurrency: 1}}\nretry: {{initial_backoff: 1ms, max_backoff: 2ms}}\n"
    );
    scene
        .write("records.ndjson", lines.collect::<String>())
        .write("job.yaml", job);
}

fn played(
    scene: Scene,
    server: RawServer,
    scheme: &str,
    destination: &str,
    records: usize,
    set: &[&str],
) -> Played {
    write_job(&scene, server.url(scheme, "/in").as_str(), destination, records);
    let mut command = scene.command(&["run", "job.yaml", "--report", "json", "-vv"]);
    for option in set {
        command.args(["--set", option]);
    }
    let outcome = Outcome::of(command.output().unwrap(), &scene);
    Played {
        scene,
        server,
        outcome,
    }
}
