//! The accountant: every record that was read ends in exactly one count, and every reject on disk.

use std::path::PathBuf;
use std::sync::Arc;

use super::StopWhen;
use super::books::{BookError, Books};
use super::feed::Shaped;
use crate::accepted::AcceptedFile;
use crate::causes::in_one_line;
use crate::delivery::{Delivery, Fate};
use crate::endpoint::Prepared;
use crate::ledger::{KeptKind, LedgerError, Settled};
use crate::new_file::FileError;
use crate::rejects::{Keep, Reject, RejectFile};
use crate::report::{Ending, Progress, Reasons, Report, Slowest, Totals};
use crate::webhook::{Events, Gate, Told};

pub(super) struct Accountant {
    totals: Totals,
    requests: u64,
    cut_replies: u64,
    blank_lines: u64,
    bytes_read: u64,
    lacking_needs: u64,
    rejects: RejectFile,
    in_doubt: RejectFile,
    accepted: Option<AcceptedFile>,
    reasons: Reasons,
    warnings: Vec<String>,
    stop_when: StopWhen,
    stops_in_doubt: bool,
    unwritable: Option<String>,
    books: Option<Books>,
    /// How much of a record its reject keeps, in the ledger as in a file.
    keep: Keep,
    /// What earlier sessions of the run counted; `stop_when` looks at this one alone.
    earlier: Totals,
    slowest: Slowest,
    events: Events,
    progress: Arc<Progress>,
}

impl Accountant {
    pub(super) fn new(
        (rejects, in_doubt, keep): (PathBuf, PathBuf, Keep),
        (stop_when, stops_in_doubt): (StopWhen, bool),
        accepted: Option<AcceptedFile>,
        events: Events,
        books: Option<Books>,
        progress: Arc<Progress>,
    ) -> Self {
        let earlier = books
            .as_ref()
            .map(|books| books.earlier().totals)
            .unwrap_or_default();
        Self {
            totals: earlier,
            earlier,
            slowest: Slowest::default(),
            requests: 0,
            cut_replies: 0,
            blank_lines: 0,
            bytes_read: 0,
            lacking_needs: 0,
            rejects: RejectFile::new(rejects, books.as_ref().map(Books::run)),
            in_doubt: RejectFile::new(in_doubt, books.as_ref().map(Books::run)),
            keep,
            books,
            accepted,
            reasons: Reasons::default(),
            warnings: Vec::new(),
            stop_when,
            stops_in_doubt,
            unwritable: None,
            events,
            progress,
        }
    }

    /// Counts what was read and gives the batches that it makes.
    pub(super) fn take(&mut self, shaped: Shaped) -> Vec<Vec<Prepared>> {
        self.totals.read += shaped.read;
        self.totals.filtered += shaped.filtered.count();
        self.blank_lines += shaped.blank_lines;
        self.bytes_read = self.bytes_read.max(shaped.bytes_read);
        self.lacking_needs += shaped.lacking_needs;
        self.warn(shaped.warnings);
        self.totals.unsent += shaped.unsent.iter().map(|part| part.len() as u64).sum::<u64>();
        let mut settled = Settled::default();
        settled.filtered(&shaped.filtered);
        for reject in shaped.rejects {
            self.reject(reject, &mut settled);
        }
        for reject in shaped.held {
            self.doubt(reject, &mut settled);
        }
        self.write_down(settled);
        shaped.batches
    }

    pub(super) fn warn(&mut self, warnings: Vec<String>) {
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        self.warnings.extend(warnings);
    }

    pub(super) fn requests(&mut self, requests: u64, cut_replies: u64) {
        self.requests += requests;
        self.cut_replies += cut_replies;
    }

    /// Counts what became of a batch's records, and writes it down at once or not at all: a batch that is known by
    /// halves could not be sent again as it was.
    pub(super) fn settle(&mut self, deliveries: &[Delivery]) {
        let mut settled = Settled::default();
        for delivery in deliveries {
            self.count(delivery, &mut settled);
        }
        self.write_down(settled);
    }

