//! The command line: one file a verb. It sees the library through its public API alone.

mod args;
mod check;
mod define;
mod error;
mod generate;
mod init;
mod job;
mod kept;
mod ledger;
mod mock;
mod preflight;
mod preview;
mod printer;
mod progress;
mod prune;
mod retry;
mod run;
mod runs;
mod signal;
mod standing;
mod steps;
mod templates;
mod test;
mod webhook;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Verb};
use error::Failure;
use printer::Printer;

/// Parses the command line, does what it says and gives the exit code. Errors are rendered here and nowhere else.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.global.quiet);
    if let Err(failure) = printer::start_logs(&cli.global) {
        return failure.report();
    }
    match dispatch(cli, printer) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}

fn dispatch(cli: Cli, printer: Printer) -> Result<u8, Failure> {
    match cli.verb {
        Verb::Run(args) => run::run(&args, printer),
        Verb::Preview(args) => preview::preview(&args),
        Verb::Test(args) => test::test(&args),
        Verb::Check(args) => check::check(&args),
        Verb::Init(args) => init::init(&args, printer),
        Verb::Runs(args) => runs::runs(&args),
        Verb::Rejects(args) => kept::rejects(&args, printer),
        Verb::Doubts(args) => kept::doubts(&args, printer),
        Verb::Retry(args) => retry::retry(&args, printer),
        Verb::Templates(args) => templates::templates(&args),
        Verb::Define { verb } => define::define(&verb, printer),
        Verb::Webhook { verb } => webhook::webhook(&verb, printer),
        Verb::Mock(args) => mock::mock(&args),
        Verb::Schema(args) => generate::schema(args.of),
        Verb::Completions(args) => generate::completions(args.shell),
        Verb::Man => generate::man(),
    }
}
