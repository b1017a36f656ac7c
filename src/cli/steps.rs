//! `outpour run` of a file with steps: one after the other, until one does not come to a good end.

use std::collections::BTreeSet;
use std::path::Path;

use outpour::config::{Action, Step, Steps};
use outpour::mock::{API_KEY, CLIENT_ID, CLIENT_SECRET, Mock, MockSettings, MockVendor};
use tokio::runtime::Runtime;

use super::args::{AccessArgs, ApplyArgs, ConsentArgs, DefineVerb, DefinitionsArgs, RunArgs};
use super::define::define;
use super::error::Failure;
use super::job::{LoadedJob, runtime};
use super::printer::Printer;
use super::run::{run_job, say_what_arrived};

/// Carries out the steps from `--from` on. The exit code is that of the step at which they end.
pub(super) fn steps(args: &RunArgs, steps: &Steps, printer: Printer) -> Result<u8, Failure> {
    refuse_what_is_a_jobs(args)?;
    let count = steps.steps.len();
    let first = args.from.unwrap_or(1);
    if first == 0 || first > count {
        return Err(Failure::usage(format!(
            "`--from {first}` is none of the steps, which are 1 to {count}"
        )));
    }
    let shared = Shared::start(args, steps)?;
    let mock = shared.as_ref().map(|shared| &shared.mock);
    for (number, step) in (1..).zip(&steps.steps).skip(first - 1) {
        printer.note(&format!("step {number} of {count}: {}", title(step)));
        let outcome = carry_out(args, step, printer, mock);
        if !matches!(outcome, Ok(0)) {
            say_where_it_ended(args, number, count);
            return outcome;
        }
    }
    if let Some(mock) = mock {
        say_what_arrived(mock, printer);
    }
    Ok(0)
}

/// The look-alike of all steps, and the runtime that it lives on.
struct Shared {
    mock: Mock,
    _runtime: Runtime,
}

impl Shared {
    /// Starts it, where `--mock` asks for one. All jobs are of one vendor then.
    fn start(args: &RunArgs, steps: &Steps) -> Result<Option<Self>, Failure> {
        if !args.sending.mock {
            return Ok(None);
        }
        let mut settings = MockSettings {
            faults: args.sending.fail.clone().unwrap_or_default(),
            ..MockSettings::default()
        };
        let mut vendors = BTreeSet::new();
        let actions = || steps.steps.iter().filter_map(Step::action);
        let is_defined = actions().any(|action| matches!(action, Action::Define(_)));
        for action in actions() {
            if let Action::Run(path) = action {
                let job = LoadedJob::load(&with_job(args, &path).job)?;
                let prepared = job.mock_settings(settings.clone());
                vendors.insert(prepared.vendor.name());
                // What a step defines must not be there before.
                settings = match is_defined {
                    true => MockSettings {
                        vendor: prepared.vendor,
                        ..settings
                    },
                    false => prepared,
                };
            }
        }
        if vendors.len() > 1 {
            return Err(Failure::usage_hint(
                "the jobs of these steps are of several vendors, and a look-alike is of one",
                "try each job by itself with `outpour run JOB --mock`",
            ));
        }
        let runtime = runtime()?;
        let mock = runtime.block_on(Mock::start(settings))?;
        Ok(Some(Self {
            mock,
            _runtime: runtime,
        }))
    }
}

fn carry_out(args: &RunArgs, step: &Step, printer: Printer, mock: Option<&Mock>) -> Result<u8, Failure> {
    match step.action() {
        Some(Action::Define(file)) => define(&DefineVerb::Apply(apply(args, &file, mock)), printer),
        Some(Action::Run(path)) => run_job(&with_job(args, &path), printer, mock),
        None => Ok(0),
    }
}

fn with_job(args: &RunArgs, path: &Path) -> RunArgs {
    let mut args = args.clone();
    path.clone_into(&mut args.job.config);
    args
}

/// The definitions as a step applies them: without a question, since nothing is deleted.
fn apply(args: &RunArgs, file: &Path, mock: Option<&Mock>) -> ApplyArgs {
    ApplyArgs {
        definitions: DefinitionsArgs {
            file: file.to_owned(),
            account: None,
            access: AccessArgs {
                set: mock.map(at_mock).unwrap_or_default(),
                templates: args.job.templates.clone(),
                allow_inline_secrets: args.job.allow_inline_secrets || mock.is_some(),
                json: false,
            },
            allow_delete: false,
        },
        consent: ConsentArgs {
            yes: true,
            confirm: Vec::new(),
        },
    }
}

/// The settings by which an account is the look-alike's.
fn at_mock(mock: &Mock) -> Vec<String> {
    let (base, credentials) = match mock.vendor() {
        MockVendor::Encharge => (mock.api_url(), format!("{{api_key: {API_KEY}}}")),
        MockVendor::Zuora => (
            mock.rest_url(),
            format!("{{client_id: {CLIENT_ID}, client_secret: {CLIENT_SECRET}}}"),
        ),
    };
    vec![
        format!("account.base_url={base}"),
        format!("account.credentials={credentials}"),
        "account.limits.rate=[]".to_owned(),
    ]
}

fn title(step: &Step) -> String {
    match step.action() {
        Some(Action::Define(path)) => format!("define {}", path.display()),
        Some(Action::Run(path)) => format!("run {}", path.display()),
        None => String::new(),
    }
}

fn say_where_it_ended(args: &RunArgs, number: usize, count: usize) {
    let file = args.job.config.display();
    let next = match number < count && !args.sending.mock {
        true => format!(", `--from {}` leaves it out", number + 1),
        false => String::new(),
    };
    let again = match args.sending.mock {
        true => String::new(),
        false => format!("\n  hint: `outpour run {file} --from {number}` goes on with it{next}"),
    };
    Printer::error(&format!(
        "step {number} of {count} did not come to a good end, and none after it was begun{again}"
    ));
}

/// Arguments that would mean another thing to each of the jobs.
fn refuse_what_is_a_jobs(args: &RunArgs) -> Result<(), Failure> {
    let given = [
        ("--input", !args.job.input.is_empty()),
        ("--set", !args.job.set.is_empty()),
        ("--report-file", args.sending.report_file.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(Failure::usage_hint(
            format!(
                "`{name}` belongs to one job, and `{}` has several",
                args.job.config.display()
            ),
            "write it into the job, or run the job by itself",
        )),
        None => Ok(()),
    }
}
