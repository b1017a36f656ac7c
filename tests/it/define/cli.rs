//! What `outpour define` prints, and how it ends.

use std::io::Write;
use std::process::Stdio;

use super::tenant::{Encharge, Fault, Tenant, Zuora, serve};
use super::{KEY, ZUORA_VENDOR};
use crate::harness::{Outcome, Scene};

const INVOICE: &str = "vendor: encharge
objects:
  invoice:
    singular: Invoice
    plural: Invoices
    fields: {number: {type: string}}
associations: [{from: invoice, to: person, type: M:M}]
";

/// A folder with a file, and an account behind a socket.
struct Stage {
    scene: Scene,
    tenant: Tenant,
    url: String,
}

impl Stage {
    fn encharge(file: &str) -> Self {
        Self::of(Tenant::new(Encharge::new()), file)
    }

    fn zuora(file: &str) -> Self {
        Self::of(Tenant::new(Zuora::new()), file)
    }

    fn of(tenant: Tenant, file: &str) -> Self {
        let scene = Scene::new();
        let url = serve(scene.runtime(), &tenant);
        std::fs::create_dir_all(scene.path("vendors/zuora")).unwrap();
        scene
            .write("file.yaml", file)
            .write("vendors/zuora/vendor.yaml", ZUORA_VENDOR)
            .write("quick.yaml", "vendor: zuora\n");
        Self { scene, tenant, url }
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.scene.command(&["define"]);
        command
            .args(arguments)
            .env("ENCHARGE_API_KEY", KEY)
            .env("ZUORA_TOKEN", format!("Bearer {KEY}"));
        command
    }

    /// Runs the binary with the account's address.
    fn outpour(&self, arguments: &[&str]) -> Outcome {
        let base = format!("account.base_url={}", self.url);
        let mut command = self.command(arguments);
        command.args([
            "--set",
            &base,
            "--set",
            "account.limits.rate=[]",
            "--templates",
            "vendors",
        ]);
        self.end(command)
    }

