//! The progress bar, on standard error and only where someone watches.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use outpour::client::{Limits, Sender, Transport};
use outpour::report::{Progress, Snapshot};

/// Draws until dropped.
pub(super) struct Bar {
    bar: ProgressBar,
    task: tokio::task::JoinHandle<()>,
}

impl Bar {
    pub(super) fn start<T: Transport>(progress: Arc<Progress>, sender: Sender<T>, limits: &Limits) -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{spinner} {elapsed_precise} {bar:24} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let per_second = limits
            .rates
            .iter()
            .map(|rate| f64::from(rate.count.get()) / rate.window.duration().as_secs_f64());
        let most = per_second.reduce(f64::min);
        let task = tokio::spawn(draw(bar.clone(), progress, sender, most));
        Self { bar, task }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.task.abort();
        self.bar.finish_and_clear();
    }
}

async fn draw<T: Transport>(bar: ProgressBar, progress: Arc<Progress>, sender: Sender<T>, most: Option<f64>) {
    const TICK: Duration = Duration::from_millis(200);
    let mut ticks = tokio::time::interval(TICK);
    let mut last = 0;
    let mut rate = 0.0_f64;
    loop {
        ticks.tick().await;
        let now = progress.snapshot();
        let attempts = sender.counters().attempts;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate for the eye needs no more precision"
        )]
        let current = (attempts - last) as f64 / TICK.as_secs_f64();
        (last, rate) = (attempts, rate * 0.8 + current * 0.2);
        let done = share_done(&now);
        bar.set_length(PARTS);
        bar.set_position(done.unwrap_or(0));
        let share = most
            .map(|most| format!(" ({:.0}% of the limit)", rate / most * 100.0))
            .unwrap_or_default();
        let left = done
            .filter(|done| *done > 0)
            .map(|_| format!(", {} left", HumanDuration(bar.eta())));
        let left = left.unwrap_or_default();
        bar.set_message(format!(
            "{} read, {} accepted, {} rejected, {rate:.0} requests/s{share}{left}",
            now.read, now.accepted, now.rejected
        ));
    }
}

/// The bar's length.
const PARTS: u64 = 10_000;

/// How much of the input is done with, in parts of the bar's length: what was read of it, less what still waits to be
/// sent. None where the input's size is unknown.
fn share_done(now: &Snapshot) -> Option<u64> {
    let read =
        PARTS * now.bytes_read.min(now.total_bytes) / Some(now.total_bytes).filter(|total| *total > 0)?;
    Some(read * now.settled / now.read.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_not_yet_sent_is_not_done() {
        let now = Snapshot {
            read: 200,
            settled: 50,
            bytes_read: 500,
            total_bytes: 1_000,
            ..Snapshot::default()
        };
        assert_eq!(share_done(&now), Some(PARTS / 8));
        assert_eq!(
            share_done(&Snapshot {
                total_bytes: 0,
                ..now
            }),
            None
        );
        assert_eq!(share_done(&Snapshot::default()), None);
    }
}
