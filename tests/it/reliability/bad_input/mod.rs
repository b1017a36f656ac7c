//! Input that is not as it should be: a test for each row of the table in docs/reliability.md.
//!
//! Each goes through a whole run of the binary: a file or a stream in, requests to a recording server out.

mod arrow;
mod changes;
mod checksums;
mod compression;
mod csv;
mod encodings;
mod json;
mod long;
mod parquet;

use std::ops::Deref;

use outpour::record::{Fields, text_of};

use crate::harness::{Outcome, Recorder, Scene};

/// What arrived. Requests that are under way together arrive in any order, so no order counts.
#[derive(Debug)]
struct Bodies(Vec<String>);

impl<T: AsRef<str>, const N: usize> PartialEq<[T; N]> for Bodies {
    fn eq(&self, expected: &[T; N]) -> bool {
        let mut expected: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
        let mut arrived: Vec<&str> = self.0.iter().map(String::as_str).collect();
        expected.sort_unstable();
        arrived.sort_unstable();
        arrived == expected
    }
}

impl Deref for Bodies {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

/// A folder with a job whose records go to a server that takes everything, one request each.
struct Place {
    scene: Scene,
    server: Recorder,
}

/// A run that has ended.
struct Loaded {
    place: Place,
    outcome: Outcome,
}

impl Place {
    /// A job that reads `input` and adds these keys to its destination.
    fn new(input: &str, destination: &str) -> Self {
        let scene = Scene::new();
        let server = Recorder::start(scene.runtime(), 200, "{}");
        let url = server.url("/in");
        let job =
            format!("source: {{path: '{input}'}}\ndestination: {{method: PUT, url: '{url}'{destination}}}\n");
        scene.write("job.yaml", job);
        Self { scene, server }
    }

    /// Runs the job with these keys set.
    fn run(self, set: &[&str]) -> Loaded {
        let mut command = self.scene.command(&["run", "job.yaml", "--report", "json"]);
        for key in set {
            command.args(["--set", key]);
        }
        let outcome = Outcome::of(command.output().unwrap(), &self.scene);
        Loaded { place: self, outcome }
    }
}

/// Loads a file of this name and content.
fn load(name: &str, bytes: impl AsRef<[u8]>, set: &[&str]) -> Loaded {
    let place = Place::new(name, "");
    place.scene.write(name, bytes);
    place.run(set)
}

impl Loaded {
    /// Asserts the exit code.
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        let outcome = self.outcome.ends_with(code);
        Self { outcome, ..self }
    }

    /// The bodies that arrived.
    fn bodies(&self) -> Bodies {
        let requests = self.place.server.requests().into_iter();
        Bodies(requests.map(|request| request.body).collect())
    }

    /// Why the run stopped.
    fn because(&self) -> String {
        self.outcome.report()["stopped_because"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The warnings of the report, as one text.
    fn warnings(&self) -> String {
        self.outcome.report()["warnings"].to_string()
    }

    /// One member of each reject of an input that is not CSV, as text. The others may be of any depth.
    fn rejected(&self, key: &str) -> Vec<String> {
        let text = self.place.scene.read("job.rejected.ndjson");
        let member = |line: &str| {
            let fields = Fields::parse(line).unwrap();
            text_of(fields.one(key).unwrap().unwrap()).unwrap().into_owned()
        };
        text.lines().map(member).collect()
    }

    /// Why each was rejected.
    fn reasons(&self) -> Vec<String> {
        self.rejected("_error_reason")
    }

    /// The rejects of CSV, the header left out. Bytes that are not UTF-8 are shown as replacement characters.
    fn csv_rejects(&self) -> Vec<String> {
        let bytes = std::fs::read(self.place.scene.path("job.rejected.csv")).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// What the binary said on standard error.
    fn said(&self) -> &str {
        &self.outcome.stderr
    }
}
