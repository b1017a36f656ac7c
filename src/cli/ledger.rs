//! The ledger of a job: where it is, and whether a run begins or goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use outpour::config::Plan;
use outpour::ledger::{Course, Intent, JobLock, Ledger, NewRun, Resume, Run};
use outpour::pipeline::Books;
use outpour::report::{Progress, counted, grouped};
use outpour::source::{self, InputStamp, SourceConfig};

use super::args::RunArgs;
use super::error::Failure;
use super::printer::Printer;

/// The folder of the ledger of a configuration.
pub(super) fn folder(state: Option<&Path>, config: &Path) -> PathBuf {
    state.map_or_else(
        || config.parent().unwrap_or(Path::new("")).join(".outpour"),
        Path::to_owned,
    )
}

/// Opens the books of a run, and gives what keeps other processes away from its job.
pub(super) fn open_books(
    args: &RunArgs,
    plan: &mut Plan,
    source: &SourceConfig,
    progress: &Arc<Progress>,
    printer: Printer,
) -> Result<Option<JobLock>, Failure> {
    if args.ledger.no_ledger {
        return Ok(None);
    }
    let ledger = Ledger::open(&folder(args.ledger.state.as_deref(), &args.job.config))?;
    let lock = ledger.lock(&plan.job.name)?;
    ledger.folder().check_room()?;
    let stamps = source::fingerprints(source)?;
    for stamp in &stamps {
        plan.fingerprint
            .show(&format!("the input `{}`", stamp.name), &shown(stamp));
    }
    let is_piped = stamps.iter().any(|stamp| stamp.size.is_none());
    let last = ledger.last_run(&plan.job.name, args.mock)?;
    let has_progress = match &last {
        Some(run) => ledger.has_progress(run.id)?,
        None => false,
    };
    let intent = match (args.fresh, args.force_resume) {
        (true, _) => Intent::Fresh,
        (_, true) => Intent::ForceResume,
        _ => Intent::Usual,
    };
    let (resume, sessions) = match Course::choose(last, has_progress, is_piped, &plan.fingerprint, intent)? {
        Course::Begin { replaces, note } => {
            if let Some(note) = note {
                printer.note(&note);
            }
            (begin(args, plan, &ledger, replaces)?, 1)
        }
        Course::GoOn(run) => {
            let resume = ledger.go_on(&run, &plan.fingerprint)?;
            // Keys and events are those of the run, not of its session.
            plan.job.run_id.clone_from(&run.begun.run_id);
            plan.context.run_id.clone_from(&run.begun.run_id);
            printer.note(&resuming(&run, &resume));
            (resume, run.sessions + 1)
        }
    };
    plan.job.books = Some(Books::open(ledger, resume, sessions, Arc::clone(progress))?);
    Ok(Some(lock))
}

fn begin(args: &RunArgs, plan: &Plan, ledger: &Ledger, replaces: Option<i64>) -> Result<Resume, Failure> {
    if let Some(stopped) = replaces {
        ledger.replace(stopped)?;
    }
    let config = std::path::absolute(&args.job.config).unwrap_or_else(|_| args.job.config.clone());
    let run = ledger.begin(&NewRun {
        run_id: plan.job.run_id.clone(),
        job: plan.job.name.clone(),
        template: plan.job.endpoint.name().to_owned(),
        config: config.display().to_string(),
        is_mock: args.mock,
        retries: None,
        fingerprint: plan.fingerprint.clone(),
    })?;
    Ok(Resume {
        run,
        ..Resume::default()
    })
}

fn resuming(run: &Run, resume: &Resume) -> String {
    let totals = &resume.earlier.totals;
    let unanswered: u64 = resume.marks.iter().map(|mark| mark.members.count()).sum();
    let unknown = match unanswered {
        0 => String::new(),
        count => format!(
            "; {} may have been sent and have no answer yet",
            counted(count, "record")
        ),
    };
    format!(
        "resuming run {} of {}: {} accepted, {} rejected, {} in doubt{unknown}",
        run.id,
        moment(&run.started_at),
        grouped(totals.accepted),
        grouped(totals.rejected),
        grouped(totals.in_doubt),
    )
}

/// A time of the ledger, for people: `2026-11-20 02:00 UTC`.
pub(super) fn moment(time: &str) -> String {
    match time.split_once('T') {
        Some((day, rest)) => format!("{day} {} UTC", rest.get(..5).unwrap_or(rest)),
        None => time.to_owned(),
    }
}

/// What an input looks like, so that a change of it can be told.
fn shown(stamp: &InputStamp) -> String {
    match (stamp.size, stamp.modified_ns, stamp.inode) {
        (None, ..) => "a pipe".to_owned(),
        (Some(size), modified, inode) => {
            let modified = modified.map(|ns| format!(", of {ns} ns")).unwrap_or_default();
            let inode = inode.map(|inode| format!(", inode {inode}")).unwrap_or_default();
            format!("{} bytes{modified}{inode}", grouped(size))
        }
    }
}
