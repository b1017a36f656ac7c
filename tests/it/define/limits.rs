//! Every limit of Zuora's definitions: fine at the limit, refused beyond it, with a message and a place of its own.

use serde_json::{Map, Value, json};

use super::problems;

/// A file with one definition that has these keys besides its name and label.
fn file(keys: &Value) -> String {
    let mut definition = json!({"object": "Vehicle", "label": "Vehicle"});
    for (key, value) in keys.as_object().unwrap() {
        definition[key] = value.clone();
    }
    let name = definition["object"].clone();
    json!({"vendor": "zuora", "definitions": {name.as_str().unwrap(): definition}}).to_string()
}

/// A file with one field of these keys besides its label and type.
fn field(keys: &Value) -> String {
    let mut field = json!({"label": "A", "type": "string"});
    for (key, value) in keys.as_object().unwrap() {
        field[key] = value.clone();
    }
    file(&json!({"properties": {"A__c": field}}))
}

/// This many fields, `F0__c` and on, each with these keys besides label and type.
fn fields(count: usize) -> Map<String, Value> {
    let field = |number| (format!("F{number}__c"), json!({"label": "F", "type": "string"}));
    (0..count).map(field).collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("F{number}__c")).collect()
}

/// Two-byte letters: lengths are characters.
fn text(length: usize) -> String {
    "é".repeat(length)
}

#[track_caller]
fn holds(at: &str, beyond: &str, message: &str) {
    assert_eq!(problems(at), "nothing");
    assert_eq!(problems(beyond), format!("file.yaml:1: {message}"));
}

#[test]
fn an_objects_api_name_has_at_most_64_characters() {
    let beyond = text(65);
    holds(
        &file(&json!({"object": text(64)})),
        &file(&json!({"object": beyond})),
        &format!(
            "definitions.{beyond}.object: an object's API name has at most 64 characters, and this has 65"
        ),
    );
}

#[test]
fn an_objects_label_has_at_most_64_characters() {
    holds(
        &file(&json!({"label": text(64)})),
        &file(&json!({"label": text(65)})),
        "definitions.Vehicle.label: an object's label has at most 64 characters, and this has 65",
    );
}

#[test]
fn an_objects_description_has_at_most_250_characters() {
    holds(
        &file(&json!({"description": text(250)})),
        &file(&json!({"description": text(251)})),
        "definitions.Vehicle.description: an object's description has at most 250 characters, and this has 251",
    );
}

#[test]
fn an_object_has_at_most_50_custom_fields() {
    holds(
        &file(&json!({"properties": fields(50)})),
        &file(&json!({"properties": fields(51)})),
        "definitions.Vehicle.properties: an object has at most 50 custom fields, and these are 51",
    );
}

#[test]
fn the_fields_that_every_object_has_do_not_count() {
    let mut properties = fields(50);
    properties.insert(
        "Id".to_owned(),
        json!({"label": "Id", "type": "string", "origin": "system"}),
    );
    assert_eq!(problems(&file(&json!({"properties": properties}))), "nothing");
}

#[test]
fn a_fields_api_name_has_at_most_64_characters() {
    let named = |length: usize| {
        let name = format!("{}__c", text(length - 3));
        file(&json!({"properties": {name: {"label": "A", "type": "string"}}}))
    };
    let name = format!("{}__c", text(62));
    holds(
        &named(64),
        &named(65),
        &format!(
            "definitions.Vehicle.properties.{name}: a field's API name has at most 64 characters, and this has 65"
        ),
    );
}

#[test]
fn a_fields_label_has_at_most_64_characters() {
    holds(
        &field(&json!({"label": text(64)})),
        &field(&json!({"label": text(65)})),
        "definitions.Vehicle.properties.A__c.label: a field's label has at most 64 characters, and this has 65",
    );
}

#[test]
fn a_fields_description_has_at_most_250_characters() {
    holds(
        &field(&json!({"description": text(250)})),
        &field(&json!({"description": text(251)})),
        "definitions.Vehicle.properties.A__c.description: a field's description has at most 250 characters, and this has 251",
    );
}

#[test]
fn a_picklist_or_multiselect_has_at_most_250_options() {
    let options = |count: usize| names(count);
    holds(
        &field(&json!({"enum": options(250)})),
        &field(&json!({"enum": options(251), "multiselect": true})),
        "definitions.Vehicle.properties.A__c.enum: a picklist or multiselect has at most 250 options, and these are 251",
    );
}

#[test]
fn a_text_has_at_most_8192_characters() {
    holds(
        &field(&json!({"maxLength": 8192})),
        &field(&json!({"maxLength": 8193})),
        "definitions.Vehicle.properties.A__c.maxLength: a text has at most 8192 characters, and this says 8193",
    );
}

#[test]
fn a_filterable_text_has_at_most_512_characters() {
    let filterable = |most: u64| {
        file(&json!({
            "properties": {"A__c": {"label": "A", "type": "string", "maxLength": most}},
            "filterable": ["A__c"],
        }))
    };
    holds(
        &filterable(512),
        &filterable(513),
        "definitions.Vehicle.properties.A__c.maxLength: a filterable text has at most 512 characters, and this says 513",
    );
}

#[test]
fn a_text_whose_definition_says_no_length_has_512_characters() {
    let defaulted = |length: usize| field(&json!({"default": text(length)}));
    holds(
        &defaulted(512),
        &defaulted(513),
        "definitions.Vehicle.properties.A__c.default: a default of this field has at most 512 characters, and this has 513",
    );
    assert_eq!(
        problems(&field(&json!({"default": text(600), "maxLength": 600}))),
        "nothing"
    );
}

