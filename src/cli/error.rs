//! What can go wrong on the command line, and the one place that renders it.

use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use outpour::client::{Fatal, HttpTransportError, TokenError};
use outpour::config::ConfigError;
use outpour::define::{DefinitionsError, ReadError, Stopped};
use outpour::document::Problems;
use outpour::ledger::{LedgerError, Refusal};
use outpour::mock::MockError;
use outpour::retry::MendedError;
use outpour::source::SourceError;
use outpour::template::CatalogError;

use super::printer::Printer;

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Problems(#[from] Problems),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error("the input cannot be read")]
    Source(#[from] SourceError),
    #[error("the connection cannot be set up")]
    Transport(#[from] HttpTransportError),
    #[error("the mock cannot be started")]
    Mock(#[from] MockError),
    #[error("`{path}` cannot be written")]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("standard output cannot be written")]
    Output(#[source] std::io::Error),
    #[error(transparent)]
    Definitions(#[from] DefinitionsError),
    #[error(transparent)]
    Unread(#[from] ReadError),
    #[error("{}", super::define::told(.0))]
    Stopped(Stopped),
    #[error("nothing was done: what is marked with `!` cannot be")]
    Impossible,
    #[error("nothing was done: it was not confirmed")]
    Unconfirmed,
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Mended(#[from] MendedError),
    #[error(transparent)]
    Changed(#[from] Refusal),
    #[error("{message}")]
    Preflight { message: String, code: u8 },
    #[error("the runtime cannot be started")]
    Runtime(#[source] std::io::Error),
}

impl Failure {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn usage_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// Renders the failure and gives the exit code.
    pub(super) fn report(&self) -> ExitCode {
        let is_unread = matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe);
        if !is_unread {
            Printer::error(&self.render());
        }
        ExitCode::from(self.code())
    }

    fn render(&self) -> String {
        let mut text = match self {
            Self::Problems(problems)
            | Self::Config(ConfigError::Wrong(problems))
            | Self::Definitions(DefinitionsError::Wrong(problems))
            | Self::Catalog(CatalogError::Document(problems)) => listed(problems),
            other => {
                let mut text = format!("error: {other}");
                let mut source = other.source();
                while let Some(cause) = source {
                    let _ = write!(text, "\n  Caused by: {cause}");
                    source = cause.source();
                }
                text
            }
        };
        if let Some(hint) = self.hint() {
            let _ = write!(text, "\n  hint: {hint}");
        }
        text
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => hint.clone(),
            Self::Source(error) => error.hint(),
            Self::Config(ConfigError::Unreadable { path, source }) => config_hint(path, source),
            Self::Unread(ReadError::Failed(said)) if said.contains("max_response_bytes") => {
                Some("raise it, with `--set account.http.max_response_bytes=16MiB`".to_owned())
            }
            Self::Stopped(stopped) => Some(super::define::advice(stopped).to_owned()),
            Self::Impossible => Some("mend the file; `outpour define plan` shows why".to_owned()),
            Self::Catalog(CatalogError::Unknown { .. }) => Some("`outpour templates` lists them".to_owned()),
            Self::Mock(MockError::Definitions { .. }) => None,
            Self::Mock(_) => Some("choose another port with --port, or 0 for any".to_owned()),
            Self::Mended(error) => mended_hint(error),
            Self::Ledger(error) => Some(ledger_hint(error).to_owned()),
            Self::Changed(Refusal::Changed { .. }) => Some(
                "`--force-resume` goes on with it as things are now, `--fresh` begins anew and sends everything again"
                    .to_owned(),
            ),
            Self::Changed(Refusal::Piped { .. }) => Some(
                "if the same records come again, `--force-resume` skips those that have an outcome; if others come, `--fresh` \
                 begins anew"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Source(error) | Self::Mended(MendedError::Source(error)) if !is_about_the_job(error) => 65,
            Self::Ledger(error) | Self::Mended(MendedError::Ledger(error)) => ledger_code(error),
            Self::Unread(ReadError::Denied(_)) => 77,
            Self::Stopped(stopped) => super::define::code_of(stopped),
            Self::Impossible => 1,
            Self::Unconfirmed => 75,
            Self::Unwritable { .. } | Self::Output(_) => 74,
            Self::Runtime(_) => 70,
            Self::Preflight { code, .. } => *code,
            Self::Unread(_) => 69,
            _ => 2,
        }
    }
}

fn mended_hint(error: &MendedError) -> Option<String> {
    match error {
        MendedError::StandardInput => Some("put it in a file".to_owned()),
        MendedError::Source(error) => error.hint(),
        MendedError::Ledger(error) => Some(ledger_hint(error).to_owned()),
        MendedError::Unknown(path) => Some(format!(
            "name the ledger with `--state DIR`, or send it as any input: `outpour run JOB --input {}`",
            path.display()
        )),
        MendedError::SeveralRuns { .. } => Some("put them in a file each".to_owned()),
    }
}

fn ledger_code(error: &LedgerError) -> u8 {
    match error {
        LedgerError::Locked { .. } => 75,
        LedgerError::Missing(_) | LedgerError::NoRun(_) => 2,
        LedgerError::TwoOutcomes(_) | LedgerError::Closed => 70,
        _ => 74,
    }
}

fn ledger_hint(error: &LedgerError) -> &'static str {
    match error {
        LedgerError::Missing(_) => {
            "it stands in `.outpour` beside the job's configuration; name it with `--state DIR`"
        }
        LedgerError::NoRun(_) => "`outpour runs` lists them",
        LedgerError::Exposed { what: "write", .. } => "take that from them, with `chmod go-w`",
        LedgerError::Exposed { .. } => "take that from them, with `chmod go-rwx`",
        LedgerError::Locked { .. } => "wait until it has ended",
        LedgerError::NoRoom { .. } => "make room, or name another folder with `--state DIR`",
        LedgerError::Newer { .. } => "use that outpour, or another folder with `--state DIR`",
        LedgerError::File { .. } | LedgerError::Database { .. } => {
            "name another folder with `--state DIR`, or remember nothing with `--no-ledger`"
        }
        LedgerError::TwoOutcomes(_) | LedgerError::Closed => {
            "please report it, with the configuration and the report"
        }
    }
}

/// Whether the job says something wrong of its input, rather than the input being unreadable.
fn is_about_the_job(error: &SourceError) -> bool {
    matches!(
        error,
        SourceError::NoPath
            | SourceError::NotFound { .. }
            | SourceError::NoMatch { .. }
            | SourceError::Pattern { .. }
            | SourceError::Directory { .. }
            | SourceError::UnknownFormat { .. }
            | SourceError::Option { .. }
            | SourceError::UnknownColumn { .. }
    )
}

fn listed(problems: &Problems) -> String {
    let lines: Vec<String> = problems
        .to_string()
        .lines()
        .map(|line| format!("error: {line}"))
        .collect();
    lines.join("\n")
}

fn config_hint(path: &std::path::Path, error: &std::io::Error) -> Option<String> {
    if error.kind() != std::io::ErrorKind::NotFound {
        return None;
    }
    let name = path.file_name()?.to_string_lossy().into_owned();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(".".as_ref());
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    match outpour::document::closest(&name, names.iter().map(String::as_str)) {
        Some(meant) => Some(format!("did you mean `{}`?", folder.join(meant).display())),
        None => Some("`outpour init TEMPLATE` prints a job to start from".to_owned()),
    }
}

/// The exit code of a reason for which nothing can be sent.
pub(super) fn code_of(fatal: &Fatal) -> u8 {
    match fatal {
        Fatal::Token(TokenError::Refused { .. }) => 77,
        Fatal::Token(TokenError::Unusable(_)) => 75,
        _ => 69,
    }
}
