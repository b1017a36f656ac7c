//! That nothing is sent any more, and why: told once, to all who wait.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::Poll;

use tokio::sync::Notify;

use super::Halt;

/// Whether a sender is halted. Once it is, it stays so.
#[derive(Debug, Default)]
pub(super) struct Halting {
    reason: OnceLock<Halt>,
    told: Notify,
}

impl Halting {
    /// Why no further attempt is made, if so.
    pub(super) fn reason(&self) -> Option<&Halt> {
        self.reason.get()
    }

    /// Halts everything; the first reason stays.
    pub(super) fn halt(&self, reason: Halt) {
        if self.reason.set(reason).is_ok() {
            self.told.notify_waiters();
        }
    }

    /// Runs a wait, unless or until the sender is halted. A wait that ends at once costs next to nothing more.
    pub(super) async fn unless_halted<W: Future>(&self, wait: W) -> Result<W::Output, Halt> {
        // From here on it is told, also before it is first polled.
        let mut told = pin!(self.told.notified());
        let mut wait = pin!(wait);
        poll_fn(|context| {
            if let Some(reason) = self.reason() {
                return Poll::Ready(Err(reason.clone()));
            }
            if let Poll::Ready(output) = wait.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            // Told between the two looks: the reason is there.
            told.as_mut()
                .poll(context)
                .map(|()| Err(self.reason().cloned().unwrap_or(Halt::Stopped)))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use super::*;
    use crate::client::Fatal;

    #[tokio::test]
    async fn who_waits_is_told_and_the_first_reason_stays() {
        let halting = Halting::default();
        let waiting = halting.unless_halted(pending::<()>());
        let halt = async {
            halting.halt(Halt::Stopped);
            halting.halt(Halt::Fatal(Fatal::Down {
                span: Duration::from_secs(1),
            }));
        };
        let (waited, ()) = tokio::join!(waiting, halt);
        assert!(matches!(waited, Err(Halt::Stopped)));
        assert!(matches!(halting.reason(), Some(Halt::Stopped)));
    }

    #[tokio::test]
    async fn a_wait_that_is_over_when_everything_is_halted_does_not_count() {
        let halting = Halting::default();
        assert!(matches!(halting.unless_halted(ready(7)).await, Ok(7)));
        let over_later = halting.unless_halted(async {
            tokio::task::yield_now().await;
            7
        });
        let (waited, ()) = tokio::join!(over_later, async { halting.halt(Halt::Stopped) });
        assert!(matches!(waited, Err(Halt::Stopped)));
        assert!(matches!(
            halting.unless_halted(ready(7)).await,
            Err(Halt::Stopped)
        ));
    }

    #[tokio::test]
    async fn who_begins_to_wait_before_and_is_first_looked_at_afterwards_is_told_too() {
        let halting = Halting::default();
        let waiting = halting.unless_halted(pending::<()>());
        halting.halt(Halt::Stopped);
        assert!(matches!(waiting.await, Err(Halt::Stopped)));
    }
}
