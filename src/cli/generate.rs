//! What is generated from the command line and the types: schemas, completions, the manual page.

use clap::CommandFactory;
use clap_complete::Shell;
use outpour::config::{Config, Steps};
use outpour::define::DefinitionsFile;
use outpour::document::schema_of;
use outpour::template::{TemplateFile, VendorFile};

use super::args::{Cli, SchemaOf};
use super::error::Failure;
use super::printer::Printer;

pub(super) fn schema(of: SchemaOf) -> Result<u8, Failure> {
    let schema = match of {
        SchemaOf::Job => Config::schema(),
        SchemaOf::Template => schema_of::<TemplateFile>(),
        SchemaOf::Vendor => schema_of::<VendorFile>(),
        SchemaOf::Definitions => schema_of::<DefinitionsFile>(),
        SchemaOf::Steps => schema_of::<Steps>(),
    };
    Printer::result(&serde_json::to_string_pretty(&schema).unwrap_or_default())?;
    Ok(0)
}

pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "outpour", &mut script);
    Printer::result(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

pub(super) fn man() -> Result<u8, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(Failure::Output)?;
    Printer::result(&String::from_utf8_lossy(&page))?;
    Ok(0)
}
