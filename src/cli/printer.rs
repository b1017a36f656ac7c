//! The one printer: results on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};

use outpour::visible::{in_line, visible};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::debug_fn;

use super::args::{Global, LogFormat};
use super::error::Failure;

/// Writes what a person or a program reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    is_quiet: bool,
}

impl Printer {
    pub(super) fn new(is_quiet: bool) -> Self {
        Self { is_quiet }
    }

    /// Writes a result to standard output. A text from an API or a record must not steer a terminal; what is JSON stays the
    /// same JSON.
    pub(super) fn result(text: &str) -> Result<(), Failure> {
        let text = visible(text);
        let mut out = io::stdout().lock();
        let written = out
            .write_all(text.as_bytes())
            .and_then(|()| match text.ends_with('\n') {
                true => Ok(()),
                false => out.write_all(b"\n"),
            });
        written.and_then(|()| out.flush()).map_err(Failure::Output)
    }

    /// Writes data to standard output as it is, for other programs. On a terminal it must not steer that.
    pub(super) fn data(bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = match out.is_terminal() {
            true => out.write_all(visible(&String::from_utf8_lossy(bytes)).as_bytes()),
            false => out.write_all(bytes),
        };
        written.and_then(|()| out.flush()).map_err(Failure::Output)
    }

    /// Writes a note to standard error, unless quiet.
    pub(super) fn note(self, text: &str) {
        if !self.is_quiet {
            Self::error(text);
        }
    }

    /// Writes to standard error, always. Where that is closed, nobody reads.
    pub(super) fn error(text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", visible(text));
    }

    /// Asks on standard error, and stays on the line.
    pub(super) fn question(text: &str) {
        let mut err = io::stderr().lock();
        // Where nobody sees the question, nobody answers it.
        let _ = write!(err, "{}", visible(text)).and_then(|()| err.flush());
    }

    /// Whether progress is worth drawing.
    pub(super) fn is_watched(self) -> bool {
        !self.is_quiet && io::stderr().is_terminal()
    }
}

/// Starts logging to standard error. `RUST_LOG` overrides -v.
pub(super) fn start_logs(global: &Global) -> Result<(), Failure> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "outpour=warn",
        (false, 1) => "outpour=info",
        (false, _) => "outpour=debug",
    };
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) => EnvFilter::try_new(&text)
            .map_err(|error| Failure::usage(format!("`RUST_LOG` is not a log filter: {error}")))?,
        Err(_) => EnvFilter::new(level),
    };
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Where standard error is closed nobody reads, and saying so there would end the run in a panic.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    match global.log_format {
        LogFormat::Human => logs
            .fmt_fields(
                debug_fn(|writer, field, value| {
                    let text = format!("{value:?}");
                    match field.name() {
                        "message" => write!(writer, "{}", in_line(&text)),
                        name => write!(writer, "{name}={}", in_line(&text)),
                    }
                })
                .delimited(" "),
            )
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}
