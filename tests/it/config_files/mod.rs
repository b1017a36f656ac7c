//! The example jobs, the reference of all options, the starters and the template guide: all of them hold.

mod jobs;
mod reference;
mod schemas;
mod starters;
mod template_guide;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use outpour::config::{Config, Plan, PlanOptions, Secrets};
use outpour::document::{Document, Problems};
use outpour::template::Catalog;

/// A file or folder of the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The example jobs, by file name, without the reference.
fn example_jobs() -> Vec<String> {
    let names = std::fs::read_dir(project("config"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_job = |name: &String| {
        let job = name.strip_suffix(".yaml");
        job.is_some_and(|job| job != "reference")
    };
    let mut names: Vec<_> = names.filter(is_job).collect();
    names.sort();
    names
}

/// The program, with no secret but those that a test gives it.
fn outpour() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outpour"));
    for name in [
        "ENCHARGE_API_KEY",
        "ENCHARGE_WRITE_KEY",
        "ZUORA_CLIENT_ID",
        "ZUORA_CLIENT_SECRET",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end and demands exit code 0; gives its standard output.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    );
    assert!(status.success(), "{command:?}\n{status}\n{stdout}\n{stderr}");
    stdout
}

/// A plan with stand-ins for its secrets.
fn plan(config: &Config, document: &Document) -> Result<Plan, Problems> {
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    Plan::make(config, document, &Catalog::built_in().unwrap(), &options)
}
