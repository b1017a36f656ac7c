//! `outpour define`: definitions as code.

mod consent;
mod report;

use std::io::Write;
use std::path::Path;

use outpour::client::HttpTransport;
use outpour::define::{
    Account, Connection, Contents, Definitions, DefinitionsError, Deletion, Plan, apply, export, plan,
};
use serde_json::json;

use super::args::{ApplyArgs, CopyArgs, DefineVerb, DefinitionsArgs, ExportArgs, PlanArgs, ValidateArgs};
use super::error::Failure;
use super::job::{catalog, runtime, settings};
use super::printer::Printer;
use consent::Consent;
pub(super) use report::{advice, code_of, told};

/// There is something to do, and `--detailed-exitcode` asks for it.
const PENDING: u8 = 2;

pub(super) fn define(verb: &DefineVerb, printer: Printer) -> Result<u8, Failure> {
    match verb {
        DefineVerb::Validate(args) => validate(args),
        DefineVerb::Plan(args) => show(args, printer),
        DefineVerb::Apply(args) => make(args, printer),
        DefineVerb::Export(args) => write(args, printer),
        DefineVerb::Copy(args) => copy(args, printer),
    }
}

fn validate(args: &ValidateArgs) -> Result<u8, Failure> {
    let checked = Definitions::load(&args.file, &[]).and_then(|definitions| {
        definitions.check()?;
        Ok(definitions)
    });
    let definitions = match checked {
        Err(DefinitionsError::Wrong(problems)) if args.json => {
            Printer::result(&report::problems(&problems).to_string())?;
            return Ok(2);
        }
        other => other?,
    };
    Printer::result(&match args.json {
        true => json!({"problems": []}).to_string(),
        false => format!("{}: the definitions are good", definitions.name()),
    })?;
    Ok(0)
}

/// A file, checked, and a connection to its account.
struct Opened {
    contents: Contents,
    connection: Connection<HttpTransport>,
    deletion: Deletion,
    is_json: bool,
}

impl Opened {
    fn of(args: &DefinitionsArgs, printer: Printer) -> Result<Self, Failure> {
        let set = settings(&args.access.set)?;
        let own = if args.account.is_some() { &[][..] } else { &set };
        let definitions = Definitions::load(&args.file, own)?;
        definitions.check()?;
        let elsewhere = match &args.account {
            Some(path) => Some(Definitions::load(path, &set)?),
            None => None,
        };
        let holder = elsewhere.as_ref().unwrap_or(&definitions);
        if holder.vendor() != definitions.vendor() {
            let (one, other) = (definitions.vendor(), holder.vendor());
            return Err(Failure::usage(format!(
                "these are definitions for {one}, and the account is {other}'s"
            )));
        }
        let catalog = catalog(args.access.templates.as_deref())?;
        let account = holder.account(&catalog, args.access.allow_inline_secrets)?;
        Ok(Self {
            contents: definitions.contents().clone(),
            connection: connect(&account, printer)?,
            deletion: if args.allow_delete {
                Deletion::Allowed
            } else {
                Deletion::Never
            },
            is_json: args.access.json,
        })
    }

    async fn plan(&self) -> Result<Plan, Failure> {
        Ok(plan(&self.contents, &self.connection, self.deletion).await?)
    }

    /// Shows the plan, unless a report with it in follows.
    fn show(&self, plan: &Plan) -> Result<(), Failure> {
        let (vendor, base) = (self.contents.vendor(), self.connection.base());
        match self.is_json {
            true => Printer::result(&report::plan(vendor, base, plan).to_string()),
            false => Printer::result(&format!("{vendor} at {base}\n{plan}")),
        }
    }

    /// Makes the plan's steps, once it is agreed to.
    async fn make(&self, consent: &Consent<'_>) -> Result<u8, Failure> {
        let plan = self.plan().await?;
        let is_idle = !plan.is_pending();
        if !self.is_json || is_idle || plan.impossible().next().is_some() {
            self.show(&plan)?;
        }
        if plan.impossible().next().is_some() {
            return Err(Failure::Impossible);
        }
        if is_idle {
            return Ok(0);
        }
        consent.ask(&plan)?;
        let mut made = |change: &outpour::define::Change| {
            if !self.is_json {
                // Where nobody reads any more, the steps go on.
                let _ = Printer::result(&format!("done: {}", change.id()));
            }
        };
        let applied = apply(&self.contents, &self.connection, &plan, self.deletion, &mut made).await;
        let (vendor, base) = (self.contents.vendor(), self.connection.base());
        Printer::result(&match self.is_json {
            true => report::applied(vendor, base, &plan, &applied).to_string(),
            false => report::summary(&applied),
        })?;
        applied
            .stopped
            .map_or(Ok(0), |stopped| Err(Failure::Stopped(stopped)))
    }
}

