//! From an account to a file, and to another account.

use outpour::define::{Contents, Definitions, Vendor, export};

use super::tenant::{Encharge, Tenant, Zuora};
use super::{Held, account, definitions};

const ENCHARGE: &str = "vendor: encharge
objects:
  company: {fields: {vat: {type: string, title: VAT}}}
  invoice:
    singular: Invoice
    plural: Invoices
    description: \"no: #1\"
    searchable_fields: [number]
    fields:
      number: {type: string}
      kind: {type: string, enum: [\"no\", \"1\"], more: {displayType: select}}
person_fields: {mrr: {type: number}}
associations: [{from: invoice, to: person, type: M:M, name: Payer}]
";

const ZUORA: &str = "vendor: zuora
definitions:
  Vehicle:
    object: Vehicle
    label: Vehicle
    icon: car
    properties:
      OrderId__c: {label: Order ID, type: string, format: uuid, hint: x}
      Price__c: {label: Price, type: number, default: \"1.10\"}
    required: [Price__c]
    relationships: [{namespace: com_zuora, object: orders, fields: {OrderId__c: Id}}]
  Driver: {object: Driver, label: Driver}
";

async fn exported(vendor: Vendor, held: &Held) -> String {
    let contents = Contents::read(vendor, &held.connection).await.unwrap();
    export(&contents.custom())
}

#[tokio::test]
async fn an_export_of_encharge_is_a_file_without_what_every_account_has() {
    let tenant = Tenant::new(Encharge::new());
    let held = Held::of(ENCHARGE, &tenant);
    held.apply().await;
    insta::assert_snapshot!(exported(Vendor::Encharge, &held).await, @r#"
    vendor: encharge
    associations:
      - from: company
        to: person
        type: "1:M"
      - from: invoice
        name: Payer
        to: person
        type: "M:M"
    objects:
      company:
        fields:
          vat:
            more:
              icon: tag
            title: VAT
            type: string
      invoice:
        description: "no: #1"
        fields:
          kind:
            enum: ["no", "1"]
            more:
              displayType: select
              icon: tag
            type: string
          number:
            more:
              icon: tag
            type: string
        plural: Invoices
        searchable_fields: [number]
        singular: Invoice
    person_fields:
      mrr:
        more:
          icon: tag
        type: number
    "#);
}

#[tokio::test]
async fn an_export_of_zuora_is_a_file_without_what_every_object_has() {
    let tenant = Tenant::new(Zuora::new());
    let held = Held::of(ZUORA, &tenant);
    held.apply().await;
    insta::assert_snapshot!(exported(Vendor::Zuora, &held).await, @r#"
    vendor: zuora
    definitions:
      Driver:
        enableRecordMigration: false
        label: Driver
        object: Driver
        properties: {}
      Vehicle:
        enableRecordMigration: false
        icon: car
        label: Vehicle
        object: Vehicle
        properties:
          OrderId__c:
            displayName: false
            format: uuid
            hint: x
            label: Order ID
            type: string
          Price__c:
            default: "1.10"
            displayName: false
            label: Price
            type: number
        relationships:
          - cardinality: manyToOne
            fields:
              OrderId__c: Id
            namespace: com_zuora
            object: orders
            recordConstraints:
              create:
                enforceValidMapping: true
        required: [Price__c]
    "#);
}

#[tokio::test]
async fn applying_an_export_to_the_same_account_finds_nothing_to_do() {
    for (vendor, file, tenant) in [
        (Vendor::Encharge, ENCHARGE, Tenant::new(Encharge::new())),
        (Vendor::Zuora, ZUORA, Tenant::new(Zuora::new())),
    ] {
        let held = Held::of(file, &tenant);
        assert_eq!(held.apply().await.stopped, None);
        let again = Held::of(&exported(vendor, &held).await, &tenant).plan().await;
        assert!(!again.is_pending(), "{again}");
        assert_eq!(again.impossible().count(), 0, "{again}");
    }
}

#[tokio::test]
async fn a_copy_gives_another_account_the_same_in_as_few_calls() {
    for (vendor, file, empty, [one, other]) in [
        (
            Vendor::Encharge,
            ENCHARGE,
            "vendor: encharge\n",
            [Tenant::new(Encharge::new()), Tenant::new(Encharge::new())],
        ),
        (
            Vendor::Zuora,
            ZUORA,
            "vendor: zuora\n",
            [Tenant::new(Zuora::new()), Tenant::new(Zuora::new())],
        ),
    ] {
        let held = Held::of(file, &one);
        held.apply().await;
        let target = Held {
            wanted: Contents::read(vendor, &held.connection).await.unwrap().custom(),
            connection: account(&definitions(empty)).over(other.clone()),
            deletion: outpour::define::Deletion::Never,
        };
        assert_eq!(target.apply().await.stopped, None);
        assert_eq!(exported(vendor, &held).await, exported(vendor, &target).await);
        let calls = other.changes().len();
        assert!(vendor == Vendor::Encharge || calls == 1, "{calls}");
    }
}

#[tokio::test]
async fn an_export_is_read_as_a_file() {
    let tenant = Tenant::new(Encharge::new());
    let held = Held::of(ENCHARGE, &tenant);
    held.apply().await;
    let text = exported(Vendor::Encharge, &held).await;
    let read = Definitions::parse("export.yaml", &text, &[]).unwrap();
    assert_eq!(read.check(), Ok(()));
    assert_eq!(export(read.contents()), text);
}
