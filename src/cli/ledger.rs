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

/// The folder of a ledger that is read: `.outpour` in this folder, unless another is named.
pub(super) fn here(state: Option<&Path>) -> PathBuf {
    folder(state, Path::new(""))
}

/// What decides, besides the plan, whether a run begins or goes on.
pub(super) struct Opening<'a> {
    pub(super) config: &'a Path,
    pub(super) is_mock: bool,
    /// The run whose records are sent again.
    pub(super) retries: Option<i64>,
    /// The last run of its kind.
    pub(super) last: Option<Run>,
    /// Whether the input can be read once only.
    pub(super) is_piped: bool,
    pub(super) intent: Intent,
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
    let is_piped = note_inputs(plan, source)?;
    let opening = Opening {
        config: &args.job.config,
        is_mock: args.sending.mock,
        retries: None,
        last: ledger.last_run(&plan.job.name, args.sending.mock)?,
        is_piped,
        intent: intent(args.fresh, args.force_resume),
    };
    opening.open(ledger, plan, progress, printer)?;
    Ok(Some(lock))
}

/// What the fingerprint calls the most records that a run reads.
const LIMIT: &str = "`--limit`";

/// What the user asked for.
pub(super) fn intent(is_fresh: bool, is_forced: bool) -> Intent {
    match (is_fresh, is_forced) {
        (true, _) => Intent::Fresh,
        (_, true) => Intent::ForceResume,
        _ => Intent::Usual,
    }
}

/// Notes what the inputs look like, and says whether one of them can be read once only.
pub(super) fn note_inputs(plan: &mut Plan, source: &SourceConfig) -> Result<bool, Failure> {
    let stamps = source::fingerprints(source)?;
    for (index, stamp) in stamps.iter().enumerate() {
        // Records are known by their numbers over all inputs, so these must be read in the same order.
        let place = match stamps.len() {
            1 => String::new(),
            _ => format!("no. {}, ", index + 1),
        };
        plan.fingerprint.show(
            &format!("the input `{}`", stamp.name),
            &format!("{place}{}", shown(stamp)),
        );
    }
    Ok(stamps.iter().any(|stamp| stamp.size.is_none()))
}

impl Opening<'_> {
    /// Begins a run or goes on with one, and gives the plan its books. The job is locked already.
    pub(super) fn open(
        self,
        ledger: Ledger,
        plan: &mut Plan,
        progress: &Arc<Progress>,
        printer: Printer,
    ) -> Result<i64, Failure> {
        ledger.folder().check_room()?;
        let limit = plan
            .job
            .limit
            .map_or_else(|| "none".to_owned(), |limit| counted(limit, "record"));
        plan.fingerprint.show(LIMIT, &limit);
        let has_progress = match &self.last {
            Some(run) => ledger.has_progress(run.id)?,
            None => false,
        };
        let last = self.last.clone();
        let course = Course::choose(last, has_progress, self.is_piped, &plan.fingerprint, self.intent)?;
        let (resume, sessions) = match course {
            Course::Begin { replaces, note } => {
                if let Some(note) = note {
                    printer.note(&note);
                }
                (self.begin(plan, &ledger, replaces)?, 1)
            }
            Course::GoOn(run) => {
                let resume = ledger.go_on(&run, &plan.fingerprint)?;
                // Keys and events are those of the run, not of its session.
                plan.job.run_id.clone_from(&run.begun.run_id);
                plan.job.key_id.clone_from(&run.begun.run_id);
                plan.job.is_cut_short = run.begun.fingerprint.shown(LIMIT) != Some(&limit);
                plan.context.run_id.clone_from(&run.begun.run_id);
                printer.note(&resuming(&run, &resume));
                (resume, run.sessions + 1)
            }
        };
        let run = resume.run;
        plan.job.books = Some(Books::open(ledger, resume, sessions, Arc::clone(progress))?);
        Ok(run)
    }

    fn begin(&self, plan: &Plan, ledger: &Ledger, replaces: Option<i64>) -> Result<Resume, Failure> {
        if let Some(stopped) = replaces {
            ledger.replace(stopped)?;
        }
        let config = std::path::absolute(self.config).unwrap_or_else(|_| self.config.to_owned());
        let run = ledger.begin(&NewRun {
            run_id: plan.job.run_id.clone(),
            job: plan.job.name.clone(),
            template: plan.job.routes.name(),
            config: config.display().to_string(),
            is_mock: self.is_mock,
            retries: self.retries,
            fingerprint: plan.fingerprint.clone(),
        })?;
        Ok(Resume {
            run,
            retries: self.retries,
            ..Resume::default()
        })
    }
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
