//! What a run waits for besides its records: a signal, patience at its end, the ledger's failure.

use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

use super::StopSignal;
use crate::ledger::LedgerError;

/// Until a signal comes, or the patience of a stopped run is at its end.
pub(super) async fn until_enough(mut signal: StopSignal, patience: Option<Duration>) {
    let asked = async {
        if signal.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let waited = async {
        match patience {
            Some(patience) => tokio::time::sleep(patience).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = asked => {}
        () = waited => {}
    }
}

/// Until then; for ever where that is never.
pub(super) async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// Until `word` is true; its sender lives as long as the run, and a run that is gone needs no answer. A task that waits for
/// other things besides, and is woken by them again and again, has to be put on the list of those who wait only once.
pub(super) fn told(word: watch::Receiver<bool>) -> impl Future<Output = ()> {
    let mut waited = word.clone();
    // A delivery that never has to wait must not keep the word from being heard.
    let mut told = Box::pin(unconstrained(async move {
        waited.wait_for(|word| *word).await.is_ok()
    }));
    let mut listed: Option<Waker> = None;
    poll_fn(move |context| {
        let is_listed = listed
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()));
        if is_listed && matches!(word.has_changed(), Ok(false)) {
            return Poll::Pending;
        }
        listed = Some(context.waker().clone());
        told.as_mut().poll(context).map(|_| ())
    })
}

/// Until the ledger cannot be written to any more; it says so once.
pub(super) async fn failed(failure: &mut Option<watch::Receiver<Option<LedgerError>>>) -> LedgerError {
    let Some(watched) = failure else {
        return std::future::pending().await;
    };
    let error = match watched.wait_for(Option::is_some).await {
        Ok(error) => error.clone(),
        // The journal is closed, and nothing can fail any more.
        Err(_) => None,
    };
    *failure = None;
    match error {
        Some(error) => error,
        None => std::future::pending().await,
    }
}
