//! Encharge's contract takes what its calls look like, and refuses the same requests once they are mutilated.

use serde_json::json;

use super::{Contract, Sample, fits, misfits, refuses, requests, takes};

const API: &str = "https://api.encharge.io/v1";

/// Operations, and requests that are theirs.
const FITTING: &str = r#"
CreateUpdatePeople POST /people [{"email":"a@b","n":null}]
ArchivePeople DELETE /people?people[0][email]=a%40b&people[1][userId]=7&force=true
GetSpecificPeople GET /people?people[0][email]=a%40b
UnsubscribePerson POST /people/unsubscribe?userId=7
AddTag POST /tags {"tag":"x","email":"a@b"}
RemoveTag DELETE /tags {"tag":"x","id":"1"}
CreateCustomObjects POST /objects/Big%20Deal [{"externalId":"1","id":7}]
CreateOrUpdateCustomObjects PUT /objects/deal {"n":1}
UpdateCustomObject PATCH /objects/deal/7 {"id":7}
UpdateCustomObjectByExternalId PATCH /objects/deal/externalId/a%2Fb {"externalId":"a/b"}
DeleteCustomObject DELETE /objects/deal/7
DeleteCustomObjectByExternalId DELETE /objects/deal/externalId/7
AssociateCustomObjects POST /objects/person/3f0c1d2e/associations/12/7
AssociateObjectsByDefaultAssociation POST /objects/deal/7/associations/default/person/3f0c1d2e
RemoveCustomObjectsAssociation DELETE /objects/deal/7/associations/12/3f0c1d2e
GetCustomObjectsSchema GET /schemas
GetCustomObjectSchema GET /schemas/deal
CreateCustomObjectSchema POST /schemas {"name":"deal","displayNameSingular":"Deal","displayNamePlural":"Deals"}
UpdateCustomObjectSchema PATCH /schemas/deal {"searchableFields":["name"]}
DeleteCustomObjectSchema DELETE /schemas/deal
CreateObjectFields POST /schemas/deal/fields [{"name":"n","type":"number"}]
EditObjectField PATCH /schemas/deal/fields/n {"title":"N"}
DeleteObjectField DELETE /schemas/deal/fields/n
DefineCustomObjectsAssociationSchema POST /schemas/associations {"type":"1:M","fromObject":"person","toObject":"deal"}
RemoveCustomObjectsAssociationSchema DELETE /schemas/associations/12
GetFields GET /fields
CreateFields POST /fields [{"name":"n","type":"number"}]
EditField PATCH /fields/n {"name":"n","type":"string","format":"date"}
DeleteField DELETE /fields/n
GetInfo GET /accounts/info
"#;

/// What is at fault, and requests in which it is.
const MUTILATED: &str = r#"
no PUT /people [{"email":"a@b"}]
no POST /people/7
query DELETE /people
query DELETE /people?email=a%40b
query DELETE /people?people[0][email]=
query DELETE /people?people[0][email]=a%40b&force=1
query DELETE /people?people[0][email]=a%40b&forced=true
query POST /people/unsubscribe
query POST /people/unsubscribe?email=
query POST /tags?token=secret {"tag":"x","email":"a@b"}
body DELETE /people?people[0][email]=a%40b {"email":"a@b"}
body DELETE /objects/deal/7 {}
body DELETE /tags
path DELETE /objects/deal/inv-7
path PATCH /objects//7 {"id":7}
path POST /objects/deal/7/associations/owner/8
path POST /objects/deal/7/associations/12/
"#;

#[test]
fn each_operation_is_known_by_its_method_and_path() {
    let contract = Contract::of("encharge");
    let mut known: Vec<&str> = contract.operations().filter(|name| *name != "Ingest").collect();
    for (operation, sample) in requests(API, FITTING) {
        fits(&contract, operation, &sample);
        known.retain(|name| *name != operation);
    }
    assert!(known.is_empty(), "no request of {known:?}");
}

#[test]
fn a_request_that_is_mutilated_is_refused_for_the_part_at_fault() {
    let contract = Contract::of("encharge");
    for (part, sample) in requests(API, MUTILATED) {
        misfits(&contract, part, &sample);
    }
}

#[test]
fn headers_are_those_that_the_api_has() {
    let contract = Contract::of("encharge");
    let tag = json!({"tag": "x", "email": "a@b"});
    let tagging = Sample::new("POST", &format!("{API}/tags"), Some(tag));
    fits(
        &contract,
        "AddTag",
        &tagging.clone().with("X-Encharge-Token", "***"),
    );
    misfits(
        &contract,
        "headers",
        &tagging.clone().with("Idempotency-Key", "1"),
    );
    misfits(
        &contract,
        "content-type",
        &tagging.clone().with("Content-Type", "text/plain"),
    );
    let whole = Sample {
        is_whole: true,
        ..tagging.with("Content-Type", "application/json; charset=utf-8")
    };
    misfits(&contract, "headers: `x-encharge-token` is missing", &whole);
}

