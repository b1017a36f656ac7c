//! What a plan says: what exists against what is wanted.

use super::Held;
use super::tenant::{Encharge, Tenant, Zuora};

const INVOICE: &str = "vendor: encharge
objects:
  invoice:
    singular: Invoice
    plural: Invoices
    searchable_fields: [number]
    fields:
      number: {type: string, title: Number}
      amount: {type: number}
person_fields: {mrr: {type: number}}
associations: [{from: invoice, to: person, type: M:M}]
";

const VEHICLE: &str = "vendor: zuora
definitions:
  Vehicle:
    object: Vehicle
    label: Vehicle
    properties:
      DeviceId__c: {label: Device ID, type: string, maxLength: 20}
      OrderId__c: {label: Order ID, type: string, format: uuid}
      Tags__c: {label: Tags, type: string, enum: [a]}
    unique: [DeviceId__c]
    relationships: [{namespace: com_zuora, object: orders, fields: {OrderId__c: Id}}]
";

/// The plan of a file against an account that a first file was applied to.
async fn after(tenant: &Tenant, first: &str, then: &str) -> String {
    let applied = Held::of(first, tenant).apply().await;
    assert_eq!(applied.stopped, None);
    Held::of(then, tenant).plan().await.to_string()
}

#[tokio::test]
async fn everything_is_new_in_an_empty_encharge_account() {
    let plan = Held::of(INVOICE, &Tenant::new(Encharge::new())).plan().await;
    insta::assert_snapshot!(plan, @r#"
    + object invoice
        displayNamePlural: "Invoices"
        displayNameSingular: "Invoice"
    + field invoice.amount
        type: "number"
    + field invoice.number
        title: "Number"
        type: "string"
    + association invoice > person
        fromObject: "invoice"
        toObject: "person"
        type: "M:M"
    ~ search of invoice
        searchableFields: none -> ["number"]
    + person field mrr
        type: "number"
    5 to create, 1 to change, 0 to delete, 0 as they are
    "#);
}

#[tokio::test]
async fn what_is_there_is_the_same_and_the_accounts_own_keys_are_no_difference() {
    let tenant = Tenant::new(Encharge::new());
    insta::assert_snapshot!(after(&tenant, INVOICE, INVOICE).await, @"
    = object invoice
    = field invoice.amount
    = field invoice.number
    = association invoice > person
    = search of invoice
    = person field mrr
    nothing to do: 6 as the file has them
    ");
    let tenant = Tenant::new(Zuora::new());
    insta::assert_snapshot!(after(&tenant, VEHICLE, VEHICLE).await, @"
    = object Vehicle
    = field Vehicle.DeviceId__c
    = field Vehicle.OrderId__c
    = field Vehicle.Tags__c
    = relationship Vehicle > com_zuora.orders (OrderId__c)
    nothing to do: 5 as the file has them
    ");
}

#[tokio::test]
async fn a_plan_of_encharge_says_what_changes_and_what_cannot() {
    let changed = "vendor: encharge
objects:
  invoice:
    singular: Bill
    plural: Invoices
    searchable_fields: [number, amount]
    fields:
      number: {type: string, title: No.}
      amount: {type: integer}
      Amount2: {type: number}
  Company: {singular: Firm, plural: Firms}
person_fields: {mrr: {type: string}}
associations:
  - {from: person, to: invoice, type: 1:1}
  - {from: Company, to: person, type: M:M}
  - {from: company, to: person, type: 1:M}
";
    let tenant = Tenant::new(Encharge::new());
    insta::assert_snapshot!(after(&tenant, INVOICE, changed).await, @r#"
    ! object Company: the account has `company`, and case counts; a name never changes, so write it as it is there
    ~ object invoice
        displayNameSingular: "Invoice" -> "Bill"
    + field invoice.Amount2
        type: "number"
    ! field invoice.amount: `type` of an object's field never changes
        type: "number" -> "integer"
    ~ field invoice.number
        title: "Number" -> "No."
    ! association person > invoice: the account has it from `invoice` to `person` as `M:M`, which never changes
    ! association Company > person: `Company` cannot be as it stands here
    = association company > person
    ~ search of invoice
        searchableFields: ["number"] -> ["number","amount"]
    ~ person field mrr
        type: "number" -> "string"
    1 to create, 4 to change, 0 to delete, 1 as they are, 4 that cannot be done
    "#);
}

#[tokio::test]
async fn a_plan_of_zuora_says_what_changes_and_what_cannot() {
    let changed = "vendor: zuora
definitions:
  Vehicle:
    object: Vehicle
    label: Car
    properties:
      DeviceId__c: {label: Device, type: string, maxLength: 30}
      Tags__c: {label: Tags, type: string, enum: [a], multiselect: true}
      OrderId__c: {label: Order ID, type: string, format: date}
      orderid__c: {label: Order ID, type: string}
      Colour__c: {label: Colour, type: string, enum: [red, blue]}
    unique: []
    filterable: [Colour__c]
    relationships: [{namespace: com_zuora, object: accounts, fields: {Colour__c: Id}}]
";
    let tenant = Tenant::new(Zuora::new());
    insta::assert_snapshot!(after(&tenant, VEHICLE, changed).await, @r#"
    ~ object Vehicle
        label: "Vehicle" -> "Car"
    + field Vehicle.Colour__c
        enum: ["red","blue"]
        label: "Colour"
        type: "string"
        filterable: true
    ~ field Vehicle.DeviceId__c
        label: "Device ID" -> "Device"
        maxLength: 20 -> 30
        unique: true -> false
    ! field Vehicle.OrderId__c: a field's `format` never changes
        format: "uuid" -> "date"
    ! field Vehicle.Tags__c: a field's `multiselect` never changes
        multiselect: none -> true
    ! field Vehicle.orderid__c: the object has `OrderId__c`, and case counts; a name never changes
    + relationship Vehicle > com_zuora.accounts (Colour__c)
        fields: {"Colour__c":"Id"}
        namespace: "com_zuora"
        object: "accounts"
    2 to create, 2 to change, 0 to delete, 0 as they are, 3 that cannot be done
    "#);
    let twin = "vendor: zuora\ndefinitions: {vehicle: {object: vehicle, label: Twin}}\n";
    insta::assert_snapshot!(Held::of(twin, &tenant).plan().await, @"
    ! object vehicle: the account has `Vehicle`, and case counts; a name never changes
    0 to create, 0 to change, 0 to delete, 0 as they are, 1 that cannot be done
    ");
}

#[tokio::test]
async fn nothing_is_deleted_unless_that_is_allowed() {
    let empty = "vendor: encharge\nobjects: {invoice: {singular: Invoice, plural: Invoices, fields: {number: {type: string}}}}\n";
    let tenant = Tenant::new(Encharge::new());
    insta::assert_snapshot!(after(&tenant, INVOICE, empty).await, @"
    = object invoice
    = field invoice.number
    nothing to do: 2 as the file has them
    ");
    insta::assert_snapshot!(Held::deleting(empty, &tenant).plan().await, @"
    = object invoice
    = field invoice.number
    - association invoice > person
    - field invoice.amount
    0 to create, 0 to change, 2 to delete, 2 as they are
    ");
    let empty = "vendor: zuora\ndefinitions: {}\n";
    let tenant = Tenant::new(Zuora::new());
    insta::assert_snapshot!(after(&tenant, VEHICLE, empty).await, @"nothing to do: 0 as the file has them");
    insta::assert_snapshot!(Held::deleting(empty, &tenant).plan().await, @"
    - object Vehicle
    0 to create, 0 to change, 1 to delete, 0 as they are
    ");
}

#[tokio::test]
async fn what_has_records_is_not_deleted() {
    let mut account = Zuora::new();
    account
        .records
        .insert("Vehicle".to_owned(), vec![serde_json::json!({"Id": "1"})]);
    let tenant = Tenant::new(account);
    let applied = Held::of(VEHICLE, &tenant).apply().await;
    assert_eq!(applied.stopped, None);
    let smaller = "vendor: zuora\ndefinitions: {Vehicle: {object: Vehicle, label: Vehicle, properties: {DeviceId__c: {label: Device ID, type: string}}}}\n";
    insta::assert_snapshot!(Held::deleting(smaller, &tenant).plan().await, @"
    = object Vehicle
    = field Vehicle.DeviceId__c
    ! relationship Vehicle > com_zuora.orders (OrderId__c): it is not deleted, since its object has records
    ! field Vehicle.OrderId__c: it is not deleted, since its object has records
    ! field Vehicle.Tags__c: it is not deleted, since its object has records
    0 to create, 0 to change, 0 to delete, 2 as they are, 3 that cannot be done
    ");
    let mut account = Encharge::new();
    account
        .records
        .insert("invoice".to_owned(), vec![serde_json::json!({"id": 1})]);
    let tenant = Tenant::new(account);
    Held::of(INVOICE, &tenant).apply().await;
    insta::assert_snapshot!(Held::deleting("vendor: encharge\n", &tenant).plan().await, @"
    ! association invoice > person: it is not deleted, since its object has records
    ! object invoice: it is not deleted, since it has records
    0 to create, 0 to change, 0 to delete, 0 as they are, 2 that cannot be done
    ");
}

#[tokio::test]
async fn an_association_without_a_name_is_content_with_one_that_no_other_claims() {
    let named = INVOICE.replace("type: M:M}", "type: M:M, name: Payer}");
    let tenant = Tenant::new(Encharge::new());
    assert!(
        after(&tenant, &named, INVOICE)
            .await
            .contains("= association invoice > person\n")
    );
    let both = INVOICE.replace(
        "associations: [",
        "associations: [{from: invoice, to: person, type: M:M, name: Payer}, ",
    );
    let plan = Held::of(&both, &tenant).plan().await.to_string();
    assert!(plan.contains("+ association invoice > person\n"), "{plan}");
    assert!(plan.contains("= association invoice > person (Payer)"), "{plan}");
}

#[tokio::test]
async fn a_plan_only_reads() {
    let tenant = Tenant::new(Encharge::new());
    Held::of(INVOICE, &tenant).plan().await;
    assert_eq!(tenant.changes(), Vec::<String>::new());
}
