//! `outpour webhook deliver`: delivers the events that runs left in the ledger.

use std::path::{Path, PathBuf};

use outpour::client::{HttpTransport, Sender, SenderSettings};
use outpour::config::{Config, Plan, Secrets};
use outpour::ledger::{JobEvents, Ledger};
use outpour::pipeline::StopSignal;
use outpour::report::{WebhookReport, grouped};
use outpour::webhook;

use super::args::{DeliverArgs, WebhookVerb};
use super::error::Failure;
use super::job::{runtime, settings};
use super::ledger::folder;
use super::printer::Printer;
use super::signal::watch_signals;

/// Some events wait longer: the webhook did not take them.
const WAITING: u8 = 75;

pub(super) fn webhook(verb: &WebhookVerb, printer: Printer) -> Result<u8, Failure> {
    match verb {
        WebhookVerb::Deliver(args) => runtime()?.block_on(deliver(args, printer)),
    }
}

async fn deliver(args: &DeliverArgs, printer: Printer) -> Result<u8, Failure> {
    let beside = args.config.as_deref().unwrap_or(Path::new(""));
    let ledger = Ledger::find(&folder(args.state.as_deref(), beside))?;
    let jobs = wanted(args, &ledger)?;
    if jobs.is_empty() {
        Printer::result("no events wait")?;
    }
    let signal = watch_signals(printer).map_err(Failure::Runtime)?;
    let mut code = 0;
    for job in jobs {
        let report = deliver_job(args, &ledger, &job, signal.clone()).await?;
        let WebhookReport {
            delivered,
            waiting,
            failed,
            ..
        } = report;
        let [taken, left, refused] = [delivered, waiting, failed].map(grouped);
        Printer::result(&format!(
            "{}: {taken} delivered, {left} waiting, {refused} failed",
            job.job
        ))?;
        code = code.max(match (waiting, failed) {
            (1.., _) => WAITING,
            (0, 1..) => 1,
            (0, 0) => 0,
        });
    }
    let stopped_by = *signal.borrow();
    Ok(
        match stopped_by.and_then(|number| u8::try_from(128 + number).ok()) {
            Some(signalled) if code == WAITING => signalled,
            _ => code,
        },
    )
}

/// The jobs with events that are meant, each with its configuration.
fn wanted(args: &DeliverArgs, ledger: &Ledger) -> Result<Vec<JobEvents>, Failure> {
    let mut name = args.job.clone();
    if let (None, Some(path)) = (&name, &args.config) {
        let (config, _) = Config::load(path, &settings(&args.set)?)?;
        name = Some(config.name().to_owned());
    }
    let mut jobs = ledger.jobs_with_events()?;
    jobs.retain(|job| name.as_ref().is_none_or(|name| job.job == *name));
    Ok(jobs)
}

async fn deliver_job(
    args: &DeliverArgs,
    ledger: &Ledger,
    job: &JobEvents,
    mut signal: StopSignal,
) -> Result<WebhookReport, Failure> {
    let _lock = ledger.lock(&job.job)?;
    let path = args.config.clone().unwrap_or_else(|| PathBuf::from(&job.config));
    let (config, document) = Config::load(&path, &settings(&args.set)?)?;
    let secrets = Secrets::Real {
        allow_inline: args.allow_inline_secrets,
    };
    let Some((webhook, transport)) = Plan::webhook(&config, &document, secrets)? else {
        return Err(Failure::usage_hint(
            format!("the job `{}` has no webhook in `{}`", job.job, path.display()),
            "add `webhook:` to it, or name another configuration with `--config FILE`",
        ));
    };
    let transport = HttpTransport::new(&transport)?;
    let make_sender = move || Sender::new(transport.clone(), &SenderSettings::default());
    let asked = async move {
        // The sender of this signal lives as long as the process.
        let _ = signal.wait_for(Option::is_some).await;
    };
    let outbox = ledger.outbox(&job.job)?;
    Ok(webhook::deliver_kept(webhook, outbox, make_sender, asked).await?)
}
