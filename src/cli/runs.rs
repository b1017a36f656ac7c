//! `outpour runs`: what the ledger remembers.

use std::fmt::Write;
use std::time::Duration;

use outpour::ledger::{KeptKind, Ledger, Run, Settlement};
use outpour::report::{counted, grouped};
use outpour::units::TimeSpan;
use serde_json::{Value, json};

use super::args::{RunsArgs, RunsVerb};
use super::error::Failure;
use super::ledger::{here, moment};
use super::printer::Printer;
use super::prune::prune;
use super::standing::{Standing, go_on_hint, nature, standing};

pub(super) fn runs(args: &RunsArgs) -> Result<u8, Failure> {
    let ledger = Ledger::find(&here(args.state.state.as_deref()))?;
    match (&args.verb, args.json) {
        (Some(RunsVerb::Prune(prune_args)), _) => return prune(&ledger, prune_args),
        (Some(RunsVerb::Show { run }), false) => Printer::result(&shown(&ledger, &ledger.run(*run)?)?)?,
        (Some(RunsVerb::Show { run }), true) => {
            Printer::result(&details(&ledger, &ledger.run(*run)?)?.to_string())?;
        }
        (None, true) => ledger.each_run(args.job.as_deref(), |run| {
            Printer::result(&summary(&ledger, &run)?.to_string())
        })?,
        (None, false) => list(&ledger, args.job.as_deref())?,
    }
    Ok(0)
}

/// A table of all runs, the newest first.
fn list(ledger: &Ledger, job: Option<&str>) -> Result<(), Failure> {
    const HEAD: [&str; 9] = [
        "run", "job", "began", "took", "read", "accepted", "rejected", "in doubt", "unsent",
    ];
    let mut rows = vec![(HEAD.map(str::to_owned), "ended".to_owned())];
    ledger.each_run::<Failure>(job, |run| {
        let totals = &run.totals;
        let [read, accepted, rejected, in_doubt, unsent] = [
            totals.read,
            totals.accepted,
            totals.rejected,
            totals.in_doubt,
            totals.unsent,
        ]
        .map(grouped);
        let ended = standing(ledger, &run)?.words(&run);
        let cells = [
            run.id.to_string(),
            run.begun.job.clone(),
            moment(&run.started_at),
            took(&run),
            read,
            accepted,
            rejected,
            in_doubt,
            unsent,
        ];
        rows.push((cells, format!("{ended}{}", nature(&run))));
        Ok(())
    })?;
    if rows.len() == 1 {
        let of_job = job.map(|job| format!(" of `{job}`")).unwrap_or_default();
        return Printer::result(&format!("no runs{of_job}"));
    }
    let widths: [usize; 9] = std::array::from_fn(|column| {
        let lengths = rows.iter().map(|(cells, _)| cells[column].chars().count());
        lengths.max().unwrap_or(0)
    });
    let mut text = String::new();
    for (cells, ended) in &rows {
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            // Texts stand to the left, numbers to the right.
            let _ = match column {
                1 | 2 => write!(text, "{cell:<width$}  "),
                _ => write!(text, "{cell:>width$}  "),
            };
        }
        let _ = writeln!(text, "{ended}");
    }
    Printer::result(&text)
}

fn took(run: &Run) -> String {
    let length = Duration::from_millis(run.duration_ms);
    let rough = match length.as_secs() {
        0..10 => length,
        seconds => Duration::from_secs(seconds),
    };
    match run.duration_ms {
        0 => "-".to_owned(),
        _ => TimeSpan::new(rough).to_string(),
    }
}

fn shown(ledger: &Ledger, run: &Run) -> Result<String, Failure> {
    let standing = standing(ledger, run)?;
    let mut text = format!(
        "run {} of {}: {}{}\n",
        run.id,
        run.begun.job,
        standing.words(run),
        nature(run)
    );
    let sessions = match run.sessions {
        1 => String::new(),
        count => format!(", in {count} sessions"),
    };
    let ended = run
        .ended_at
        .as_deref()
        .map(|time| format!(", ended {}", moment(time)));
    let _ = writeln!(
        text,
        "  began {}{}, took {}{sessions}",
        moment(&run.started_at),
        ended.unwrap_or_default(),
        took(run)
    );
    let _ = writeln!(text, "  {} by {}", run.begun.template, run.begun.config);
    if let Some(because) = &run.because {
        let _ = writeln!(text, "  stopped: {}", because.replace('\n', " "));
    }
    write_totals(&mut text, run);
    write_report(&mut text, run);
    for kind in [KeptKind::Reject, KeptKind::Doubt] {
        write_kept(&mut text, ledger, run.id, kind)?;
    }
    let waiting = ledger.waiting_events(run.id)?;
    if waiting > 0 {
        let _ = writeln!(
            text,
            "  webhook: {} still to be delivered, by the next run or by `outpour webhook deliver`",
            counted(waiting, "event")
        );
    }
    for hint in next_steps(ledger, run, standing)? {
        let _ = writeln!(text, "  next: {hint}");
    }
    Ok(text)
}

fn write_totals(text: &mut String, run: &Run) {
    let totals = &run.totals;
    for (name, count) in [
        ("read", totals.read),
        ("accepted", totals.accepted),
        ("rejected", totals.rejected),
        ("filtered", totals.filtered),
        ("in doubt", totals.in_doubt),
        ("unsent", totals.unsent),
    ] {
        let _ = writeln!(text, "  {name:<9} {:>12}", grouped(count));
    }
    let _ = writeln!(
        text,
        "  {} in {}, {} sent",
        counted(run.requests, "request"),
        counted(run.attempts, "attempt"),
        counted(run.bytes_sent, "byte")
    );
}

