//! Every example job plans, previews without a reject, and runs where it says that it does.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use outpour::config::Config;
use outpour::mock::{API_KEY, Mock, MockSettings};
use outpour::pipeline::{Preview, preview};
use outpour::source;
use serde_json::Value;
use tempfile::TempDir;

use super::{example_jobs, outpour, plan, project, succeed};
use crate::raw_server::{Act, RawServer, write};

/// A copy of `config/`, where runs may leave their files.
struct Folder(TempDir);

impl Folder {
    fn copied() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_into(&project("config"), folder.path());
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `outpour run` of a job, which prints its report as JSON.
    fn run(&self, job: &str) -> Command {
        let mut command = outpour();
        command
            .args(["run", "--report", "json", "--quiet"])
            .arg(self.path(job));
        command
    }
}

/// Copies the files and folders of a folder.
fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir(&copy).unwrap();
            copy_into(&path, &copy);
        } else {
            std::fs::copy(&path, &copy).unwrap();
        }
    }
}

#[track_caller]
fn accepted(command: &mut Command) -> u64 {
    let report: Value = serde_json::from_str(succeed(command).lines().last().unwrap()).unwrap();
    assert_eq!(
        report["read"].as_u64(),
        report["accepted"]
            .as_u64()
            .zip(report["filtered"].as_u64())
            .map(|(a, b)| a + b)
    );
    report["accepted"].as_u64().unwrap()
}

/// A server that answers every request 200 with `{}`.
async fn yes_to_all() -> RawServer {
    let reply = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    RawServer::start((0..100).map(|_| vec![Act::Read, write(reply)])).await
}

fn body_of(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn each_is_previewed_without_a_reject() {
    for job in example_jobs() {
        let (mut config, document) = Config::load(&project("config").join(&job), &[]).unwrap();
        if config.source.path.as_slice() == ["-"] {
            config.read_from(vec![project("config/people.ndjson").display().to_string()]);
        }
        let plan = plan(&config, &document).unwrap_or_else(|problems| panic!("{problems}"));
        let mut requests = 0;
        let seen = preview(plan.job, source::open(&config.source).unwrap(), |_, _| {
            requests += 1;
            true
        });
        assert!(requests > 0 && seen.sent > 0, "{job}: {seen:?}");
        let Preview {
            rejected,
            duplicates,
            warnings,
            error,
            ..
        } = seen;
        assert_eq!(
            (rejected, duplicates, warnings, error),
            (0, 0, vec![], None),
            "{job}"
        );
    }
}

#[test]
fn each_begins_with_what_it_does_and_how_to_try_it() {
    for job in example_jobs() {
        let text = std::fs::read_to_string(project("config").join(&job)).unwrap();
        let comment: Vec<_> = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(
            comment[0].ends_with('.') || comment[1].ends_with('.'),
            "{job}: {comment:?}"
        );
        let is_command = |line: &&&str| line.starts_with("#   ") && line.contains("outpour ");
        let commands: Vec<_> = comment.iter().filter(is_command).collect();
        assert!(!commands.is_empty(), "{job} does not say how to try it");
        let others = commands
            .iter()
            .flat_map(|line| line.split_whitespace())
            .filter(|word| word.starts_with("config/"));
        for path in others {
            assert!(project(path).is_file(), "{job} names {path}");
        }
    }
}

#[test]
fn those_that_need_no_other_data_run_against_the_mock() {
    let folder = Folder::copied();
    for (job, records) in [
        ("people", 10),
        ("accepted", 10),
        ("change-feed", 6),
        ("people-batched", 7),
        ("objects", 4),
        ("events", 4),
        ("zuora-records", 5),
    ] {
        let job = format!("{job}.yaml");
        assert_eq!(accepted(folder.run(&job).arg("--mock")), records, "{job}");
    }
    let input = File::open(folder.path("people.ndjson")).unwrap();
    assert_eq!(accepted(folder.run("stdin.yaml").arg("--mock").stdin(input)), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_change_people_and_objects_run_after_those_that_create_them() {
    let mock = Mock::start(MockSettings::default()).await.unwrap();
    let folder = Folder::copied();
    let run = |job: &str, setting: String| {
        let mut command = folder.run(job);
        accepted(command.arg("--set").arg(setting).env("ENCHARGE_API_KEY", API_KEY))
    };
    let base = || format!("destination.base_url={}", mock.api_url());
    run("people.yaml", base());
    assert_eq!(run("tags-add.yaml", base()), 5);
    assert_eq!(run("tags-remove.yaml", base()), 3);
    run("objects.yaml", base());
    let url = "objects/{object_name}/externalId/{record.externalId}";
    let changed = run(
        "manual-url-per-record.yaml",
        format!("destination.url=\"{}/{url}\"", mock.api_url()),
    );
    assert_eq!(changed, 2);
    let merged = run(
        "manual-merged-changes.yaml",
        format!("destination.url=\"{}/{url}\"", mock.api_url()),
    );
    assert_eq!(merged, 3);

    let state = serde_json::to_value(mock.state()).unwrap();
    let text = state.to_string();
    let ada = mock
        .state()
        .people
        .iter()
        .map(|person| serde_json::to_value(person).unwrap())
        .find(|person| person.to_string().contains("ada@example.com"))
        .unwrap();
    assert_eq!(ada["attributes"]["tags"], "newsletter", "{ada}");
    assert!(
        text.contains(r#""seats":28"#) && text.contains(r#""name":"Täglich Frisch GmbH""#),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_batched_patch_sends_one_request_a_region() {
    let server = yes_to_all().await;
    let folder = Folder::copied();
    let setting = format!("destination.url={}", server.url("http", "/v2/contacts"));
    let mut command = folder.run("manual-patch-batched.yaml");
    let records = accepted(command.args(["--set", &setting]).env("CONTACTS_TOKEN", "t0ken"));
    assert_eq!(records, 5);
    let mut requests = server.requests();
    requests.sort_by_key(|request| body_of(request)["region"].to_string());
    assert_eq!(requests.len(), 2);
    for (request, region, contacts) in [(&requests[0], "eu", 3), (&requests[1], "us", 2)] {
        assert!(
            request.starts_with("PATCH /v2/contacts HTTP/1.1\r\n"),
            "{request}"
        );
        let head = request.to_lowercase();
        assert!(head.contains("x-source: outpour") && head.contains("accept: application/json"));
        assert!(head.contains("authorization: bearer t0ken"));
        let body = body_of(request);
        assert_eq!(
            (&body["region"], body["contacts"].as_array().unwrap().len()),
            (&region.into(), contacts)
        );
        assert!(!body.to_string().contains("comment"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_job_passes_on_every_reply() {
    let server = yes_to_all().await;
    let folder = Folder::copied();
    let setting = format!("webhook.url={}", server.url("http", "/replies"));
    let mut command = folder.run("webhook.yaml");
    command
        .args(["--mock", "--set", &setting])
        .env("WEBHOOK_SECRET", "whsec_c2VjcmV0");
    assert_eq!(accepted(&mut command), 10);
    let told = server.requests();
    assert_eq!(told.len(), 10);
    assert!(
        told.iter()
            .all(|event| event.to_lowercase().contains("webhook-signature: v1,"))
    );
    assert_eq!(lines_of(&folder.path("webhook.responses.ndjson")), 10);
}

fn lines_of(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap().lines().count()
}
