//! The table "Security" of docs/reliability.md.

mod addresses;
mod bombs;
mod expressions;
mod files;
mod injection;
mod paths;
mod proxy;
mod redirects;
mod rejects;
mod secrets;
mod supply_chain;
mod terminal;
mod tls;
mod webhook;

use std::process::Command;

use outpour::client::Request;
use outpour::config::{Config, Plan, PlanOptions, Secrets};
use outpour::endpoint::Endpoint;
use outpour::record::{Origin, Position, Record, Shape};
use outpour::request;
use outpour::template::Catalog;

use crate::harness::{Outcome, Recorder, Scene};
use crate::kill::limited;

/// The plan of a manual job, or everything that is wrong with it.
fn plan(destination: &str, rest: &str) -> Result<Plan, String> {
    let job = format!("source: {{path: x.ndjson}}\ndestination: {{{destination}}}\n{rest}\n");
    let (config, document) = Config::parse("job.yaml", &job).map_err(|problems| problems.to_string())?;
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    Plan::make(&config, &document, &Catalog::built_in().unwrap(), &options)
        .map_err(|problems| problems.to_string())
}

/// The request that a manual job makes of one record, or why it makes none.
fn request(destination: &str, record: &str) -> Result<Request, String> {
    request_of(plan(destination, "")?.job.routes.of(&[]), record)
}

/// The request that an endpoint makes of one record, or why it makes none.
fn request_of(endpoint: &Endpoint, record: &str) -> Result<Request, String> {
    let origin = Origin {
        name: "x.ndjson".to_owned(),
        shape: Shape::Json,
    };
    let position = Position {
        origin: origin.into(),
        ordinal: 1,
        number: 1,
        line: None,
        byte: 0,
    };
    let record = Record {
        position,
        text: record.to_owned().into(),
        original: None,
    };
    let prepared = endpoint
        .prepare(record)
        .map_err(|refused| refused.1.to_string())?;
    request::render(endpoint, &[prepared]).map_err(|error| error.to_string())
}

/// Runs a manual job over `records`; `URL` in its destination is a server that takes everything.
fn run(destination: &str, rest: &str, records: &str, more: &[&str]) -> (Scene, Recorder, Outcome) {
    run_as(destination, rest, records, |mut command| {
        command.args(more).env("SECRET", "CANARY-8f2c");
        command
    })
}

/// The same behind a line of shell that limits the run.
fn run_within(limit: &str, destination: &str, rest: &str, records: &str) -> (Scene, Recorder, Outcome) {
    run_as(destination, rest, records, |command| limited(limit, &command))
}

fn run_as(
    destination: &str,
    rest: &str,
    records: &str,
    change: impl FnOnce(Command) -> Command,
) -> (Scene, Recorder, Outcome) {
    let scene = Scene::new();
    let server = Recorder::start(scene.runtime(), 200, "{}");
    let destination = destination.replace("URL", &server.url(""));
    let job = format!("source: {{path: records.ndjson}}\ndestination: {{{destination}}}\n{rest}\n");
    scene.write("records.ndjson", records).write("job.yaml", job);
    let mut command = change(scene.command(&["run", "job.yaml", "--report", "json"]));
    let output = command.output().unwrap();
    let outcome = Outcome::of(output, &scene);
    (scene, server, outcome)
}
