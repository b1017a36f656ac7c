use std::time::Duration;

use super::*;

#[tokio::test]
async fn every_answer_has_a_request_id_and_the_state_of_the_limits() {
    let (_mock, client) = start().await;
    let mut ids = Vec::new();
    for (path, status) in [(DEFINITIONS, 200), ("/nowhere", 404)] {
        let reply = client.get(path).await;
        assert_eq!(reply.status, status);
        ids.push(reply.header("zuora-request-id").unwrap().to_owned());
        assert_eq!(
            reply.header("ratelimit-limit"),
            Some("50000, 50000;w=60, 2250000;w=3600, 27000000;w=86400")
        );
        let remaining: u64 = reply.header("ratelimit-remaining").unwrap().parse().unwrap();
        let reset: u64 = reply.header("ratelimit-reset").unwrap().parse().unwrap();
        assert!((49_990..50_000).contains(&remaining) && reset <= 60);
    }
    assert!(ids[0].len() == 36 && ids[0] != ids[1]);
}

#[tokio::test]
async fn more_than_the_rate_is_refused_with_a_reset_and_no_retry_after() {
    let settings = MockSettings {
        rate: Some((2, Duration::from_secs(60))),
        ..settings()
    };
    let (mock, client) = start_with(settings).await;
    for (status, remaining) in [(200, "1"), (200, "0"), (429, "0")] {
        let reply = client.get(DEFINITIONS).await;
        assert_eq!(
            (
                reply.status,
                reply.header("ratelimit-remaining"),
                reply.header("retry-after")
            ),
            (status, Some(remaining), None)
        );
        assert_eq!(reply.header("ratelimit-limit"), Some("2, 2;w=60"));
        let reset: u64 = reply.header("ratelimit-reset").unwrap().parse().unwrap();
        assert!((50..=60).contains(&reset));
    }
    assert_eq!(mock.zuora_state().unwrap().arrivals.rate_limited, 1);
}

#[tokio::test]
async fn more_than_forty_at_once_are_told_to_come_back() {
    let settings = MockSettings {
        faults: "hang:100%".parse().unwrap(),
        ..settings()
    };
    let (mock, client) = start_with(settings).await;
    let arrivals = || mock.zuora_state().unwrap().arrivals;
    let hanging: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.get(DEFINITIONS).await })
        })
        .collect();
    while arrivals().requests < 41 {
        tokio::task::yield_now().await;
    }
    let reply = client.get(DEFINITIONS).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")));
    assert_ne!(reply.header("ratelimit-remaining"), Some("0"));
    assert_eq!((arrivals().concurrency_limited, arrivals().rate_limited), (1, 0));
    client.token().await;
    for caller in hanging {
        caller.abort();
    }
}

#[tokio::test]
async fn an_injected_429_is_one_of_the_rate() {
    let settings = MockSettings {
        faults: "429:100%".parse().unwrap(),
        ..settings()
    };
    let (_mock, client) = start_with(settings.clone()).await;
    let reply = client.get(DEFINITIONS).await;
    assert_eq!(
        (
            reply.header("ratelimit-remaining"),
            reply.header("ratelimit-reset"),
            reply.header("retry-after")
        ),
        (Some("0"), Some("0"), None)
    );
    let settings = MockSettings {
        retry_after: Some(3),
        ..settings
    };
    let (_mock, client) = start_with(settings).await;
    let reply = client.get(DEFINITIONS).await;
    assert_eq!(
        (reply.header("ratelimit-reset"), reply.header("retry-after")),
        (Some("3"), Some("3"))
    );
}

#[tokio::test]
async fn a_track_id_is_given_back_and_checked() {
    let (_mock, client) = start().await;
    let tracked = |id: &str| client.with("Zuora-Track-Id", id);
    let long = "t".repeat(64);
    for id in ["run-7 batch(3)", &long] {
        let reply = tracked(id).get(DEFINITIONS).await;
        assert_eq!((reply.status, reply.header("zuora-track-id")), (200, Some(id)));
    }
    for id in [&format!("{long}t"), "a:b", "a;b", "a\"b", "a'b", "é"] {
        let reply = tracked(id).get(DEFINITIONS).await;
        assert_eq!(
            (reply.status, reply.header("zuora-track-id")),
            (400, None),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_version_is_a_date() {
    let (_mock, client) = start().await;
    for (version, status) in [("2024-05-20", 200), ("latest", 400)] {
        let reply = client.with("Zuora-Version", version).get(DEFINITIONS).await;
        assert_eq!(reply.status, status, "{version}");
    }
}
