//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use outpour::client::Rate;
use outpour::mock::Faults;
use outpour::units::TimeSpan;

/// Pours records into HTTP APIs: shaped, paced, retried, and every one accounted for.
#[derive(Debug, Parser)]
#[command(name = "outpour", version, after_help = EXIT_CODES, max_term_width = 110)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    every record was accepted or filtered
  1    finished, but some records were rejected or are in doubt
  2    the command line or the configuration is wrong
  65   the input became unreadable
  69   the destination cannot be reached or trusted
  70   a defect of outpour
  74   a file cannot be written
  75   stopped before the end: the report says how many records were not sent
  77   the destination refuses the credentials
  130, 143   stopped by SIGINT, SIGTERM";

#[derive(Debug, Args)]
pub(super) struct Global {
    /// Says more on standard error: -v what happens, -vv every attempt
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    /// Says nothing on standard error but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// How logs are written
    #[arg(long, value_enum, default_value_t = LogFormat::Human, global = true, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogFormat {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Sends the records of a job
    Run(RunArgs),
    /// Shows the exact requests that a run would send; opens no connection
    Preview(PreviewArgs),
    /// Sends one sample record and prints the reply
    Test(TestArgs),
    /// Checks a job without sending anything
    Check(CheckArgs),
    /// Prints a commented job for a template, to start from
    Init(InitArgs),
    /// Lists the runs of the ledger, shows one, and forgets old ones
    Runs(RunsArgs),
    /// Writes the open rejects of a run, in the shape of their input
    Rejects(RejectsArgs),
    /// Lists the records of a run that are in doubt
    Doubts(DoubtsArgs),
    /// Sends the open rejects of a run again, or a file of them that was mended
    Retry(RetryArgs),
    /// Lists, shows and tests endpoint templates
    Templates(TemplatesArgs),
    /// Delivers the webhook events that runs left in the ledger
    Webhook {
        #[command(subcommand)]
        verb: WebhookVerb,
    },
    /// Runs the built-in Encharge look-alike
    Mock(MockArgs),
    /// Prints a JSON Schema, for editors
    Schema(SchemaArgs),
    /// Prints a completion script for a shell
    Completions(CompletionsArgs),
    /// Prints the manual page
    Man,
}

/// What every verb that takes a job takes.
#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// The job's configuration, a YAML file
    pub(super) config: PathBuf,
    /// Sets a key of the configuration, such as limits.rate=5/s
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Reads these files (or - for standard input) in place of those that the job names
    #[arg(long, value_name = "PATH", num_args = 1)]
    pub(super) input: Vec<String>,
    /// Reads at most this many records
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<PathBuf>,
    /// Permits secrets that stand in the configuration itself
    #[arg(long)]
    pub(super) allow_inline_secrets: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) job: JobArgs,
    #[command(flatten)]
    pub(super) sending: SendingArgs,
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// Begins anew where the last run was stopped before its end
    #[arg(long)]
    pub(super) fresh: bool,
    /// Goes on with a stopped run although its input, template, mapping or batching has changed
    #[arg(long, conflicts_with = "fresh")]
    pub(super) force_resume: bool,
}

/// How records are sent, and what is said of it.
#[derive(Debug, Args)]
pub(super) struct SendingArgs {
    /// Sends to a built-in look-alike of the vendor; needs no account and no key, and keeps only the job's own limits
    #[arg(long)]
    pub(super) mock: bool,
    /// What goes wrong at the mock: a status, reset, close, hang, slow, cut, garbage, error200; such as 429:5%,reset:1%
    #[arg(long, value_name = "FAULTS", requires = "mock")]
    pub(super) fail: Option<Faults>,
    /// How the report is written to standard output
    #[arg(long, value_enum, default_value_t = ReportFormat::Human, value_name = "FORMAT")]
    pub(super) report: ReportFormat,
    /// Writes the report to this file too, as JSON
    #[arg(long, value_name = "PATH")]
    pub(super) report_file: Option<PathBuf>,
    /// How long a stopped run waits for what is in flight, in place of the job's `grace`
    #[arg(long, value_name = "TIME")]
    pub(super) grace: Option<TimeSpan>,
}

/// Where runs are remembered.
#[derive(Debug, Args)]
pub(super) struct LedgerArgs {
    /// The folder of the ledger. Default: .outpour beside the configuration
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Remembers nothing: a stopped run cannot be gone on with, and rejects are in their file alone
    #[arg(long, conflicts_with = "state")]
    pub(super) no_ledger: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    Human,
    Json,
}

/// Which ledger is read.
#[derive(Debug, Args)]
pub(super) struct StateArgs {
    /// The folder of the ledger. Default: .outpour in this folder
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    pub(super) verb: Option<RunsVerb>,
    /// Lists the runs of this job alone
    #[arg(long, value_name = "NAME")]
    pub(super) job: Option<String>,
    /// Prints JSON, a line a run
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) state: StateArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum RunsVerb {
    /// Shows a run: totals, reasons, retries, what later runs settled, and what to do next
    Show {
        /// The run's number
        run: i64,
    },
    /// Forgets runs that ended long ago and left nothing open; never the last run of a job
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Forgets runs that ended longer ago than this
    #[arg(long, default_value = "30d", value_name = "TIME")]
    pub(super) older_than: TimeSpan,
    /// Keeps so many of the newest runs of each job, whatever their age
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) keep: u32,
    /// Forgets runs with open rejects, doubts or waiting events too
    #[arg(long)]
    pub(super) with_open: bool,
    /// Says which runs would be forgotten, and forgets none
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct RejectsArgs {
    /// The run's number. Default: the last run that has any
    pub(super) run: Option<i64>,
    /// csv or ndjson. Default: as the input was
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) format: Option<KeptFormat>,
    #[command(flatten)]
    pub(super) kept: KeptArgs,
}

