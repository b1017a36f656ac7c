use std::time::Duration;

use super::*;

const PERSON: &str = r#"[{"email":"a@b"}]"#;

fn of_two(beyond: &str) -> MockSettings {
    MockSettings {
        latency: Duration::from_millis(200),
        capacity: Some("2,4@6".parse().unwrap()),
        beyond: beyond.parse().unwrap(),
        retry_after: Some(7),
        ..MockSettings::default()
    }
}

/// The statuses of so many requests at once, in the order of their answers.
async fn at_once(caller: &Caller, many: usize) -> Vec<caller::Reply> {
    let calls = (0..many).map(|_| {
        let caller = caller.clone();
        tokio::spawn(async move { caller.rest("POST", "/people", PERSON).await })
    });
    let mut replies = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        replies.push(call.await.unwrap());
    }
    replies
}

#[tokio::test]
async fn beyond_the_capacity_requests_are_refused_until_it_is_larger() {
    for status in [429, 503] {
        let (mock, caller) = start_with(of_two(&status.to_string())).await;
        let replies = at_once(&caller, 5).await;
        let refused: Vec<_> = replies.iter().filter(|reply| reply.status == status).collect();
        assert_eq!(refused.len(), 3);
        assert!(
            refused
                .iter()
                .all(|reply| reply.header("retry-after") == Some("7"))
        );
        let replies = at_once(&caller, 4).await;
        assert!(replies.iter().all(|reply| reply.status == 200));
        let arrivals = mock.state().arrivals;
        assert_eq!((arrivals.concurrency_limited, arrivals.carried_out), (3, 6));
        assert_eq!(arrivals.most_at_once, 4);
    }
}

#[tokio::test]
async fn beyond_the_capacity_requests_take_longer_and_within_it_they_do_not() {
    let (mock, caller) = start_with(of_two("slow")).await;
    let start = std::time::Instant::now();
    let replies = at_once(&caller, 5).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    // Five of two: the last one takes five halves of the latency.
    assert!(start.elapsed() >= Duration::from_millis(500));
    assert_eq!(mock.state().arrivals.most_at_once, 5);
}
