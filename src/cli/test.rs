//! `outpour test`: sends one sample record and prints the reply.

use std::fmt::Write;
use std::sync::Arc;

use outpour::client::{HttpTransport, Outcome, Reply, Sender};
use outpour::delivery;
use outpour::endpoint::{Endpoint, ItemVerdict, Prepared, Refusal, Routes, Verdict};
use outpour::mock::MockSettings;
use outpour::record::{Fields, Origin, Position, Record, Shape};
use outpour::report::with_code;
use outpour::request;
use outpour::shape::{Shaped, Shaper};
use outpour::source::{self, Entry};

use super::args::TestArgs;
use super::error::{Failure, code_of};
use super::job::{LoadedJob, runtime};
use super::preview::as_http;
use super::printer::Printer;

pub(super) fn test(args: &TestArgs) -> Result<u8, Failure> {
    let job = LoadedJob::load(&args.job)?;
    runtime()?.block_on(send_one(args, &job))
}

async fn send_one(args: &TestArgs, job: &LoadedJob) -> Result<u8, Failure> {
    let mock = if args.mock {
        Some(job.start_mock(MockSettings::default()).await?)
    } else {
        None
    };
    let mut plan = job.plan(mock.as_ref())?;
    let record = match &args.record {
        Some(text) => given(text)?,
        None => first_of(job)?,
    };
    let prepared = prepare(&mut plan.job.shaper, &plan.job.routes, record)?;
    let batch = std::slice::from_ref(&prepared);
    let endpoint = Arc::clone(plan.job.routes.of(batch));
    let mut request = request::render(&endpoint, batch).map_err(|error| Failure::usage(error.to_string()))?;
    request::identify(&mut request, &endpoint, &plan.job.run_id, batch);
    Printer::result(&as_http(&endpoint, &request))?;
    request::pack(&mut request, &endpoint);
    for warning in &plan.warnings {
        tracing::warn!("{warning}");
    }
    let sender = Sender::new(HttpTransport::new(&plan.transport)?, &plan.sender);
    let policy = delivery::policy(&endpoint, batch, plan.job.in_doubt);
    let sent = sender.send(&request, &policy).await;
    match sent.outcome {
        Outcome::Replied(mut reply) => {
            endpoint.mask(&mut reply);
            Printer::result(&as_text(&reply))?;
            judge(&endpoint, &prepared, &reply)
        }
        Outcome::NotSent(error) | Outcome::InDoubt(error) => {
            Printer::error(&chain(&error));
            Ok(69)
        }
        Outcome::Fatal(fatal) => {
            Printer::error(&chain(&fatal));
            Ok(code_of(&fatal))
        }
        Outcome::Stopped => Ok(75),
    }
}

fn given(text: &str) -> Result<Record, Failure> {
    if let Err(error) = Fields::parse(text) {
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        return Err(Failure::usage_hint(
            format!("`--record` is not a JSON object: {error}{cause}"),
            r#"write for example --record '{"email":"ada@example.com"}'"#,
        ));
    }
    let origin = Arc::new(Origin {
        name: "--record".to_owned(),
        shape: Shape::Json,
    });
    let position = Position {
        origin,
        ordinal: 1,
        number: 1,
        line: None,
        byte: 0,
    };
    Ok(Record {
        position,
        text: text.trim().to_owned().into(),
        original: None,
    })
}

fn first_of(job: &LoadedJob) -> Result<Record, Failure> {
    let mut source = source::open(job.source())?;
    while let Some(chunk) = source.next_chunk()? {
        match chunk.entries.into_iter().next() {
            Some(Entry::Record(record)) => return Ok(record),
            Some(Entry::Bad(bad)) => return Err(Failure::usage(format!("{}: {}", bad.position, bad.reason))),
            None => {}
        }
    }
    Err(Failure::usage_hint(
        "the input has no records",
        "give one with --record '{..}'",
    ))
}

fn prepare(shaper: &mut Shaper, routes: &Routes, record: Record) -> Result<Prepared, Failure> {
    let record = match shaper.shape(record) {
        Ok(Shaped::Kept(record)) => record,
        Ok(Shaped::Filtered) => return Err(Failure::usage("the record is filtered out by `where` or `map`")),
        Err(refused) => return Err(Failure::usage(format!("{}: {}", refused.0.position, refused.1))),
    };
    match routes.prepare(record) {
        Ok(Some(prepared)) => Ok(prepared),
        Ok(None) => Err(Failure::usage(
            "the record is filtered out: its operation is skipped",
        )),
        Err(refused) => Err(Failure::usage(format!(
            "{} would be rejected: {}",
            refused.0.position, refused.1
        ))),
    }
}

fn as_text(reply: &Reply) -> String {
    let mut text = format!("-> {}\n", reply.status);
    for (name, value) in &reply.headers {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    let body = String::from_utf8_lossy(&reply.body);
    if body.is_empty() {
        text
    } else {
        format!("{text}\n{}\n", body.trim_end())
    }
}

fn judge(endpoint: &Endpoint, item: &Prepared, reply: &Reply) -> Result<u8, Failure> {
    let (words, code) = match endpoint.success().judge(reply, std::slice::from_ref(item)) {
        Verdict::Accepted => ("accepted".to_owned(), 0),
        Verdict::Each { items, unclear } => match items.into_iter().next() {
            Some(ItemVerdict::Accepted) => ("accepted".to_owned(), 0),
            Some(ItemVerdict::Refused(refusal)) => (format!("rejected: {}", told(&refusal)), 1),
            Some(ItemVerdict::Again(refusal)) => (format!("worth sending again: {}", told(&refusal)), 1),
            _ => {
                let reason = unclear.unwrap_or_default();
                (format!("not what the endpoint promises: {reason}"), 75)
            }
        },
        Verdict::Refused(reason) => (
            format!("rejected: {reason}"),
            if is_credentials(reply) { 77 } else { 1 },
        ),
        Verdict::Unexpected(reason) => (format!("not what the endpoint promises: {reason}"), 75),
    };
    Printer::result(&words)?;
    Ok(code)
}

fn told(refusal: &Refusal) -> String {
    with_code(refusal.code.as_deref(), &refusal.reason)
}

fn is_credentials(reply: &Reply) -> bool {
    matches!(reply.status.as_u16(), 401 | 403)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, "\n  Caused by: {cause}");
        source = cause.source();
    }
    text
}
