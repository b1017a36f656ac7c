//! Runs by chance, as a seed decides them: what the records are, what the job says, what goes wrong at the API, and
//! when the process is killed or asked to stop. Each is gone on with until it finishes, and after every session the
//! promises are held against what the API saw.
//!
//! The clock stands still, the API is in memory, the ledger is a file, and nothing runs beside anything else, so a
//! seed always goes the same way. `OUTPOUR_SIM_SEED=7` runs one seed, `OUTPOUR_SIM_SEEDS=20000` runs that many.

mod api;
mod dice;
mod input;
mod judge;
mod life;
mod plan;
mod session;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tempfile::TempDir;

use api::Arrivals;
use judge::{Books, judge, judge_end};
use plan::Plan;
use session::Session;

/// How many seeds the suite runs.
const SEEDS: u64 = 500;

/// More sessions than any run needs.
const MOST_SESSIONS: usize = 80;

#[test]
fn every_promise_holds_through_faults_kills_and_resumes() {
    if let Some(seed) = variable("OUTPOUR_SIM_SEED") {
        return simulate(seed);
    }
    let (next, last) = (AtomicU64::new(1), variable("OUTPOUR_SIM_SEEDS").unwrap_or(SEEDS));
    let failed = Mutex::new(BTreeSet::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > last {
                return;
            }
            if catch_unwind(AssertUnwindSafe(|| simulate(seed))).is_err() {
                failed.lock().unwrap().insert(seed);
            }
        }
    };
    let count = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..count).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "these seeds fail: {failed:?}; one alone: OUTPOUR_SIM_SEED=7 cargo test --lib simulation"
    );
}

/// A kill between the halves of a refused batch: each half is known by itself afterwards.
#[test]
fn seeds_that_failed_once_stay_mended() {
    [12_760].into_iter().for_each(simulate);
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Runs one seed to its end.
fn simulate(seed: u64) {
    let folder = folder();
    let (mut plan, arrivals) = (Plan::of(seed), Arrivals::default());
    for number in 0..MOST_SESSIONS {
        let session = Session::run(&mut plan, folder.path(), &arrivals, number);
        let books = Books::read(folder.path(), session.resume.run);
        judge(&plan, &session, &books, &arrivals.lock().unwrap());
        if is_finished(&session) {
            return judge_end(&plan, &books, folder.path());
        }
    }
    panic!("not finished after {MOST_SESSIONS} sessions");
}

fn is_finished(session: &Session) -> bool {
    session
        .report
        .as_ref()
        .is_some_and(|report| matches!(report.exit_code, 0 | 1))
}

/// A folder in memory where there is one: what is on trial is what was committed, not how long a disk takes.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}
