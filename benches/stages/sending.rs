//! The stages that send: render, mark and settle, deliver; and a run as a whole.

use std::sync::Arc;

use outpour::client::{Reply, Sender};
use outpour::delivery::{Deliverer, Fate};
use outpour::endpoint::Verdict;
use outpour::ledger::{Journal, Ledger, Mark, Members, Settled};
use outpour::report::{Progress, Totals};
use outpour::request;
use tokio::runtime::{Builder, Runtime};

use crate::Fault;
use crate::feeding::TEMPLATE;
use crate::in_memory::{Job, MANUAL, TakesAll, USER, begin};
use crate::people::repeated;
use crate::workshop::{POOL, Round, Workshop};

/// The records of a request, where several share one.
pub(crate) const BATCH: usize = 100;

/// How many records are marked at once, as they come from one chunk.
const MARKED: u64 = 1_000;

/// How often a whole run reads the pool.
const TIMES: u64 = 20;

/// A job that has so many records in a request.
fn job(source: &str, records: usize) -> Result<Job, Fault> {
    let shape = if records == 1 { "object" } else { "array" };
    let more = format!(
        "batch: {{max_records: {records}, body_shape: {shape}}}\nlimits: {{rate: [], concurrency: 64}}"
    );
    Job::new(source, MANUAL, &more)
}

/// Makes requests of the pool.
pub(crate) fn render(workshop: &Workshop, records: usize) -> Result<Round, Fault> {
    let routes = job("{path: '-', format: ndjson}", records)?.plan.job.routes;
    let batches = workshop.batches(&routes, records)?;
    Ok(Round::of_pool(move || {
        for batch in &batches {
            let request = request::render(routes.of(batch), batch)?;
            if request.body.is_empty() {
                return Err("a request without a body".into());
            }
        }
        Ok(())
    }))
}

/// Marks records, and writes down that they were accepted, on one thread.
pub(crate) fn ledger(workshop: &Workshop, records: usize) -> Result<Round, Fault> {
    let ledger = Ledger::open(&workshop.folder("ledger")?)?;
    let resume = begin(&ledger, "bench")?;
    let journal = Journal::inline(ledger, resume, Arc::new(Progress::default()), 0)?;
    let runtime = one_thread()?;
    let mut totals = Totals::default();
    let mut first = 1;
    Ok(Round::of_pool(move || {
        for _ in 0..POOL / MARKED {
            let ordinals: Vec<u64> = (first..first + MARKED).collect();
            runtime.block_on(journal.mark(marks(&ordinals, records)))?;
            for batch in ordinals.chunks(records) {
                let mut settled = Settled::default();
                for ordinal in batch {
                    settled.accepted(*ordinal);
                }
                totals.read += batch.len() as u64;
                totals.accepted += batch.len() as u64;
                journal.settle(settled, &totals, 0, 1);
            }
            first += MARKED;
        }
        Ok(())
    }))
}

/// Batches of one record share a mark.
fn marks(ordinals: &[u64], records: usize) -> Vec<Mark> {
    let mark = |members: &[u64]| Mark {
        members: members.iter().copied().collect::<Members>(),
        is_single: records == 1,
    };
    let size = if records == 1 { ordinals.len() } else { records };
    ordinals.chunks(size).map(mark).collect()
}

/// Sends the pool, one request after the other, to an API that answers at once. The copy of each batch counts too.
pub(crate) fn deliver(workshop: &Workshop, records: usize) -> Result<Round, Fault> {
    let plan = job("{path: '-', format: ndjson}", records)?.plan;
    let batches = workshop.batches(&plan.job.routes, records)?;
    let sender = Sender::new(TakesAll, &plan.sender);
    let deliverer = Deliverer::new(Arc::clone(plan.job.routes.of(&[])), sender, None, "bench");
    let runtime = one_thread()?;
    Ok(Round::of_pool(move || {
        runtime.block_on(async {
            for batch in &batches {
                let delivered = deliverer.deliver(batch.clone()).await;
                if !delivered
                    .deliveries
                    .iter()
                    .all(|one| matches!(one.fate, Fate::Accepted))
                {
                    return Err("a batch was not accepted".into());
                }
            }
            Ok(())
        })
    }))
}

/// Takes secrets out of the pool's replies and judges them by the jq of a template, a reply a record.
pub(crate) fn judge(workshop: &Workshop) -> Result<Round, Fault> {
    let routes = Job::new("{path: '-', format: ndjson}", TEMPLATE, "")?
        .plan
        .job
        .routes;
    let batches = workshop.batches(&routes, 1)?;
    let endpoint = Arc::clone(routes.of(&[]));
    Ok(Round::of_pool(move || {
        for batch in &batches {
            let mut reply = Reply::new(http::StatusCode::OK, USER);
            endpoint.mask(&mut reply);
            if endpoint.success().judge(&reply, batch) != Verdict::Accepted {
                return Err("a reply was no success".into());
            }
        }
        Ok(())
    }))
}

/// Runs a job with its threads and its ledger.
pub(crate) fn whole(workshop: &Workshop, records: usize) -> Result<Round, Fault> {
    let pattern = repeated(&workshop.file("ndjson")?, TIMES)?;
    let folder = workshop.folder("runs")?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let mut runs = 0;
    Ok(Round {
        records: POOL * TIMES,
        work: Box::new(move || {
            runs += 1;
            let job = job(&format!("{{path: '{pattern}'}}"), records)?;
            let own = folder.join(runs.to_string());
            std::fs::create_dir(&own)?;
            let report = runtime.block_on(job.run(&own, Arc::default()))?;
            match report.totals.accepted {
                accepted if accepted == POOL * TIMES => Ok(()),
                accepted => Err(format!("{accepted} records were accepted").into()),
            }
        }),
    })
}

fn one_thread() -> Result<Runtime, Fault> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
