//! `outpour check`: a job without sending anything.

use std::fmt::Write;

use outpour::accepted::AcceptedFile;
use outpour::client::{Concurrency, HttpTransport, Outcome, Policy, Reply, Sender};
use outpour::config::{Check, Plan};
use outpour::endpoint::{Route, Routes};
use outpour::expression::{Expression, Value};
use outpour::new_file;
use outpour::report::counted;
use outpour::source;

use super::args::CheckArgs;
use super::error::{Failure, code_of};
use super::job::{LoadedJob, runtime};
use super::preflight::preflight;
use super::printer::Printer;

pub(super) fn check(args: &CheckArgs) -> Result<u8, Failure> {
    let job = LoadedJob::load(&args.job)?;
    let plan = job.plan(None)?;
    if !job.source().path.as_slice().iter().any(|path| path == "-") {
        source::open(job.source())?;
    }
    HttpTransport::new(&plan.transport)?;
    let accepted = plan.job.accepted.as_ref().map(AcceptedFile::stem);
    for stem in accepted.into_iter().chain([plan.job.rejects.as_path()]) {
        new_file::check(stem).map_err(|error| Failure::Unwritable {
            path: error.path,
            source: error.source,
        })?;
    }
    let mut text = format!("{}: the configuration is good\n", plan.job.name);
    text.push_str(&destination(&plan.job.routes));
    text.push_str(&at_once(plan.sender.limits.concurrency));
    if plan.sender.limits.rates.is_empty() {
        text.push_str(", no rate limit\n");
    } else {
        let _ = writeln!(text, ", at most {}", plan.sender.limits.rates);
    }
    if !job.config.active {
        text.push_str("  the job is not active: `outpour run` will not send it\n");
    }
    for warning in &plan.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    Printer::result(&text)?;
    if !args.online {
        return Ok(0);
    }
    match online(&plan)? {
        0 => look_at_records(plan, &job),
        code => Ok(code),
    }
}

/// The records against what the account knows, where they can be read without being lost.
fn look_at_records(plan: Plan, job: &LoadedJob) -> Result<u8, Failure> {
    if plan.preflights.iter().all(Option::is_none) {
        return Ok(0);
    }
    if job.source().path.as_slice().iter().any(|path| path == "-") {
        Printer::result("  standard input was not compared with the account's fields: it can be read once")?;
        return Ok(0);
    }
    runtime()?
        .block_on(preflight(plan, job, Printer::result))
        .map(|()| 0)
}

fn at_once(concurrency: Concurrency) -> String {
    match concurrency {
        Concurrency::Fixed(number) => format!("{} at once", counted(u64::from(number), "request")),
        Concurrency::Auto { .. } => format!("{concurrency} requests at once"),
    }
}

/// Where records go and how many share a request, up to what is said of all requests.
fn destination(routes: &Routes) -> String {
    let shown = |route: &Route| {
        let endpoint = &route.endpoint;
        format!(
            "{} {} ({})",
            endpoint.method(),
            endpoint.shown_url(),
            endpoint.name()
        )
    };
    let records = |route: &Route| format!("{} in a request", counted(route.max_records as u64, "record"));
    if !routes.is_change_feed() {
        let one = |route| format!("  sends {}\n  {}, ", shown(route), records(route));
        return routes.iter().map(one).collect();
    }
    let mut text = String::new();
    for route in routes.iter() {
        let operations: Vec<&str> = route.operations.iter().map(|one| one.name()).collect();
        let _ = writeln!(
            text,
            "  {}: {}, {}",
            operations.join(" and "),
            shown(route),
            records(route)
        );
    }
    text + "  "
}

fn online(plan: &Plan) -> Result<u8, Failure> {
    let Some(check) = &plan.check else {
        Printer::result(&format!(
            "  `{}` has no read-only request to check its credentials with",
            plan.job.routes.name()
        ))?;
        return Ok(0);
    };
    let sent = runtime()?.block_on(async {
        let sender = Sender::new(HttpTransport::new(&plan.transport)?, &plan.sender);
        Ok::<_, Failure>(
            sender
                .send(
                    &check.request,
                    &Policy {
                        safe_to_resend: true,
                        needs_body: true,
                        ..Policy::default()
                    },
                )
                .await,
        )
    })?;
    let (text, code) = match sent.outcome {
        Outcome::Replied(mut reply) => {
            plan.job.routes.mask(&mut reply);
            answer(plan, check, &reply)
        }
        Outcome::NotSent(error) | Outcome::InDoubt(error) => (format!("no answer: {error}"), 69),
        Outcome::Fatal(fatal) => {
            let cause = std::error::Error::source(&fatal).map(|cause| format!(": {cause}"));
            let cause = cause.unwrap_or_default();
            match code_of(&fatal) {
                77 => (format!("the credentials were refused: {fatal}{cause}"), 77),
                code => (format!("no answer: {fatal}{cause}"), code),
            }
        }
        Outcome::Stopped => ("stopped".to_owned(), 75),
    };
    Printer::result(&format!("  {text}"))?;
    Ok(code)
}

fn answer(plan: &Plan, check: &Check, reply: &Reply) -> (String, u8) {
    let reason = || {
        plan.job
            .routes
            .of(&[])
            .success()
            .reason(reply.status, &reply.body)
    };
    match reply.status.as_u16() {
        200..=299 => (
            format!("the credentials are good{}", account(check, &reply.body)),
            0,
        ),
        401 | 403 => (format!("the credentials were refused: {}", reason()), 77),
        _ => (format!("the vendor did not say: {}", reason()), 69),
    }
}

fn account(check: &Check, body: &[u8]) -> String {
    let line = || {
        let value = Value::parse(std::str::from_utf8(body).ok()?).ok()?;
        Some(
            Expression::compile(check.account.as_deref()?)
                .ok()?
                .one(value)
                .ok()?
                .to_words(),
        )
    };
    line().map(|line| format!(": {line}")).unwrap_or_default()
}
