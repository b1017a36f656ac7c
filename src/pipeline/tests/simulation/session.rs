//! One session of a run: as the program does it, on a clock that stands still, until it ends or dies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::Instant;

use super::api::{Api, Arrivals, KEY};
use super::input::Input;
use super::life::{Life, Mortal};
use super::plan::{Cut, Lists, Plan};
use crate::batch::{BatchLimits, BodyShape};
use crate::client::{Limits, LimitsConfig, RetryConfig, Sender, SenderSettings};
use crate::endpoint::{DestinationConfig, Endpoint, EndpointInput, Operation, Route, Routes};
use crate::ledger::{Course, Fingerprint, Intent, Ledger, NewRun, Resume};
use crate::pipeline::{Books, Job, OrderBy, Run, StopWhen, feed};
use crate::rejects::Keep;
use crate::report::{Progress, Report};
use crate::shape::{RecordsConfig, Shaper};
use crate::units::TimeSpan;
use crate::webhook::Events;

/// The job's name.
const JOB: &str = "simulated";

/// What a session began with and came to.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) number: usize,
    pub(super) resume: Resume,
    /// None where it died.
    pub(super) report: Option<Report>,
}

impl Session {
    pub(super) fn run(plan: &mut Plan, folder: &Path, arrivals: &Arrivals, number: usize) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (signal, signalled) = watch::channel(None);
        let cut = plan.cuts.get(number).copied();
        let life = Life::new(cut, signal);
        let (books, resume) = open_books(plan, folder);
        let run = prepare(
            plan,
            folder,
            &runtime,
            books,
            (arrivals, number, &life),
            signalled,
        );
        let report = runtime.block_on(async {
            Mortal {
                run: Box::pin(run),
                life,
            }
            .await
        });
        Self {
            number,
            resume,
            report,
        }
    }
}

/// As `outpour run` does it: the last run is gone on with if it was stopped, else one begins.
fn open_books(plan: &Plan, folder: &Path) -> (Books, Resume) {
    let ledger = Ledger::open(&folder.join("state")).unwrap();
    let fingerprint = Fingerprint::default();
    let last = ledger.last_run(JOB, false).unwrap();
    let has_progress = last
        .as_ref()
        .is_some_and(|run| ledger.has_progress(run.id).unwrap());
    let course = Course::choose(last, has_progress, false, &fingerprint, Intent::Usual).unwrap();
    let (resume, sessions) = match course {
        Course::Begin { replaces, .. } => {
            if let Some(stopped) = replaces {
                ledger.replace(stopped).unwrap();
            }
            let run = ledger.begin(&NewRun {
                run_id: format!("simulated-{}", ledger.runs(None).unwrap().len()),
                job: JOB.to_owned(),
                ..NewRun::default()
            });
            let run = run.unwrap();
            let resume = Resume {
                run,
                ..Resume::default()
            };
            (resume, 1)
        }
        Course::GoOn(run) => (ledger.go_on(&run, &fingerprint).unwrap(), run.sessions + 1),
    };
    let progress = Arc::new(Progress::default());
    let books = Books::open_inline(ledger, resume.clone(), sessions, progress, plan.commit_every);
    (books.unwrap(), resume)
}

fn prepare(
    plan: &mut Plan,
    folder: &Path,
    runtime: &Runtime,
    books: Books,
    (arrivals, number, life): (&Arrivals, usize, &Life),
    mut signal: watch::Receiver<Option<i32>>,
) -> impl Future<Output = Report> + use<> {
    let _guard = runtime.enter();
    let dice = plan.dice.split();
    let api = Api::new(plan, arrivals, number, dice, life.clone());
    let sender = Sender::new(api, &sender_settings(plan));
    let source = Box::new(Input::of(&plan.kinds, plan.dice.split()));
    let (job, stop) = (job(plan, folder, books, number), Arc::new(AtomicBool::new(false)));
    let mut report = Report::new(&job.run_id, &job.name, job.routes.name());
    let progress = Arc::new(Progress::default());
    let (feed, mut run) = Run::new(job, sender, Events::default(), progress, &stop, |settings| {
        feed::inline(source, settings, Arc::clone(&stop))
    });
    run.outbound.enough = plan.enough;
    async move {
        let started = Instant::now();
        run.drive(feed, &mut signal).await;
        run.finish(&mut report, signal, started).await;
        report
    }
}

