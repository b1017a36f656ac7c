//! Every documented limit of a Zuora definition is taken at the limit and refused beyond it, before anything is sent.

use std::sync::Arc;

use outpour::endpoint::{Endpoint, Parameters};
use outpour::record::{Origin, Position, Record, Shape};
use outpour::template::Catalog;
use serde_json::{Map, Value, json};

/// A record at the beginning of an input.
pub(super) fn record(value: &str) -> Record {
    let origin = Arc::new(Origin {
        name: "test".to_owned(),
        shape: Shape::Json,
    });
    Record {
        position: Position {
            origin,
            ordinal: 1,
            number: 1,
            line: None,
            byte: 0,
        },
        text: value.to_owned().into(),
        original: None,
    }
}

/// Why these definitions are not sent; none where each of them is.
fn refusals(definitions: &[Value]) -> Vec<Option<String>> {
    let catalog = Catalog::built_in().unwrap();
    let template = catalog.find("zuora/create-definitions").unwrap();
    let endpoint = Endpoint::sample(template, &Parameters::new()).unwrap();
    let refusal = |definition: &Value| {
        let prepared = endpoint.prepare(record(&definition.to_string()));
        prepared.err().map(|refused| refused.1.to_string())
    };
    definitions.iter().map(refusal).collect()
}

/// The first is taken, the second is not, for this reason alone.
#[track_caller]
fn edge(at_limit: &Value, beyond: &Value, reason: &str) {
    let refused = refusals(&[at_limit.clone(), beyond.clone()]);
    assert_eq!(refused, [None, Some(reason.to_owned())]);
}

fn definition(key: &str, value: impl Into<Value>) -> Value {
    let mut definition = json!({"object": "Vehicle", "label": "Vehicle"});
    definition[key] = value.into();
    definition
}

/// A definition with one field.
fn with_field(name: &str, field: Value) -> Value {
    definition("properties", Map::from_iter([(name.to_owned(), field)]))
}

/// A definition with a text field that has these keys besides.
fn with_text(more: &Value) -> Value {
    let mut field = json!({"label": "A", "type": "string"});
    for (key, value) in more.as_object().unwrap() {
        field[key] = value.clone();
    }
    with_field("A__c", field)
}

fn fields(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("F{n}__c")).collect()
}

/// A definition with so many fields, and more.
fn with_fields(count: usize, more: &Value) -> Value {
    let field = |name| (name, json!({"label": "F", "type": "integer"}));
    let mut all: Map<String, Value> = fields(count).into_iter().map(field).collect();
    // What Zuora adds itself does not count, as in the answer of a List call.
    for name in ["Id", "CreatedById", "CreatedDate", "UpdatedById", "UpdatedDate"] {
        all.insert(
            name.to_owned(),
            json!({"label": name, "type": "string", "origin": "system"}),
        );
    }
    let mut definition = definition("properties", all);
    for (key, value) in more.as_object().unwrap() {
        definition[key] = value.clone();
    }
    definition
}

/// Characters of which each has two bytes.
fn text(characters: usize) -> String {
    "é".repeat(characters)
}

#[test]
fn an_object_and_its_label_have_64_characters() {
    for key in ["object", "label"] {
        edge(
            &definition(key, text(64)),
            &definition(key, text(65)),
            &format!("`{key}` has 65 characters, and at most 64 are allowed"),
        );
    }
}

#[test]
fn a_field_and_its_label_have_64_characters() {
    let named = |length: usize| {
        with_field(
            &format!("{}__c", text(length - 3)),
            json!({"label": "A", "type": "string"}),
        )
    };
    let long = format!("{}__c", text(62));
    edge(
        &named(64),
        &named(65),
        &format!("the name of the field `{long}` has 65 characters, and at most 64 are allowed"),
    );
    let labelled = |length| with_text(&json!({"label": text(length)}));
    edge(
        &labelled(64),
        &labelled(65),
        "the label of the field `A__c` has 65 characters, and at most 64 are allowed",
    );
}

#[test]
fn descriptions_have_250_characters() {
    edge(
        &definition("description", text(250)),
        &definition("description", text(251)),
        "`description` has 251 characters, and at most 250 are allowed",
    );
    let described = |length| with_text(&json!({"description": text(length)}));
    edge(
        &described(250),
        &described(251),
        "the description of the field `A__c` has 251 characters, and at most 250 are allowed",
    );
}

#[test]
fn an_object_has_50_custom_fields() {
    edge(
        &with_fields(50, &json!({})),
        &with_fields(51, &json!({})),
        "it has 51 custom fields, and at most 50 are allowed",
    );
}

#[test]
fn a_picklist_and_a_multiselect_have_250_options() {
    for is_multiselect in [false, true] {
        let options = |count| {
            let options: Vec<String> = (0..count).map(|n| n.to_string()).collect();
            with_text(&json!({"enum": options, "multiselect": is_multiselect}))
        };
        edge(
            &options(250),
            &options(251),
            "the field `A__c` has 251 options, and at most 250 are allowed",
        );
    }
}

