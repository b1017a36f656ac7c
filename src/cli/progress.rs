//! The progress bar, on standard error and only where someone watches.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use outpour::client::{Limits, Sender, Transport};
use outpour::report::Progress;

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
        bar.set_length(now.total_bytes.max(1));
        bar.set_position(now.bytes_read.min(now.total_bytes));
        let share = most
            .map(|most| format!(" ({:.0}% of the limit)", rate / most * 100.0))
            .unwrap_or_default();
        let left = if now.total_bytes > 0 {
            format!(", {:.0?} left", bar.eta())
        } else {
            String::new()
        };
        bar.set_message(format!(
            "{} read, {} accepted, {} rejected, {rate:.0} requests/s{share}{left}",
            now.read, now.accepted, now.rejected
        ));
    }
}
