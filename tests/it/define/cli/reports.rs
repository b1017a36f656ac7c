//! What is checked, written and copied.

use super::super::tenant::{Tenant, Zuora, serve};
use super::{INVOICE, Stage};

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

#[test]
fn an_answer_that_is_too_long_says_which_key_helps() {
    let stage = Stage::encharge(INVOICE);
    let short = ["plan", "file.yaml", "--set", "account.http.max_response_bytes=10"];
    let outcome = stage.outpour(&short).ends_with(69);
    assert!(
        outcome
            .stderr
            .contains("hint: raise it, with `--set account.http.max_response_bytes=16MiB`"),
        "{}",
        outcome.stderr
    );
}
