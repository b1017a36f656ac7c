//! The promises, held against what the API saw and what the ledger says.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::api::{Arrival, by_record};
use super::input::group_of;
use super::plan::{Kind, Plan};
use super::session::Session;
use crate::ledger::{Kept, KeptKind, Ledger, LedgerError, RunState, Spans};
use crate::report::Ending;

/// The ledger after a session.
pub(super) struct Books {
    spans: Spans,
    marked: BTreeSet<u64>,
    rejected: BTreeSet<u64>,
    in_doubt: BTreeSet<u64>,
    run: crate::ledger::Run,
}

impl Books {
    pub(super) fn read(folder: &Path, run: i64) -> Self {
        let ledger = Ledger::find(&folder.join("state")).unwrap();
        let spans = ledger.spans(run).unwrap();
        let kept = |kind| {
            let mut kept = BTreeSet::new();
            let take = |one: Kept| {
                kept.insert(one.reject.position.ordinal);
                Ok::<(), LedgerError>(())
            };
            ledger.each_kept(run, kind, false, take).unwrap();
            kept
        };
        let marks = ledger.unanswered(run, &spans).unwrap();
        Self {
            marked: marks.iter().flat_map(|mark| mark.members.iter()).collect(),
            rejected: kept(KeptKind::Reject),
            in_doubt: kept(KeptKind::Doubt),
            run: ledger.run(run).unwrap(),
            spans,
        }
    }

    fn accepted(&self, plan: &Plan) -> impl Iterator<Item = u64> {
        let filtered: BTreeSet<u64> = plan.ordinals(Kind::Filtered).collect();
        let all = 1..=plan.kinds.len() as u64;
        all.filter(move |n| {
            self.spans.contains(*n)
                && !self.rejected.contains(n)
                && !self.in_doubt.contains(n)
                && !filtered.contains(n)
        })
    }
}

/// What must hold when a session has ended, however it ended.
pub(super) fn judge(plan: &Plan, session: &Session, books: &Books, arrivals: &[Arrival]) {
    let of_session: Vec<&Arrival> = arrivals
        .iter()
        .filter(|one| one.session == session.number)
        .collect();
    accounting(session, books);
    truth(plan, books, arrivals);
    marks(session, books, &of_session);
    resending(plan, session, &of_session);
    repeats(plan, arrivals);
    rate(plan, &of_session);
    order(plan, &of_session);
}

/// P1: the counts of the report and of the ledger are balanced and the same.
fn accounting(session: &Session, books: &Books) {
    let total = books.spans.total();
    assert_eq!(total.rejected, books.rejected.len() as u64, "P1: rejects");
    assert_eq!(total.in_doubt, books.in_doubt.len() as u64, "P1: doubts");
    let Some(report) = &session.report else { return };
    let totals = &report.totals;
    assert!(totals.is_balanced(), "P1: {totals:?}");
    assert!(
        !matches!(report.ending, Ending::Defect | Ending::Unwritable),
        "P1: {:?}",
        report.stopped_because
    );
    assert_eq!(*totals, books.run.totals, "P1: the ledger's totals");
    let settled = [total.accepted, total.rejected, total.filtered, total.in_doubt];
    let told = [totals.accepted, totals.rejected, totals.filtered, totals.in_doubt];
    assert_eq!(told, settled, "P1: the ledger's ranges");
    assert_eq!(totals.read, total.sum() + totals.unsent, "P1: read");
}

/// P2: what is accepted was carried out, and what is rejected was not.
fn truth(plan: &Plan, books: &Books, arrivals: &[Arrival]) {
    let carried_out: BTreeSet<u64> = arrivals
        .iter()
        .flat_map(|one| &one.carried_out)
        .copied()
        .collect();
    let sent: BTreeSet<u64> = arrivals.iter().flat_map(|one| &one.members).copied().collect();
    for n in books.accepted(plan) {
        assert!(
            carried_out.contains(&n),
            "P2: {n} is accepted and was not carried out"
        );
    }
    for n in &books.rejected {
        assert!(
            !carried_out.contains(n),
            "P2: {n} is rejected and was carried out"
        );
    }
    for kind in [Kind::Filtered, Kind::Unreadable, Kind::Lacking] {
        assert!(
            !plan.ordinals(kind).any(|n| sent.contains(&n)),
            "P2: {kind:?} was sent"
        );
    }
}

