//! The two threads that feed a run: one reads, one shapes, prepares and batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::order::{OpenKeys, OrderBy};
use super::past::{Known, Past, Replayed};
use crate::batch::{BatchLimits, Batcher};
use crate::causes::in_one_line;
use crate::endpoint::{Prepared, Routes};
use crate::ledger::Members;
use crate::record::{Outline, Record};
use crate::rejects::Reject;
use crate::report::Ending;
use crate::shape::{ShapeError, Shaped as ShapedRecord, Shaper};
use crate::source::{Chunk, Entry, Source};

/// What the shaping thread works with.
pub(super) struct FeedSettings {
    pub(super) routes: Routes,
    pub(super) shaper: Shaper,
    pub(super) batch: BatchLimits,
    pub(super) group_by: Vec<String>,
    pub(super) order_by: OrderBy,
    pub(super) limit: Option<u64>,
    pub(super) past: Past,
    /// Whether the records may have been carried out by an earlier run.
    pub(super) is_doubtful: bool,
}

/// What reaches the dispatcher.
pub(super) enum Feed {
    /// What became of some records up to here.
    Shaped(Shaped),
    /// The input has ended, perhaps because it became unreadable.
    End {
        error: Option<(Ending, String)>,
        notes: Vec<String>,
        /// Whether the job's limit ended it, and not the input.
        is_limited: bool,
    },
}

/// What became of some records before they are sent.
#[derive(Default)]
pub(super) struct Shaped {
    pub(super) read: u64,
    pub(super) filtered: Members,
    pub(super) blank_lines: u64,
    pub(super) bytes_read: u64,
    pub(super) lacking_needs: u64,
    pub(super) rejects: Vec<Reject>,
    /// Records that an earlier session may have sent, and that are not sent again.
    pub(super) held: Vec<Reject>,
    pub(super) batches: Vec<Vec<Prepared>>,
    /// Parts of batches that may have been sent, and whose other records did not come.
    pub(super) unsent: Vec<Vec<Prepared>>,
    pub(super) warnings: Vec<String>,
}

impl Shaped {
    fn add(&mut self, replayed: Replayed) {
        match replayed {
            Replayed::Send(batch) => self.batches.push(batch),
            Replayed::Hold(records) => self
                .held
                .extend(records.into_iter().map(|prepared| held(prepared.record))),
        }
    }
}

enum Read {
    Chunk(Chunk),
    End {
        error: Option<(Ending, String)>,
        notes: Vec<String>,
    },
}

/// How many chunks wait between two stages.
const WAITING: usize = 4;

/// How long a stage waits before it looks whether the run was stopped.
const LOOK: Duration = Duration::from_millis(50);

/// Starts both threads.
pub(super) fn start(
    source: Box<dyn Source>,
    settings: FeedSettings,
    stop: Arc<AtomicBool>,
) -> mpsc::Receiver<Feed> {
    let (chunks, read) = sync_channel(WAITING);
    let (feed, fed) = mpsc::channel(WAITING);
    let reader_stop = Arc::clone(&stop);
    std::thread::spawn(move || read_all(source, &chunks, &reader_stop));
    std::thread::spawn(move || Stage::new(settings, stop).run(&read, &feed));
    fed
}

/// As [`start`], as a task that takes its turns with the run: the same steps in the same order, each time.
#[cfg(test)]
pub(super) fn inline(
    mut source: Box<dyn Source>,
    settings: FeedSettings,
    stop: Arc<AtomicBool>,
) -> mpsc::Receiver<Feed> {
    let (feed, fed) = mpsc::channel(1);
    let mut stage = Stage::new(settings, stop);
    tokio::spawn(async move {
        while !stage.is_over()
            && let Ok(Some(chunk)) = source.next_chunk()
        {
            let shaped = stage.shape(chunk);
            // Whoever no longer listens has ended the run already.
            let _ = feed.send(Feed::Shaped(shaped)).await;
        }
        let _ = feed.send(Feed::Shaped(stage.rest())).await;
        let end = Feed::End {
            error: None,
            notes: Vec::new(),
            is_limited: stage.is_at_limit(),
        };
        let _ = feed.send(end).await;
    });
    fed
}

