//! Zuora's contract takes what the vendor's documents show, and refuses what is over a limit.

use serde_json::{Map, Value, json};

use super::{Contract, Sample, fits, misfits, refuses, requests, takes};

const ID: &str = "64edb2a5-2796-4e95-9559-846f8636a01b";

const REST: &str = "https://rest.zuora.com";

/// A definition as the vendor's sample has it: a vehicle that belongs to an order.
fn vehicle() -> Value {
    json!({
        "label": "Vehicle", "object": "Vehicle",
        "properties": {
            "DeviceId__c": {"label": "Device ID", "type": "string", "maxLength": 20},
            "OrderId__c": {"label": "Order ID", "type": "string", "format": "uuid"},
        },
        "relationships": [{"namespace": "com_zuora", "object": "orders", "fields": {"OrderId__c": "Id"}}],
    })
}

/// An answer of the list operation.
fn listed() -> Value {
    let mut schema = vehicle();
    for name in ["Id", "CreatedById", "UpdatedById", "CreatedDate", "UpdatedDate"] {
        // Some of the system's fields are listed without a label.
        schema["properties"][name] = json!({"type": "string", "origin": "system"});
    }
    schema["required"] = json!(["Id", "CreatedById", "UpdatedById", "CreatedDate", "UpdatedDate"]);
    schema["filterable"] = json!(["OrderId__c", "Id", "CreatedDate", "UpdatedDate"]);
    for field in ["CreatedById", "UpdatedById"] {
        let user = json!({
            "cardinality": "manyToOne", "namespace": "com_zuora", "object": "User", "fields": {field: "Id"},
            "recordConstraints": {"create": {"enforceValidMapping": true}},
        });
        schema["relationships"].as_array_mut().unwrap().push(user);
    }
    json!({"count": 1, "definitions": {"Vehicle": {"Id": ID, "type": "Vehicle", "schema": schema}}})
}

fn define(definition: &Value) -> Value {
    json!({"definitions": {"Vehicle": definition}})
}

/// The vehicle with one value changed, by its JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut definition = vehicle();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    definition.pointer_mut(parent).unwrap()[key] = value;
    define(&definition)
}

/// As many fields, each of another name.
fn fields(count: usize) -> Value {
    let field = |number: usize| (format!("F{number}__c"), json!({"label": "F", "type": "string"}));
    Value::Object((0..count).map(field).collect::<Map<_, _>>())
}

/// As many texts, each another.
fn texts(count: usize) -> Value {
    (0..count).map(|number| format!("F{number}__c")).collect()
}

/// Operations, and requests of them as the vendor's documents show them.
const SAMPLES: &str = r#"
createToken POST /oauth/token {"client_id":"a","client_secret":"b","grant_type":"client_credentials"}
GET_AllCustomObjectDefinitionsInNamespace GET /objects/definitions/default?select=type
GET_CustomObjectDefinitionByType GET /objects/definitions/default/Vehicle
Delete_CustomObjectDefinitionByType DELETE /objects/definitions/default/Vehicle
POST_UpdateCustomObjectDefinition POST /objects/migrations {"actions":[{"type":"addField","namespace":"default","object":"address","field":{"name":"zip__c","definition":{"type":"string","label":"Zip code","description":"Address zip code","maxLength":10}}}]}
POST_CustomObjectRecords POST /objects/records/default/Vehicle {"records":[{"DeviceId__c":"10101010","OrderId__c":"c086028c-5df8-427d-a3c8-7a7fb5d32d3d"}]}
GET_AllRecordsForCustomObjectType GET /objects/records/default/Vehicle?pageSize=1000&ids=64edb2a5-2796-4e95-9559-846f8636a01b&ids=64edb2a5-2796-4e95-9559-846f8636a01b
GET_CustomObjectRecordByID GET /objects/records/default/Vehicle/64edb2a5-2796-4e95-9559-846f8636a01b
PUT_CustomObjectRecord PUT /objects/records/default/Vehicle/64edb2a5-2796-4e95-9559-846f8636a01b {"age__c":7}
Patch_PartialUpdateCustomObjectRecord PATCH /objects/records/default/Vehicle/64edb2a5-2796-4e95-9559-846f8636a01b {"age__c":null}
Delete_CustomObjectRecordByID DELETE /objects/records/default/Vehicle/64edb2a5-2796-4e95-9559-846f8636a01b
POST_CustomObjectRecordsBatchUpdateOrDelete POST /objects/batch/default/Vehicle {"action":{"type":"update","allowPartialSuccess":true,"records":{"64edb2a5-2796-4e95-9559-846f8636a01b":{"name__c":"elba43","age__c":"eighteen","person_id__c":"30c52793-8f06-41c6-b623-04829710d7a"}}}}
"#;

