use std::io::Write;

use super::*;

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn send(client: &Client, body: &[u8]) -> u16 {
    let client = client
        .with("Content-Type", "application/json")
        .with("Content-Encoding", "gzip");
    client.send("POST", VEHICLES, body).await.unwrap().status
}

#[tokio::test]
async fn a_compressed_request_is_read_and_its_records_counted() {
    let (mock, client) = with_vehicles().await;
    let body = packed(r#"{"records":[{"name__c":"x"},{"name__c":"y"}]}"#);
    assert_eq!(send(&client, &body).await, 200);
    let state = mock.zuora_state().unwrap();
    assert_eq!((state.counts.records, state.arrivals.records), (2, 2));
}

#[tokio::test]
async fn what_is_not_compressed_as_it_says_is_refused() {
    let (_mock, client) = with_vehicles().await;
    assert_eq!(send(&client, br#"{"records":[]}"#).await, 400);
    let other = client
        .with("Content-Encoding", "br")
        .post(VEHICLES, &json!({}))
        .await;
    assert_eq!(
        (other.status, other.message().as_str()),
        (400, "Content-Encoding must be gzip")
    );
}

#[tokio::test]
async fn a_small_request_that_unpacks_to_a_large_one_is_refused() {
    let settings = MockSettings {
        max_body: 10_000,
        ..vehicles(settings())
    };
    let (_mock, client) = start_with(settings).await;
    let body = packed(&" ".repeat(1_000_000));
    assert!(body.len() < 10_000);
    assert_eq!(send(&client, &body).await, 413);
}

#[tokio::test]
async fn a_long_answer_is_compressed_where_that_is_asked_for() {
    let (_mock, client) = with_vehicles().await;
    let plain = client.get(DEFINITIONS).await;
    assert_eq!(plain.header("content-encoding"), None);
    let asking = client.with("Accept-Encoding", "br, gzip;q=0.5");
    let packed = asking.get(DEFINITIONS).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < plain.body.len());
    assert_eq!(packed.unpacked(), plain.json());
    for (client, path) in [
        (asking, VEHICLES),
        (client.with("Accept-Encoding", "gzip;q=0"), DEFINITIONS),
    ] {
        assert_eq!(client.get(path).await.header("content-encoding"), None);
    }
}
