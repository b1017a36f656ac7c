//! What the keys of the template format do in whole jobs, and that each limit of a template holds at its edge.

mod definitions;
mod distinct;
mod mistakes;
mod options;
mod parameters;
mod records;
mod refusals;
mod urls;

use std::path::Path;

use outpour::config::{Config, Plan, PlanOptions, Secrets};
use outpour::pipeline;
use outpour::source;
use outpour::template::Catalog;
use tempfile::TempDir;

/// What a job would send: each request as `METHOD URL`, its headers as lines, and its body, and the reasons of the rejects.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    calls: Vec<String>,
    headers: Vec<String>,
    bodies: Vec<String>,
    reasons: Vec<String>,
}

/// A plan of a job in `folder`, with the templates of `folder/templates` if there are any, or all that is wrong with it.
fn plan_in(folder: &Path, job: &str) -> Result<(Plan, Config), String> {
    let path = folder.join("job.yaml");
    std::fs::write(&path, job).unwrap();
    let own = folder.join("templates");
    let catalog = match own.is_dir() {
        true => Catalog::with_directory(&own).map_err(|error| error.to_string())?,
        false => Catalog::built_in().unwrap(),
    };
    let wrong = |text: String| text.replace(&folder.display().to_string(), "DIR");
    let (config, document) = Config::load(&path, &[]).map_err(|error| wrong(error.to_string()))?;
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    let plan = Plan::make(&config, &document, &catalog, &options);
    plan.map(|plan| (plan, config))
        .map_err(|problems| wrong(problems.to_string()))
}

/// What a job would send of these records, which it reads from `records.ndjson`.
#[track_caller]
fn preview_in(folder: &Path, job: &str, records: &[&str]) -> Shown {
    std::fs::write(folder.join("records.ndjson"), records.join("\n")).unwrap();
    let job = format!("source: {{path: records.ndjson}}\n{job}");
    let (plan, config) = plan_in(folder, &job).unwrap_or_else(|problems| panic!("{problems}"));
    let source = source::open(&config.source).unwrap();
    let mut shown = Shown::default();
    let preview = pipeline::preview(plan.job, source, |request, _| {
        shown.calls.push(format!("{} {}", request.method, request.url));
        let headers = request.headers.iter();
        let lines = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        shown.headers.push(lines.collect::<Vec<_>>().join("\n"));
        shown
            .bodies
            .push(String::from_utf8(request.body.to_vec()).unwrap());
        true
    });
    let reason = |line: String| line.split_once("): ").unwrap().1.to_owned();
    shown.reasons = preview.reasons.into_iter().map(reason).collect();
    shown
}

/// As [`preview_in`], in a folder of its own.
#[track_caller]
fn preview(job: &str, records: &[&str]) -> Shown {
    preview_in(TempDir::new().unwrap().path(), job, records)
}

/// What is wrong with a job over no records.
#[track_caller]
fn problems(job: &str) -> String {
    let folder = TempDir::new().unwrap();
    let job = format!("source: {{path: records.ndjson}}\n{job}");
    plan_in(folder.path(), &job).map(|_| ()).unwrap_err()
}
