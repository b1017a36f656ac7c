//! Encharge's rules, offline.

use super::problems;

#[test]
fn a_file_with_everything_is_good() {
    let file = "vendor: encharge
objects:
  invoice:
    singular: Invoice
    plural: Invoices
    searchable_fields: [number, externalId]
    primary_field: number
    fields:
      number: {type: string}
      due: {type: string, format: date-time}
      kind: {type: string, enum: [a, b], enum_names: [A, B], more: {displayType: select}}
  company:
    fields: {vat: {type: string}}
    searchable_fields: [domain]
person_fields: {mrr: {type: number}}
associations:
  - {from: invoice, to: person, type: M:M}
  - {from: invoice, to: person, type: 1:1, name: Payer}
  - {from: company, to: invoice, type: 1:M}
";
    assert_eq!(problems(file), "nothing");
}

#[test]
fn every_rule_has_a_message_and_a_line() {
    let file = "vendor: encharge
objects:
  invoice:
    singular: Invoice
    searchable_fields: [numer]
    fields:
      number: {type: string}
      Number: {type: string}
      due: {type: integer, format: date}
      id: {type: string}
      kind: {type: string, enum: [a, b], enum_names: [A], more: {title: K}}
  Invoice: {singular: Invoice, plural: Invoices}
  person: {singular: P, plural: P}
  a/b: {singular: P, plural: P}
associations:
  - {from: invoice, to: persn, type: M:M}
  - {from: INVOICE, to: person, type: M:M}
  - {from: invoice, to: person, type: M:M}
  - {from: person, to: invoice, type: 1:M}
";
    insta::assert_snapshot!(problems(file), @r"
    file.yaml:3: objects.invoice: `plural` is missing
    file.yaml:3: objects.invoice: `Invoice` differs from it in case alone, which two objects should not
    file.yaml:5: objects.invoice.searchable_fields.0: the object has no field `numer`, did you mean `Number`?
    file.yaml:7: objects.invoice.fields.number: `Number` differs from it in case alone, which two fields should not
    file.yaml:9: objects.invoice.fields.due.format: `date` is a format of strings alone: write `type: string`
    file.yaml:10: objects.invoice.fields.id: every object has this field already
    file.yaml:11: objects.invoice.fields.kind.enum_names: 1 names for 2 values of `enum`
    file.yaml:11: objects.invoice.fields.kind.more.title: `title` has a place of its own beside `more`
    file.yaml:13: objects.person: people are no custom object: their fields stand in `person_fields`
    file.yaml:14: objects.a/b: a name is not empty, has no white space around it, no `/` and no `\`
    file.yaml:16: associations.0.to: `persn` is no object of this file, nor `person` or `company`, did you mean `person`?
    file.yaml:17: associations.1.from: `INVOICE` is no object of this file, nor `person` or `company`, did you mean `Invoice`?
    file.yaml:19: associations.3: it joins the same objects as associations.2, under the same name; one holds in both directions
    ");
}

#[test]
fn what_the_schema_and_what_the_rules_find_comes_at_once() {
    let file = "vendor: encharge
objects:
  invoice:
    singluar: Invoice
    plural: Invoices
    fields:
      amount: {type: numbr}
      due: {type: number, format: date}
associations:
  - {from: invoice, to: person, type: 1:N}
  - {from: order, to: person, type: 1:M}
account: {base_ulr: x}
";
    insta::assert_snapshot!(problems(file), @"
    file.yaml:3: objects.invoice: `singular` is missing
    file.yaml:4: objects.invoice: unknown key `singluar`, did you mean `singular`?
    file.yaml:7: objects.invoice.fields.amount.type: `numbr` is not one of `string`, `number`, `integer`, `boolean`, `any`, did you mean `number`?
    file.yaml:8: objects.invoice.fields.due.format: `date` is a format of strings alone: write `type: string`
    file.yaml:10: associations.0.type: `1:N` is not one of `1:1`, `1:M`, `M:M`, did you mean `1:1`?
    file.yaml:11: associations.1.from: `order` is no object of this file, nor `person` or `company`
    file.yaml:12: account: unknown key `base_ulr`, did you mean `base_url`?
    ");
}

#[test]
fn a_file_names_its_vendor() {
    assert_eq!(
        problems("objects: {}\n"),
        "file.yaml:1: `vendor` is missing: `encharge` or `zuora`"
    );
    assert_eq!(
        problems("vendor: enchrge\n"),
        "file.yaml:1: vendor: \"enchrge\" is neither `encharge` nor `zuora`, did you mean `encharge`?"
    );
}
