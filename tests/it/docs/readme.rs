//! The README, run: every line of its `sh` blocks, every YAML block, every table and every output that it shows.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use outpour::config::{Config, Plan, PlanOptions, Secrets, Steps};
use outpour::template::Catalog;
use tempfile::TempDir;

use super::markdown::{blocks, rows, section};
use super::{path, text};

const BINARY: &str = env!("CARGO_BIN_EXE_outpour");

/// Rejects that someone has mended.
const MENDED: &str = "\
email,userId,firstName,lastName,plan,mrr,signedUpAt,internal_note,\
_error_reason,_error_status,_error_attempts,_error_line,_error_row
ada@example.com,u-1001,Ada,Lovelace,pro,49.90,2024-01-15T09:30:00Z,,400 Bad Request: Invalid email: ada,400,1,2,
";

/// A copy of what the README's lines work on, and the files that its blocks show.
struct Place {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        std::os::unix::fs::symlink(BINARY, folder.path().join("bin/outpour")).unwrap();
        for inner in ["config", "config/definitions", "config/invoices"] {
            std::fs::create_dir(folder.path().join(inner)).unwrap();
            for entry in std::fs::read_dir(path(inner)).unwrap() {
                let entry = entry.unwrap();
                if entry.path().is_file() {
                    std::fs::copy(entry.path(), folder.path().join(inner).join(entry.file_name())).unwrap();
                }
            }
        }
        std::fs::write(folder.path().join("config/people.rejected.csv"), MENDED).unwrap();
        for (name, text) in shown_files() {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self {
            folder,
            variables: Vec::new(),
        }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        let bin = self.folder.path().join("bin");
        let usual = std::env::var("PATH").unwrap();
        command
            .args(["-c", line])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{usual}", bin.display()))
            .env_remove("RUST_LOG")
            .env_remove("ENCHARGE_API_KEY")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Runs a line that goes on until it is interrupted, and gives the first line that it prints.
    fn begin(&self, line: &str) -> String {
        let mut child = self
            .command(&format!("exec {line}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        first
    }
}

/// YAML and NDJSON blocks whose first line is a comment with a file's name.
fn shown_files() -> Vec<(String, String)> {
    let named = |block: super::markdown::Block| {
        let name = block.text.lines().next()?.strip_prefix("# ")?.to_owned();
        Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "yaml")
            .then_some((name, block.text))
    };
    blocks(&text("README.md")).into_iter().filter_map(named).collect()
}

/// The lines of the `sh` blocks, their comments apart.
fn shell_lines() -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    for block in blocks(&text("README.md"))
        .iter()
        .filter(|block| block.language == "sh")
    {
        for (index, line) in block.text.replace("\\\n", "").lines().enumerate() {
            let command = line.split(" # ").next().unwrap().trim();
            if !command.is_empty() && !command.starts_with('#') {
                lines.push((block.line + index + 1, command.to_owned()));
            }
        }
    }
    lines
}

#[test]
fn every_shell_line_of_the_readme_works() {
    let mut place = Place::new();
    let lines = shell_lines();
    assert!(lines.len() > 5, "{lines:?}");
    for (number, line) in lines {
        let line = line.replace("cargo run --release --", "outpour");
        if let Some(assignment) = line.strip_prefix("export ") {
            let (name, value) = assignment.split_once('=').unwrap();
            place.variables.push((name.to_owned(), value.to_owned()));
        } else if line.starts_with("outpour mock ") {
            let said = place.begin(&line.replace("--port 8080", "--port 0"));
            assert!(said.contains("listens on"), "README.md:{number}: {said}");
        } else if line.starts_with("cargo ") {
            // This very test is one of those that such a line runs.
            assert!(
                ["cargo test", "cargo install --path ."].contains(&line.as_str()),
                "README.md:{number}: {line}"
            );
        } else {
            let needs_a_key = ["outpour run ", "outpour test "]
                .iter()
                .any(|verb| line.contains(verb));
            let line = if needs_a_key && !line.contains("--mock") {
                format!("{line} --mock")
            } else {
                line
            };
            assert!(
                line.contains("outpour "),
                "README.md:{number}: no test runs `{line}`"
            );
            let output = place.run(&line);
            let faults_are_wanted = line.contains("--fail");
            let code = output.status.code();
            assert!(
                code == Some(0) || faults_are_wanted && code == Some(1),
                "README.md:{number}: {line}: {code:?}\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

#[test]
fn the_two_lines_of_the_quickstart_stand_as_they_were_promised() {
    let lines: Vec<String> = shell_lines().into_iter().map(|(_, line)| line).collect();
    assert_eq!(
        lines[..2],
        [
            "cargo run --release -- run config/people.yaml --mock",
            "cargo test"
        ]
    );
}

#[test]
fn the_report_adds_up_under_faults() {
    let place = Place::new();
    for faults in ["429:20%,500:20%", "reset:30%,close:20%", "error200:30%,cut:20%"] {
        let output = place.run(&format!(
            "outpour run config/people.yaml --mock --report json --fail {faults} --set retry.attempts=2"
        ));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |name: &str| report[name].as_u64().unwrap();
        let parts = ["accepted", "rejected", "filtered", "in_doubt", "unsent"];
        assert_eq!(count("read"), parts.map(count).iter().sum::<u64>(), "{report}");
        let is_clean = ["rejected", "in_doubt", "unsent"].map(count) == [0, 0, 0];
        assert_eq!(output.status.code() == Some(0), is_clean, "{report}");
    }
}

#[test]
fn the_report_in_the_readme_is_what_the_quickstart_prints() {
    let output = Place::new().run("outpour run config/people.yaml --mock");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(timeless(&first_text_block("Quickstart")), timeless(&printed));
}

#[test]
fn the_preview_in_the_readme_is_what_preview_prints() {
    let place = Place::new();
    let output = place.run("outpour preview contacts.yaml");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(first_text_block("An endpoint of your own").trim(), printed.trim());
}

fn first_text_block(heading: &str) -> String {
    let below = section(&text("README.md"), heading);
    let block = blocks(&below).into_iter().find(|block| block.language == "text");
    block.unwrap_or_else(|| panic!("no text under `{heading}`")).text
}

/// A report without what differs from run to run: how long it took, and the speed.
fn timeless(report: &str) -> String {
    let line = |line: &str| match (line.rsplit_once(" in "), line.split_once(" attempts, ")) {
        (_, Some((before, _))) => format!("{before} attempts"),
        (Some((before, _)), None) => before.to_owned(),
        (None, None) => line.to_owned(),
    };
    report.trim().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_yaml_block_of_the_readme_parses_and_plans() {
    let catalog = Catalog::built_in().unwrap();
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    let document = text("README.md");
    let yaml: Vec<_> = blocks(&document)
        .into_iter()
        .filter(|block| block.language == "yaml")
        .collect();
    assert!(yaml.len() > 3);
    for block in yaml {
        let name = format!("README.md, block at line {}", block.line);
        if block.text.lines().any(|line| line == "steps:") {
            Steps::parse(&name, &block.text).unwrap_or_else(|error| panic!("{error}"));
            continue;
        }
        let (config, document) =
            Config::parse(&name, &whole(&block.text)).unwrap_or_else(|error| panic!("{error}"));
        Plan::make(&config, &document, &catalog, &options).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// A block that shows some keys alone, as a whole job.
fn whole(text: &str) -> String {
    let has = |key: &str| text.lines().any(|line| line.starts_with(&format!("{key}:")));
    let mut whole = text.to_owned();
    if !has("source") {
        whole.push_str("source: {path: people.csv}\n");
    }
    if !has("destination") {
        whole.push_str("destination: {template: encharge/upsert-person}\n");
    }
    whole
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_help() {
    let output = Command::new(BINARY).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let listed = help.split("Exit codes:\n").nth(1).unwrap().lines();
    let in_help: Vec<(String, String)> = listed
        .filter_map(|line| {
            let line = line.trim();
            let meaning = line.find(|character: char| character.is_alphabetic())?;
            Some(code_of(&line[..meaning], &line[meaning..]))
        })
        .collect();
    let in_readme: Vec<(String, String)> = rows(&section(&text("README.md"), "Exit codes"))
        .iter()
        .map(|row| code_of(&row[0], &row[1]))
        .collect();
    assert_eq!(in_readme, in_help);
}

fn code_of(code: &str, meaning: &str) -> (String, String) {
    (code.trim().to_owned(), meaning.trim().to_owned())
}

#[test]
fn the_templates_of_the_readme_are_those_of_the_binary() {
    let catalog = Catalog::built_in().unwrap();
    let in_binary: Vec<[String; 3]> = catalog
        .templates()
        .unwrap()
        .into_iter()
        .map(|template| {
            [
                format!("`{}`", template.name),
                format!("{} {}", template.file.method, template.file.path),
                template.file.title.clone(),
            ]
        })
        .collect();
    let in_readme: Vec<[String; 3]> = rows(&section(&text("README.md"), "Templates"))
        .into_iter()
        .map(|row| {
            [
                row[0].clone(),
                row[1].trim_matches('`').to_owned(),
                row[2].clone(),
            ]
        })
        .collect();
    assert_eq!(in_readme, in_binary);
    let listed = Command::new(BINARY).arg("templates").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.lines().count(), in_readme.len());
    for (line, [name, call, title]) in listed.lines().zip(&in_readme) {
        let method = call.split(' ').next().unwrap();
        assert!(
            line.starts_with(name.trim_matches('`'))
                && line.contains(method)
                && line.ends_with(title.as_str()),
            "{line}"
        );
    }
}

#[test]
fn every_verb_stands_in_the_readme() {
    let output = Command::new(BINARY).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help.split("Commands:\n").nth(1).unwrap();
    let verbs = commands.lines().take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    let in_readme: Vec<String> = rows(&section(&text("README.md"), "Commands"))
        .into_iter()
        .map(|row| row[0].trim_matches('`').split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(in_readme, verbs);
}
