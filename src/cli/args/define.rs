//! What `outpour define` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DefineVerb {
    /// Checks a file of definitions against the vendor's rules and limits; opens no connection
    Validate(ValidateArgs),
    /// Shows what would be created, changed or deleted; changes nothing
    Plan(PlanArgs),
    /// Shows the plan, asks, and makes its steps one by one
    Apply(ApplyArgs),
    /// Writes the file that describes an account
    Export(ExportArgs),
    /// Gives an account what another one has
    Copy(CopyArgs),
}

/// How an account is reached.
#[derive(Debug, Args)]
pub(in crate::cli) struct AccessArgs {
    /// Sets a key of the file that names the account, such as account.limits.rate=5/s
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// A directory of templates, whose vendor files come before the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) templates: Option<PathBuf>,
    /// Permits secrets that stand in the file itself
    #[arg(long)]
    pub(in crate::cli) allow_inline_secrets: bool,
    /// Prints JSON, for other programs
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ValidateArgs {
    /// The definitions, a YAML file, or a List answer of Zuora's as JSON
    pub(in crate::cli) file: PathBuf,
    /// Prints JSON, for other programs
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// A file of definitions and the account that it is held against.
#[derive(Debug, Args)]
pub(in crate::cli) struct DefinitionsArgs {
    /// The definitions, a YAML file, or a List answer of Zuora's as JSON
    pub(in crate::cli) file: PathBuf,
    /// A file whose `vendor` and `account` are taken in place of those of FILE
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) account: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) access: AccessArgs,
    /// Deletes what is custom, is not in the file and has no records
    #[arg(long)]
    pub(in crate::cli) allow_delete: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    pub(in crate::cli) definitions: DefinitionsArgs,
    /// Ends with 2 where there is something to do
    #[arg(long)]
    pub(in crate::cli) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    #[command(flatten)]
    pub(in crate::cli) definitions: DefinitionsArgs,
    #[command(flatten)]
    pub(in crate::cli) consent: ConsentArgs,
}

/// What is agreed to beforehand.
#[derive(Debug, Args)]
pub(in crate::cli) struct ConsentArgs {
    /// Does not ask before it creates and changes
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Confirms the deletion of this name, in place of typing it
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) confirm: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Whose account it is, where no file says it
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "account",
        conflicts_with = "account"
    )]
    pub(in crate::cli) vendor: Option<String>,
    /// A file that names the account
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) account: Option<PathBuf>,
    /// Writes to this file, which must not be there yet
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) output: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) access: AccessArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CopyArgs {
    /// A file that names the account to copy from
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from: PathBuf,
    /// A file that names the account to copy to
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) to: PathBuf,
    /// Shows the plan alone
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) access: CopyAccessArgs,
    /// Does not ask before it creates and changes
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

/// How both accounts are reached.
#[derive(Debug, Args)]
pub(in crate::cli) struct CopyAccessArgs {
    /// A directory of templates, whose vendor files come before the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) templates: Option<PathBuf>,
    /// Permits secrets that stand in the files themselves
    #[arg(long)]
    pub(in crate::cli) allow_inline_secrets: bool,
    /// Prints JSON, for other programs
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