/// P4: what was sent has an outcome or a mark, and nothing has both.
fn marks(session: &Session, books: &Books, arrivals: &[&Arrival]) {
    for n in &books.marked {
        assert!(!books.spans.contains(*n), "P4: {n} has an outcome and is marked");
    }
    for arrival in arrivals {
        // A session that comes to its end knows what was not carried out.
        let known = if session.report.is_some() {
            &arrival.carried_out
        } else {
            &arrival.members
        };
        for n in known {
            let is_known = books.spans.contains(*n) || books.marked.contains(n);
            assert!(is_known, "P4: {n} was sent and is neither settled nor marked");
        }
    }
}

/// P3 and P4: what has an outcome is never sent again, and what is held is not sent again either.
fn resending(plan: &Plan, session: &Session, arrivals: &[&Arrival]) {
    let marked: BTreeSet<u64> = session
        .resume
        .marks
        .iter()
        .flat_map(|mark| mark.members.iter())
        .collect();
    for n in arrivals.iter().flat_map(|one| &one.members) {
        assert!(
            !session.resume.spans.contains(*n),
            "P3: {n} has an outcome and was sent again"
        );
        assert!(
            plan.resends() || !marked.contains(n),
            "P4: {n} is held and was sent again"
        );
    }
}

/// P3: a record is carried out again only if the answer was lost, by the line or with the process, and then with the
/// same bytes.
fn repeats(plan: &Plan, arrivals: &[Arrival]) {
    for (n, arrivals) in by_record(arrivals) {
        let mut carried_out = arrivals.iter().filter(|one| one.carried_out.contains(&n));
        let first = carried_out.next();
        for again in carried_out {
            let first = first.unwrap();
            assert_eq!(first.body, again.body, "P3: {n} was sent again with other bytes");
            assert_eq!(first.key, again.key, "P3: {n} was sent again with another key");
        }
        for (before, after) in arrivals.iter().zip(arrivals.iter().skip(1)) {
            let had_effect = before.carried_out.contains(&n);
            assert!(
                !(had_effect && before.is_answered && before.session == after.session),
                "P3: {n} was answered and sent again"
            );
            let is_doubtful = !before.is_answered;
            assert!(
                plan.resends() || !is_doubtful,
                "P4: {n} was in doubt and sent again"
            );
        }
    }
}

/// P5: no window holds more than the rate.
fn rate(plan: &Plan, arrivals: &[&Arrival]) {
    let Some(rate) = plan.rate else { return };
    for (first, over) in arrivals.iter().zip(arrivals.iter().skip(rate as usize)) {
        let span = over.at.saturating_sub(first.at);
        assert!(
            span >= Duration::from_secs(1),
            "P5: more than {rate} within {span:?}"
        );
    }
}

/// P6: where order is asked for, the records of a group are sent in the order of the input.
fn order(plan: &Plan, arrivals: &[&Arrival]) {
    if !plan.is_ordered {
        return;
    }
    for group in 0..3 {
        let of_group = |one: &&Arrival| one.members.iter().copied().find(|n| group_of(*n) == group);
        let firsts: Vec<u64> = arrivals.iter().filter_map(of_group).collect();
        assert!(
            firsts.is_sorted(),
            "P6: the records of a group were sent as {firsts:?}"
        );
    }
}

/// What must hold when the run has come to its end.
pub(super) fn judge_end(plan: &Plan, books: &Books, folder: &Path) {
    let count = plan.kinds.len() as u64;
    let ranges: Vec<(u64, u64)> = books.spans.iter().map(|span| (span.first, span.last)).collect();
    assert_eq!(ranges, [(1, count)], "P2: every record has an outcome");
    assert_eq!(books.run.state, RunState::Finished);
    assert!(books.marked.is_empty(), "P4: marks are left: {:?}", books.marked);
    assert_eq!(
        books.spans.total().filtered,
        plan.ordinals(Kind::Filtered).count() as u64
    );
    for kind in [Kind::Unreadable, Kind::Lacking] {
        assert!(
            plan.ordinals(kind).all(|n| books.rejected.contains(&n)),
            "P2: {kind:?}"
        );
    }
    for (stem, kept) in [
        ("simulated.rejected", &books.rejected),
        ("simulated.in-doubt", &books.in_doubt),
    ] {
        let in_files = in_files(folder, stem, books.run.id);
        let kept: Vec<u64> = kept.iter().copied().collect();
        assert_eq!(in_files, kept, "P2: the files `{stem}`");
    }
}

/// The records in files that begin so, by the number that each of them tells.
fn in_files(folder: &Path, stem: &str, run: i64) -> Vec<u64> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_string_lossy().starts_with(stem) {
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let id = row["_error_id"]
                .as_str()
                .unwrap()
                .strip_prefix(&format!("{run}-"))
                .unwrap();
            found.push(id.parse().unwrap());
        }
    }
    found.sort_unstable();
    found
}
