//! The steps of a plan: their order, and what becomes of them when something goes wrong.

use std::time::Duration;

use outpour::define::{Stopped, apply};
use tokio::time::timeout;

use super::Held;
use super::tenant::{Encharge, Fault, Tenant, Zuora};

const INVOICE: &str = "vendor: encharge
objects:
  invoice:
    singular: Invoice
    plural: Invoices
    searchable_fields: [number]
    fields: {number: {type: string}, amount: {type: number}}
  order: {singular: Order, plural: Orders}
person_fields: {mrr: {type: number}}
associations: [{from: invoice, to: person, type: M:M}, {from: order, to: invoice, type: 1:M}]
";

const VEHICLE: &str = "vendor: zuora
definitions:
  Vehicle:
    object: Vehicle
    label: Vehicle
    properties: {OrderId__c: {label: Order ID, type: string, format: uuid}}
    relationships: [{namespace: com_zuora, object: orders, fields: {OrderId__c: Id}}]
  Driver: {object: Driver, label: Driver}
";

const VEHICLE_LATER: &str = "vendor: zuora
definitions:
  Vehicle:
    object: Vehicle
    label: Car
    properties:
      OrderId__c: {label: Order, type: string, format: uuid}
      Owner__c: {label: Owner, type: string}
    filterable: [Owner__c]
    relationships:
      - {namespace: com_zuora, object: orders, fields: {OrderId__c: Id}}
      - {namespace: default, object: Driver, fields: {Owner__c: Id}}
  Driver: {object: Driver, label: Driver}
  Garage: {object: Garage, label: Garage}
";

fn encharge() -> Tenant {
    Tenant::new(Encharge::new())
}

/// Applies a file and demands that nothing is left.
async fn finish(file: &str, tenant: &Tenant) {
    let applied = Held::of(file, tenant).apply().await;
    assert_eq!((applied.stopped, applied.left), (None, vec![]));
}

