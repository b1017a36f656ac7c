//! What a run waits for besides its records: a signal, patience at its end, the ledger's failure.

use std::time::Duration;

use tokio::sync::watch;

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
