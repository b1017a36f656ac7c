//! The memory of this process while a run goes on.

use std::fs::read_to_string;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use outpour::report::Progress;

/// Between two looks; a million records take some hundred times as long.
const LOOK: Duration = Duration::from_millis(5);

/// After how many records the memory is noted.
const STEP: u64 = 1_000_000;

/// The most memory that a run may ever have, in KiB.
const MOST: u64 = 64 * 1024;

/// What the last million may hold more than the first, in KiB: pages that the allocator has not given back yet.
const SLACK: u64 = 4 * 1024;

/// Notes the memory at each million records.
pub(crate) struct Watch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<u64>>,
}

impl Watch {
    /// Begins to look.
    pub(crate) fn start(progress: Arc<Progress>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut noted = Vec::new();
            println!("| records | resident KiB |\n|---|---|");
            while !ends.load(Ordering::Relaxed) {
                let next = (noted.len() as u64 + 1) * STEP;
                if progress.snapshot().settled >= next {
                    let resident = kibibytes("VmRSS");
                    println!("| {next} | {resident} |");
                    noted.push(resident);
                }
                std::thread::sleep(LOOK);
            }
            noted
        });
        Self { is_over, thread }
    }

    /// Says whether the memory stayed flat and below its bound.
    pub(crate) fn end(self, records: u64) -> bool {
        self.is_over.store(true, Ordering::Relaxed);
        let noted = self.thread.join().unwrap_or_default();
        let peak = kibibytes("VmHWM");
        let (first, last) = (noted.first().copied(), noted.last().copied());
        let grown = last
            .zip(first)
            .map_or(0, |(last, first)| last.saturating_sub(first));
        println!(
            "{records} records, peak {peak} KiB (at most {MOST}), {grown} KiB more at the last million than at the first (at most {SLACK})"
        );
        peak > 0 && peak < MOST && grown <= SLACK
    }
}

/// A line of `/proc/self/status`; 0 where there is no such file.
fn kibibytes(key: &str) -> u64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    number.unwrap_or(0)
}
