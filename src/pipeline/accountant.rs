//! The accountant: every record that was read ends in exactly one count, and every reject on disk.

use std::sync::Arc;

use super::StopWhen;
use super::feed::Shaped;
use crate::causes::in_one_line;
use crate::delivery::{Delivery, Exchange, Fate};
use crate::endpoint::Prepared;
use crate::new_file::FileError;
use crate::rejects::{Reject, RejectFile};
use crate::report::{Ending, Progress, Reasons, Report, Totals};
use crate::webhook::Events;

pub(super) struct Accountant {
    totals: Totals,
    requests: u64,
    blank_lines: u64,
    bytes_read: u64,
    lacking_needs: u64,
    rejects: RejectFile,
    in_doubt: RejectFile,
    reasons: Reasons,
    warnings: Vec<String>,
    stop_when: StopWhen,
    unwritable: Option<FileError>,
    events: Events,
    progress: Arc<Progress>,
}

impl Accountant {
    pub(super) fn new(
        rejects: RejectFile,
        in_doubt: RejectFile,
        stop_when: StopWhen,
        events: Events,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            totals: Totals::default(),
            requests: 0,
            blank_lines: 0,
            bytes_read: 0,
            lacking_needs: 0,
            rejects,
            in_doubt,
            reasons: Reasons::default(),
            warnings: Vec::new(),
            stop_when,
            unwritable: None,
            events,
            progress,
        }
    }

    /// Counts what was read and gives the batches that it makes.
    pub(super) fn take(&mut self, shaped: Shaped) -> Vec<Vec<Prepared>> {
        self.totals.read += shaped.read;
        self.totals.filtered += shaped.filtered;
        self.blank_lines += shaped.blank_lines;
        self.bytes_read = self.bytes_read.max(shaped.bytes_read);
        self.lacking_needs += shaped.lacking_needs;
        self.warn(shaped.warnings);
        for reject in &shaped.rejects {
            self.reject(reject);
        }
        self.hand_over(!shaped.rejects.is_empty());
        self.progress.set(&self.totals, self.bytes_read);
        shaped.batches
    }

    pub(super) fn warn(&mut self, warnings: Vec<String>) {
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        self.warnings.extend(warnings);
    }

    pub(super) fn requests(&mut self, requests: u64) {
        self.requests += requests;
    }

    /// Counts what became of records.
    pub(super) fn settle(&mut self, delivery: &Delivery) {
        let records = delivery.items.len() as u64;
        self.events.tell(delivery);
        let exchange = delivery.exchange.as_deref();
        match &delivery.fate {
            Fate::Accepted => self.totals.accepted += records,
            Fate::Unsent => self.totals.unsent += records,
            Fate::Rejected(reason) => {
                for item in &delivery.items {
                    self.reject(&reject_of(item, reason, exchange));
                }
            }
            Fate::InDoubt(reason) => {
                self.totals.in_doubt += records;
                for item in &delivery.items {
                    let reject = reject_of(item, reason, exchange);
                    self.reasons
                        .add(&format!("in doubt: {reason}"), || reject.position.to_string());
                    let written = self.in_doubt.write(&reject);
                    self.note(written);
                }
            }
        }
        self.hand_over(matches!(delivery.fate, Fate::Rejected(_) | Fate::InDoubt(_)));
        self.progress.set(&self.totals, self.bytes_read);
    }

    /// What was written must outlive this process before more is sent.
    fn hand_over(&mut self, has_news: bool) {
        if has_news {
            let handed_over = self.rejects.hand_over().and_then(|()| self.in_doubt.hand_over());
            self.note(handed_over);
        }
    }

    /// Why the run should stop, if it should.
    pub(super) fn stop_reason(&self) -> Option<(Ending, String)> {
        const FEWEST: u64 = 100;
        if let Some(error) = &self.unwritable {
            return Some((Ending::Unwritable, in_one_line(error)));
        }
        let Totals {
            rejected,
            accepted,
            in_doubt,
            ..
        } = self.totals;
        if let Some(most) = self.stop_when.rejects.filter(|most| rejected >= *most) {
            return Some((
                Ending::StopWhen,
                format!("{rejected} rejects, `stop_when.rejects` is {most}"),
            ));
        }
        let settled = rejected + accepted + in_doubt;
        let most = self.stop_when.reject_ratio.filter(|_| settled >= FEWEST)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share needs no more precision than that"
        )]
        let is_over = rejected as f64 > most.ratio() * settled as f64;
        is_over.then(|| {
            (
                Ending::StopWhen,
                format!("{rejected} of {settled} rejected, `stop_when.reject_ratio` is {most}"),
            )
        })
    }

    /// Writes what is left and fills the report.
    pub(super) async fn finish(
        mut self,
        report: &mut Report,
        ending: Ending,
        because: Option<String>,
        enough: impl Future<Output = ()>,
    ) {
        let flushed = self.rejects.sync().and_then(|()| self.in_doubt.sync());
        self.note(flushed);
        if self.lacking_needs > 0 {
            let count = self.lacking_needs;
            self.warn(vec![format!(
                "{count} records lacked what the endpoint needs and were sent all the same"
            )]);
        }
        if self.totals.filtered > 0 && self.totals.filtered + self.totals.rejected == self.totals.read {
            self.warn(vec![
                "`where` or `map` filtered out every record that could be read".to_owned(),
            ]);
        }
        let outcome = std::mem::take(&mut self.events).finish(enough).await;
        self.warn(outcome.warnings);
        (report.ending, report.stopped_because) = match (&self.unwritable, self.totals.is_balanced()) {
            (_, false) => (
                Ending::Defect,
                Some("the totals do not add up, this is a defect of outpour".to_owned()),
            ),
            (Some(error), _) => (Ending::Unwritable, Some(in_one_line(error))),
            (None, true) => (ending, because),
        };
        report.totals = self.totals;
        report.requests = self.requests;
        report.blank_lines = self.blank_lines;
        report.warnings = self.warnings;
        report.webhook = outcome.webhook;
        report.responses_file = outcome.file;
        report.rejects_files = self.rejects.paths();
        report.in_doubt_files = self.in_doubt.paths();
        report.reasons = self.reasons.most_frequent();
        report.exit_code = report.ending.exit_code(&self.totals);
    }

    fn reject(&mut self, reject: &Reject) {
        self.totals.rejected += 1;
        self.reasons.add(&reject.reason, || reject.position.to_string());
        let written = self.rejects.write(reject);
        self.note(written);
    }

    /// Keeps the first failure to write; the run then stops, since it could not account for more.
    fn note(&mut self, written: Result<(), FileError>) {
        if let Err(error) = written {
            self.unwritable.get_or_insert(error);
        }
    }
}

fn reject_of(item: &Prepared, reason: &str, exchange: Option<&Exchange>) -> Reject {
    Reject {
        position: item.record.position.clone(),
        original: item.record.original().clone(),
        is_record: true,
        reason: reason.to_owned(),
        status: exchange
            .and_then(|exchange| exchange.status)
            .map(|status| status.as_u16()),
        attempts: exchange.map_or(0, |exchange| exchange.attempts),
    }
}