fn connect(account: &Account, printer: Printer) -> Result<Connection<HttpTransport>, Failure> {
    for warning in &account.warnings {
        printer.note(&format!("warning: {warning}"));
    }
    Ok(account.connect()?)
}

fn show(args: &PlanArgs, printer: Printer) -> Result<u8, Failure> {
    let opened = Opened::of(&args.definitions, printer)?;
    let plan = runtime()?.block_on(opened.plan())?;
    opened.show(&plan)?;
    Ok(code(&plan, args.detailed_exitcode))
}

/// What cannot be is an error; what is pending only where that is asked for.
fn code(plan: &Plan, is_detailed: bool) -> u8 {
    if plan.impossible().next().is_some() {
        1
    } else if is_detailed && plan.is_pending() {
        PENDING
    } else {
        0
    }
}

fn make(args: &ApplyArgs, printer: Printer) -> Result<u8, Failure> {
    let opened = Opened::of(&args.definitions, printer)?;
    let consent = Consent {
        yes: args.consent.yes,
        confirmed: &args.consent.confirm,
        is_json: opened.is_json,
    };
    runtime()?.block_on(opened.make(&consent))
}

fn write(args: &ExportArgs, printer: Printer) -> Result<u8, Failure> {
    let set = settings(&args.access.set)?;
    let holder = match (&args.account, &args.vendor) {
        (Some(path), _) => Definitions::load(path, &set)?,
        (None, vendor) => {
            let vendor = vendor.as_deref().unwrap_or_default();
            let text = json!({"vendor": vendor}).to_string();
            Definitions::parse("--vendor", &text, &set)?
        }
    };
    let catalog = catalog(args.access.templates.as_deref())?;
    let connection = connect(
        &holder.account(&catalog, args.access.allow_inline_secrets)?,
        printer,
    )?;
    let contents = runtime()?.block_on(Contents::read(holder.vendor(), &connection))?;
    let contents = contents.custom();
    let text = match args.access.json {
        true => report::contents(&contents)?,
        false => export(&contents),
    };
    let Some(path) = &args.output else {
        Printer::data(text.as_bytes())?;
        return Ok(0);
    };
    keep(path, &text)?;
    printer.note(&format!("wrote {}", path.display()));
    Ok(0)
}

fn keep(path: &Path, text: &str) -> Result<(), Failure> {
    let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Failure::Unwritable {
        path: path.to_owned(),
        source,
    })
}

fn copy(args: &CopyArgs, printer: Printer) -> Result<u8, Failure> {
    let catalog = catalog(args.access.templates.as_deref())?;
    let [from, to] = [
        Definitions::load(&args.from, &[])?,
        Definitions::load(&args.to, &[])?,
    ];
    if from.vendor() != to.vendor() {
        let (one, other) = (from.vendor(), to.vendor());
        return Err(Failure::usage(format!(
            "an account of {one} cannot be copied to one of {other}"
        )));
    }
    let allow_inline = args.access.allow_inline_secrets;
    let source = connect(&from.account(&catalog, allow_inline)?, printer)?;
    let target = connect(&to.account(&catalog, allow_inline)?, printer)?;
    if source.base() == target.base() && from.shares_credentials(&to) {
        return Err(Failure::usage("both files name the same account"));
    }
    runtime()?.block_on(async {
        let contents = Contents::read(from.vendor(), &source).await?.custom();
        let opened = Opened {
            contents,
            connection: target,
            deletion: Deletion::Never,
            is_json: args.access.json,
        };
        if args.dry_run {
            let plan = opened.plan().await?;
            opened.show(&plan)?;
            return Ok(code(&plan, false));
        }
        let consent = Consent {
            yes: args.yes,
            confirmed: &[],
            is_json: opened.is_json,
        };
        opened.make(&consent).await
    })
}
