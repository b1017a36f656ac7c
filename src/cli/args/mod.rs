//! What can be written on the command line.

mod define;
mod ledger;

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use outpour::client::Rate;
use outpour::mock::{Beyond, Capacity, Faults};
use outpour::units::TimeSpan;

pub(in crate::cli) use define::{
    AccessArgs, ApplyArgs, ConsentArgs, CopyArgs, DefineVerb, DefinitionsArgs, ExportArgs, PlanArgs,
    ValidateArgs,
};
pub(in crate::cli) use ledger::{
    DoubtsArgs, KeptArgs, KeptFormat, PruneArgs, RejectsArgs, RetryArgs, RunsArgs, RunsVerb,
};

/// Pours records into HTTP APIs: shaped, paced, retried, and every one accounted for.
#[derive(Debug, Parser)]
#[command(name = "outpour", version, after_help = EXIT_CODES, max_term_width = 110)]
pub(in crate::cli) struct Cli {
    #[command(flatten)]
    pub(in crate::cli) global: Global,
    #[command(subcommand)]
    pub(in crate::cli) verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    every record was accepted or filtered
  1    finished, but some records were rejected or are in doubt
  2    the command line or the configuration is wrong
  65   the input became unreadable, or the preflight found something
  69   the destination cannot be reached or trusted
  70   a defect of outpour
  74   a file cannot be written
  75   stopped before the end: the report says how many records were not sent
  77   the destination refuses the credentials
  130, 143   stopped by SIGINT, SIGTERM";

#[derive(Debug, Args)]
pub(in crate::cli) struct Global {
    /// Says more on standard error: -v what happens, -vv every attempt
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(in crate::cli) verbose: u8,
    /// Says nothing on standard error but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    /// How logs are written
    #[arg(long, value_enum, default_value_t = LogFormat::Human, global = true, value_name = "FORMAT")]
    pub(in crate::cli) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Verb {
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
    /// Plans and applies what an account's objects and fields are to be, from a file
    Define {
        #[command(subcommand)]
        verb: DefineVerb,
    },
    /// Delivers the webhook events that runs left in the ledger
    Webhook {
        #[command(subcommand)]
        verb: WebhookVerb,
    },
    /// Runs a built-in look-alike of Encharge or Zuora
    Mock(MockArgs),
    /// Prints a JSON Schema, for editors
    Schema(SchemaArgs),
    /// Prints a completion script for a shell
    Completions(CompletionsArgs),
    /// Prints the manual page
    Man,
}

/// What every verb that takes a job takes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct JobArgs {
    /// The job's configuration, a YAML file
    pub(in crate::cli) config: PathBuf,
    /// Sets a key of the configuration, such as limits.rate=5/s
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Reads these files (or - for standard input) in place of those that the job names
    #[arg(long, value_name = "PATH", num_args = 1)]
    pub(in crate::cli) input: Vec<String>,
    /// Reads at most this many records
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<u64>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) templates: Option<PathBuf>,
    /// Permits secrets that stand in the configuration itself
    #[arg(long)]
    pub(in crate::cli) allow_inline_secrets: bool,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct RunArgs {
    #[command(flatten)]
    pub(in crate::cli) job: JobArgs,
    #[command(flatten)]
    pub(in crate::cli) sending: SendingArgs,
    #[command(flatten)]
    pub(in crate::cli) ledger: LedgerArgs,
    /// Begins anew where the last run was stopped before its end
    #[arg(long)]
    pub(in crate::cli) fresh: bool,
    /// Goes on with a stopped run although its input, template, mapping or batching has changed
    #[arg(long, conflicts_with = "fresh")]
    pub(in crate::cli) force_resume: bool,
    /// Compares the records with the fields that the account knows first, and sends nothing if something does not fit
    #[arg(long)]
    pub(in crate::cli) preflight: bool,
    /// Begins with this step of a file that has `steps`, the first being 1
    #[arg(long, value_name = "N", conflicts_with = "mock")]
    pub(in crate::cli) from: Option<usize>,
}

/// How records are sent, and what is said of it.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct SendingArgs {
    /// Sends to a built-in look-alike of the vendor; needs no account and no key, and keeps only the job's own limits
    #[arg(long)]
    pub(in crate::cli) mock: bool,
    /// What goes wrong at the mock: a status, reset, close, hang, slow, cut, garbage, error200, throttled; such as
    /// 429:5%,reset:1%
    #[arg(long, value_name = "FAULTS", requires = "mock")]
    pub(in crate::cli) fail: Option<Faults>,
    /// How the report is written to standard output
    #[arg(long, value_enum, default_value_t = ReportFormat::Human, value_name = "FORMAT")]
    pub(in crate::cli) report: ReportFormat,
    /// Writes the report to this file too, as JSON
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) report_file: Option<PathBuf>,
    /// How long a stopped run waits for what is in flight, in place of the job's `grace`
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) grace: Option<TimeSpan>,
}