    fn end(&self, mut command: std::process::Command) -> Outcome {
        let outcome = Outcome::of(command.env("RUST_LOG", "trace").output().unwrap(), &self.scene);
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(!text.contains("CANARY"), "a secret is shown:\n{text}");
        }
        outcome
    }

    /// Exit code and standard output, with the account's address named.
    fn shown(&self, outcome: &Outcome) -> String {
        let errors: Vec<&str> = outcome
            .stderr
            .lines()
            .filter(|line| {
                ["error:", "  hint:", "wrote"]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .collect();
        let text = format!(
            "exit code {}\n{}{}",
            outcome.code.unwrap_or(-1),
            outcome.stdout,
            errors.join("\n")
        );
        text.replace(&self.url, "[account]")
    }
}

#[test]
fn a_plan_prints_like_a_diff_and_ends_with_0() {
    let stage = Stage::encharge(INVOICE);
    let outcome = stage.outpour(&["plan", "file.yaml"]);
    insta::assert_snapshot!(stage.shown(&outcome), @r#"
    exit code 0
    encharge at [account]
    + object invoice
        displayNamePlural: "Invoices"
        displayNameSingular: "Invoice"
    + field invoice.number
        type: "string"
    + association invoice > person
        fromObject: "invoice"
        toObject: "person"
        type: "M:M"
    3 to create, 0 to change, 0 to delete, 0 as they are
    "#);
    assert_eq!(stage.tenant.changes(), Vec::<String>::new());
}

#[test]
fn a_detailed_exit_code_is_2_where_changes_are_pending_and_0_where_none_are() {
    let stage = Stage::encharge(INVOICE);
    stage
        .outpour(&["plan", "file.yaml", "--detailed-exitcode"])
        .ends_with(2);
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(0);
    stage
        .outpour(&["plan", "file.yaml", "--detailed-exitcode"])
        .ends_with(0);
}

#[test]
fn an_apply_says_each_change_and_the_second_one_that_there_is_nothing_to_do() {
    let stage = Stage::encharge(INVOICE);
    let first = stage.outpour(&["apply", "file.yaml", "--yes"]);
    insta::assert_snapshot!(stage.shown(&first), @r#"
    exit code 0
    encharge at [account]
    + object invoice
        displayNamePlural: "Invoices"
        displayNameSingular: "Invoice"
    + field invoice.number
        type: "string"
    + association invoice > person
        fromObject: "invoice"
        toObject: "person"
        type: "M:M"
    3 to create, 0 to change, 0 to delete, 0 as they are
    done: object invoice
    done: field invoice.number
    done: association invoice > person
    3 changes made, nothing is left
    "#);
    let second = stage.outpour(&["apply", "file.yaml"]);
    insta::assert_snapshot!(stage.shown(&second), @"
    exit code 0
    encharge at [account]
    = object invoice
    = field invoice.number
    = association invoice > person
    nothing to do: 3 as the file has them
    ");
}

#[test]
fn an_apply_without_a_terminal_asks_for_yes() {
    let stage = Stage::encharge(INVOICE);
    let outcome = stage.outpour(&["apply", "file.yaml"]).ends_with(2);
    assert!(
        outcome.stderr.contains("hint: agree to them with `--yes`"),
        "{}",
        outcome.stderr
    );
    let mut command = stage.command(&[
        "apply",
        "file.yaml",
        "--set",
        &format!("account.base_url={}", stage.url),
    ]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A pipe is nobody, whatever it says.
    let _ = child.stdin.take().unwrap().write_all(b"yes\n");
    stage.scene.wait(child).ends_with(2);
    assert_eq!(stage.tenant.changes(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_ends_with_1_and_nothing_is_done() {
    let stage = Stage::encharge(INVOICE);
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(0);
    stage.tenant.forget();
    let wrong = INVOICE
        .replace("type: string", "type: number")
        .replace("person, type", "company, type");
    stage.scene.write("file.yaml", wrong);
    stage.outpour(&["plan", "file.yaml"]).ends_with(1);
    let outcome = stage.outpour(&["apply", "file.yaml", "--yes"]);
    insta::assert_snapshot!(stage.shown(&outcome), @r#"
    exit code 1
    encharge at [account]
    = object invoice
    ! field invoice.number: `type` of an object's field never changes
        type: "string" -> "number"
    + association invoice > company
        fromObject: "invoice"
        toObject: "company"
        type: "M:M"
    1 to create, 0 to change, 0 to delete, 1 as they are, 1 that cannot be done
    error: nothing was done: what is marked with `!` cannot be
      hint: mend the file; `outpour define plan` shows why
    "#);
    assert_eq!(stage.tenant.changes(), Vec::<String>::new());
}

#[test]
fn a_refused_step_ends_with_1_and_says_what_was_done_and_how_to_go_on() {
    let stage = Stage::encharge(INVOICE);
    stage.tenant.fails(2, Fault::Status(400));
    let outcome = stage.outpour(&["apply", "file.yaml", "--yes"]);
    insta::assert_snapshot!(stage.shown(&outcome), @r#"
    exit code 1
    encharge at [account]
    + object invoice
        displayNamePlural: "Invoices"
        displayNameSingular: "Invoice"
    + field invoice.number
        type: "string"
    + association invoice > person
        fromObject: "invoice"
        toObject: "person"
        type: "M:M"
    3 to create, 0 to change, 0 to delete, 0 as they are
    done: object invoice
    1 change made, not made: field invoice.number, association invoice > person
    error: field invoice.number was refused: 400 Bad Request: made to fail
      hint: mend what was refused, then run the same command again: it goes on from here
    "#);
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(0);
    assert_eq!(stage.tenant.changes().len(), 4);
}

#[test]
fn a_lost_answer_makes_nothing_twice() {
    let stage = Stage::encharge(INVOICE);
    for number in 1..=3 {
        stage.tenant.fails(number, Fault::LostAnswer);
    }
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(0);
    assert_eq!(stage.tenant.changes().len(), 3);
}

#[test]
fn refused_credentials_end_with_77_and_an_account_out_of_reach_with_69() {
    let stage = Stage::encharge(INVOICE);
    stage.tenant.fails(1, Fault::Status(401));
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(77);
    let mut nowhere = stage.command(&[
        "plan",
        "file.yaml",
        "--set",
        "account.base_url=http://127.0.0.1:1",
    ]);
    nowhere.args(["--set", "account.retry.attempts=1"]);
    stage.end(nowhere).ends_with(69);
}

#[test]
fn a_missing_key_is_told_with_its_place() {
    let stage = Stage::encharge(INVOICE);
    let mut command = stage.command(&["plan", "file.yaml"]);
    command.env_remove("ENCHARGE_API_KEY");
    let outcome = stage.end(command).ends_with(2);
    assert!(
        outcome
            .stderr
            .contains("account.credentials.api_key: the environment variable `ENCHARGE_API_KEY` is not set"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_deletion_is_confirmed_by_its_name() {
    let stage = Stage::encharge(INVOICE);
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(0);
    stage.tenant.forget();
    stage.scene.write("file.yaml", "vendor: encharge\n");
    let unconfirmed = stage.outpour(&["apply", "file.yaml", "--yes", "--allow-delete"]);
    insta::assert_snapshot!(stage.shown(&unconfirmed), @"
    exit code 2
    encharge at [account]
    - association invoice > person
    - object invoice
    0 to create, 0 to change, 2 to delete, 0 as they are
    error: the deletion of `invoice > person` is not confirmed, and nobody can be asked
      hint: confirm it with `--confirm 'invoice > person'`
    ");
    assert_eq!(stage.tenant.changes(), Vec::<String>::new());
    let confirmed = ["--confirm", "invoice > person", "--confirm", "invoice"];
    let arguments = [&["apply", "file.yaml", "--yes", "--allow-delete"][..], &confirmed].concat();
    stage.outpour(&arguments).ends_with(0);
    assert_eq!(stage.tenant.changes().len(), 2);
}

#[test]
fn validate_lists_every_problem_with_2_and_opens_no_connection() {
    let stage = Stage::encharge(
        "vendor: encharge\nobjects:\n  invoice:\n    plural: I\n    fields: {a: {type: strin}}\n",
    );
    let outcome = stage.end(stage.command(&["validate", "file.yaml"]));
    insta::assert_snapshot!(stage.shown(&outcome), @"
    exit code 2
    error: file.yaml:3: objects.invoice: `singular` is missing
    error: file.yaml:5: objects.invoice.fields.a.type: `strin` is not one of `string`, `number`, `integer`, `boolean`, `any`, did you mean `string`?
    ");
    let json = stage.end(stage.command(&["validate", "file.yaml", "--json"]));
    insta::assert_snapshot!(stage.shown(&json), @r#"
    exit code 2
    {"file":"file.yaml","problems":[{"line":3,"message":"`singular` is missing","path":"objects.invoice"},{"line":5,"message":"`strin` is not one of `string`, `number`, `integer`, `boolean`, `any`, did you mean `string`?","path":"objects.invoice.fields.a.type"}]}
    "#);
    stage.scene.write("file.yaml", INVOICE);
    let good = stage.end(stage.command(&["validate", "file.yaml"]));
    insta::assert_snapshot!(stage.shown(&good), @"
    exit code 0
    file.yaml: the definitions are good
    ");
}

#[test]
fn every_report_is_json_for_machines() {
    let stage = Stage::encharge("vendor: encharge\nperson_fields: {mrr: {type: number}}\n");
    let plan = stage.outpour(&["plan", "file.yaml", "--json"]);
    insta::assert_snapshot!(stage.shown(&plan), @r#"
    exit code 0
    {"account":"[account]","changes":[{"details":[{"key":"type","to":"number"}],"kind":"person_field","mark":"create","name":"mrr"}],"counts":{"cannot":0,"change":0,"create":1,"delete":0,"same":0},"vendor":"encharge"}
    "#);
    let applied = stage.outpour(&["apply", "file.yaml", "--json", "--yes"]);
    insta::assert_snapshot!(stage.shown(&applied), @r#"
    exit code 0
    {"account":"[account]","applied":{"done":["person field mrr"],"left":[]},"changes":[{"details":[{"key":"type","to":"number"}],"kind":"person_field","mark":"create","name":"mrr"}],"counts":{"cannot":0,"change":0,"create":1,"delete":0,"same":0},"vendor":"encharge"}
    "#);
    let export = stage.outpour(&["export", "--vendor", "encharge", "--json"]);
    insta::assert_snapshot!(stage.shown(&export), @r#"
    exit code 0
    {"associations":[{"from":"company","to":"person","type":"1:M"}],"person_fields":{"mrr":{"more":{"icon":"tag"},"type":"number"}},"vendor":"encharge"}
    "#);
}

#[test]
fn an_export_goes_to_a_new_file_and_plans_nothing() {
    let stage = Stage::encharge(INVOICE);
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(0);
    stage
        .outpour(&["export", "--vendor", "encharge", "-o", "export.yaml"])
        .ends_with(0);
    stage
        .outpour(&["plan", "export.yaml", "--detailed-exitcode"])
        .ends_with(0);
    stage
        .outpour(&["export", "--vendor", "encharge", "-o", "export.yaml"])
        .ends_with(74);
}

#[test]
fn a_tenant_of_zuora_is_copied_by_two_files_that_name_the_accounts() {
    let file = "vendor: zuora\ndefinitions: {Vehicle: {object: Vehicle, label: Vehicle}, Driver: {object: Driver, label: Driver}}\n";
    let stage = Stage::zuora(file);
    stage.outpour(&["apply", "file.yaml", "--yes"]).ends_with(0);
    let other = Tenant::new(Zuora::new());
    let target = serve(stage.scene.runtime(), &other);
    stage
        .scene
        .write(
            "a.yaml",
            format!("vendor: zuora\naccount: {{base_url: '{}'}}\n", stage.url),
        )
        .write(
            "b.yaml",
            format!("vendor: zuora\naccount: {{base_url: '{target}'}}\n"),
        );
    let copy = [
        "copy",
        "--from",
        "a.yaml",
        "--to",
        "b.yaml",
        "--templates",
        "vendors",
    ];
    stage
        .end(stage.command(&[&copy[..], &["--dry-run"]].concat()))
        .ends_with(0);
    assert_eq!(other.changes(), Vec::<String>::new());
    let outcome = stage.end(stage.command(&[&copy[..], &["--yes"]].concat()));
    insta::assert_snapshot!(stage.shown(&outcome).replace(&target, "[other account]"), @r#"
    exit code 0
    zuora at [other account]
    + object Driver
        enableRecordMigration: false
        filterable: []
        label: "Driver"
        object: "Driver"
        relationships: []
        required: []
    + object Vehicle
        enableRecordMigration: false
        filterable: []
        label: "Vehicle"
        object: "Vehicle"
        relationships: []
        required: []
    2 to create, 0 to change, 0 to delete, 0 as they are
    done: object Driver
    done: object Vehicle
    2 changes made, nothing is left
    "#);
    assert_eq!(other.changes().len(), 1, "the list answer is the create request");
}

#[test]
fn an_account_is_not_copied_to_itself() {
    let stage = Stage::zuora("vendor: zuora\n");
    let account = format!("vendor: zuora\naccount: {{base_url: '{}'}}\n", stage.url);
    stage.scene.write("a.yaml", account);
    let same = [
        "copy",
        "--from",
        "a.yaml",
        "--to",
        "a.yaml",
        "--templates",
        "vendors",
    ];
    let outcome = stage.end(stage.command(&same)).ends_with(2);
    assert!(
        outcome.stderr.contains("both files name the same account"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn the_account_can_stand_in_a_file_of_its_own() {
    let stage = Stage::encharge(INVOICE);
    let account = format!(
        "vendor: encharge\naccount: {{base_url: '{}', limits: {{rate: []}}}}\n",
        stage.url
    );
    stage.scene.write("staging.yaml", account);
    let command = stage.command(&[
        "plan",
        "file.yaml",
        "--account",
        "staging.yaml",
        "--detailed-exitcode",
    ]);
    stage.end(command).ends_with(2);
    let command = stage.command(&["plan", "file.yaml", "--account", "quick.yaml"]);
    let outcome = stage.end(command).ends_with(2);
    assert!(
        outcome
            .stderr
            .contains("these are definitions for encharge, and the account is zuora's"),
        "{}",
        outcome.stderr
    );
}
