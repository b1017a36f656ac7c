//! `outpour run`: sends the records of a job.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use outpour::accepted::AcceptedFile;
use outpour::client::{AnyTransport, HttpTransport, Sender, SenderSettings, TransportSettings};
use outpour::config::{Plan, Steps};
use outpour::ledger::JobLock;
use outpour::mock::{Mock, MockSettings};
use outpour::new_file::{self, FileError};
use outpour::pipeline;
use outpour::report::{Ending, Progress, Report, counted, grouped};
use outpour::source::{self, Source};
use outpour::webhook::Events;

use super::args::{ReportFormat, RunArgs, SendingArgs};
use super::error::Failure;
use super::job::{LoadedJob, runtime};
use super::ledger;
use super::preflight::{Say, preflight};
use super::printer::Printer;
use super::progress::Bar;
use super::signal::watch_signals;
use super::steps;

pub(super) fn run(args: &RunArgs, printer: Printer) -> Result<u8, Failure> {
    match Steps::load(&args.job.config)? {
        Some(several) => steps::steps(args, &several, printer),
        None if args.from.is_some() => Err(Failure::usage(format!(
            "`--from` is for a file with `steps`, and `{}` is one job",
            args.job.config.display()
        ))),
        None => run_job(args, printer, None),
    }
}

/// Runs one job. A `mock` is that of several jobs, and stays when this one is over.
pub(super) fn run_job(args: &RunArgs, printer: Printer, mock: Option<&Mock>) -> Result<u8, Failure> {
    let job = LoadedJob::load(&args.job)?;
    let before = Before {
        preflight: args.preflight,
        mock,
    };
    send(&args.sending, &before, &job, printer, |plan, progress| {
        let source = source::open(job.source())?;
        let lock = ledger::open_books(args, plan, job.source(), progress, printer)?;
        Ok(Input {
            source,
            _locks: lock.into_iter().collect(),
        })
    })
}

/// What is done before anything is sent.
#[derive(Debug, Default)]
pub(super) struct Before<'a> {
    /// Compares the records with what the account knows.
    pub(super) preflight: bool,
    /// A look-alike that runs already.
    pub(super) mock: Option<&'a Mock>,
}

/// What a run reads, and what keeps other processes away from its job meanwhile.
pub(super) struct Input {
    pub(super) source: Box<dyn Source>,
    pub(super) _locks: Vec<JobLock>,
}

/// Sends what `open` opens, once everything else is known to be in order, and says what became of it. `open` opens the
/// books of the plan too.
pub(super) fn send(
    args: &SendingArgs,
    before: &Before<'_>,
    job: &LoadedJob,
    printer: Printer,
    open: impl FnOnce(&mut Plan, &Arc<Progress>) -> Result<Input, Failure>,
) -> Result<u8, Failure> {
    if !job.config.active {
        let hint = "set `active: true` to send, or look at it with `outpour preview`";
        return Err(Failure::usage_hint(
            format!("the job `{}` is not active", job.config.name()),
            hint,
        ));
    }
    let report = runtime()?.block_on(send_all(args, before, job, printer, open))?;
    // Whichever of the two cannot be written, the other one is.
    let written = args
        .report_file
        .as_deref()
        .map_or(Ok(()), |path| write_report(path, &report));
    if let Some(because) = &report.stopped_because {
        Printer::error(&format!("error: {because}"));
        if let Some(hint) = hint_of(&report) {
            Printer::error(&format!("  hint: {hint}"));
        }
    }
    Printer::result(&match args.report {
        ReportFormat::Human => report.to_human(),
        ReportFormat::Json => report.to_json(),
    })?;
    written?;
    Ok(report.exit_code)
}

