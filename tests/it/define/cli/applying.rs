//! Plans and their steps.

use std::io::Write;
use std::process::Stdio;

use super::super::tenant::Fault;
use super::{INVOICE, Stage};

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
    error: field invoice.number was refused: 400 Bad Request: made to fail with ***
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