#[test]
fn bodies_of_people_and_objects_are_held_to_their_types() {
    let contract = Contract::of("encharge");
    takes(
        &contract,
        "CreateUpdatePeople",
        &[json!([{"note": "é".repeat(5_000)}])],
    );
    refuses(
        &contract,
        "CreateUpdatePeople",
        &[
            json!({"email": "a@b"}),
            json!([]),
            json!([{"userId": 7}]),
            json!([{"note": "é".repeat(5_001)}]),
            json!(["a@b"]),
        ],
    );
    refuses(
        &contract,
        "AddTag",
        &[
            json!({"email": "a@b"}),
            json!({"tag": "x"}),
            json!({"tag": ["x"], "id": "1"}),
        ],
    );
    refuses(
        &contract,
        "CreateCustomObjects",
        &[json!({"n": 1}), json!([{"id": "7"}]), json!([{"externalId": 7}])],
    );
    refuses(&contract, "CreateOrUpdateCustomObjects", &[json!([{"n": 1}])]);
    refuses(&contract, "UpdateCustomObject", &[json!({"n": 1})]);
}

#[test]
fn bodies_of_definitions_are_held_to_their_keys() {
    let contract = Contract::of("encharge");
    let names = json!({"name": "deal", "displayNameSingular": "Deal", "displayNamePlural": "Deals"});
    takes(
        &contract,
        "CreateCustomObjectSchema",
        std::slice::from_ref(&names),
    );
    for (key, value) in [
        ("displayNamePlural", json!(null)),
        ("searchableFields", json!(["name"])),
        ("name", json!(7)),
    ] {
        let mut body = names.clone();
        body[key] = value;
        refuses(&contract, "CreateCustomObjectSchema", &[body]);
    }
    takes(
        &contract,
        "UpdateCustomObjectSchema",
        &[json!({"searchableFields": ["name"]})],
    );
    refuses(
        &contract,
        "UpdateCustomObjectSchema",
        &[json!({"name": "offer"}), json!({})],
    );
    for operation in ["CreateFields", "CreateObjectFields"] {
        let field =
            json!({"name": "n", "type": "string", "format": "date-time", "enum": ["a"], "array": false});
        takes(&contract, operation, &[json!([field])]);
        refuses(
            &contract,
            operation,
            &[
                field,
                json!([]),
                json!([{"name": "n"}]),
                json!([{"name": "n", "type": "text"}]),
                json!([{"name": "n", "type": "string", "format": "time"}]),
                json!([{"name": "n", "type": "string", "label": "N"}]),
                json!([{"name": "n", "type": "string", "displayType": "slider"}]),
            ],
        );
    }
    refuses(
        &contract,
        "DefineCustomObjectsAssociationSchema",
        &[
            json!({"type": "M:1", "fromObject": "a", "toObject": "b"}),
            json!({"type": "1:1", "fromObject": "a"}),
        ],
    );
}

#[test]
fn ingest_takes_events_groups_and_aliases_and_nothing_flat() {
    let contract = Contract::of("encharge");
    takes(
        &contract,
        "Ingest",
        &[
            json!({"name": "x", "user": {"email": "a@b"}, "properties": {"n": 1}, "sourceIp": "192.0.2.1"}),
            json!({"name": "identify", "user": {"userId": "7", "plan": "pro"}}),
            json!({"type": "identify", "user": {"userId": "7"}}),
            json!({"type": "group", "objectType": "company", "properties": {"externalId": "c"}, "user": {"userId": "7"}}),
            json!({"type": "alias", "userId": "8", "previousUserId": "7"}),
        ],
    );
    refuses(
        &contract,
        "Ingest",
        &[
            json!({"name": "x", "email": "a@b"}),
            json!({"name": "x", "user": {"id": "1"}}),
            json!({"name": "x", "user": {"email": "a@b"}, "plan": "pro"}),
            json!({"user": {"email": "a@b"}}),
            json!([{"name": "x", "user": {"email": "a@b"}}]),
            json!({"type": "group", "properties": {}}),
            json!({"type": "alias", "userId": "8"}),
            json!({"type": "page", "name": "x", "user": {"email": "a@b"}}),
        ],
    );
}