#[test]
fn a_number_has_at_most_13_digits_left_of_the_point() {
    let defaulted = |default: &Value| field(&json!({"type": "number", "default": default}));
    for (at, beyond) in [
        (json!("-1234567890123.123456789"), json!("12345678901234")),
        (json!(1_234_567_890_123_i64), json!(12_345_678_901_234_i64)),
    ] {
        holds(
            &defaulted(&at),
            &defaulted(&beyond),
            "definitions.Vehicle.properties.A__c.default: a number has at most 13 digits left of the point, and this has 14",
        );
    }
}

#[test]
fn a_number_has_at_most_9_digits_right_of_the_point() {
    let defaulted = |default: &Value| field(&json!({"type": "number", "default": default}));
    for (at, beyond) in [
        (json!("0.123456789"), json!("0.1234567891")),
        (json!(0.123_456_789), json!(0.123_456_789_1)),
    ] {
        holds(
            &defaulted(&at),
            &defaulted(&beyond),
            "definitions.Vehicle.properties.A__c.default: a number has at most 9 digits right of the point, and this has 10",
        );
    }
}

#[test]
fn a_number_that_would_lose_digits_belongs_in_quotes() {
    let file = field(&json!({"type": "number", "default": 1_234_567_890_123.125}));
    assert_eq!(
        problems(&file),
        "file.yaml:1: definitions.Vehicle.properties.A__c.default: write it in quotes: with more than 15 digits a plain \
         number loses some"
    );
}

#[test]
fn a_fields_api_name_ends_in_two_underscores_and_c() {
    let file = file(&json!({"properties": {"Colour": {"label": "A", "type": "string"}}}));
    assert_eq!(
        problems(&file),
        "file.yaml:1: definitions.Vehicle.properties.Colour: a field's API name ends in `__c`: write `Colour__c`"
    );
}

#[test]
fn at_most_5_fields_are_unique() {
    flagged("unique", 5);
}

#[test]
fn at_most_10_fields_are_filterable() {
    flagged("filterable", 10);
}

#[test]
fn at_most_5_fields_are_auditable() {
    flagged("auditable", 5);
}

#[track_caller]
fn flagged(key: &str, most: usize) {
    // Those of the system do not count.
    let with = |count: usize| {
        let mut list = names(count);
        list.push("Id".to_owned());
        file(&json!({"properties": fields(20), key: list}))
    };
    let count = most + 1;
    holds(
        &with(most),
        &with(count),
        &format!(
            "definitions.Vehicle.{key}: an object has at most {most} {key} fields, and these are {count}"
        ),
    );
}

#[test]
fn an_object_has_at_most_2_many_to_one_relationships() {
    let with = |count: usize| {
        let mut list: Vec<Value> = (0..count)
            .map(|number| json!({"namespace": "com_zuora", "object": "orders", "fields": {format!("F{number}__c"): "Id"}}))
            .collect();
        list.push(json!({"namespace": "com_zuora", "object": "User", "fields": {"CreatedById": "Id"}}));
        let mut other = json!({"namespace": "default", "object": "x", "fields": {"F9__c": "Id"}});
        other["cardinality"] = "oneToMany".into();
        list.push(other);
        file(&json!({"properties": fields(10), "relationships": list}))
    };
    holds(
        &with(2),
        &with(3),
        "definitions.Vehicle.relationships: an object has at most 2 many-to-one relationships, and these are 3",
    );
}

#[test]
fn every_problem_comes_at_once_with_its_line() {
    let file = "vendor: zuora
definitions:
  Vehicle:
    object: vehicle
    lable: Vehicle
    properties:
      DeviceId__c:
        label: Device
        type: sting
      Size__c:
        type: number
        maxLenght: 3
    filterable: [DeviceID__c]
    relationships:
      - {namespace: com_zuora, object: orders, fields: {OrderId__c: Id}}
";
    insta::assert_snapshot!(problems(file), @"
    file.yaml:3: definitions.Vehicle: `label` is missing: what people call it
    file.yaml:4: definitions.Vehicle.object: it is `vehicle` here and `Vehicle` as the key above, which must agree
    file.yaml:5: definitions.Vehicle.lable: unknown key `lable`, did you mean `label`?
    file.yaml:9: definitions.Vehicle.properties.DeviceId__c.type: `sting` is not one of `string`, `number`, `integer`, `boolean`, did you mean `string`?
    file.yaml:10: definitions.Vehicle.properties.Size__c: `label` is missing: what people call it
    file.yaml:12: definitions.Vehicle.properties.Size__c.maxLenght: unknown key `maxLenght`, did you mean `maxLength`?
    file.yaml:13: definitions.Vehicle.filterable.0: the object has no field `DeviceID__c`, did you mean `DeviceId__c`?
    file.yaml:15: definitions.Vehicle.relationships.0.fields.OrderId__c: the object has no field `OrderId__c`
    ");
}

#[test]
fn a_list_answer_is_a_file_too() {
    let field = json!({"label": text(65), "type": "string", "origin": "custom"});
    let entry = json!({"Id": "x", "type": "Vehicle", "schema": {
        "object": "Vehicle", "label": "Vehicle", "type": "object", "enableRecordMigration": false,
        "properties": {"A__c": field, "Id": {"origin": "system", "type": "string"}},
        "required": ["Id"], "filterable": ["Id", "CreatedDate"],
        "relationships": [{"namespace": "com_zuora", "object": "User", "fields": {"CreatedById": "Id"}}],
    }});
    let answer = json!({"count": 1, "definitions": {"Vehicle": entry}}).to_string();
    assert_eq!(
        problems(&answer),
        "file.yaml:1: definitions.Vehicle.schema.properties.A__c.label: a field's label has at most 64 characters, and \
         this has 65"
    );
    assert_eq!(problems(&answer.replace(&text(65), "A")), "nothing");
}
