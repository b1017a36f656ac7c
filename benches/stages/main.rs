//! What each stage of a run costs for one record: allocations, bytes, and as a hint the time.
//!
//! ```text
//! cargo bench --bench stages -- all                  every stage
//! cargo bench --bench stages -- parse --records 1000000
//! cargo bench --bench stages -- names                the stages whose instruction counts are repeatable
//! cargo bench --bench stages -- write FOLDER --records 200000
//! ```
//!
//! The data is fixed. A round has the same records each time, so that two counts of different length differ by the work alone.
//! Allocations are those of the whole process, threads included; counting them adds a few instructions to each.

#![expect(clippy::print_stdout, reason = "a bench prints what it found")]

mod feeding;
#[path = "../fixture/formats.rs"]
mod formats;
#[path = "../fixture/in_memory.rs"]
mod in_memory;
mod measure;
#[path = "../fixture/people.rs"]
mod people;
mod sending;
mod workshop;

use std::alloc::System;
use std::path::Path;
use std::process::ExitCode;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use measure::measured;
use workshop::{Round, Workshop};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What can go wrong in a bench: anything, and then it ends.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A stage of a run.
struct Stage {
    name: &'static str,
    /// Makes ready what one round needs.
    prepare: fn(&Workshop) -> Result<Round, Fault>,
    /// Whether two counts of its instructions agree: it has one thread, and asks no clock what to do.
    is_repeatable: bool,
}

const fn stage(name: &'static str, prepare: fn(&Workshop) -> Result<Round, Fault>) -> Stage {
    Stage {
        name,
        prepare,
        is_repeatable: true,
    }
}

const fn threaded(name: &'static str, prepare: fn(&Workshop) -> Result<Round, Fault>) -> Stage {
    Stage {
        is_repeatable: false,
        ..stage(name, prepare)
    }
}

/// Every stage. What a record goes through comes in this order.
const STAGES: [Stage; 19] = [
    stage("parse-ndjson", |workshop| feeding::parse(workshop, "ndjson")),
    stage("parse-csv", |workshop| feeding::parse(workshop, "csv")),
    stage("parse-arrow", |workshop| feeding::parse(workshop, "arrow")),
    stage("parse-parquet", |workshop| feeding::parse(workshop, "parquet")),
    stage("shape-attributes", |workshop| {
        feeding::shape(workshop, feeding::ATTRIBUTES)
    }),
    stage("shape-map", |workshop| feeding::shape(workshop, feeding::MAP)),
    stage("prepare-manual", |workshop| {
        feeding::prepare(workshop, in_memory::MANUAL)
    }),
    stage("prepare-template", |workshop| {
        feeding::prepare(workshop, feeding::TEMPLATE)
    }),
    stage("shape-prepare", feeding::shape_and_prepare),
    stage("batch", feeding::batch),
    stage("render-batches", |workshop| {
        sending::render(workshop, sending::BATCH)
    }),
    stage("render-singles", |workshop| sending::render(workshop, 1)),
    stage("ledger-batches", |workshop| {
        sending::ledger(workshop, sending::BATCH)
    }),
    stage("ledger-singles", |workshop| sending::ledger(workshop, 1)),
    stage("deliver-batches", |workshop| {
        sending::deliver(workshop, sending::BATCH)
    }),
    stage("deliver-singles", |workshop| sending::deliver(workshop, 1)),
    stage("judge-template", sending::judge),
    threaded("whole-batches", |workshop| {
        sending::whole(workshop, sending::BATCH)
    }),
    threaded("whole-singles", |workshop| sending::whole(workshop, 1)),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            println!("failed: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Fault> {
    // `cargo bench` adds `--bench` to what it was given.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let mut records = None;
    let mut given = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--records" => records = Some(words.next().ok_or("`--records` needs a number")?.parse()?),
            _ => given.push(word),
        }
    }
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given[..] {
        ["names"] => {
            for stage in STAGES.iter().filter(|stage| stage.is_repeatable) {
                println!("{}", stage.name);
            }
            Ok(())
        }
        ["write", folder] => write(Path::new(folder), records.unwrap_or(200_000)),
        [] | ["all"] => measure_all("", records.unwrap_or(0)),
        [name] => measure_all(name, records.unwrap_or(0)),
        _ => Err("give one stage, `all`, `names` or `write FOLDER`".into()),
    }
}

/// Writes the people in every format to `people.*`.
fn write(folder: &Path, records: u64) -> Result<(), Fault> {
    for (extension, write) in formats::FORMATS {
        write(&folder.join(format!("people.{extension}")), records)?;
    }
    Ok(())
}

/// Measures the stages whose names begin like this.
fn measure_all(name: &str, records: u64) -> Result<(), Fault> {
    let chosen: Vec<&Stage> = STAGES
        .iter()
        .filter(|stage| stage.name.starts_with(name))
        .collect();
    if chosen.is_empty() {
        return Err(format!("there is no stage `{name}`").into());
    }
    println!("| stage | records | allocations a record | bytes a record | ns a record |");
    println!("|---|---|---|---|---|");
    for stage in chosen {
        let workshop = Workshop::new()?;
        let mut round = (stage.prepare)(&workshop)?;
        println!("| {} {}", stage.name, measured(&mut round, records, ALLOCATOR)?);
    }
    Ok(())
}