#[derive(Debug, Args)]
pub(super) struct DoubtsArgs {
    /// The run's number. Default: the last run that has any
    pub(super) run: Option<i64>,
    /// Writes the records as csv or ndjson. Default: a list of their places, or with -o the records as the input had them
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) format: Option<KeptFormat>,
    #[command(flatten)]
    pub(super) kept: KeptArgs,
}

/// Which records are written, and where to.
#[derive(Debug, Args)]
pub(super) struct KeptArgs {
    /// Writes to this file, which must not be there yet
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// Those too that a later run has settled
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) state: StateArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeptFormat {
    Csv,
    Ndjson,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub(super) struct RetryArgs {
    /// A run's number, or a file of its rejects that was mended. Default: the last run that has any open ones
    #[arg(value_name = "RUN|FILE")]
    pub(super) what: Option<String>,
    /// Sends the records in doubt in place of the rejects
    #[arg(long)]
    pub(super) in_doubt: bool,
    /// Shows the exact requests and sends none; opens no connection and writes nothing to the ledger
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The job's configuration. Default: the one that the run had, as it is today
    #[arg(long, value_name = "PATH")]
    pub(super) config: Option<PathBuf>,
    /// Sets a key of the configuration, such as limits.rate=5/s
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<PathBuf>,
    /// Permits secrets that stand in the configuration itself
    #[arg(long)]
    pub(super) allow_inline_secrets: bool,
    #[command(flatten)]
    pub(super) sending: SendingArgs,
    /// The folder of the ledger. Default: .outpour beside --config, beside FILE, or in this folder
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Begins anew where the last retry of the run was stopped before its end
    #[arg(long)]
    pub(super) fresh: bool,
    /// Goes on with a stopped retry although the file or the job has changed
    #[arg(long, conflicts_with = "fresh")]
    pub(super) force_resume: bool,
}

#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    #[command(flatten)]
    pub(super) job: JobArgs,
    /// How many requests are shown
    #[arg(short = 'n', long, default_value_t = 3, value_name = "N")]
    pub(super) requests: u64,
    /// Prints each request as a curl command
    #[arg(long)]
    pub(super) curl: bool,
    /// Reads the whole input and says how many requests, how many bytes and how long
    #[arg(long)]
    pub(super) full: bool,
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    pub(super) job: JobArgs,
    /// The record to send, as JSON; the first of the input unless given
    #[arg(long, value_name = "JSON")]
    pub(super) record: Option<String>,
    /// Sends to a built-in look-alike of the vendor; needs no account and no key
    #[arg(long)]
    pub(super) mock: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) job: JobArgs,
    /// Also asks the vendor whether the credentials are good, with a request that changes nothing
    #[arg(long)]
    pub(super) online: bool,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The template's name, such as encharge/upsert-person
    pub(super) template: String,
    /// Writes to this file, which must not be there yet
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct TemplatesArgs {
    #[command(subcommand)]
    pub(super) verb: Option<TemplatesVerb>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) templates: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum TemplatesVerb {
    /// Shows what a template needs, and an example
    Show {
        /// The template's name
        name: String,
    },
    /// Runs the tests that stand in templates
    Test {
        /// A directory of templates; the built-in ones unless given
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum WebhookVerb {
    /// Delivers what waits, for as long as the webhook takes something within its `grace`
    Deliver(DeliverArgs),
}

#[derive(Debug, Args)]
pub(super) struct DeliverArgs {
    /// The job's configuration, in place of the one that its last run used
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The job whose events are delivered; the configuration's, or all of the ledger, unless given
    #[arg(long, value_name = "NAME")]
    pub(super) job: Option<String>,
    /// The folder of the ledger. Default: .outpour beside the configuration, or here
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Sets a key of the configuration, such as webhook.grace=5m
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
    /// Permits secrets that stand in the configuration itself
    #[arg(long)]
    pub(super) allow_inline_secrets: bool,
}

#[derive(Debug, Args)]
pub(super) struct MockArgs {
    /// Whose look-alike it is
    #[arg(long, value_enum, default_value_t = Vendor::Encharge)]
    pub(super) vendor: Vendor,
    /// The port of 127.0.0.1 to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 8080)]
    pub(super) port: u16,
    /// How long each answer is held back
    #[arg(long, default_value = "0s", value_name = "TIME")]
    pub(super) latency: TimeSpan,
    /// How many requests it takes; one more is answered 429
    #[arg(long, value_name = "RATE")]
    pub(super) rate: Option<Rate>,
    /// What goes wrong, and how often: a status, reset, close, hang, slow, cut, garbage, error200; such as 429:5%,reset:1%
    #[arg(long, value_name = "FAULTS")]
    pub(super) fail: Option<Faults>,
    /// What chance follows: the same seed and the same requests meet the same faults
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// An object that is defined from the start, besides `company`
    #[arg(long = "object", value_name = "NAME")]
    pub(super) objects: Vec<String>,
    /// Counts what arrives without keeping it, for large loads
    #[arg(long)]
    pub(super) forget: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Vendor {
    Encharge,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Whose schema
    #[arg(value_enum, default_value_t = SchemaOf::Job)]
    pub(super) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum SchemaOf {
    Job,
    Template,
    Vendor,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}