#[test]
fn a_text_has_8192_characters_and_a_filterable_one_512() {
    let longest = |length: u32| with_text(&json!({"maxLength": length}));
    edge(
        &longest(8_192),
        &longest(8_193),
        "the field `A__c` allows texts of 8193 characters by `maxLength`, and at most 8192 are allowed",
    );
    let filterable = |length: u32| {
        let mut definition = longest(length);
        definition["filterable"] = json!(["A__c"]);
        definition
    };
    edge(
        &filterable(512),
        &filterable(513),
        "the field `A__c` is filterable and allows texts of 513 characters by `maxLength`, and at most 512 are allowed then",
    );
}

#[test]
fn a_default_fits_its_field() {
    let text_default = |length| with_text(&json!({"default": text(length)}));
    edge(
        &text_default(512),
        &text_default(513),
        "the default of the field `A__c` has 513 characters, and at most 512 are allowed",
    );
    let option = |default| with_text(&json!({"enum": ["a", "b"], "default": default}));
    edge(
        &option("b"),
        &option("c"),
        "the default of the field `A__c` is `\"c\"`, which is none of its options",
    );
    let number = |default: &str| {
        let default: Value = serde_json::from_str(default).unwrap();
        with_field(
            "A__c",
            json!({"label": "A", "type": "number", "default": default}),
        )
    };
    edge(
        &number("1234567890123"),
        &number("12345678901234"),
        "the default of the field `A__c` has 14 digits left of the point, and at most 13 are allowed",
    );
}

#[test]
fn a_maximum_length_is_a_whole_number_from_1() {
    let longest = |length: Value| with_text(&json!({"maxLength": length}));
    for wrong in [json!(0), json!(-1), json!(1.5), json!("20")] {
        edge(
            &longest(json!(1)),
            &longest(wrong),
            "the field `A__c` has a `maxLength` that is no whole number from 1",
        );
    }
}

#[test]
fn fields_are_named_and_typed() {
    let good = with_text(&json!({}));
    let named = |name| with_field(name, json!({"label": "A", "type": "string"}));
    edge(
        &good,
        &named("A"),
        "the field `A` is named without `__c` at the end",
    );
    edge(
        &good,
        &with_text(&json!({"type": "text"})),
        "the field `A__c` has the type `\"text\"`, which is none of `string`, `number`, `integer` and `boolean`",
    );
    edge(
        &good,
        &with_field("A__c", json!({"type": "string"})),
        "the field `A__c` has no `label`",
    );
    edge(
        &good,
        &with_field("A__c", json!("string")),
        "the field `A__c` has no definition, a map of keys",
    );
}

#[test]
fn lists_of_fields_have_their_most_and_name_fields() {
    for (key, most) in [("unique", 5), ("filterable", 10), ("auditable", 5)] {
        let listed = |count| {
            let mut names = fields(count);
            names.extend(["Id", "CreatedDate"].map(str::to_owned));
            with_fields(count, &json!({key: names}))
        };
        let beyond = most + 1;
        edge(
            &listed(most),
            &listed(beyond),
            &format!("`{key}` names {beyond} fields, and at most {most} are allowed"),
        );
    }
    edge(
        &with_fields(1, &json!({"required": ["F0__c", "Id"]})),
        &with_fields(1, &json!({"required": ["F1__c"]})),
        "`required` names `F1__c`, which is no field",
    );
}

#[test]
fn an_object_has_2_relationships_to_one_of_its_own() {
    let relationship = |field: &str, cardinality: Option<&str>| {
        let mut relationship = json!({"namespace": "default", "object": "x", "fields": {field: "Id"}});
        if let Some(cardinality) = cardinality {
            relationship["cardinality"] = cardinality.into();
        }
        relationship
    };
    // Users who created and updated a record are Zuora's own.
    let own = [
        relationship("CreatedById", Some("manyToOne")),
        relationship("UpdatedById", None),
        relationship("F0__c", Some("oneToMany")),
    ];
    let with = |count: usize| {
        let more = (0..count).map(|n| relationship(&format!("F{n}__c"), None));
        with_fields(
            3,
            &json!({"relationships": own.iter().cloned().chain(more).collect::<Vec<_>>()}),
        )
    };
    edge(
        &with(2),
        &with(3),
        "it has 3 manyToOne relationships, and at most 2 are allowed",
    );
}

#[test]
fn each_definition_of_a_list_is_checked_under_its_name() {
    let list = |label: String| {
        json!({"count": 2, "definitions": {
            "A": {"Id": "1", "type": "A", "schema": {"object": "A", "label": "A"}},
            "B": {"Id": "2", "type": "B", "schema": {"object": "B", "label": label}},
        }})
    };
    edge(
        &list(text(64)),
        &list(text(65)),
        "`B`: `label` has 65 characters, and at most 64 are allowed",
    );
}

#[test]
fn all_reasons_are_told_together() {
    let wrong =
        json!({"object": "", "properties": {"A": {"label": "A", "type": "x"}}, "description": text(251)});
    let reasons = refusals(&[wrong]).remove(0).unwrap();
    assert_eq!(
        reasons,
        "`object` is an empty string; `records.empty` says what becomes of them: null, omit or keep"
    );
    let wrong =
        json!({"label": 7, "properties": {"A": {"label": "A", "type": "x"}}, "description": text(251)});
    let reasons = refusals(&[wrong]).remove(0).unwrap();
    assert_eq!(reasons.split("; ").count(), 5, "{reasons}");
}
