//! What a test of the built binary stands on: a folder of its own, a mock that runs inside the test, and the binary.
//!
//! [`Scene`] holds the folder and the mock and starts the binary against it; [`Outcome`] is what the binary left
//! behind; [`Recorder`] is a server that writes down the exact bytes that it was sent; [`people`] makes inputs.

pub(crate) mod guarded;
mod outcome;
pub(crate) mod people;
mod recorder;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use outpour::mock::{
    API_KEY, CLIENT_ID, CLIENT_SECRET, Mock, MockSettings, MockVendor, State, WRITE_KEY, ZuoraState,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

pub(crate) use outcome::Outcome;
pub(crate) use recorder::{Recorded, Recorder};

/// A job that loads `people.ndjson`, as fast as it can and with waits that a test can afford.
pub(crate) const PEOPLE: &str = "
source: {path: people.ndjson}
destination: {template: encharge/upsert-person}
limits: {rate: [], concurrency: 8}
retry: {initial_backoff: 1ms, max_backoff: 5ms}
";

/// A job that tracks the events of `events.ndjson`.
pub(crate) const EVENTS: &str = "
source: {path: events.ndjson}
destination: {template: encharge/track-event}
limits: {rate: [], concurrency: 8}
retry: {initial_backoff: 1ms, max_backoff: 5ms}
";

/// A folder, a mock, and the binary to run in the one against the other.
pub(crate) struct Scene {
    folder: TempDir,
    mock: Mock,
    runtime: Runtime,
}

impl Scene {
    /// A folder of its own and a mock that never fails.
    pub(crate) fn new() -> Self {
        Self::with(MockSettings::default())
    }

    /// A job over a hundred people.
    pub(crate) fn of_a_hundred() -> Self {
        let scene = Self::new();
        scene
            .write("people.ndjson", people::ndjson(100))
            .write("job.yaml", PEOPLE);
        scene
    }

    /// A mock that fails as `faults` says, by this seed.
    pub(crate) fn failing(faults: &str, seed: u64) -> Self {
        Self::with(MockSettings {
            faults: faults.parse().unwrap(),
            seed,
            ..MockSettings::default()
        })
    }

    /// A mock of these settings.
    pub(crate) fn with(settings: MockSettings) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mock = runtime.block_on(Mock::start(settings)).unwrap();
        Self {
            folder: TempDir::new().unwrap(),
            mock,
            runtime,
        }
    }

    /// The runtime that the mock runs on, for other servers.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What the mock holds and has seen.
    pub(crate) fn state(&self) -> State {
        self.mock.state()
    }

    /// What a mock of Zuora holds and has seen.
    pub(crate) fn zuora_state(&self) -> ZuoraState {
        self.mock.zuora_state().unwrap()
    }

    /// How many requests the mock has seen.
    pub(crate) fn requests(&self) -> u64 {
        self.mock.requests()
    }

    /// Where the mock takes people, tags and objects.
    pub(crate) fn api_url(&self) -> String {
        self.mock.api_url()
    }

    /// Where the mock takes events.
    pub(crate) fn ingest_url(&self) -> String {
        self.mock.ingest_url()
    }

    /// Where a mock of Zuora is.
    pub(crate) fn rest_url(&self) -> String {
        self.mock.rest_url()
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), bytes).unwrap();
        self
    }

    /// Reads a file of the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The records of an NDJSON file of the folder; none where there is no such file.
    pub(crate) fn records(&self, name: &str) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The names of the folder's files, sorted; the ledger's folder aside.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != ".outpour")
            .collect();
        names.sort();
        names
    }

    /// The binary, with these arguments, in the folder, with the mock's keys in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outpour"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_LOG")
            .env_remove("COLUMNS")
            .env("ENCHARGE_API_KEY", API_KEY)
            .env("ENCHARGE_WRITE_KEY", WRITE_KEY)
            .env("ZUORA_CLIENT_ID", CLIENT_ID)
            .env("ZUORA_CLIENT_SECRET", CLIENT_SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn outpour(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap(), self)
    }

    /// A verb that takes a job, with `job.yaml` pointed at the mock.
    pub(crate) fn job_command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = self.command(&[verb, "job.yaml"]);
        command.args(["--set", &self.base_url()]).args(more);
        command
    }

    /// Runs `job.yaml` against the mock, with a report in JSON.
    pub(crate) fn run(&self, more: &[&str]) -> Outcome {
        let output = self.job_command("run", more).args(["--report", "json"]).output();
        Outcome::of(output.unwrap(), self)
    }

    /// Sends records of `job.yaml` again, to the mock, with a report in JSON.
    pub(crate) fn retry(&self, more: &[&str]) -> Outcome {
        let mut command = self.command(&["retry", "--set", &self.base_url(), "--report", "json"]);
        Outcome::of(command.args(more).output().unwrap(), self)
    }

    /// The runs of the ledger as JSON, the oldest first.
    pub(crate) fn runs(&self) -> Vec<serde_json::Value> {
        let outcome = self.outpour(&["runs", "--json"]).ends_with(0);
        let mut runs: Vec<_> = outcome
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        runs.reverse();
        runs
    }

    /// Runs `job.yaml` against the mock, with bytes on standard input.
    pub(crate) fn run_with_input(&self, more: &[&str], input: &[u8]) -> Outcome {
        let mut command = self.job_command("run", more);
        let mut child = command
            .args(["--report", "json"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // Nobody reads standard error meanwhile; it is short in these tests.
        pipe.write_all(input).unwrap();
        drop(pipe);
        self.wait(child)
    }

    /// Waits for a binary that was started by hand.
    pub(crate) fn wait(&self, child: Child) -> Outcome {
        Outcome::of(child.wait_with_output().unwrap(), self)
    }

    /// What points a job at the mock.
    pub(crate) fn base_url(&self) -> String {
        let is_event =
            std::fs::read_to_string(self.path("job.yaml")).is_ok_and(|job| job.contains("track-event"));
        let url = match self.mock.vendor() {
            MockVendor::Zuora => self.mock.rest_url(),
            MockVendor::Encharge if is_event => self.mock.ingest_url(),
            MockVendor::Encharge => self.mock.api_url(),
        };
        format!("destination.base_url={url}")
    }
}
