//! The report: what a run did, in numbers that add up.
//!
//! [`Totals`] counts records; every record read ends in exactly one of its other counts, and [`Totals::is_balanced`]
//! checks it. [`Report`] is what a run leaves behind, for people ([`Report::to_human`]) and for machines (one line of
//! JSON). [`Progress`] is what others may watch while it runs.

mod human;
mod progress;
mod reasons;
mod slowest;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::client::{Counters, Reached, TransportErrorKind};

pub use human::{counted, grouped};
pub use progress::{Progress, Snapshot};
pub use reasons::{Reason, Reasons, with_code};
pub use slowest::{SlowRequest, Slowest};

/// Records by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Read from the input, good or bad.
    pub read: u64,
    /// Taken by the API.
    pub accepted: u64,
    /// Not taken, each with its reason in the rejects file.
    pub rejected: u64,
    /// Left out by `where` or `map`.
    pub filtered: u64,
    /// Sent, and no answer ever came.
    pub in_doubt: u64,
    /// Read, and never sent because the run stopped.
    pub unsent: u64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The input was read to its end.
    Finished,
    /// It was stopped by a signal; the number is the signal's.
    Signalled(i32),
    /// `stop_when` stopped it.
    StopWhen,
    /// A session of a run that was gone on with came to its limit, and the input goes on.
    Limit,
    /// The destination could not be reached or trusted.
    Unreachable,
    /// The destination refused the credentials.
    Credentials,
    /// The destination answered in a way that nothing can be concluded from, or asked for too long a pause.
    Destination,
    /// The input became unreadable.
    Unreadable,
    /// Something that had to be written could not be.
    Unwritable,
    /// A defect of outpour itself.
    Defect,
}

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The run's number in the ledger, where there is one.
    pub run: Option<i64>,
    /// The run whose rejects or doubts it sent again.
    pub retry_of: Option<i64>,
    /// The run's identifier.
    pub run_id: String,
    /// The job's name.
    pub job: String,
    /// The template's name, or `manual`.
    pub template: String,
    /// Records by what became of them.
    #[serde(flatten)]
    pub totals: Totals,
    /// Requests that were sent, each perhaps in several attempts.
    pub requests: u64,
    /// Attempts that were made.
    pub attempts: u64,
    /// Attempts that repeat an earlier one of their request; one that follows a redirect does not.
    pub retries: u64,
    /// Retries by what made them necessary.
    pub retries_by_cause: BTreeMap<String, u64>,
    /// Requests for tokens, those that were sent again included; absent where there were none. They are no attempts.
    #[serde(skip_serializing_if = "is_zero")]
    pub token_requests: u64,
    /// How many requests at once `concurrency: auto` came to; absent where a number is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Reached>,
    /// Bytes of request bodies that were sent, repeats counted.
    pub bytes_sent: u64,
    /// Final replies whose body was cut short: longer than is read, or lost with the connection.
    pub cut_replies: u64,
    /// The run's length in milliseconds.
    pub duration_ms: u64,
    /// The code that the process ends with.
    pub exit_code: u8,
    /// How the run ended.
    pub ending: Ending,
    /// Why it ended so, where it did not simply finish.
    pub stopped_because: Option<String>,
    /// Reasons of rejects and doubts, the most frequent first.
    pub reasons: Vec<Reason>,
    /// What the user should look at.
    pub warnings: Vec<String>,
    /// Files of rejects that were written.
    pub rejects_files: Vec<PathBuf>,
    /// Files of records in doubt that were written.
    pub in_doubt_files: Vec<PathBuf>,
    /// Files of accepted records that were written.
    pub accepted_files: Vec<PathBuf>,
    /// The file of responses that was written.
    pub responses_file: Option<PathBuf>,
    /// Blank lines that were skipped.
    pub blank_lines: u64,
    /// The proxy that requests went through.
    pub proxy: Option<String>,
    /// The webhook's own account, where there is one.
    pub webhook: Option<WebhookReport>,
    /// The requests that took longest, the longest first.
    pub slowest: Vec<SlowRequest>,
    /// What earlier sessions did, where the run was gone on with. The records of all sessions are in the counts above;
    /// requests, attempts, bytes and the duration are those of this session.
    pub earlier: Option<Earlier>,
}

