//! Each limit of a definition: taken at the limit, refused one beyond it.

use super::*;

/// What is answered to a definition.
async fn create(definition: &Value) -> Result<(), String> {
    let (_mock, client) = start().await;
    let name = definition["object"].as_str().unwrap();
    let reply = client
        .post(DEFINITIONS, &json!({"definitions": {name: definition}}))
        .await;
    match reply.status {
        200 => Ok(()),
        status => {
            assert_eq!((status, reply.code()), (400, 71_000_220));
            Err(reply.message())
        }
    }
}

fn of_fields(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    let fields: serde_json::Map<String, Value> = fields.into_iter().collect();
    json!({"object": "Thing", "label": "Thing", "properties": fields})
}

fn of_field(field: Value) -> Value {
    of_fields([("a__c".to_owned(), field)])
}

fn text() -> Value {
    json!({"label": "A", "type": "string"})
}

/// So many fields, all of them on a list.
fn listed(list: &str, count: usize) -> Value {
    let names: Vec<String> = (0..count).map(|number| format!("a{number}__c")).collect();
    let mut definition = of_fields(names.iter().map(|name| (name.clone(), text())));
    definition[list] = json!(names);
    definition
}

/// Tries a limit: `make` makes a definition of that size.
async fn holds(limit: usize, make: impl Fn(usize) -> Value, message: &str) {
    assert_eq!(create(&make(limit)).await, Ok(()), "{limit}: {message}");
    assert_eq!(create(&make(limit + 1)).await, Err(message.to_owned()));
}

#[tokio::test]
async fn an_objects_name_and_label_have_64_characters_and_its_description_250() {
    let long = |count| "é".repeat(count);
    holds(
        64,
        |count| json!({"object": "o".repeat(count), "label": "x"}),
        "The object's API name has 65 characters, the most are 64",
    )
    .await;
    holds(
        64,
        |count| json!({"object": "o", "label": long(count)}),
        "The object's label has 65 characters, the most are 64",
    )
    .await;
    holds(
        250,
        |count| json!({"object": "o", "label": "x", "description": long(count)}),
        "The object's description has 251 characters, the most are 250",
    )
    .await;
}

#[tokio::test]
async fn a_fields_name_and_label_have_64_characters_and_its_description_250() {
    let name = |count: usize| format!("{}__c", "f".repeat(count - 3));
    let message = format!(
        "The API name of field {} has 65 characters, the most are 64",
        name(65)
    );
    holds(64, |count| of_fields([(name(count), text())]), &message).await;
    holds(
        64,
        |count| of_field(json!({"label": "l".repeat(count), "type": "string"})),
        "The label of field a__c has 65 characters, the most are 64",
    )
    .await;
    holds(
        250,
        |count| of_field(json!({"label": "l", "type": "string", "description": "d".repeat(count)})),
        "The description of field a__c has 251 characters, the most are 250",
    )
    .await;
}

#[tokio::test]
async fn an_object_has_50_custom_fields() {
    holds(
        50,
        |count| of_fields((0..count).map(|number| (format!("a{number}__c"), text()))),
        "Object Thing has 51 custom fields, the most are 50",
    )
    .await;
}

#[tokio::test]
async fn a_picklist_and_a_multiselect_have_250_options() {
    for is_multiple in [false, true] {
        let options = |count| (0..count).map(|number| format!("o{number}")).collect::<Vec<_>>();
        holds(
            250,
            |count| {
                of_field(
                    json!({"label": "A", "type": "string", "enum": options(count), "multiselect": is_multiple}),
                )
            },
            "Field a__c has 251 options, the most are 250",
        )
        .await;
    }
}

#[tokio::test]
async fn a_text_has_8192_characters_and_512_where_it_can_be_filtered_by() {
    let text = |count| json!({"label": "A", "type": "string", "maxLength": count});
    holds(
        8_192,
        |count| of_field(text(count)),
        "The maxLength of field a__c must be at most 8192, not 8193",
    )
    .await;
    holds(
        512,
        |count| {
            let mut definition = of_field(text(count));
            definition["filterable"] = json!(["a__c"]);
            definition
        },
        "The maxLength of the filterable field a__c must be at most 512, not 513",
    )
    .await;
}

#[tokio::test]
async fn five_fields_are_unique_five_auditable_and_ten_filterable() {
    for (list, limit) in [("unique", 5), ("auditable", 5), ("filterable", 10)] {
        let message = format!("Thing has {} {list} fields, the most are {limit}", limit + 1);
        holds(limit, |count| listed(list, count), &message).await;
    }
}

#[tokio::test]
async fn an_object_belongs_to_two_others() {
    let relationship =
        |number| json!({"namespace": "com_zuora", "object": format!("o{number}"), "fields": {"a__c": "Id"}});
    holds(
        2,
        |count| {
            let mut definition = of_field(json!({"label": "A", "type": "string", "format": "uuid"}));
            definition["relationships"] = (0..count).map(relationship).collect();
            definition
        },
        "Thing has 3 manyToOne relationships, the most are 2",
    )
    .await;
}

#[tokio::test]
async fn what_is_no_definition_is_refused_with_its_reason() {
    let refused = async |definition: Value| create(&definition).await.unwrap_err();
    let field = |field| refused(of_field(field));
    assert_eq!(
        refused(of_fields([("a".to_owned(), text())])).await,
        "The field name a must end with __c"
    );
    assert_eq!(
        field(json!({"label": "A", "type": "text"})).await,
        "Field a__c has the unknown type text"
    );
    assert!(
        field(json!({"type": "string"}))
            .await
            .contains("missing field `label`")
    );
    assert_eq!(
        field(json!({"label": "A", "type": "string", "format": "email"})).await,
        "Field a__c has the unknown format email"
    );
    assert_eq!(
        field(json!({"label": "A", "type": "integer", "maxLength": 3})).await,
        "Field a__c is no string: it has no format, maxLength, enum or multiselect"
    );
    assert_eq!(
        field(json!({"label": "A", "type": "string", "multiselect": true})).await,
        "The multiselect field a__c needs an enum"
    );
    assert_eq!(
        field(json!({"label": "A", "type": "string", "enum": ["x", "x"]})).await,
        "Field a__c has the option x twice"
    );
    assert_eq!(
        refused(json!({"object": "O", "label": "O", "required": ["b__c"]})).await,
        "b__c is required, and is not a field"
    );
}