#[tokio::test]
async fn the_steps_of_encharge_come_in_the_order_of_its_help() {
    let tenant = encharge();
    finish(INVOICE, &tenant).await;
    insta::assert_snapshot!(tenant.changes().join("\n"), @r#"
    POST /schemas {"displayNamePlural":"Invoices","displayNameSingular":"Invoice","name":"invoice"}
    POST /schemas {"displayNamePlural":"Orders","displayNameSingular":"Order","name":"order"}
    POST /schemas/invoice/fields [{"name":"amount","type":"number"},{"name":"number","type":"string"}]
    POST /schemas/associations {"fromObject":"invoice","toObject":"person","type":"M:M"}
    POST /schemas/associations {"fromObject":"order","toObject":"invoice","type":"1:M"}
    PATCH /schemas/invoice {"searchableFields":["number"]}
    POST /fields [{"name":"mrr","type":"number"}]
    "#);
}

#[tokio::test]
async fn the_steps_of_zuora_are_one_creation_and_one_action_a_call() {
    let tenant = Tenant::new(Zuora::new());
    finish(VEHICLE, &tenant).await;
    insta::assert_snapshot!(tenant.changes().join("\n"), @r#"POST /objects/definitions/default {"definitions":{"Driver":{"label":"Driver","object":"Driver"},"Vehicle":{"label":"Vehicle","object":"Vehicle","properties":{"OrderId__c":{"format":"uuid","label":"Order ID","type":"string"}},"relationships":[{"fields":{"OrderId__c":"Id"},"namespace":"com_zuora","object":"orders"}]}}}"#);
    tenant.forget();
    finish(VEHICLE_LATER, &tenant).await;
    insta::assert_snapshot!(tenant.changes().join("\n"), @r#"
    POST /objects/definitions/default {"definitions":{"Garage":{"label":"Garage","object":"Garage"}}}
    POST /objects/migrations {"actions":[{"label":"Car","namespace":"default","object":"Vehicle","type":"updateObject"}]}
    POST /objects/migrations {"actions":[{"field":{"definition":{"displayName":false,"format":"uuid","label":"Order","type":"string"},"name":"OrderId__c"},"namespace":"default","object":"Vehicle","type":"updateField"}]}
    POST /objects/migrations {"actions":[{"field":{"definition":{"label":"Owner","type":"string"},"filterable":true,"name":"Owner__c"},"namespace":"default","object":"Vehicle","type":"addField"}]}
    POST /objects/migrations {"actions":[{"namespace":"default","object":"Vehicle","relationship":{"fields":{"Owner__c":"Id"},"namespace":"default","object":"Driver"},"type":"addRelationship"}]}
    "#);
}

#[tokio::test]
async fn a_second_apply_changes_nothing() {
    for (file, tenant) in [(INVOICE, encharge()), (VEHICLE, Tenant::new(Zuora::new()))] {
        finish(file, &tenant).await;
        tenant.forget();
        finish(file, &tenant).await;
        assert_eq!(tenant.changes(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_step_a_second_apply_finishes_and_makes_nothing_twice() {
    let whole = encharge();
    finish(INVOICE, &whole).await;
    let steps = whole.changes();
    for number in 1..=steps.len() {
        for fault in [Fault::Silence, Fault::LostRequest] {
            let tenant = encharge();
            tenant.fails(number, fault);
            let held = Held::of(INVOICE, &tenant);
            let shown = held.plan().await;
            let mut made = |_: &_| ();
            let killed = apply(&held.wanted, &held.connection, &shown, held.deletion, &mut made);
            // The first attempt at the step, and no second one.
            assert!(timeout(Duration::from_millis(100), killed).await.is_err());
            finish(INVOICE, &tenant).await;
            let mut made = tenant.changes();
            if fault == Fault::LostRequest {
                made.remove(number - 1);
            }
            assert_eq!(made, steps, "killed at step {number}, {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_was_lost_is_looked_up_and_not_made_again() {
    let tenant = encharge();
    tenant.fails(1, Fault::LostAnswer);
    finish(INVOICE, &tenant).await;
    let creations = tenant.changes();
    let invoices = creations
        .iter()
        .filter(|call| call.contains("\"name\":\"invoice\""));
    assert_eq!(invoices.count(), 1, "{creations:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_lost_is_made_again_under_the_same_key() {
    let tenant = Tenant::new(Zuora::new());
    tenant.fails(1, Fault::LostRequest);
    finish(VEHICLE, &tenant).await;
    let keys = tenant.keys();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_failed_is_made_again_under_a_new_key() {
    let tenant = Tenant::new(Zuora::new());
    tenant.fails(1, Fault::Status(503));
    finish(VEHICLE, &tenant).await;
    let keys = tenant.keys();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_never_gets_an_answer_is_given_up_and_said_to_be_doubtful() {
    let tenant = encharge();
    for number in 2..9 {
        tenant.fails(number, Fault::LostRequest);
    }
    let applied = Held::of(INVOICE, &tenant).apply().await;
    assert_eq!(applied.done, ["object invoice"]);
    assert!(
        matches!(&applied.stopped, Some(Stopped::Doubtful { step, .. }) if *step == ["object order"]),
        "{applied:?}"
    );
    assert_eq!(tenant.changes().len(), 4, "once and two repeats");
}

#[tokio::test]
async fn the_first_refusal_ends_it_with_what_was_done_and_what_was_not() {
    let tenant = encharge();
    tenant.fails(3, Fault::Status(422));
    let applied = Held::of(INVOICE, &tenant).apply().await;
    assert_eq!(applied.done, ["object invoice", "object order"]);
    assert_eq!(
        applied.left,
        [
            "field invoice.amount",
            "field invoice.number",
            "association invoice > person",
            "association order > invoice",
            "search of invoice",
            "person field mrr"
        ]
    );
    let step = vec![
        "field invoice.amount".to_owned(),
        "field invoice.number".to_owned(),
    ];
    let said = "422 Unprocessable Entity: made to fail with ***".to_owned();
    assert_eq!(applied.stopped, Some(Stopped::Refused { step, said }));
    assert_eq!(tenant.changes().len(), 3, "nothing after the refusal");
}

#[tokio::test]
async fn refused_credentials_end_it() {
    let tenant = encharge();
    tenant.fails(1, Fault::Status(403));
    let applied = Held::of(INVOICE, &tenant).apply().await;
    assert!(
        matches!(applied.stopped, Some(Stopped::Denied { .. })),
        "{applied:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_account_shows_late_is_waited_for_and_not_made_again() {
    let mut account = Encharge::new();
    // The first look is the plan's, the second the one before the first step.
    account.hidden = 3;
    let tenant = Tenant::new(account);
    finish(
        "vendor: encharge\nobjects: {invoice: {singular: I, plural: I}}\n",
        &tenant,
    )
    .await;
    assert_eq!(tenant.changes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_account_never_shows_is_doubtful_and_not_made_again() {
    let mut account = Encharge::new();
    account.hidden = u32::MAX;
    let tenant = Tenant::new(account);
    let file = "vendor: encharge\nobjects: {invoice: {singular: I, plural: I}}\n";
    let applied = Held::of(file, &tenant).apply().await;
    assert!(
        matches!(applied.stopped, Some(Stopped::Doubtful { .. })),
        "{applied:?}"
    );
    assert_eq!(tenant.changes().len(), 1);
}

#[tokio::test]
async fn only_what_was_shown_is_done() {
    let tenant = encharge();
    let held = Held::of(INVOICE, &tenant);
    finish(INVOICE, &tenant).await;
    let shown = held.plan().await;
    assert!(!shown.is_pending());
    let deleting = Held::deleting("vendor: encharge\n", &tenant);
    let applied = apply(
        &deleting.wanted,
        &deleting.connection,
        &shown,
        deleting.deletion,
        &mut |_| (),
    )
    .await;
    assert!(
        matches!(&applied.stopped, Some(Stopped::Changed { change }) if change == "association invoice > person"),
        "{applied:?}"
    );
}

#[tokio::test]
async fn a_change_of_a_persons_field_keeps_what_the_file_does_not_name() {
    let tenant = encharge();
    finish(
        "vendor: encharge\nperson_fields: {mrr: {type: number, title: MRR, tooltip: In EUR}}\n",
        &tenant,
    )
    .await;
    tenant.forget();
    finish(
        "vendor: encharge\nperson_fields: {mrr: {type: integer}}\n",
        &tenant,
    )
    .await;
    let [change] = &tenant.changes()[..] else {
        panic!("one change")
    };
    for kept in [
        r#""title":"MRR""#,
        r#""tooltip":"In EUR""#,
        r#""type":"integer""#,
        r#""name":"mrr""#,
    ] {
        assert!(change.contains(kept), "{change}");
    }
    assert!(!change.contains("null"), "{change}");
}

#[tokio::test]
async fn fields_of_people_and_of_built_in_objects_are_never_deleted() {
    let tenant = encharge();
    let file = "vendor: encharge\nobjects: {company: {fields: {vat: {type: string}}}}\nperson_fields: {mrr: {type: number}}\n";
    finish(file, &tenant).await;
    let fewer = "vendor: encharge\nobjects: {company: {fields: {size: {type: string}}}}\n";
    assert_eq!(Held::deleting(fewer, &tenant).plan().await.deletions().count(), 0);
}

#[tokio::test]
async fn deletions_come_last_and_in_an_order_that_works() {
    let tenant = encharge();
    finish(INVOICE, &tenant).await;
    tenant.forget();
    let file = "vendor: encharge\nobjects: {invoice: {singular: I, plural: Invoices, fields: {number: {type: string}}}}\n";
    let applied = Held::deleting(file, &tenant).apply().await;
    assert_eq!(applied.stopped, None);
    insta::assert_snapshot!(tenant.changes().join("\n"), @r#"
    PATCH /schemas/invoice {"displayNameSingular":"I"}
    DELETE /schemas/associations/2 
    DELETE /schemas/associations/3 
    DELETE /schemas/invoice/fields/amount 
    DELETE /schemas/order
    "#);
}