/// What earlier sessions of a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// How many there were.
    pub sessions: u32,
    /// Records that the API took.
    pub accepted: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Attempts that were made; those of the last second before a crash may be missing.
    pub attempts: u64,
    /// How long they took together, in milliseconds; a session that was killed does not count.
    pub duration_ms: u64,
}

/// What became of the webhook's events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WebhookReport {
    /// Events that the webhook took.
    pub delivered: u64,
    /// Events that stay in the ledger until they are delivered, those of earlier runs of the job included.
    pub waiting: u64,
    /// Events that it refused for good; without a ledger also those that were not sent before the run ended.
    pub failed: u64,
    /// Events for which there was no room.
    pub dropped: u64,
}

impl Totals {
    /// Whether every record that was read is in exactly one of the other counts.
    pub fn is_balanced(&self) -> bool {
        self.read == self.accepted + self.rejected + self.filtered + self.in_doubt + self.unsent
    }

    /// Whether nothing is rejected, in doubt or unsent.
    pub fn is_clean(&self) -> bool {
        self.rejected == 0 && self.in_doubt == 0 && self.unsent == 0
    }
}

impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Ending {
    /// The ending in a word: `finished`, `interrupted`, `credentials` ..
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Signalled(2) => "interrupted",
            Self::Signalled(_) => "terminated",
            Self::StopWhen => "stop_when",
            Self::Limit => "limit",
            Self::Unreachable => "unreachable",
            Self::Credentials => "credentials",
            Self::Destination => "destination",
            Self::Unreadable => "unreadable",
            Self::Unwritable => "unwritable",
            Self::Defect => "defect",
        }
    }

    /// The code that a process ends with: the README's table of exit codes.
    pub fn exit_code(self, totals: &Totals) -> u8 {
        match self {
            Self::Finished if totals.unsent > 0 => 75,
            Self::Finished if totals.is_clean() => 0,
            Self::Finished => 1,
            Self::StopWhen | Self::Limit | Self::Destination => 75,
            Self::Unreachable => 69,
            Self::Credentials => 77,
            Self::Unreadable => 65,
            Self::Unwritable => 74,
            Self::Defect => 70,
            Self::Signalled(signal) => u8::try_from(128 + signal).unwrap_or(75),
        }
    }
}

impl Report {
    /// The report of a run that has done nothing yet.
    pub fn new(run_id: impl Into<String>, job: impl Into<String>, template: impl Into<String>) -> Self {
        Self {
            run: None,
            retry_of: None,
            run_id: run_id.into(),
            job: job.into(),
            template: template.into(),
            totals: Totals::default(),
            requests: 0,
            attempts: 0,
            retries: 0,
            retries_by_cause: BTreeMap::new(),
            token_requests: 0,
            concurrency: None,
            bytes_sent: 0,
            cut_replies: 0,
            duration_ms: 0,
            exit_code: 0,
            ending: Ending::Finished,
            stopped_because: None,
            reasons: Vec::new(),
            warnings: Vec::new(),
            rejects_files: Vec::new(),
            in_doubt_files: Vec::new(),
            accepted_files: Vec::new(),
            responses_file: None,
            blank_lines: 0,
            proxy: None,
            webhook: None,
            slowest: Vec::new(),
            earlier: None,
        }
    }

    /// Takes over what the sender counted.
    pub fn count(&mut self, counters: &Counters) {
        let by_status = counters
            .retries_by_status
            .iter()
            .map(|(status, count)| (status.to_string(), *count));
        let by_error = counters
            .retries_by_error
            .iter()
            .map(|(kind, count)| (words(*kind), *count));
        self.attempts = counters.attempts;
        self.retries = counters.retries;
        self.retries_by_cause = by_status.chain(by_error).collect();
        self.token_requests = counters.token_requests;
        self.concurrency = counters.concurrency;
        self.bytes_sent = counters.bytes_sent;
    }

    /// Notes that something that had to be written could not be.
    pub fn fail(&mut self, because: String) {
        self.ending = Ending::Unwritable;
        self.stopped_because.get_or_insert(because);
        self.exit_code = self.ending.exit_code(&self.totals);
    }

    /// Sets the run's length.
    pub fn lasted(&mut self, length: Duration) {
        self.duration_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    }

    /// The report as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A kind of transport error as it is written in JSON, in words: `connect timeout`.
fn words(kind: TransportErrorKind) -> String {
    let name = serde_json::to_value(kind).unwrap_or_default();
    name.as_str().unwrap_or_default().replace('_', " ")
}
