//! A run of any length, through a pipe into an API in memory, in batches of 100, with the ledger: its memory stays flat. And the same
//! work on one core and on two.
//!
//! ```text
//! cargo bench --bench flat                             10,000,000 people, made and not stored; memory at each million
//! cargo bench --bench flat -- memory --records 2000000
//! cargo bench --bench flat -- cores                    2,000,000 people on one core and on two, in turns; needs taskset
//! ```
//!
//! Each run is a process of its own, which reads what this one makes; so the memory and the time are the run's alone.

#![expect(clippy::print_stdout, reason = "a bench prints what it found")]

#[path = "../fixture/ending.rs"]
mod ending;
#[path = "../fixture/in_memory.rs"]
mod in_memory;
#[path = "../fixture/people.rs"]
mod people;
mod runs;
mod watch;

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};

pub(crate) use ending::Fault;
use people::{ndjson, repeated};

/// How many people are made at once.
const PORTION: u64 = 1_000;

/// The people of the file that `cores` reads, over and over.
const IN_FILE: u64 = 50_000;

/// Rounds of `cores`.
const ROUNDS: usize = 5;

/// What two cores must give of one.
const GOAL: f64 = 1.7;

fn main() -> ExitCode {
    ending::code(run())
}

/// Whether the goal was met.
fn run() -> Result<bool, Fault> {
    // `cargo bench` adds `--bench` to what it was given.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] | ["memory"] => memory(10_000_000),
        ["memory", "--records", records] => memory(records.parse()?),
        ["cores"] => cores(2_000_000),
        ["cores", "--records", records] => cores(records.parse()?),
        ["inner-memory"] => runs::watched(),
        ["inner-time", pattern] => runs::timed(pattern),
        _ => Err("give `memory` or `cores`, and perhaps `--records N`".into()),
    }
}

/// Feeds a run that watches its memory.
fn memory(records: u64) -> Result<bool, Fault> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("inner-memory")
        .stdin(Stdio::piped())
        .spawn()?;
    let mut pipe = child.stdin.take().ok_or("the run has no standard input")?;
    let mut made = 0;
    while made < records {
        let count = PORTION.min(records - made);
        pipe.write_all(ndjson(made + 1, count).as_bytes())?;
        made += count;
    }
    drop(pipe);
    Ok(child.wait()?.success())
}

/// Runs the same work on one core and on two, in turns.
fn cores(records: u64) -> Result<bool, Fault> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("people.ndjson");
    std::fs::write(&path, ndjson(1, IN_FILE))?;
    let pattern = repeated(&path, records.div_ceil(IN_FILE))?;
    let on = |cores: &str| -> Result<f64, Fault> {
        let done = Command::new("taskset")
            .args(["-c", cores])
            .arg(std::env::current_exe()?)
            .arg("inner-time")
            .arg(&pattern)
            .output()?;
        let said = String::from_utf8(done.stdout)?;
        said.trim().parse().map_err(|_| said.into())
    };
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let (one, two) = (on("1")?, on("0,1")?);
        println!(
            "round {round}: {one:.0} records/s on one core, {two:.0} on two: {:.2} x",
            two / one
        );
        ratios.push(two / one);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    println!("two cores give {median:.2} x of one (median of {ROUNDS}); the goal is {GOAL} x");
    Ok(median >= GOAL)
}
