//! The arguments of the verbs that read the ledger.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use outpour::units::TimeSpan;

use super::SendingArgs;

/// Which ledger is read.
#[derive(Debug, Args)]
pub(in crate::cli) struct StateArgs {
    /// The folder of the ledger. Default: .outpour in this folder
    #[arg(long, value_name = "DIR", global = true)]
    pub(in crate::cli) state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RunsArgs {
    #[command(subcommand)]
    pub(in crate::cli) verb: Option<RunsVerb>,
    /// Lists the runs of this job alone
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) job: Option<String>,
    /// Prints JSON, a line a run
    #[arg(long, global = true)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RunsVerb {
    /// Shows a run: totals, reasons, retries, what later runs settled, and what to do next
    Show {
        /// The run's number
        run: i64,
    },
    /// Forgets runs that ended long ago and left nothing open; never the last run of a job
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PruneArgs {
    /// Forgets runs that ended longer ago than this
    #[arg(long, default_value = "30d", value_name = "TIME")]
    pub(in crate::cli) older_than: TimeSpan,
    /// Keeps so many of the newest runs of each job, whatever their age
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(in crate::cli) keep: u32,
    /// Forgets runs with open rejects, doubts or waiting events too
    #[arg(long)]
    pub(in crate::cli) with_open: bool,
    /// Says which runs would be forgotten, and forgets none
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RejectsArgs {
    /// The run's number. Default: the last run that has any
    pub(in crate::cli) run: Option<i64>,
    /// csv or ndjson. Default: as the input was
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<KeptFormat>,
    #[command(flatten)]
    pub(in crate::cli) kept: KeptArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DoubtsArgs {
    /// The run's number. Default: the last run that has any
    pub(in crate::cli) run: Option<i64>,
    /// Writes the records as csv or ndjson. Default: a list of their places, or with -o the records as the input had them
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(in crate::cli) format: Option<KeptFormat>,
    #[command(flatten)]
    pub(in crate::cli) kept: KeptArgs,
}

/// Which records are written, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct KeptArgs {
    /// Writes to this file, which must not be there yet
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Those too that a later run has settled
    #[arg(long)]
    pub(in crate::cli) all: bool,
    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KeptFormat {
    Csv,
    Ndjson,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub(in crate::cli) struct RetryArgs {
    /// A run's number, or a file of its rejects that was mended. Default: the last run that has any open ones
    #[arg(value_name = "RUN|FILE")]
    pub(in crate::cli) what: Option<String>,
    /// Sends the records in doubt in place of the rejects
    #[arg(long)]
    pub(in crate::cli) in_doubt: bool,
    /// Shows the exact requests and sends none; opens no connection and writes nothing to the ledger
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// The job's configuration. Default: the one that the run had, as it is today
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Sets a key of the configuration, such as limits.rate=5/s
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) templates: Option<PathBuf>,
    /// Permits secrets that stand in the configuration itself
    #[arg(long)]
    pub(in crate::cli) allow_inline_secrets: bool,
    #[command(flatten)]
    pub(in crate::cli) sending: SendingArgs,
    /// The folder of the ledger. Default: .outpour beside --config, beside FILE, or in this folder
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Begins anew where the last retry of the run was stopped before its end
    #[arg(long)]
    pub(in crate::cli) fresh: bool,
    /// Goes on with a stopped retry although the file or the job has changed
    #[arg(long, conflicts_with = "fresh")]
    pub(in crate::cli) force_resume: bool,
}