#[test]
fn the_documents_samples_fit() {
    let contract = Contract::of("zuora");
    let mut known: Vec<&str> = contract.operations().collect();
    for (operation, sample) in requests(REST, SAMPLES) {
        fits(&contract, operation, &sample);
        known.retain(|name| *name != operation);
    }
    assert_eq!(known, ["POST_CustomObjectDefinitions"], "it follows here");
    takes(
        &contract,
        "POST_CustomObjectDefinitions",
        &[define(&vehicle()), listed()],
    );
}

#[test]
fn every_limit_of_a_definition_holds_at_itself_and_not_beyond() {
    let contract = Contract::of("zuora");
    let name = |length: usize| json!(format!("{}__c", "x".repeat(length - 3)));
    let named = |length: usize| {
        let key = name(length);
        with(
            "/properties",
            json!({key.as_str().unwrap(): {"label": "F", "type": "string"}}),
        )
    };
    let text = |length: usize| json!("é".repeat(length));
    let options = |count| with("/properties/DeviceId__c/enum", texts(count));
    let owner = json!({"namespace": "default", "object": "Owner", "fields": {"OwnerId__c": "Id"}});
    let owners = |count| with("/relationships", json!(vec![owner.clone(); count]));
    for (most, make) in [
        (64, &(|n| with("/object", text(n))) as &dyn Fn(usize) -> Value),
        (64, &|n| with("/label", text(n))),
        (250, &|n| with("/description", text(n))),
        (50, &|n| with("/properties", fields(n))),
        (64, &named),
        (64, &|n| with("/properties/DeviceId__c/label", text(n))),
        (250, &|n| with("/properties/DeviceId__c/description", text(n))),
        (250, &options),
        (8_192, &|n| with("/properties/DeviceId__c/maxLength", json!(n))),
        (10, &|n| with("/filterable", texts(n))),
        (5, &|n| with("/unique", texts(n))),
        (5, &|n| with("/auditable", texts(n))),
        (2, &owners),
    ] {
        takes(&contract, "POST_CustomObjectDefinitions", &[make(most)]);
        refuses(&contract, "POST_CustomObjectDefinitions", &[make(most + 1)]);
    }
}

#[test]
fn a_definition_that_is_mutilated_is_refused() {
    let contract = Contract::of("zuora");
    refuses(
        &contract,
        "POST_CustomObjectDefinitions",
        &[
            json!({}),
            json!({"definitions": []}),
            json!({"definitions": {}}),
            json!({"definition": {"Vehicle": vehicle()}}),
            with("/label", json!(null)),
            with("/object", json!("")),
            with("/properties/DeviceId__c", json!({"type": "string"})),
            with("/properties/DeviceId__c/type", json!("text")),
            with("/properties/DeviceId", json!({"label": "F", "type": "string"})),
            with("/properties/DeviceId__c/maxLength", json!("20")),
            with("/relationships/0/cardinality", json!("manyToMany")),
            with("/relationships", json!([{"object": "orders"}])),
        ],
    );
    let mut answer = listed();
    answer["definitions"]["Vehicle"]["schema"]["label"] = json!("x".repeat(65));
    refuses(&contract, "POST_CustomObjectDefinitions", &[answer]);
    let action = json!({"type": "updateObject", "namespace": "default", "object": "Vehicle", "label": "Car"});
    takes(
        &contract,
        "POST_UpdateCustomObjectDefinition",
        &[json!({"actions": [action]})],
    );
    refuses(
        &contract,
        "POST_UpdateCustomObjectDefinition",
        &[
            json!({"actions": []}),
            json!({"actions": [action, action]}),
            json!({"actions": [{"type": "addField", "namespace": "default", "object": "Vehicle"}]}),
            json!({"actions": [{"type": "renameField", "namespace": "default", "object": "Vehicle", "field": {"name": "a__c"}}]}),
            json!({"actions": [{"type": "drop", "namespace": "default", "object": "Vehicle"}]}),
        ],
    );
}

