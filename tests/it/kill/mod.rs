//! The built binary, killed with SIGKILL at random moments and run again, judged by what the mock holds and by what
//! the ledger says.

mod again;
mod disk;
mod events;
mod million;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use outpour::ledger::{Kept, KeptKind, Ledger, LedgerError, Run, Spans};

use crate::harness::Scene;

/// Every how manyth person has an e-mail that the mock refuses.
pub(crate) const BAD: usize = 97;

/// What the ledger says of the last run of `job.yaml`.
pub(crate) struct Past {
    pub(crate) run: Run,
    pub(crate) spans: Spans,
    /// What may have been sent and has no outcome.
    pub(crate) marked: BTreeSet<u64>,
}

impl Past {
    pub(crate) fn of(scene: &Scene) -> Self {
        let ledger = ledger(scene);
        let run = ledger.runs(None).unwrap().remove(0);
        let spans = ledger.spans(run.id).unwrap();
        let marks = ledger.unanswered(run.id, &spans).unwrap();
        Self {
            marked: marks.iter().flat_map(|mark| mark.members.iter()).collect(),
            run,
            spans,
        }
    }

    /// Whether the ledger knows that the record may have been sent.
    pub(crate) fn knows(&self, ordinal: u64) -> bool {
        self.spans.contains(ordinal) || self.marked.contains(&ordinal)
    }
}

pub(crate) use disk::{limited, within};

pub(crate) fn ledger(scene: &Scene) -> Ledger {
    Ledger::find(&scene.path(".outpour")).unwrap()
}

/// The rejects or doubts of the last run.
pub(crate) fn kept(scene: &Scene, kind: KeptKind) -> Vec<Kept> {
    let mut kept = Vec::new();
    let run = Past::of(scene).run.id;
    let take = |one: Kept| {
        kept.push(one);
        Ok::<(), LedgerError>(())
    };
    ledger(scene).each_kept(run, kind, false, take).unwrap();
    kept
}

/// People numbered from 1 as their records are; every [`BAD`]th cannot be accepted.
pub(crate) fn people(count: usize) -> String {
    let line = |number: usize| match is_bad(number) {
        true => format!("{{\"email\":\"nobody-{number}\",\"n\":{number}}}\n"),
        false => format!("{{\"email\":\"p{number}@example.com\",\"n\":{number}}}\n"),
    };
    (1..=count).map(line).collect()
}

fn is_bad(number: usize) -> bool {
    number.is_multiple_of(BAD)
}

/// The people that the mock holds, by their numbers, and how often each arrived.
pub(crate) fn arrivals(scene: &Scene) -> Vec<(u64, u64)> {
    let number = |text: Option<&str>| text.unwrap().parse().unwrap();
    let people = scene.state().people;
    people
        .iter()
        .map(|person| (number(person.attributes.json("n")), person.arrivals))
        .collect()
}

/// Waits until the mock has seen so many requests, or the process has ended by itself; says whether it still runs.
pub(crate) fn wait_for(scene: &Scene, child: &mut Child, requests: u64) -> bool {
    let start = Instant::now();
    while scene.requests() < requests {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "no requests arrive");
        sleep(Duration::from_millis(1));
    }
    true
}

/// Kills a process as the system does when memory runs out: it can do nothing about it.
pub(crate) fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A number below `limit` that is another one each time.
fn random(limit: u64) -> u64 {
    std::hash::RandomState::new().build_hasher().finish() % limit.max(1)
}
