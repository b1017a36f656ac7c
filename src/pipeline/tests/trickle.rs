//! Records that come now and then.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::{batch, endpoint};
use crate::batch::BatchLimits;
use crate::client::{Reply, Request, Sender, SenderSettings, Transport, TransportError};
use crate::endpoint::Routes;
use crate::ledger::{Ledger, NewRun, Resume};
use crate::pipeline::feed::{Feed, Shaped};
use crate::pipeline::{Books, Job, OrderBy, Run, StopWhen};
use crate::rejects::Keep;
use crate::report::{Progress, Report};
use crate::shape::{RecordsConfig, Shaper};
use crate::webhook::Events;

/// Takes everything and remembers when it came.
#[derive(Clone, Default)]
struct Api(Arc<Mutex<Vec<Instant>>>);

impl Transport for Api {
    async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
        self.0.lock().unwrap().push(Instant::now());
        Ok(Reply::new(StatusCode::OK, ""))
    }
}

/// Gives so many records, one a second.
fn trickle(count: u64) -> mpsc::Receiver<Feed> {
    let (feed, fed) = mpsc::channel(1);
    tokio::spawn(async move {
        for number in 1..=count {
            let shaped = Shaped {
                read: 1,
                batches: vec![batch(number)],
                ..Shaped::default()
            };
            // The run listens until the end.
            let _ = feed.send(Feed::Shaped(shaped)).await;
            sleep(Duration::from_secs(1)).await;
        }
        let end = Feed::End {
            error: None,
            notes: Vec::new(),
            is_limited: false,
        };
        let _ = feed.send(end).await;
    });
    fed
}

fn job(folder: &std::path::Path) -> Job {
    let ledger = Ledger::open(&folder.join("state")).unwrap();
    let resume = Resume {
        run: ledger.begin(&NewRun::default()).unwrap(),
        ..Resume::default()
    };
    Job {
        run_id: "trickle".to_owned(),
        key_id: "trickle".to_owned(),
        is_doubtful: false,
        is_cut_short: false,
        name: "trickle".to_owned(),
        routes: Routes::one(endpoint(), 1),
        shaper: Shaper::compile(&RecordsConfig::default()).unwrap(),
        batch: BatchLimits::default(),
        group_by: Vec::new(),
        order_by: OrderBy::Nothing,
        in_flight: 8,
        stop_when: StopWhen::default(),
        in_doubt: None,
        limit: None,
        keep: Keep::default(),
        accepted: None,
        rejects: folder.join("rejected"),
        doubts: folder.join("in-doubt"),
        grace: Duration::from_secs(30),
        books: Some(Books::open_inline(ledger, resume, 1, Arc::default(), 0).unwrap()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_a_second_is_sent_at_once_and_each_later_one_within_milliseconds() {
    let (folder, api, start) = (tempfile::tempdir().unwrap(), Api::default(), Instant::now());
    let sender = Sender::new(api.clone(), &SenderSettings::default());
    let (_stay, mut signal) = watch::channel(None);
    let mut report = Report::new("trickle", "trickle", "manual".to_owned());
    let stop = Arc::new(AtomicBool::new(false));
    let progress = Arc::new(Progress::default());
    let (feed, mut run) = Run::new(
        job(folder.path()),
        sender,
        Events::default(),
        progress,
        &stop,
        |_| trickle(4),
    );
    run.drive(feed, &mut signal).await;
    run.finish(&mut report, signal, start).await;
    assert_eq!((report.totals.accepted, report.exit_code), (4, 0));
    let came = api.0.lock().unwrap();
    let due = |second| start + Duration::from_secs(second);
    let late: Vec<u128> = (0..)
        .zip(came.iter())
        .map(|(second, came)| came.duration_since(due(second)).as_millis())
        .collect();
    assert_eq!(late[0], 0, "the first waits for nothing");
    assert!(late[1..].iter().all(|late| (1..10).contains(late)), "{late:?}");
}