async fn send_all(
    args: &SendingArgs,
    before: &Before<'_>,
    job: &LoadedJob,
    printer: Printer,
    open: impl FnOnce(&mut Plan, &Arc<Progress>) -> Result<Input, Failure>,
) -> Result<Report, Failure> {
    let own = match args.mock && before.mock.is_none() {
        true => {
            let faults = args.fail.clone().unwrap_or_default();
            let settings = MockSettings {
                faults,
                ..MockSettings::default()
            };
            Some(job.start_mock(settings).await?)
        }
        false => None,
    };
    let mock = before.mock.or(own.as_ref());
    if before.preflight {
        // Standard output is the report's.
        let say: Say = |text| {
            Printer::error(text);
            Ok(())
        };
        preflight(job.plan(mock)?, job, say).await?;
    }
    let mut plan = job.plan(mock)?;
    if let Some(grace) = args.grace {
        plan.job.grace = grace.get();
    }
    check_files(args, &plan)?;
    let signal = watch_signals(printer).map_err(Failure::Runtime)?;
    for warning in &plan.warnings {
        tracing::warn!("{warning}");
    }
    let progress = Arc::new(Progress::default());
    let input = open(&mut plan, &progress)?;
    tracing::info!(
        run_id = plan.job.run_id,
        to = plan.job.routes.name(),
        input = job.source().path.as_slice().join(", "),
        "the run begins"
    );
    let events = events(&plan)?;
    let sender = Sender::new(AnyTransport::new(&plan.transport)?, &plan.sender);
    let bar = printer
        .is_watched()
        .then(|| Bar::start(Arc::clone(&progress), sender.clone(), &plan.sender.limits));
    // On a worker's own queue: this thread would have to be woken for each reply.
    let run = tokio::spawn(pipeline::run(
        plan.job,
        input.source,
        sender,
        events,
        progress,
        signal,
    ));
    let mut report = run.await.map_err(|error| Failure::Runtime(error.into()))?;
    drop(bar);
    report.warnings.splice(0..0, plan.warnings);
    report.proxy = plan.transport.http.proxy;
    if let Some(mock) = own {
        say_what_arrived(&mock, printer);
        mock.stop().await;
    }
    Ok(report)
}

/// What the run writes can be written.
fn check_files(args: &SendingArgs, plan: &Plan) -> Result<(), Failure> {
    let accepted = plan.job.accepted.as_ref();
    let paths = [
        Some(plan.job.rejects.as_path()),
        accepted.map(AcceptedFile::stem),
        args.report_file.as_deref(),
    ];
    paths
        .into_iter()
        .flatten()
        .try_for_each(|path| new_file::check(path).map_err(unwritable))
}

fn events(plan: &Plan) -> Result<Events, Failure> {
    let mut events = Events::new(plan.context.clone());
    if let Some(path) = &plan.responses {
        events.to_file(path).map_err(unwritable)?;
    }
    if let Some(webhook) = &plan.webhook {
        let settings = TransportSettings {
            pool: 1,
            ..plan.transport.clone()
        };
        // A webhook has its own retries, whatever the job says of the destination's.
        let sender = SenderSettings::default();
        let transport = HttpTransport::new(&settings)?;
        let make_sender = move || Sender::new(transport.clone(), &sender);
        match &plan.job.books {
            Some(books) => {
                let outbox = books.outbox(&plan.job.name)?;
                events.to_webhook_from_ledger(webhook.clone(), outbox, make_sender)?;
            }
            None => events.to_webhook(webhook.clone(), make_sender),
        }
    }
    Ok(events)
}

pub(super) fn say_what_arrived(mock: &Mock, printer: Printer) {
    let holdings = if let Some(state) = mock.zuora_state() {
        let counts = state.counts;
        format!(
            "{}, {}",
            counted(counts.definitions, "definition"),
            counted(counts.records, "record"),
        )
    } else {
        let counts = mock.state().counts;
        format!(
            "{} people, {}, {}",
            grouped(counts.people),
            counted(counts.objects, "object"),
            counted(counts.events, "event"),
        )
    };
    printer.note(&format!(
        "the mock holds {holdings}; {} arrived",
        counted(mock.requests(), "request"),
    ));
}

fn write_report(path: &Path, report: &Report) -> Result<(), Failure> {
    let mut text = report.to_json();
    text.push('\n');
    // A reason may quote a record: a new report is its owner's alone.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Failure::Unwritable {
        path: path.to_owned(),
        source,
    })
}

pub(super) fn unwritable(error: FileError) -> Failure {
    Failure::Unwritable {
        path: error.path,
        source: error.source,
    }
}

fn hint_of(report: &Report) -> Option<&'static str> {
    match report.ending {
        Ending::Unreadable => Some("the records before it were sent; mend the input, and send the rest"),
        Ending::Unreachable => {
            Some("look at the destination with `outpour test`, and at the URL, the network and the proxy")
        }
        Ending::Credentials => Some("look at the key with `outpour check --online`"),
        Ending::Destination => Some("look at the reply with `outpour test`; nothing more was sent"),
        Ending::StopWhen => Some("look at the rejects and doubts; nothing more was sent"),
        Ending::Limit => Some("the same command without `--limit` goes on"),
        Ending::Defect => Some("please report it, with the configuration and the report"),
        Ending::Unwritable => Some("make room or set `rejects.path`; nothing more was sent"),
        Ending::Finished | Ending::Signalled(_) => None,
    }
}