/// Retries by cause and the slowest requests of the last session, as its report has them.
fn write_report(text: &mut String, run: &Run) {
    let report = report_of(run);
    let causes: Vec<String> = report["retries_by_cause"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(cause, count)| format!("{} after {cause}", grouped(count.as_u64().unwrap_or(0))))
        .collect();
    let of_last = if run.sessions > 1 {
        " in the last session"
    } else {
        ""
    };
    if !causes.is_empty() {
        let retries = counted(report["retries"].as_u64().unwrap_or(0), "retry");
        let _ = writeln!(text, "  {retries}{of_last}: {}", causes.join(", "));
    }
    let slowest = report["slowest"].as_array().map_or(&[][..], Vec::as_slice);
    if !slowest.is_empty() {
        let _ = writeln!(text, "  slowest requests{of_last}");
    }
    for request in slowest {
        let length = TimeSpan::new(Duration::from_millis(request["elapsed_ms"].as_u64().unwrap_or(0)));
        let status = match request["status"].as_u64() {
            Some(status) => status.to_string(),
            None => "no answer".to_owned(),
        };
        let attempts = counted(request["attempts"].as_u64().unwrap_or(0), "attempt");
        let record = request["record"].as_str().unwrap_or_default();
        let _ = writeln!(text, "    {length}, {status}, {attempts}: {record}");
    }
}

/// Reasons and settlements of all sessions, by the records themselves.
fn write_kept(text: &mut String, ledger: &Ledger, run: i64, kind: KeptKind) -> Result<(), Failure> {
    let reasons = ledger.reasons(run, kind, MOST_REASONS)?;
    if reasons.is_empty() {
        return Ok(());
    }
    let name = noun(kind);
    let _ = writeln!(text, "  {name}");
    for reason in &reasons {
        let (count, words) = (grouped(reason.count), reason.words().replace('\n', " "));
        let _ = writeln!(text, "  {count:>9} x {words}");
        let _ = writeln!(text, "            first: {}", reason.example);
    }
    let more = ledger
        .count_reasons(run, kind)?
        .saturating_sub(reasons.len() as u64);
    if more > 0 {
        let _ = writeln!(text, "            and {}", counted(more, "more reason"));
    }
    for Settlement { by, outcome, count } in ledger.settlements(run, kind)? {
        let outcome = outcome.replace('_', " ");
        let _ = writeln!(text, "  {:>9} {outcome} by run {by} since", grouped(count));
    }
    let _ = writeln!(text, "  {:>9} still open", grouped(ledger.count_open(run, kind)?));
    Ok(())
}

const MOST_REASONS: u32 = 20;

fn noun(kind: KeptKind) -> &'static str {
    match kind {
        KeptKind::Reject => "rejected",
        KeptKind::Doubt => "in doubt",
    }
}

fn next_steps(ledger: &Ledger, run: &Run, standing: Standing) -> Result<Vec<String>, Failure> {
    let (id, mut steps) = (run.id, Vec::new());
    let mock = if run.begun.is_mock { " --mock" } else { "" };
    if standing.can_go_on() {
        steps.push(go_on_hint(ledger, run)?);
    }
    if matches!(standing, Standing::Running { .. }) {
        return Ok(steps);
    }
    if ledger.count_open(id, KeptKind::Reject)? > 0 {
        steps.push(format!(
            "`outpour rejects {id}` writes the open rejects, `outpour retry {id}{mock}` sends them again"
        ));
    }
    if ledger.count_open(id, KeptKind::Doubt)? > 0 {
        steps.push(format!(
            "`outpour doubts {id}` lists the open doubts, `outpour retry {id} --in-doubt{mock}` sends them again"
        ));
    }
    Ok(steps)
}

fn report_of(run: &Run) -> Value {
    let report = run.report.as_deref();
    report
        .and_then(|report| serde_json::from_str(report).ok())
        .unwrap_or_default()
}

/// A run as JSON.
fn summary(ledger: &Ledger, run: &Run) -> Result<Value, Failure> {
    let (begun, totals, standing) = (&run.begun, &run.totals, standing(ledger, run)?);
    Ok(json!({
        "run": run.id,
        "run_id": begun.run_id,
        "job": begun.job,
        "template": begun.template,
        "config": begun.config,
        "mock": begun.is_mock,
        "retry_of": begun.retries,
        "state": standing.name(),
        "can_go_on": standing.can_go_on(),
        "sessions": run.sessions,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_ms": run.duration_ms,
        "exit_code": run.exit_code,
        "ending": run.ending,
        "stopped_because": run.because,
        "read": totals.read,
        "accepted": totals.accepted,
        "rejected": totals.rejected,
        "filtered": totals.filtered,
        "in_doubt": totals.in_doubt,
        "unsent": totals.unsent,
        "requests": run.requests,
        "attempts": run.attempts,
        "bytes_sent": run.bytes_sent,
    }))
}

/// A run as JSON, with what only `show` tells.
fn details(ledger: &Ledger, run: &Run) -> Result<Value, Failure> {
    let mut value = summary(ledger, run)?;
    for (name, kind) in [("rejects", KeptKind::Reject), ("doubts", KeptKind::Doubt)] {
        let settled: Vec<Value> = ledger
            .settlements(run.id, kind)?
            .iter()
            .map(|settled| json!({"by": settled.by, "as": settled.outcome, "count": settled.count}))
            .collect();
        value[name] = json!({
            "open": ledger.count_open(run.id, kind)?,
            "reasons": ledger.reasons(run.id, kind, MOST_REASONS)?,
            "settled": settled,
        });
    }
    value["waiting_events"] = ledger.waiting_events(run.id)?.into();
    value["report"] = report_of(run);
    Ok(value)
}