/// Plans of so many at once let them be found.
const AUTO_FROM: u32 = 6;

fn sender_settings(plan: &mut Plan) -> SenderSettings {
    let rate = plan.rate.map(|rate| format!("{rate}/s"));
    let mut limits = serde_json::json!({"rate": rate, "concurrency": plan.concurrency});
    if plan.concurrency == AUTO_FROM {
        limits["concurrency"] = "auto".into();
        limits["max_concurrency"] = plan.concurrency.into();
    }
    let limits: LimitsConfig = serde_json::from_value(limits).unwrap();
    let limits: Limits = limits.check().unwrap();
    SenderSettings {
        limits,
        retry: RetryConfig {
            attempts: plan.attempts,
            initial_backoff: TimeSpan::from_millis(100),
            max_backoff: TimeSpan::from_secs(2),
            deadline: TimeSpan::from_secs(60),
            ..RetryConfig::default()
        },
        redirects: crate::client::Redirects::default(),
        token: None,
        seed: Some(plan.dice.between(0, 1 << 40)),
    }
}

fn job(plan: &Plan, folder: &Path, books: Books, number: usize) -> Job {
    let records: RecordsConfig = serde_json::from_value(serde_json::json!({"where": ".keep"})).unwrap();
    let grace = match plan.cuts.get(number) {
        Some(Cut::Stop(_, grace)) => *grace,
        _ => std::time::Duration::from_secs(30),
    };
    Job {
        run_id: "simulated".to_owned(),
        key_id: "simulated".to_owned(),
        is_doubtful: false,
        is_cut_short: false,
        name: JOB.to_owned(),
        routes: routes(plan),
        shaper: Shaper::compile(&records).unwrap(),
        batch: BatchLimits {
            max_records: plan.max_records,
            // The stage that batches looks at a clock of its own.
            max_wait: std::time::Duration::from_secs(3_600),
            ..BatchLimits::default()
        },
        group_by: if plan.is_grouped {
            vec!["group".to_owned()]
        } else {
            Vec::new()
        },
        order_by: if plan.is_ordered {
            OrderBy::All(vec!["group".to_owned()])
        } else {
            OrderBy::Nothing
        },
        in_flight: plan.concurrency as usize * 2,
        stop_when: StopWhen {
            rejects: plan.stop_at_rejects,
            reject_ratio: None,
        },
        in_doubt: plan.in_doubt,
        limit: None,
        keep: Keep::default(),
        accepted: None,
        rejects: folder.join("simulated.rejected"),
        doubts: folder.join("simulated.in-doubt"),
        grace,
        books: Some(books),
    }
}

/// One endpoint, or one for what is new and one, which takes one record a request, for what is gone.
fn routes(plan: &Plan) -> Routes {
    if !plan.is_routed {
        return Routes::one(endpoint(plan, "POST"), plan.max_records);
    }
    let route = |method, max_records, operation| Route {
        endpoint: endpoint(plan, method).into(),
        max_records,
        operations: vec![operation],
    };
    let routes = vec![
        route("POST", plan.max_records, Operation::Insert),
        route("PATCH", 1, Operation::Delete),
    ];
    let config = serde_json::from_value(serde_json::json!({"field": "op"})).unwrap();
    Routes::by_operation(routes, config).unwrap()
}

fn endpoint(plan: &Plan, method: &str) -> Endpoint {
    let success = if plan.has_results {
        serde_json::json!({"items": ".results"})
    } else if plan.lists() != Lists::None {
        serde_json::json!({"failed": {
            "list": ".details", "record": ".record", "code": ".code", "retry": ".code == 61", "partial": [500],
        }})
    } else {
        serde_json::json!({})
    };
    let destination = serde_json::json!({
        "method": method,
        "url": "http://127.0.0.1/records",
        "safe_to_resend": plan.is_safe,
        "idempotency": {"header": KEY},
        "needs": [{"any_of": ["id"]}],
        "success": success,
    });
    let destination: DestinationConfig = serde_json::from_value(destination).unwrap();
    let input = EndpointInput {
        destination: &destination,
        template: None,
        secrets: &BTreeMap::new(),
        body_shape: Some(&BodyShape::Array),
        is_batched: true,
        distinct: &[],
        empty: None,
        definitions: None,
    };
    Endpoint::compile(&input).unwrap()
}
