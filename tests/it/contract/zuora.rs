//! Zuora's contract takes what the vendor's documents show, and refuses what is over a limit.

use serde_json::{Map, Value, json};

use super::{Contract, Sample, fits, misfits, refuses, takes};

const ID: &str = "64edb2a5-2796-4e95-9559-846f8636a01b";

fn request(method: &str, path: &str, body: Value) -> Sample {
    let body = Some(body).filter(|body| !body.is_null());
    Sample::new(method, &format!("https://rest.zuora.com{path}"), body)
}

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

#[test]
fn the_documents_samples_fit() {
    let contract = Contract::of("zuora");
    let definitions = "/objects/definitions/default";
    let record = json!({"DeviceId__c": "10101010", "OrderId__c": "c086028c-5df8-427d-a3c8-7a7fb5d32d3d"});
    let zip =
        json!({"type": "string", "label": "Zip code", "description": "Address zip code", "maxLength": 10});
    let action = json!({"type": "addField", "namespace": "default", "object": "address", "field": {"name": "zip__c", "definition": zip}});
    let update = json!({"type": "update", "allowPartialSuccess": true, "records": {ID: {"name__c": "elba43", "age__c": "eighteen"}}});
    let token = json!({"client_id": "a", "client_secret": "b", "grant_type": "client_credentials"});
    for (operation, method, path, body) in [
        ("createToken", "POST", "/oauth/token".to_owned(), token),
        (
            "GET_AllCustomObjectDefinitionsInNamespace",
            "GET",
            definitions.to_owned(),
            json!(null),
        ),
        (
            "POST_CustomObjectDefinitions",
            "POST",
            definitions.to_owned(),
            define(&vehicle()),
        ),
        (
            "POST_CustomObjectDefinitions",
            "POST",
            definitions.to_owned(),
            listed(),
        ),
        (
            "Delete_CustomObjectDefinitionByType",
            "DELETE",
            format!("{definitions}/Vehicle"),
            json!(null),
        ),
        (
            "POST_UpdateCustomObjectDefinition",
            "POST",
            "/objects/migrations".to_owned(),
            json!({"actions": [action]}),
        ),
        (
            "POST_CustomObjectRecords",
            "POST",
            "/objects/records/default/Vehicle".to_owned(),
            json!({"records": [record]}),
        ),
        (
            "Patch_PartialUpdateCustomObjectRecord",
            "PATCH",
            format!("/objects/records/default/Vehicle/{ID}"),
            json!({"age__c": null}),
        ),
        (
            "Delete_CustomObjectRecordByID",
            "DELETE",
            format!("/objects/records/default/Vehicle/{ID}"),
            json!(null),
        ),
        (
            "POST_CustomObjectRecordsBatchUpdateOrDelete",
            "POST",
            "/objects/batch/default/Vehicle".to_owned(),
            json!({"action": update}),
        ),
    ] {
        fits(&contract, operation, &request(method, &path, body));
    }
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

#[test]
fn headers_paths_and_content_types_are_held_to_the_operation() {
    let contract = Contract::of("zuora");
    let records = "/objects/records/default/Vehicle";
    let create = request("POST", records, json!({"records": [{"a__c": 1}]}));
    let remove = request("DELETE", &format!("{records}/{ID}"), json!(null));
    let patch = request("PATCH", &format!("{records}/{ID}"), json!({"a__c": 1}));
    let operation = "POST_CustomObjectRecords";
    for (name, most) in [("Zuora-Track-Id", 64), ("Idempotency-Key", 255)] {
        fits(
            &contract,
            operation,
            &create.clone().with(name, &"k".repeat(most)),
        );
        misfits(
            &contract,
            "headers",
            &create.clone().with(name, &"k".repeat(most + 1)),
        );
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
    misfits(&contract, "headers", &create.clone().with("x-other", "1"));
    misfits(&contract, "headers", &remove.clone().with("idempotency-key", "1"));
    let whole = Sample {
        is_whole: true,
        ..remove
    };
    misfits(&contract, "headers: `authorization` is missing", &whole);
    fits(
        &contract,
        "Delete_CustomObjectRecordByID",
        &whole.with("authorization", "***"),
    );
    misfits(
        &contract,
        "content-type",
        &patch.clone().with("content-type", "application/json"),
    );
    let merge = patch.with("content-type", "application/merge-patch+json");
    fits(&contract, "Patch_PartialUpdateCustomObjectRecord", &merge);
    misfits(
        &contract,
        "path",
        &request("DELETE", &format!("{records}/7"), json!(null)),
    );
    let long = format!("/objects/records/default/{}", "x".repeat(65));
    misfits(
        &contract,
        "path",
        &request("POST", &long, json!({"records": [{"a__c": 1}]})),
    );
    misfits(
        &contract,
        "query",
        &request("GET", &format!("{records}?pageSize=1001"), json!(null)),
    );
    fits(
        &contract,
        "GET_AllRecordsForCustomObjectType",
        &request(
            "GET",
            &format!("{records}?pageSize=1000&ids={ID}&ids={ID}"),
            json!(null),
        ),
    );
}