/// Where runs are remembered.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct LedgerArgs {
    /// The folder of the ledger. Default: .outpour beside the configuration
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Remembers nothing: a stopped run cannot be gone on with, and rejects are in their file alone
    #[arg(long, conflicts_with = "state")]
    pub(in crate::cli) no_ledger: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    Human,
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PreviewArgs {
    #[command(flatten)]
    pub(in crate::cli) job: JobArgs,
    /// How many requests are shown
    #[arg(short = 'n', long, default_value_t = 3, value_name = "N")]
    pub(in crate::cli) requests: u64,
    /// Prints each request as a curl command
    #[arg(long)]
    pub(in crate::cli) curl: bool,
    /// Reads the whole input and says how many requests, how many bytes and how long
    #[arg(long)]
    pub(in crate::cli) full: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    #[command(flatten)]
    pub(in crate::cli) job: JobArgs,
    /// The record to send, as JSON; the first of the input unless given
    #[arg(long, value_name = "JSON")]
    pub(in crate::cli) record: Option<String>,
    /// Sends to a built-in look-alike of the vendor; needs no account and no key
    #[arg(long)]
    pub(in crate::cli) mock: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    #[command(flatten)]
    pub(in crate::cli) job: JobArgs,
    /// Also asks the vendor whether the credentials are good and the records fit its fields, with requests that change nothing
    #[arg(long)]
    pub(in crate::cli) online: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// The template's name, such as encharge/upsert-person
    pub(in crate::cli) template: String,
    /// Writes to this file, which must not be there yet
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) templates: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TemplatesArgs {
    #[command(subcommand)]
    pub(in crate::cli) verb: Option<TemplatesVerb>,
    /// A directory of templates that add to the built-in ones, or replace them
    #[arg(long, value_name = "DIR", global = true)]
    pub(in crate::cli) templates: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TemplatesVerb {
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
pub(in crate::cli) enum WebhookVerb {
    /// Delivers what waits, for as long as the webhook takes something within its `grace`
    Deliver(DeliverArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DeliverArgs {
    /// The job's configuration, in place of the one that its last run used
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// The job whose events are delivered; the configuration's, or all of the ledger, unless given
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) job: Option<String>,
    /// The folder of the ledger. Default: .outpour beside the configuration, or here
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Sets a key of the configuration, such as webhook.grace=5m
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// Permits secrets that stand in the configuration itself
    #[arg(long)]
    pub(in crate::cli) allow_inline_secrets: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MockArgs {
    /// Whose look-alike it is
    #[arg(value_enum, default_value_t = Vendor::Encharge)]
    pub(in crate::cli) vendor: Vendor,
    /// The port of 127.0.0.1 to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 8080)]
    pub(in crate::cli) port: u16,
    /// How long each answer is held back
    #[arg(long, default_value = "0s", value_name = "TIME")]
    pub(in crate::cli) latency: TimeSpan,
    /// How many requests it takes; one more is answered 429
    #[arg(long, value_name = "RATE")]
    pub(in crate::cli) rate: Option<Rate>,
    /// How many requests it serves at once; `20,5@1000`: from the 1000th on only 5
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) capacity: Option<Capacity>,
    /// What becomes of more: slow, 429 or 503
    #[arg(long, value_name = "WHAT", default_value = "slow", requires = "capacity")]
    pub(in crate::cli) beyond: Beyond,
    /// What goes wrong, and how often: a status, reset, close, hang, slow, cut, garbage, error200, throttled; such as
    /// 429:5%,reset:1%
    #[arg(long, value_name = "FAULTS")]
    pub(in crate::cli) fail: Option<Faults>,
    /// What chance follows: the same seed and the same requests meet the same faults
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) seed: u64,
    /// An object that is there from the start: at Encharge besides `company`, at Zuora one that takes any fields
    #[arg(long = "object", value_name = "NAME")]
    pub(in crate::cli) objects: Vec<String>,
    /// Zuora: what is defined from the start, a JSON file: the answer of a list, or a request to create
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) definitions: Option<PathBuf>,
    /// Zuora: how many requests a token is good for; the next is answered 401
    #[arg(long, value_name = "N")]
    pub(in crate::cli) token_requests: Option<NonZeroU64>,
    /// Zuora: how long a token is good for, whatever its `expires_in` says, which is an hour
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) token_life: Option<TimeSpan>,
    /// Counts what arrives without keeping it, for large loads
    #[arg(long)]
    pub(in crate::cli) forget: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Vendor {
    Encharge,
    Zuora,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaArgs {
    /// Whose schema
    #[arg(value_enum, default_value_t = SchemaOf::Job)]
    pub(in crate::cli) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    Job,
    Template,
    Vendor,
    Definitions,
    Steps,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(in crate::cli) shell: clap_complete::Shell,
}
