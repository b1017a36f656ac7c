//! Each rule of a record, with its code.

use super::*;

/// The code and the message that a record is refused with, or none if it is taken.
async fn verdict(client: &Client, record: &str) -> Option<(u64, String)> {
    let body = format!(r#"{{"records":[{record}],"allowPartialSuccess":true}}"#);
    let answer = client.post_text(VEHICLES, &body).await.json();
    let detail = &answer["error"]["details"][0];
    let code = detail["code"].as_u64()?;
    Some((code, detail["message"].as_str().unwrap().to_owned()))
}

async fn codes(values: &[(&str, &str)]) -> Vec<Option<u64>> {
    let (_mock, client) = with_vehicles().await;
    let mut codes = Vec::new();
    for (field, value) in values {
        let record = format!(r#"{{"name__c":"x","{field}":{value}}}"#);
        codes.push(verdict(&client, &record).await.map(|(code, _)| code - 71_012_500));
    }
    codes
}

#[tokio::test]
async fn each_type_takes_its_values_and_null() {
    let good = [
        ("name__c", r#""ten chars.""#),
        ("age__c", "-7"),
        ("price__c", "1e3"),
        ("sold__c", "false"),
        ("order__c", r#""c086028c-5df8-427d-a3c8-7a7fb5d32d3d""#),
        ("day__c", r#""2024-02-29""#),
        ("time__c", r#""2024-02-29T23:59:60.5+01:00""#),
        ("time__c", r#""2024-02-29T23:59:59Z""#),
        ("colour__c", r#""red""#),
        ("extras__c", r#"["a","b"]"#),
        ("extras__c", r#""a""#),
        ("age__c", "null"),
        ("order__c", "null"),
    ];
    assert_eq!(codes(&good).await, vec![None; good.len()]);
}

#[tokio::test]
async fn a_wrong_type_has_the_code_of_the_type_that_was_expected() {
    let wrong = [
        ("age__c", r#""32""#),
        ("age__c", "1.5"),
        ("price__c", r#""1""#),
        ("sold__c", "1"),
        ("name__c", "7"),
        ("colour__c", r#"["red"]"#),
    ];
    assert_eq!(codes(&wrong).await, [23, 23, 24, 25, 26, 26].map(Some));
}

#[tokio::test]
async fn a_wrong_format_and_an_empty_text_are_invalid() {
    let wrong = [
        ("name__c", r#""""#),
        ("colour__c", r#""""#),
        ("order__c", r#""123""#),
        ("order__c", r#""c086028c5df8427da3c87a7fb5d32d3d""#),
        ("day__c", r#""2023-02-29""#),
        ("day__c", r#""2023-2-1""#),
        ("time__c", r#""2024-02-29""#),
        ("time__c", r#""2024-02-29T24:00:00Z""#),
        ("time__c", r#""2024-02-29T12:00:00""#),
    ];
    assert_eq!(codes(&wrong).await, vec![Some(20); wrong.len()]);
}

#[tokio::test]
async fn a_field_that_is_not_defined_and_one_that_is_missing_have_their_codes() {
    let (_mock, client) = with_vehicles().await;
    assert_eq!(
        verdict(&client, r#"{"name__c":"x","nmae__c":"y"}"#).await,
        Some((71_012_521, "Field [nmae__c] is not defined.".to_owned()))
    );
    for record in ["{}", r#"{"name__c":null}"#] {
        let required = Some((71_012_522, "Field [name__c] is required.".to_owned()));
        assert_eq!(verdict(&client, record).await, required);
    }
    let system = verdict(&client, r#"{"name__c":"x","Id":"7"}"#).await;
    assert_eq!(system.unwrap().0, 71_012_521);
}

#[tokio::test]
async fn a_text_is_as_long_as_its_definition_says_and_512_without_one() {
    let long = |count| format!("\"{}\"", "é".repeat(count));
    let (ten, eleven, most, more) = (long(10), long(11), long(512), long(513));
    let values = [
        ("name__c", ten.as_str()),
        ("name__c", &eleven),
        ("vin__c", &most),
        ("vin__c", &more),
    ];
    assert_eq!(codes(&values).await, [None, Some(30), None, Some(30)]);
}

#[tokio::test]
async fn a_number_has_13_digits_before_its_point_and_9_after() {
    let values = [
        ("price__c", "9999999999999.999999999"),
        ("price__c", "-1234567890123.5"),
        ("price__c", "12345678901234"),
        ("price__c", "1e12"),
        ("price__c", "1e13"),
        ("price__c", "0.1234567891"),
        ("price__c", "0.1234567890"),
        ("price__c", "1e-9"),
        ("price__c", "1e-10"),
        ("price__c", "0e99999999999999999999"),
    ];
    let expected = [
        None,
        None,
        Some(30),
        None,
        Some(30),
        Some(30),
        None,
        None,
        Some(30),
        None,
    ];
    assert_eq!(codes(&values).await, expected);
}

#[tokio::test]
async fn a_value_must_be_one_of_the_options() {
    let values = [("colour__c", r#""green""#), ("extras__c", r#"["a","c"]"#)];
    assert_eq!(codes(&values).await, [Some(30); 2]);
}

#[tokio::test]
async fn no_two_records_have_the_same_unique_value() {
    let (_mock, client) = with_vehicles().await;
    let twins = r#"{"records":[{"name__c":"x","vin__c":"1"},{"name__c":"y","vin__c":"1"},
        {"name__c":"z","vin__c":null},{"name__c":"n","vin__c":null}],"allowPartialSuccess":true}"#;
    let answer = client.post_text(VEHICLES, twins).await.json();
    assert_eq!(answer["records"].as_array().unwrap().len(), 3);
    assert_eq!(answer["error"]["details"][0]["record"]["name__c"], "y");
    assert_eq!(
        verdict(&client, r#"{"name__c":"x","vin__c":"1"}"#)
            .await
            .unwrap()
            .0,
        71_012_530
    );
    let path = format!("{VEHICLES}/{}", answer["records"][0]["Id"].as_str().unwrap());
    assert_eq!(
        client.patch(&path, &json!({"vin__c": "1"})).await.status,
        200,
        "it is its own"
    );
    assert_eq!(client.patch(&path, &json!({"vin__c": "2"})).await.status, 200);
    assert_eq!(
        verdict(&client, r#"{"name__c":"x","vin__c":"1"}"#).await,
        None,
        "it is free again"
    );
}

#[tokio::test]
async fn a_relationship_to_a_custom_object_names_a_record_that_exists() {
    let (_mock, client) = with_vehicles().await;
    let part = json!({"object": "Part", "label": "Part",
        "properties": {"car__c": {"label": "Car", "type": "string", "format": "uuid"}},
        "relationships": [{"namespace": "default", "object": "Vehicle", "fields": {"car__c": "Id"}}]});
    client
        .post(DEFINITIONS, &json!({"definitions": {"Part": part}}))
        .await;
    let created = client
        .post(VEHICLES, &json!({"records": [{"name__c": "x"}]}))
        .await
        .json();
    let parts = VEHICLES.replace("Vehicle", "Part");
    for (id, status) in [
        (created["records"][0]["Id"].clone(), 200),
        (Value::Null, 200),
        (json!(uuid::Uuid::nil().to_string()), 400),
    ] {
        let reply = client.post(&parts, &json!({"records": [{"car__c": id}]})).await;
        assert_eq!(reply.status, status);
    }
}
