//! `outpour retry`: sends records of an earlier run again, as a run of its own.

use std::path::{Path, PathBuf};

use outpour::config::Plan;
use outpour::ledger::{Fingerprint, KeptKind, Ledger, Run};
use outpour::retry::{KeptRecords, MendedFile, Survey, survey};
use outpour::source::{self, Source};

use super::args::{JobArgs, RetryArgs};
use super::error::Failure;
use super::job::LoadedJob;
use super::kept::unanswered;
use super::ledger::{Opening, folder, here, intent, note_inputs};
use super::preview::{Showing, show};
use super::printer::Printer;
use super::run::{Before, Input, send};

/// What is sent again: a run's rejects or doubts, or a file of them.
enum What {
    Kept(KeptKind),
    File(Survey),
}

/// A run whose records are sent again.
struct Retrial {
    run: Run,
    what: What,
}

pub(super) fn retry(args: &RetryArgs, printer: Printer) -> Result<u8, Failure> {
    let folder = ledger_folder(args);
    let ledger = Ledger::find(&folder)?;
    let Some(retrial) = Retrial::find(args, &ledger, printer)? else {
        return Ok(0);
    };
    refuse_other_destination(&retrial.run, args.sending.mock || args.dry_run, args)?;
    let config = args
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(&retrial.run.begun.config));
    let job = LoadedJob::load(&JobArgs {
        config: config.clone(),
        set: args.set.clone(),
        input: Vec::new(),
        limit: None,
        templates: args.templates.clone(),
        allow_inline_secrets: args.allow_inline_secrets,
    })?;
    if args.dry_run {
        let source = retrial.source(&job, ledger, 0)?;
        let showing = Showing {
            requests: 3,
            is_curl: false,
            is_full: true,
        };
        return show(job.plan_without_secrets()?, source, &showing);
    }
    send(
        &args.sending,
        &Before::default(),
        &job,
        printer,
        |plan, progress| {
            // The job may have another name today; then neither of the two may be run meanwhile.
            let mut locks = vec![ledger.lock(&plan.job.name)?];
            if plan.job.name != retrial.run.begun.job {
                locks.push(ledger.lock(&retrial.run.begun.job)?);
            }
            plan.fingerprint.note(NOTED_AS, retrial.what.name());
            if let What::File(survey) = &retrial.what {
                note_inputs(plan, &survey.source(job.source()))?;
            }
            let opening = Opening {
                config: &config,
                is_mock: args.sending.mock,
                retries: Some(retrial.run.id),
                last: ledger.last_retry(retrial.run.id)?,
                is_piped: false,
                intent: intent(args.fresh, args.force_resume),
            };
            let run = opening.open(ledger.again()?, plan, progress, printer)?;
            if let What::Kept(KeptKind::Doubt) = &retrial.what {
                doubtful(plan, first_sent_by(&ledger, retrial.run.clone())?.begun.run_id);
            }
            Ok(Input {
                source: retrial.source(&job, ledger, run)?,
                _locks: locks,
            })
        },
    )
}

/// Lets a plan send records that may have been carried out by the run `first`. An API that knows the key of the first request
/// does not carry it out again; batches may be others than they were, and then their keys are new.
fn doubtful(plan: &mut Plan, first: String) {
    let mut routes = plan.job.routes.iter();
    if plan.job.batch.max_records > 1 && routes.any(|route| route.endpoint.idempotency().is_some()) {
        plan.warnings.push(
            "the batches may not be as they were, so the API may not know them by their keys: what was carried out may be \
             carried out once more"
                .to_owned(),
        );
    }
    plan.job.key_id = first;
    plan.job.is_doubtful = true;
}

/// A file of rejects stands beside its configuration unless it was moved, and so does the ledger.
fn ledger_folder(args: &RetryArgs) -> PathBuf {
    if args.state.is_some() {
        return here(args.state.as_deref());
    }
    let beside_file = args
        .what
        .as_deref()
        .filter(|what| run_number(what).is_none())
        .map(|file| folder(None, Path::new(file)))
        .filter(|folder| folder.join("ledger.db").exists());
    match (&args.config, beside_file) {
        (Some(config), _) => folder(None, config),
        (None, Some(folder)) => folder,
        (None, None) => here(None),
    }
}

fn run_number(what: &str) -> Option<i64> {
    what.parse().ok()
}

/// What was settled by the look-alike would count as settled.
fn refuse_other_destination(run: &Run, is_mock: bool, args: &RetryArgs) -> Result<(), Failure> {
    let id = run.id;
    match (run.begun.is_mock, is_mock) {
        (false, true) if !args.dry_run => Err(Failure::usage_hint(
            format!(
                "run {id} went to the real destination, and `--mock` would settle its records without it"
            ),
            "look at what would be sent with `--dry-run`",
        )),
        (true, false) => Err(Failure::usage_hint(
            format!("run {id} went to the built-in look-alike"),
            "add `--mock`, or run the job without it",
        )),
        _ => Ok(()),
    }
}