#[test]
fn records_are_held_to_their_number_and_their_values() {
    let contract = Contract::of("zuora");
    let create =
        |count: usize| json!({"records": vec![json!({"a__c": 1}); count], "allowPartialSuccess": true});
    takes(
        &contract,
        "POST_CustomObjectRecords",
        &[create(1), create(1_000), json!({"records": [{"a__c": null}]})],
    );
    refuses(
        &contract,
        "POST_CustomObjectRecords",
        &[
            create(0),
            create(1_001),
            json!([{"a__c": 1}]),
            json!({"records": {"a__c": 1}}),
            json!({"records": [{"a__c": ""}]}),
            json!({"records": [{"a": 1}]}),
            json!({"records": [{"a__c": 1}], "allowPartialSuccess": "true"}),
            json!({"records": [{"a__c": 1}], "partial": true}),
        ],
    );
    let ids = |count: usize| vec![json!(ID); count];
    let batch = "POST_CustomObjectRecordsBatchUpdateOrDelete";
    takes(
        &contract,
        batch,
        &[json!({"action": {"type": "delete", "ids": ids(1_000)}})],
    );
    refuses(
        &contract,
        batch,
        &[
            json!({"type": "delete", "ids": ids(1)}),
            json!({"action": {"type": "delete", "ids": ids(1_001)}}),
            json!({"action": {"type": "delete", "ids": ["7"]}}),
            json!({"action": {"type": "delete", "records": {ID: {"a__c": 1}}}}),
            json!({"action": {"type": "update", "ids": ids(1)}}),
            json!({"action": {"type": "update", "records": {"7": {"a__c": 1}}}}),
            json!({"action": {"type": "update", "records": {ID: {"a__c": ""}}}}),
            json!({"action": {"type": "upsert", "records": {ID: {"a__c": 1}}}}),
        ],
    );
}

/// A request to create a record, and one to remove it.
fn create_and_remove() -> [Sample; 2] {
    let records = format!("{REST}/objects/records/default/Vehicle");
    let body = json!({"records": [{"a__c": 1}]});
    [
        Sample::new("POST", &records, Some(body)),
        Sample::new("DELETE", &format!("{records}/{ID}"), None),
    ]
}

#[test]
fn headers_are_held_to_their_limits_and_to_the_operation() {
    let contract = Contract::of("zuora");
    let [create, remove] = create_and_remove();
    for (name, most) in [("Zuora-Track-Id", 64), ("Idempotency-Key", 255)] {
        let with = |length| create.clone().with(name, &"k".repeat(length));
        fits(&contract, "POST_CustomObjectRecords", &with(most));
        misfits(&contract, "headers", &with(most + 1));
    }
    for character in [":", ";", "\"", "'", "é"] {
        misfits(
            &contract,
            "headers",
            &create.clone().with("zuora-track-id", character),
        );
    }
    misfits(
        &contract,
        "headers",
        &create.clone().with("zuora-version", "latest"),
    );
    misfits(&contract, "headers", &create.with("x-other", "1"));
    misfits(&contract, "headers", &remove.clone().with("idempotency-key", "1"));
    let whole = Sample {
        is_whole: true,
        ..remove
    };
    misfits(&contract, "headers: `authorization` is missing", &whole);
    let authorized = whole.with("authorization", "***");
    fits(&contract, "Delete_CustomObjectRecordByID", &authorized);
}

#[test]
fn a_merge_patch_says_that_it_is_one() {
    let contract = Contract::of("zuora");
    let url = format!("{REST}/objects/records/default/Vehicle/{ID}");
    let patch = Sample::new("PATCH", &url, Some(json!({"a__c": 1})));
    misfits(
        &contract,
        "content-type",
        &patch.clone().with("content-type", "application/json"),
    );
    let merge = patch.with("content-type", "application/merge-patch+json");
    fits(&contract, "Patch_PartialUpdateCustomObjectRecord", &merge);
}

#[test]
fn paths_and_queries_are_held_to_the_operation() {
    let contract = Contract::of("zuora");
    let long = format!("path DELETE /objects/definitions/default/{}", "x".repeat(65));
    let mutilated = format!(
        "{long}\n{}",
        r#"
path DELETE /objects/records/default/Vehicle/7
no POST /objects/records/com_zuora/Vehicle {"records":[{"a__c":1}]}
query GET /objects/records/default/Vehicle?pageSize=1001
query GET /objects/definitions/default?limit=1
query POST /objects/records/default/Vehicle?partial=true {"records":[{"a__c":1}]}
body POST /oauth/token {"client_id":"a","grant_type":"client_credentials"}
"#
    );
    for (part, sample) in requests(REST, &mutilated) {
        misfits(&contract, part, &sample);
    }
}
