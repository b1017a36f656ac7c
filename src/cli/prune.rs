//! `outpour runs prune`: forgets runs that are over.

use outpour::ledger::{Ledger, Pruning};
use outpour::report::{counted, grouped};

use super::args::PruneArgs;
use super::error::Failure;
use super::printer::Printer;

pub(super) fn prune(ledger: &Ledger, args: &PruneArgs) -> Result<u8, Failure> {
    let runs = ledger.prunable(&Pruning {
        older_than: args.older_than.get(),
        keep: args.keep,
        with_open: args.with_open,
    })?;
    if runs.is_empty() {
        Printer::result(&format!(
            "no run that may be forgotten ended more than {} ago",
            args.older_than
        ))?;
        return Ok(0);
    }
    let (count, numbers) = (counted(runs.len() as u64, "run"), numbers(&runs));
    if args.dry_run {
        Printer::result(&format!("would forget {count}: {numbers}"))?;
        return Ok(0);
    }
    let before = ledger.size()?;
    for run in runs {
        ledger.forget(run)?;
    }
    ledger.compact()?;
    let after = ledger.size()?;
    Printer::result(&format!(
        "forgot {count}: {numbers}\n{} was {} bytes and is {}",
        ledger.path().display(),
        grouped(before),
        grouped(after)
    ))?;
    Ok(0)
}

/// Runs as ranges, so that many of them are still a line.
fn numbers(runs: &[i64]) -> String {
    let members: outpour::ledger::Members = runs.iter().filter_map(|run| u64::try_from(*run).ok()).collect();
    members.to_string().replace(',', ", ")
}
