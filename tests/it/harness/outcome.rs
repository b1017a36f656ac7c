//! What the binary left behind: its exit code, its two outputs, and its report.

use std::process::Output;

use serde_json::Value;

use super::Scene;

/// The end of one run of the binary.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code; none where a signal ended the process.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    folder: String,
    address: String,
}

impl Outcome {
    pub(crate) fn of(output: Output, scene: &Scene) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            folder: scene.folder.path().to_string_lossy().into_owned(),
            address: scene.mock.address().to_string(),
        }
    }

    /// Asserts the exit code, and shows both outputs where it is another.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The report: the last line of standard output.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        let line = self.stdout.lines().last();
        let line = line.unwrap_or_else(|| panic!("no report\n{}", self.stderr));
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// A number of the report.
    #[track_caller]
    pub(crate) fn count(&self, name: &str) -> u64 {
        let report = self.report();
        report[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no `{name}` in {report}"))
    }

    /// The report's read, accepted, rejected, filtered, in doubt and unsent, which must add up.
    #[track_caller]
    pub(crate) fn totals(&self) -> [u64; 6] {
        let names = ["read", "accepted", "rejected", "filtered", "in_doubt", "unsent"];
        let totals = names.map(|name| self.count(name));
        assert_eq!(
            totals[0],
            totals[1..].iter().sum::<u64>(),
            "{totals:?} do not add up"
        );
        totals
    }

    /// Exit code and outputs as one text to hold a snapshot against, with what differs from run to run named.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("exit code {}\n", self.code.unwrap_or(-1));
        for (name, output) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !output.is_empty() {
                text += "--- ";
                text += name;
                text += "\n";
                text += output;
            }
        }
        text.replace(&self.folder, "[folder]")
            .replace(&self.address, "[mock]")
    }
}
