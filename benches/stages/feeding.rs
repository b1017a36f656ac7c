//! The stages that feed a run: parse, shape, prepare, batch.

use std::time::Instant;

use outpour::batch::Batcher;
use outpour::record::Outline;
use outpour::shape::Shaped;
use outpour::source::{self, Entry};

use crate::Fault;
use crate::in_memory::{Job, MANUAL};
use crate::sending::BATCH;
use crate::workshop::{POOL, Round, Workshop, limits, prepared};

/// Types for the columns of a CSV file that are no text.
const CSV: &str = "csv: {columns: {seats: integer, mrr: number, active: boolean, since: date}}";

/// `records:` without jq.
pub(crate) const ATTRIBUTES: &str = "records: {exclude: [note, address.country], rename: {plan: tier}}";

/// `records:` of a record that goes through a template in `benches/end_to_end`.
const EXCLUDE: &str = "records: {exclude: [note, country]}";

/// jq over five fields.
pub(crate) const MAP: &str = r#"records:
  map: '{email, name: "\(.firstName) \(.lastName)", plan: (.plan | ascii_upcase), mrr, city: .address.city}'"#;

/// A template that needs one of some fields, and wraps each record in a list.
pub(crate) const TEMPLATE: &str = "{template: encharge/upsert-person}";

/// Reads a file of the pool to its end.
pub(crate) fn parse(workshop: &Workshop, extension: &str) -> Result<Round, Fault> {
    let path = workshop.file(extension)?;
    let job = Job::new(&format!("{{path: {}, {CSV}}}", path.display()), MANUAL, "")?;
    let config = job.config.source;
    Ok(Round::of_pool(move || {
        let mut source = source::open(&config)?;
        let mut records = 0;
        while let Some(chunk) = source.next_chunk()? {
            let good = chunk
                .entries
                .iter()
                .filter(|entry| matches!(entry, Entry::Record(_)));
            records += good.count() as u64;
        }
        expect(records)
    }))
}

/// Shapes the pool as `records` (YAML) says.
pub(crate) fn shape(workshop: &Workshop, records: &str) -> Result<Round, Fault> {
    let pool = workshop.records()?;
    let mut shaper = Job::new("{path: '-', format: ndjson}", MANUAL, records)?
        .plan
        .job
        .shaper;
    Ok(Round::of_pool(move || {
        let mut kept = 0;
        for record in &pool {
            match shaper.shape(record.clone()) {
                Ok(Shaped::Kept(_)) => kept += 1,
                Ok(Shaped::Filtered) => {}
                Err(refused) => return Err(refused.1.into()),
            }
        }
        expect(kept)
    }))
}

/// Turns the pool into parts of requests.
pub(crate) fn prepare(workshop: &Workshop, destination: &str) -> Result<Round, Fault> {
    let pool = workshop.records()?;
    let routes = Job::new("{path: '-', format: ndjson}", destination, "")?
        .plan
        .job
        .routes;
    Ok(Round::of_pool(move || {
        let mut bytes = 0;
        for record in &pool {
            bytes += prepared(&routes, record.clone())?.piece.len();
        }
        expect(if bytes > 0 { POOL } else { 0 })
    }))
}

/// Leaves attributes out of the pool, and turns what is left into parts of requests, as a run does one after the other.
pub(crate) fn shape_and_prepare(workshop: &Workshop) -> Result<Round, Fault> {
    let pool = workshop.records()?;
    let job = Job::new("{path: '-', format: ndjson}", TEMPLATE, EXCLUDE)?
        .plan
        .job;
    let (mut shaper, routes, mut outline) = (job.shaper, job.routes, Outline::default());
    Ok(Round::of_pool(move || {
        let mut bytes = 0;
        for record in &pool {
            let record = match shaper.shape_outlined(record.clone(), &mut outline) {
                Ok(Shaped::Kept(record)) => record,
                Ok(Shaped::Filtered) => continue,
                Err(refused) => return Err(refused.1.into()),
            };
            let prepared = routes.prepare_outlined(record, &mut outline);
            let prepared = prepared.map_err(|refused| refused.1.to_string())?;
            bytes += prepared.map_or(0, |prepared| prepared.piece.len());
        }
        expect(if bytes > 0 { POOL } else { 0 })
    }))
}

/// Puts the pool into batches.
pub(crate) fn batch(workshop: &Workshop) -> Result<Round, Fault> {
    let routes = Job::new("{path: '-', format: ndjson}", MANUAL, "")?
        .plan
        .job
        .routes;
    let batches = workshop.batches(&routes, 1)?;
    let mut batcher = Batcher::new(limits(BATCH));
    Ok(Round::of_pool(move || {
        let now = Instant::now();
        let mut records = 0;
        for item in batches.iter().flatten() {
            let bytes = item.piece.len();
            let complete = batcher.push(item.clone(), bytes, None, now);
            records += complete.iter().map(Vec::len).sum::<usize>();
        }
        records += batcher.drain().iter().map(Vec::len).sum::<usize>();
        expect(records as u64)
    }))
}

/// A stage that loses records measures something else.
fn expect(records: u64) -> Result<(), Fault> {
    match records {
        POOL => Ok(()),
        other => Err(format!("{other} records came out of {POOL}").into()),
    }
}
