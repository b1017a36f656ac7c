//! Writing a run to the ledger while it goes on: marks that are waited for, outcomes that are not.
//!
//! One thread commits. Whatever came in since the last commit goes into the next one, so that a commit costs nothing
//! per request. A mark is committed at once, since someone waits for it; an outcome waits for company, at most
//! [`LINGER`].

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::course::{Resume, Tally};
use super::runs::RunEnd;
use super::settled::Settled;
use super::store::{Mark, Pending, Store};
use super::{Ledger, LedgerError};
use crate::client::Counters;
use crate::report::{Progress, Totals};

/// How long an outcome waits at most before it is committed, so that others are committed with it.
const LINGER: Duration = Duration::from_millis(50);

/// Writes one run to the ledger.
#[derive(Debug)]
pub struct Journal {
    marker: Marker,
    /// The thread that commits; none where commits are made on the caller's.
    thread: Option<JoinHandle<Box<Store>>>,
}

/// Writes marks to a journal that another one owns.
#[derive(Debug, Clone)]
pub struct Marker {
    shared: Arc<Shared>,
    /// Commits are made on the caller's thread: the same steps in the same order, whenever a test is run.
    inline: Option<Arc<Inline>>,
    failure: watch::Receiver<Option<LedgerError>>,
}

#[derive(Debug)]
struct Inline {
    store: Mutex<Store>,
    /// Every how many outcomes are committed without a mark; 0: none are.
    commit_every: u64,
    outcomes: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    news: Condvar,
    failure: watch::Sender<Option<LedgerError>>,
    /// How many events were brought on disk.
    events: watch::Sender<u64>,
    progress: Arc<Progress>,
    /// What earlier sessions of the run counted.
    earlier: Tally,
}

#[derive(Debug, Default)]
struct Waiting {
    pending: Pending,
    tally: Tally,
    /// Since when something waits to be committed.
    since: Option<Instant>,
    is_closed: bool,
    has_failed: bool,
}

impl Journal {
    /// Writes down what follows in a run, on a thread of its own. Progress is shown of what is committed.
    pub fn start(ledger: Ledger, resume: Resume, progress: Arc<Progress>) -> Result<Self, LedgerError> {
        let (shared, failure, store) = prepare(ledger, resume, progress)?;
        let mut store = Box::new(store);
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            of_thread.write_all(&mut store);
            store
        });
        Ok(Self {
            marker: Marker {
                shared,
                inline: None,
                failure,
            },
            thread: Some(thread),
        })
    }

    /// As [`start`](Self::start), without a thread: a mark commits what waits, and so does every `commit_every`th
    /// outcome, none where that is 0. For tests that must go the same way each time.
    pub fn inline(
        ledger: Ledger,
        resume: Resume,
        progress: Arc<Progress>,
        commit_every: u64,
    ) -> Result<Self, LedgerError> {
        let (shared, failure, store) = prepare(ledger, resume, progress)?;
        let inline = Inline {
            store: Mutex::new(store),
            commit_every,
            outcomes: AtomicU64::new(1),
        };
        Ok(Self {
            marker: Marker {
                shared,
                inline: Some(Arc::new(inline)),
                failure,
            },
            thread: None,
        })
    }

    /// Writes down what may be sent from now on; sending it may begin when the answer is there. An error means that
    /// nothing of it may be sent. Whatever was settled before is on disk then too.
    pub fn mark(&self, marks: Vec<Mark>) -> impl Future<Output = Result<(), LedgerError>> + Send + use<> {
        self.marker.write(|pending| pending.marks.extend(marks))
    }

    /// What writes marks for others.
    pub fn marker(&self) -> Marker {
        self.marker.clone()
    }

    /// Writes down what became of records, soon, without waiting for it. The records of `totals` are those of all
    /// sessions, `requests` are those of this one.
    pub fn settle(&self, settled: Settled, totals: &Totals, bytes_read: u64, requests: u64) {
        let shared = &self.marker.shared;
        let earlier = shared.earlier.requests;
        shared.add(|waiting| {
            (waiting.tally.totals, waiting.tally.bytes_read) = (*totals, bytes_read);
            waiting.tally.requests = earlier + requests;
            waiting.pending.settled.extend(settled.spans);
            waiting.pending.kept.extend(settled.kept);
            waiting.pending.events.extend(settled.events);
            waiting.pending.dropped_events += settled.dropped_events;
        });
        if let Some(inline) = &self.marker.inline
            && inline.is_due()
        {
            shared.commit(&mut lock(&inline.store));
        }
    }

    /// Writes down how many attempts this session made so far.
    pub fn count_attempts(&self, counters: &Counters) {
        let shared = &self.marker.shared;
        let (earlier, tally) = (&shared.earlier, &mut lock(&shared.waiting).tally);
        tally.attempts = earlier.attempts + counters.attempts;
        tally.bytes_sent = earlier.bytes_sent + counters.bytes_sent;
    }

    /// Why nothing more can be written down, once that is so.
    pub fn failure(&self) -> watch::Receiver<Option<LedgerError>> {
        self.marker.failure.clone()
    }

    /// How many events were brought on disk so far: a change means that there is something for the webhook.
    pub fn events(&self) -> watch::Receiver<u64> {
        self.marker.shared.events.subscribe()
    }

    /// Commits what waits and writes down how the session ended.
    pub fn end(self, end: &RunEnd) -> Result<(), LedgerError> {
        let shared = &self.marker.shared;
        if let Some(inline) = &self.marker.inline {
            return shared.end(&mut lock(&inline.store), end);
        }
        lock(&shared.waiting).is_closed = true;
        shared.news.notify_all();
        let store = self.thread.map(JoinHandle::join);
        let mut store = store
            .ok_or(LedgerError::Closed)?
            .map_err(|_| LedgerError::Closed)?;
        shared.end(&mut store, end)
    }
}