fn read_all(mut source: Box<dyn Source>, chunks: &SyncSender<Read>, stop: &AtomicBool) {
    let error = loop {
        if stop.load(Ordering::Relaxed) {
            break None;
        }
        match source.next_chunk() {
            Ok(Some(chunk)) => {
                if chunks.send(Read::Chunk(chunk)).is_err() {
                    return;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some((Ending::Unreadable, in_one_line(&error))),
        }
    };
    // The other side may have stopped listening, and then nobody needs the end.
    let _ = chunks.send(Read::End {
        error,
        notes: source.notes(),
    });
}

/// The shaping stage.
struct Stage {
    settings: FeedSettings,
    batcher: Batcher<Prepared>,
    open_keys: OpenKeys,
    /// Of the record that is on its way through.
    outline: Outline,
    stop: Arc<AtomicBool>,
    read: u64,
    is_unsaid: bool,
    /// Whether shaping leaves every record of the chunk as it is.
    is_untouched: bool,
}

impl Stage {
    fn new(settings: FeedSettings, stop: Arc<AtomicBool>) -> Self {
        let batcher = Batcher::new(settings.batch);
        Self {
            settings,
            batcher,
            open_keys: OpenKeys::default(),
            outline: Outline::default(),
            stop,
            read: 0,
            is_unsaid: true,
            is_untouched: false,
        }
    }

    fn run(mut self, read: &Receiver<Read>, feed: &mpsc::Sender<Feed>) {
        let mut is_limited = false;
        let (error, notes) = loop {
            let mut shaped = Shaped::default();
            match read.recv_timeout(self.patience()) {
                Ok(Read::Chunk(chunk)) => shaped = self.shape(chunk),
                Ok(Read::End { error, notes }) => break (error, notes),
                Err(RecvTimeoutError::Timeout) => shaped.batches = self.expire(Instant::now()),
                Err(RecvTimeoutError::Disconnected) => {
                    break (
                        Some((Ending::Defect, "the reading thread panicked".to_owned())),
                        Vec::new(),
                    );
                }
            }
            let has_news = shaped.read > 0 || shaped.blank_lines > 0 || !shaped.batches.is_empty();
            if has_news && feed.blocking_send(Feed::Shaped(shaped)).is_err() {
                return;
            }
            if self.is_over() {
                is_limited = self.is_at_limit();
                break (None, Vec::new());
            }
        };
        // Whoever no longer listens has ended the run already.
        let _ = feed.blocking_send(Feed::Shaped(self.rest()));
        let end = Feed::End {
            error,
            notes,
            is_limited,
        };
        let _ = feed.blocking_send(end);
    }

    /// Whether no more of the input is wanted.
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.is_at_limit()
    }

    /// What still waits for company when there is no more input.
    fn rest(&mut self) -> Shaped {
        let mut rest = Shaped {
            warnings: self.unknown_attributes(),
            ..Shaped::default()
        };
        rest.unsent = self.settings.past.drain();
        rest.batches.extend(self.batcher.drain());
        rest
    }

    /// Batches that have waited long enough.
    fn expire(&mut self, now: Instant) -> Vec<Vec<Prepared>> {
        let batches = self.batcher.expire(now);
        self.open_keys.forget(&batches);
        batches
    }

    /// Until the next batch is due, or the next look.
    fn patience(&self) -> Duration {
        let due = self
            .batcher
            .deadline()
            .map(|due| due.saturating_duration_since(Instant::now()));
        due.unwrap_or(LOOK).min(LOOK)
    }

    fn is_at_limit(&self) -> bool {
        self.settings.limit.is_some_and(|limit| self.read >= limit)
    }

    fn shape(&mut self, chunk: Chunk) -> Shaped {
        let mut shaped = Shaped {
            blank_lines: chunk.blank_lines,
            bytes_read: chunk.bytes_read,
            ..Shaped::default()
        };
        let now = Instant::now();
        self.is_untouched = chunk.lacks_error_keys && self.settings.shaper.is_idle();
        for entry in chunk.entries {
            if self.is_at_limit() {
                break;
            }
            let known = self.settings.past.of(entry.position().ordinal);
            self.read += 1;
            if known == Known::Settled {
                continue;
            }
            shaped.read += 1;
            match entry {
                Entry::Record(record) => self.take(record, known, &mut shaped, now),
                Entry::Bad(bad) => shaped.rejects.push(Reject {
                    position: bad.position,
                    original: bad.original,
                    is_record: false,
                    reason: bad.reason,
                    code: None,
                    status: None,
                    attempts: 0,
                    reply: None,
                }),
            }
        }
        shaped.batches.extend(self.expire(now));
        if self.settings.shaper.has_seen_enough() {
            shaped.warnings = self.unknown_attributes();
        }
        shaped
    }

    fn take(&mut self, record: Record, known: Known, shaped: &mut Shaped, now: Instant) {
        let ordinal = record.position.ordinal;
        let prepared = self.prepare(record, shaped);
        let past = &mut self.settings.past;
        match prepared {
            Some((prepared, group)) if known == Known::New => {
                shaped.lacking_needs += u64::from(prepared.lacks_need);
                let key = key_of(group, &prepared);
                let most = self.settings.routes.max_records(&prepared);
                let complete = self
                    .open_keys
                    .push(&mut self.batcher, most, prepared, key.as_deref(), now);
                shaped.batches.extend(complete);
            }
            Some((prepared, _)) => past
                .replay(prepared)
                .into_iter()
                .for_each(|whole| shaped.add(whole)),
            None => past
                .missed(ordinal)
                .into_iter()
                .for_each(|whole| shaped.add(whole)),
        }
    }

    /// Shapes and prepares a record, unless it is filtered out or rejected.
    fn prepare(&mut self, record: Record, shaped: &mut Shaped) -> Option<(Prepared, Option<String>)> {
        let ordinal = record.position.ordinal;
        let shaped_record = match self.is_untouched {
            true => Ok(ShapedRecord::Kept(record)),
            false => self.settings.shaper.shape_outlined(record, &mut self.outline),
        };
        let record = match shaped_record {
            Ok(ShapedRecord::Kept(record)) => record,
            Ok(ShapedRecord::Filtered) => {
                shaped.filtered.push(ordinal);
                return None;
            }
            Err(refused) => {
                shaped.rejects.push(unshaped(refused.0, refused.1));
                return None;
            }
        };
        let group = match self.group(&record) {
            Ok(group) => group,
            Err(error) => {
                shaped.rejects.push(reject(record, &error));
                return None;
            }
        };
        let order = match self.settings.order_by.keys_of(&record) {
            Ok(order) => order,
            Err(error) => {
                shaped.rejects.push(reject(record, &error));
                return None;
            }
        };
        match self.settings.routes.prepare_outlined(record, &mut self.outline) {
            Ok(None) => {
                shaped.filtered.push(ordinal);
                None
            }
            Ok(Some(prepared)) => {
                let was_marked = self.settings.is_doubtful;
                Some((
                    Prepared {
                        was_marked,
                        order,
                        ..prepared
                    },
                    group,
                ))
            }
            Err(refused) => {
                shaped.rejects.push(reject(refused.0, &refused.1));
                None
            }
        }
    }

    /// The texts of the record's `group_by` fields.
    fn group(&mut self, record: &Record) -> Result<Option<String>, crate::record::FieldError> {
        if self.settings.group_by.is_empty() {
            return Ok(None);
        }
        self.outline.read(&record.text)?;
        let mut key = String::new();
        for path in &self.settings.group_by {
            key.push_str(self.outline.at(path)?.unwrap_or("null"));
            key.push('\u{0}');
        }
        Ok(Some(key))
    }

    /// Says once which attributes that the job names do not occur.
    fn unknown_attributes(&mut self) -> Vec<String> {
        if !std::mem::take(&mut self.is_unsaid) {
            return Vec::new();
        }
        let words = |(name, meant): (String, Option<String>)| match meant {
            Some(meant) => format!("none of the first records has `{name}`, did you mean `{meant}`?"),
            None => format!("none of the first records has `{name}`"),
        };
        self.settings
            .shaper
            .unknown_attributes()
            .into_iter()
            .map(words)
            .collect()
    }
}

/// The reject of a record that could not be shaped. A row of a rejects file that was not mended is that row again.
fn unshaped(record: Record, error: ShapeError) -> Reject {
    let reject = reject(record, &error);
    match error {
        ShapeError::Unmended(row) => Reject {
            original: row.into(),
            is_record: false,
            ..reject
        },
        _ => reject,
    }
}

/// A record that an earlier session marked, and that has no outcome.
fn held(record: Record) -> Reject {
    Reject {
        original: record.original().clone(),
        position: record.position,
        is_record: true,
        reason: "the run was cut while this may have been under way, and no answer was written down"
            .to_owned(),
        code: None,
        status: None,
        attempts: 0,
        reply: None,
    }
}

fn reject(record: Record, error: &dyn std::error::Error) -> Reject {
    Reject {
        original: record.original().clone(),
        position: record.position,
        is_record: true,
        reason: in_one_line(error),
        code: None,
        status: None,
        attempts: 0,
        reply: None,
    }
}

/// Records of different endpoints or targets never share a batch.
fn key_of(group: Option<String>, prepared: &Prepared) -> Option<String> {
    let group = match prepared.route {
        0 => group,
        route => Some(format!("{route}\u{0}{}", group.unwrap_or_default())),
    };
    let Some(target) = &prepared.target else {
        return group;
    };
    let mut key = group.unwrap_or_default();
    if let Some(url) = &target.url {
        key.push_str(url.as_str());
    }
    for (name, value) in &target.headers {
        key.push('\n');
        key.push_str(name.as_str());
        key.push(':');
        key.push_str(value.to_str().unwrap_or_default());
    }
    Some(key)
}
