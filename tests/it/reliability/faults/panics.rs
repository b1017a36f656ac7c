//! Row: panic in a task. A panic is a defect of outpour, so these go through the library, with parts that have one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::StatusCode;
use outpour::client::{Reply, Request, Sender, SenderSettings, Transport, TransportError};
use outpour::config::{Config, Plan, PlanOptions, Secrets};
use outpour::pipeline;
use outpour::report::{Progress, Report};
use outpour::source::{Chunk, Source, SourceError};
use outpour::template::Catalog;
use outpour::webhook::Events;
use tempfile::TempDir;
use tokio::sync::watch;

/// Answers 200, and panics at the third request.
struct Faulty(AtomicUsize);

impl Transport for Faulty {
    async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
        assert!(
            self.0.fetch_add(1, Ordering::Relaxed) != 2,
            "the third request meets a defect"
        );
        Ok(Reply::new(StatusCode::OK, ""))
    }
}

/// Gives the chunks of another source, and panics where it ends.
struct Torn(Box<dyn Source>);

impl Source for Torn {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, SourceError> {
        let chunk = self.0.next_chunk()?;
        assert!(chunk.is_some(), "the end of the input meets a defect");
        Ok(chunk)
    }
}

/// Runs a job over ten records, two a request, through these.
async fn run<T: Transport>(transport: T, tear: bool) -> (Report, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let lines = (1..=10).map(|number| format!("{{\"n\":{number}}}\n"));
    let input = folder.path().join("records.ndjson");
    std::fs::write(&input, lines.collect::<String>()).unwrap();
    let text = format!(
        "source: {{path: '{}'}}\ndestination: {{method: PUT, url: 'https://api.example.com/in'}}\n\
         batch: {{max_records: 2}}\nlimits: {{concurrency: 1}}\nrejects: {{path: '{}'}}\n",
        input.display(),
        folder.path().join("job.rejected").display()
    );
    let (config, document) = Config::parse("job.yaml", &text).unwrap();
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    let plan = Plan::make(&config, &document, &Catalog::built_in().unwrap(), &options).unwrap();
    let source = outpour::source::open(&config.source).unwrap();
    let source: Box<dyn Source> = if tear { Box::new(Torn(source)) } else { source };
    let sender = Sender::new(transport, &SenderSettings::default());
    let (_stop, signal) = watch::channel(None);
    let events = Events::new(plan.context.clone());
    let report = pipeline::run(
        plan.job,
        source,
        sender,
        events,
        Arc::new(Progress::default()),
        signal,
    )
    .await;
    (report, folder)
}

#[tokio::test]
async fn a_panic_in_a_delivery_task_ends_the_run_with_70_and_its_records_are_in_doubt() {
    let (report, folder) = run(Faulty(AtomicUsize::new(0)), false).await;
    let totals = report.totals;
    assert!(totals.is_balanced(), "{totals:?}");
    assert_eq!((report.exit_code, totals.read, totals.in_doubt), (70, 10, 2));
    assert!(totals.accepted >= 4 && totals.rejected == 0, "{totals:?}");
    assert_eq!(
        report.stopped_because.as_deref(),
        Some("a delivery ended in a panic")
    );
    let in_doubt = std::fs::read_to_string(folder.path().join("job.in-doubt.ndjson")).unwrap();
    assert_eq!(in_doubt.lines().count(), 2);
}

#[tokio::test]
async fn a_panic_in_the_reading_thread_ends_the_run_with_70_and_what_was_read_is_settled() {
    let (report, _folder) = run(Faulty(AtomicUsize::new(100)), true).await;
    let totals = report.totals;
    assert!(totals.is_balanced(), "{totals:?}");
    assert_eq!((report.exit_code, totals.read, totals.accepted), (70, 10, 10));
    assert_eq!(
        report.stopped_because.as_deref(),
        Some("the reading thread panicked")
    );
}

#[test]
fn a_panic_is_unwound_and_not_an_abort() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    assert!(!manifest.contains("panic = \"abort\""));
}
