//! SIGINT and SIGTERM, turned into a run's stop signal.

use outpour::pipeline::StopSignal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::printer::Printer;

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// Watches for signals from here on. The first asks the run to stop, the second to wait no more.
pub(super) fn watch_signals(printer: Printer) -> std::io::Result<StopSignal> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let mut is_first = true;
        loop {
            let number = tokio::select! {
                Some(()) = interrupt.recv() => SIGINT,
                Some(()) = terminate.recv() => SIGTERM,
                else => return,
            };
            if std::mem::take(&mut is_first) {
                printer.note("stopping: waiting for what is in flight, once more to wait no longer");
            }
            sender.send_replace(Some(number));
        }
    });
    Ok(receiver)
}