impl Retrial {
    /// What the arguments mean; none, and a note, where there is nothing to send.
    fn find(args: &RetryArgs, ledger: &Ledger, printer: Printer) -> Result<Option<Self>, Failure> {
        let kind = match args.in_doubt {
            true => KeptKind::Doubt,
            false => KeptKind::Reject,
        };
        let run = match args.what.as_deref().map(|what| (what, run_number(what))) {
            Some((_, Some(number))) => ledger.run(number)?,
            Some((file, None)) => return Self::of_file(args, ledger, Path::new(file)).map(Some),
            None => {
                let Some(run) = last_with_open(ledger, kind, args.sending.mock)? else {
                    printer.note(&none_at_all(ledger, kind, args.sending.mock)?);
                    return Ok(None);
                };
                run
            }
        };
        let what = What::Kept(kind);
        let has_open = ledger.count_open(run.id, kind)? > 0;
        let is_begun = match ledger.last_retry(run.id)? {
            Some(last) => last.is_unfinished() && what.is_that_of(&last) && ledger.has_progress(last.id)?,
            None => false,
        };
        if has_open || is_begun {
            return Ok(Some(Self { run, what }));
        }
        printer.note(&nothing(ledger, &run, kind)?);
        Ok(None)
    }

    fn of_file(args: &RetryArgs, ledger: &Ledger, path: &Path) -> Result<Self, Failure> {
        if args.in_doubt {
            return Err(Failure::usage_hint(
                "a file says by itself which records it holds",
                "leave out `--in-doubt`",
            ));
        }
        let survey = survey(ledger, path)?;
        Ok(Self {
            run: ledger.run(survey.run)?,
            what: What::File(survey),
        })
    }

    /// The records, read as the job says today; `own` is the run that sends them.
    fn source(&self, job: &LoadedJob, ledger: Ledger, own: i64) -> Result<Box<dyn Source>, Failure> {
        Ok(match &self.what {
            What::Kept(kind) => Box::new(KeptRecords::new(ledger, self.run.id, *kind, job.source())),
            What::File(survey) => {
                let file = source::open(&survey.source(job.source()))?;
                Box::new(MendedFile::new(file, ledger, self.run.id, own))
            }
        })
    }
}

/// The run that sent its doubts first: doubts of a retry of doubts are those of the run before.
fn first_sent_by(ledger: &Ledger, mut run: Run) -> Result<Run, Failure> {
    while let Some(elder) = run.begun.retries
        && What::Kept(KeptKind::Doubt).is_that_of(&run)
    {
        run = ledger.run(elder)?;
    }
    Ok(run)
}

/// What the fingerprint of a retry calls this.
const NOTED_AS: &str = "what is sent again";

impl What {
    /// Whether a retry sends the same.
    fn is_that_of(&self, retry: &Run) -> bool {
        let mut own = Fingerprint::default();
        own.note(NOTED_AS, self.name());
        let changes = own.changes_since(&retry.begun.fingerprint);
        !changes.contains(&format!("`{NOTED_AS}`"))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Kept(kind) => plural(*kind),
            Self::File(_) => "a file",
        }
    }
}

/// The last run with open records. A retry that was cut is gone on with before its own rejects are looked at.
fn last_with_open(ledger: &Ledger, kind: KeptKind, is_mock: bool) -> Result<Option<Run>, Failure> {
    let Some(mut run) = ledger.last_with_open(kind, Some(is_mock))? else {
        return Ok(None);
    };
    while let Some(retried) = run.begun.retries
        && ledger.can_go_on(&run)?
    {
        match ledger.run(retried) {
            Ok(elder) => run = elder,
            Err(_) => break,
        }
    }
    Ok(Some(run))
}

/// That there is nothing to send, and where there would be something.
fn none_at_all(ledger: &Ledger, kind: KeptKind, is_mock: bool) -> Result<String, Failure> {
    let words = plural(kind);
    Ok(match (ledger.last_with_open(kind, Some(!is_mock))?, is_mock) {
        (None, _) => format!("no run has open {words}: there is nothing to send"),
        (Some(run), false) => format!(
            "nothing to send: only runs against the built-in look-alike have open {words}, the last is run {}; add `--mock`",
            run.id
        ),
        (Some(run), true) => format!(
            "nothing to send: no run against the built-in look-alike has open {words}, and run {} went to the real \
             destination; leave out `--mock`",
            run.id
        ),
    })
}

/// Why there is nothing to send of a run.
fn nothing(ledger: &Ledger, run: &Run, kind: KeptKind) -> Result<String, Failure> {
    let id = run.id;
    let mut text = format!("run {id} has no open {}: there is nothing to send", plural(kind));
    let by = ledger.settlements(id, kind)?;
    if !by.is_empty() {
        let by = by.iter().map(|settlement| settlement.by.to_string()).collect();
        text.push_str("; they were sent again by run ");
        text.push_str(&unique(by).join(", "));
    }
    if kind == KeptKind::Doubt
        && let Some(cut) = unanswered(ledger, run)?
    {
        text.push('\n');
        text.push_str(&cut);
    }
    Ok(text)
}

fn unique(mut texts: Vec<String>) -> Vec<String> {
    texts.dedup();
    texts
}

/// The two kinds, in words.
pub(super) fn plural(kind: KeptKind) -> &'static str {
    match kind {
        KeptKind::Reject => "rejects",
        KeptKind::Doubt => "doubts",
    }
}