impl Marker {
    /// Writes down that a marked batch may be sent in these parts from now on, which take its place: after a crash each
    /// is known by itself. The answer is as that of [`Journal::mark`].
    pub fn split(&self, halves: Vec<Mark>) -> impl Future<Output = Result<(), LedgerError>> + Send + use<> {
        self.write(|pending| pending.halves.extend(halves))
    }

    /// Writes down that a request goes out with another idempotency key from now on. The answer is as that of
    /// [`Journal::mark`].
    pub fn renew(
        &self,
        key: &str,
        generation: u32,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send + use<> {
        self.write(|pending| pending.keys.push((key.to_owned(), generation)))
    }

    fn write(
        &self,
        add: impl FnOnce(&mut Pending),
    ) -> Pin<Box<dyn Future<Output = Result<(), LedgerError>> + Send>> {
        let (done, answer) = oneshot::channel();
        self.shared.add(|waiting| {
            add(&mut waiting.pending);
            waiting.pending.waiting.push(done);
        });
        if let Some(inline) = &self.inline {
            self.shared.commit(&mut lock(&inline.store));
        }
        let failure = self.failure.clone();
        Box::pin(async move {
            let answered = answer.await;
            let failed = || failure.borrow().clone().unwrap_or(LedgerError::Closed);
            answered.unwrap_or_else(|_| Err(failed()))
        })
    }
}

impl Inline {
    fn is_due(&self) -> bool {
        let count = self.outcomes.fetch_add(1, Ordering::Relaxed);
        self.commit_every > 0 && count.is_multiple_of(self.commit_every)
    }
}

type Prepared = (Arc<Shared>, watch::Receiver<Option<LedgerError>>, Store);

fn prepare(ledger: Ledger, resume: Resume, progress: Arc<Progress>) -> Result<Prepared, LedgerError> {
    let (failed, failure) = watch::channel(None);
    let shared = Shared {
        waiting: Mutex::new(Waiting {
            tally: resume.earlier,
            ..Waiting::default()
        }),
        news: Condvar::new(),
        failure: failed,
        events: watch::Sender::new(0),
        progress,
        earlier: resume.earlier,
    };
    let store = Store::new(ledger, resume.run, resume.spans, resume.marks)?;
    Ok((Arc::new(shared), failure, store))
}

impl Shared {
    /// Adds to what waits. After a failure nothing is taken any more, and whoever waits learns it by that.
    fn add(&self, add: impl FnOnce(&mut Waiting)) {
        let mut waiting = lock(&self.waiting);
        if waiting.has_failed {
            return;
        }
        let had_nothing = waiting.since.is_none();
        waiting.since.get_or_insert_with(Instant::now);
        let had_listeners = !waiting.pending.waiting.is_empty();
        add(&mut waiting);
        let has_listeners = !waiting.pending.waiting.is_empty();
        drop(waiting);
        if had_nothing || has_listeners != had_listeners {
            self.news.notify_one();
        }
    }

    fn end(&self, store: &mut Store, end: &RunEnd) -> Result<(), LedgerError> {
        self.commit(store);
        match self.failure.borrow().clone() {
            Some(failure) => Err(failure),
            None => store.end(end),
        }
    }

    fn write_all(&self, store: &mut Store) {
        loop {
            let is_closed = self.wait();
            self.commit(store);
            if is_closed || self.failure.borrow().is_some() {
                return;
            }
        }
    }

    /// Waits until it is time to commit, and says whether it is the last time.
    fn wait(&self) -> bool {
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.is_closed || !waiting.pending.waiting.is_empty() {
                return waiting.is_closed;
            }
            let patience = waiting.since.map(|since| LINGER.saturating_sub(since.elapsed()));
            waiting = match patience {
                Some(Duration::ZERO) => return false,
                Some(patience) => {
                    let waited = self.news.wait_timeout(waiting, patience);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Brings what waits on disk and tells whoever waits for it.
    fn commit(&self, store: &mut Store) {
        let (mut pending, tally) = {
            let mut waiting = lock(&self.waiting);
            waiting.since = None;
            if waiting.has_failed {
                // What a failed commit left out is missing on disk, and what follows would not fit to it.
                waiting.pending = Pending::default();
                return;
            }
            (std::mem::take(&mut waiting.pending), waiting.tally)
        };
        let committed = store.commit(&mut pending, &tally);
        match &committed {
            Ok(()) => {
                self.progress.set(&tally.totals, tally.bytes_read);
                self.tell_of_events(pending.events.len() as u64);
            }
            Err(error) => {
                lock(&self.waiting).has_failed = true;
                self.failure.send_replace(Some(error.clone()));
            }
        }
        for waiting in pending.waiting {
            // Whoever no longer waits needs no answer.
            let _ = waiting.send(committed.clone());
        }
    }

    fn tell_of_events(&self, count: u64) {
        self.events.send_if_modified(|events| {
            *events += count;
            count > 0
        });
    }
}

/// What a panic left behind is still whole: nothing is changed by halves under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