    fn count(&mut self, delivery: &Delivery, settled: &mut Settled) {
        let records = delivery.items.len() as u64;
        let exchange = delivery.exchange.as_deref();
        match self.events.tell(delivery) {
            Told::Keep { webhook_id, body } => settled.event(webhook_id, body),
            Told::Dropped => settled.dropped_event(),
            Told::Done => {}
        }
        match &delivery.fate {
            Fate::Accepted => {
                self.totals.accepted += records;
                delivery
                    .items
                    .iter()
                    .for_each(|item| settled.accepted(item.record.position.ordinal));
                self.write_accepted(delivery);
            }
            Fate::Unsent => self.totals.unsent += records,
            Fate::Rejected(reason) => {
                for item in &delivery.items {
                    self.reject(reject_of(item, reason, delivery), settled);
                }
            }
            Fate::InDoubt(reason) => {
                for item in &delivery.items {
                    self.doubt(reject_of(item, reason, delivery), settled);
                }
            }
        }
        if let (Some(exchange), Some(first)) = (exchange, delivery.items.first()) {
            let status = exchange.status.map(|status| status.as_u16());
            let record = || first.record.position.to_string();
            self.slowest
                .see(exchange.elapsed, status, exchange.attempts, record);
        }
    }

    /// Writes accepted records before the ledger knows that they are: none is missing after a crash, and one may be there
    /// twice.
    fn write_accepted(&mut self, delivery: &Delivery) {
        let reply = delivery
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.reply.as_ref());
        if let Some(file) = &mut self.accepted {
            let written = file.write(&delivery.items, &delivery.places, reply);
            self.note(written);
        }
    }

    /// Hands what is settled to the ledger, which shows the progress once it is on disk. Without one it must at least
    /// outlive this process before more is sent.
    fn write_down(&mut self, settled: Settled) {
        let Some(books) = &self.books else {
            let handed_over = self.rejects.hand_over().and_then(|()| self.in_doubt.hand_over());
            self.note(handed_over);
            self.progress.set(&self.totals, self.bytes_read);
            return;
        };
        books.settle(settled, &self.totals, self.bytes_read, self.requests);
    }

    /// The ledger cannot be written to any more.
    pub(super) fn fail(&mut self, error: &LedgerError) {
        self.unwritable.get_or_insert_with(|| in_one_line(error));
    }

    /// Shut while the run has to wait for its webhook.
    pub(super) fn gate(&self) -> Gate {
        self.events.gate()
    }

    pub(super) fn books(&self) -> Option<&Books> {
        self.books.as_ref()
    }

    /// Records that were read and then lost with the thread that held them were never sent.
    pub(super) fn count_lost(&mut self) {
        let Totals {
            accepted,
            rejected,
            filtered,
            in_doubt,
            unsent,
            read,
        } = self.totals;
        self.totals.unsent += read.saturating_sub(accepted + rejected + filtered + in_doubt + unsent);
    }

    /// Why the run should stop, if it should.
    pub(super) fn stop_reason(&self) -> Option<(Ending, String)> {
        const FEWEST: u64 = 100;
        if let Some(error) = &self.unwritable {
            return Some((Ending::Unwritable, error.clone()));
        }
        let rejected = self.totals.rejected - self.earlier.rejected;
        let accepted = self.totals.accepted - self.earlier.accepted;
        let in_doubt = self.totals.in_doubt - self.earlier.in_doubt;
        if self.stops_in_doubt && in_doubt > 0 {
            return Some((
                Ending::StopWhen,
                format!("{in_doubt} records are in doubt, and `in_doubt` is `stop`"),
            ));
        }
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

    /// Records that an earlier session may have sent, and that this one was to read again and did not.
    fn unanswered(&mut self) -> u64 {
        let count = match self.books.as_ref().map_or(Ok(0), Books::unanswered) {
            Ok(count) => count,
            Err(error) => {
                self.fail(&error);
                0
            }
        };
        if count > 0 {
            self.warn(vec![format!(
                "{count} records may have been sent by an earlier session and were not read again; `outpour doubts` names them"
            )]);
        }
        count
    }

    /// Writes what is left, fills the report and gives the books back, to be closed with it.
    pub(super) async fn finish(
        mut self,
        report: &mut Report,
        ending: Ending,
        because: Option<String>,
        enough: impl Future<Output = ()>,
    ) -> Option<Books> {
        if let Err(error) = self.write_files().await {
            self.unwritable.get_or_insert(in_one_line(&error));
        }
        let unanswered = self.unanswered();
        if let Some(warning) = self.accepted.as_ref().and_then(AcceptedFile::warning) {
            self.warn(vec![warning]);
        }
        if self.lacking_needs > 0 {
            let count = self.lacking_needs;
            self.warn(vec![format!(
                "{count} records lacked what the endpoint needs and were sent all the same"
            )]);
        }
        if self.totals.filtered > 0 && self.totals.filtered + self.totals.rejected == self.totals.read {
            self.warn(vec![
                "`where`, `map` or `skip` filtered out every record that could be read".to_owned(),
            ]);
        }
        let outcome = std::mem::take(&mut self.events).finish(enough).await;
        self.warn(outcome.warnings);
        (report.ending, report.stopped_because) = match (&self.unwritable, self.totals.is_balanced()) {
            (_, false) => (
                Ending::Defect,
                Some("the totals do not add up, this is a defect of outpour".to_owned()),
            ),
            (Some(error), _) => (Ending::Unwritable, Some(error.clone())),
            (None, true) => (ending, because),
        };
        report.totals = self.totals;
        report.requests = self.requests;
        report.cut_replies = self.cut_replies;
        report.blank_lines = self.blank_lines;
        report.warnings = self.warnings;
        report.webhook = outcome.webhook;
        report.responses_file = outcome.file;
        report.rejects_files = self.rejects.paths();
        report.in_doubt_files = self.in_doubt.paths();
        report.accepted_files = self
            .accepted
            .as_ref()
            .map(AcceptedFile::paths)
            .unwrap_or_default();
        report.reasons = self.reasons.most_frequent();
        report.slowest = self.slowest.list();
        report.exit_code = report.ending.exit_code(&self.totals);
        if unanswered > 0 && report.ending == Ending::Finished {
            report.exit_code = 75;
        }
        self.books
    }

    /// The files of rejects and doubts: complete on disk, and with a ledger copied from there.
    async fn write_files(&mut self) -> Result<(), BookError> {
        // A ledger belongs to one thread at a time, so none is borrowed while this waits.
        if let Some(flushed) = self.books.as_ref().map(Books::flush) {
            flushed.await?;
        }
        if let Some(books) = &self.books {
            books.write_file(KeptKind::Reject, &mut self.rejects)?;
            books.write_file(KeptKind::Doubt, &mut self.in_doubt)?;
        }
        if let Some(file) = &mut self.accepted {
            file.sync()?;
        }
        self.rejects.sync()?;
        Ok(self.in_doubt.sync()?)
    }

    fn reject(&mut self, reject: Reject, settled: &mut Settled) {
        self.totals.rejected += 1;
        let place = || reject.position.to_string();
        self.reasons.add(&reject.reason, reject.code.as_deref(), place);
        let kept = self.keep.of(reject);
        if self.books.is_some() {
            return settled.rejected(kept);
        }
        let written = self.rejects.write(&kept);
        self.note(written);
    }

    fn doubt(&mut self, doubt: Reject, settled: &mut Settled) {
        self.totals.in_doubt += 1;
        let place = || doubt.position.to_string();
        self.reasons
            .add(&format!("in doubt: {}", doubt.reason), None, place);
        let kept = self.keep.of(doubt);
        if self.books.is_some() {
            return settled.in_doubt(kept);
        }
        let written = self.in_doubt.write(&kept);
        self.note(written);
    }

    /// Keeps the first failure to write; the run then stops, since it could not account for more.
    fn note(&mut self, written: Result<(), FileError>) {
        if let Err(error) = written {
            self.unwritable.get_or_insert(in_one_line(&error));
        }
    }
}

fn reject_of(item: &Prepared, reason: &str, delivery: &Delivery) -> Reject {
    let exchange = delivery.exchange.as_deref();
    Reject {
        position: item.record.position.clone(),
        original: item.record.original().clone(),
        is_record: true,
        reason: reason.to_owned(),
        code: delivery.code.clone(),
        status: exchange
            .and_then(|exchange| exchange.status)
            .map(|status| status.as_u16()),
        attempts: exchange.map_or(0, |exchange| exchange.attempts),
        reply: exchange
            .and_then(|exchange| exchange.reply.as_ref())
            .map(|reply| reply.body.clone())
            .filter(|body| !body.is_empty()),
    }
}
