//! What a seed decides: the records, the job, what goes wrong, and when the process dies.

use std::time::Duration;

use super::dice::Dice;
use crate::delivery::InDoubt;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The API takes it.
    Good,
    /// No record can be read from its row.
    Unreadable,
    /// It lacks what the endpoint needs.
    Lacking,
    /// The job leaves it out.
    Filtered,
    /// The API refuses it.
    Refused,
}

/// What the API does with a request besides answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No connection comes about.
    Unreached,
    /// The connection breaks before the request is carried out.
    Broken,
    /// The connection breaks after it.
    Lost,
    /// No answer comes in time, and it was carried out.
    Silent,
    /// 429 with this many seconds of `Retry-After`.
    Throttled(u64),
    /// A status that says nothing of the records.
    Status(u16),
    /// The answer takes long.
    Slow,
    /// The answer's body breaks off.
    Cut,
}

/// Whether a reply lists the records that failed, and what became of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    /// It lists none.
    None,
    /// They were carried out.
    Partial,
    /// Nothing was carried out.
    Whole,
}

/// How a session of the run ends before its time, after so many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The process is gone from one step to the next.
    Kill(u64),
    /// SIGTERM, and what is in flight may take so long.
    Stop(u64, Duration),
}

/// A run.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is thrown by itself")]
pub(super) struct Plan {
    pub(super) kinds: Vec<Kind>,
    pub(super) max_records: usize,
    pub(super) is_grouped: bool,
    /// Whether records of a group keep the order of the input.
    pub(super) is_ordered: bool,
    /// Whether records go to one of two endpoints, by their operation.
    pub(super) is_routed: bool,
    pub(super) is_safe: bool,
    pub(super) in_doubt: Option<InDoubt>,
    /// Whether a reply has a result for each record; otherwise one bad record refuses the whole request.
    pub(super) has_results: bool,
    /// Whether it has a list of what failed, where it has no results.
    pub(super) lists: Lists,
    /// Whether the API answers 409 to what it has already.
    pub(super) conflicts: bool,
    pub(super) concurrency: u32,
    /// How many batches wait to be sent.
    pub(super) enough: usize,
    pub(super) rate: Option<u32>,
    pub(super) attempts: u32,
    pub(super) stop_at_rejects: Option<u64>,
    pub(super) faults: Vec<(Fault, u64)>,
    /// How the first sessions are cut short; those that follow are not, and meet no faults after a while.
    pub(super) cuts: Vec<Cut>,
    /// Every how many outcomes the ledger commits by itself; 0: only with a mark.
    pub(super) commit_every: u64,
    /// What the later chance follows.
    pub(super) dice: Dice,
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let count = dice.between(1, 60);
        let badness = dice.one(&[0, 30, 100, 300]);
        let kinds = (0..count).map(|_| kind(&mut dice, badness)).collect();
        let is_safe = dice.strikes(500);
        // Thrown by itself, so that the other seeds stay what they were.
        let lists = Dice::new(seed ^ 0x5eed_0f11_5755).one(&[Lists::None, Lists::Partial, Lists::Whole]);
        let policies = [
            None,
            Some(InDoubt::Resend),
            Some(InDoubt::Hold),
            Some(InDoubt::Stop),
        ];
        Self {
            kinds,
            max_records: dice.one(&[1, 1, 2, 3, 5, 8]),
            is_grouped: dice.strikes(300),
            is_ordered: dice.strikes(300),
            // Thrown apart, so that what a seed meant before it means still.
            is_routed: Dice::new(seed ^ 0x0b5e_55ed).strikes(300),
            is_safe,
            in_doubt: dice.one(&policies),
            has_results: dice.strikes(300),
            lists,
            conflicts: !is_safe && dice.strikes(300),
            concurrency: u32::try_from(dice.between(1, 6)).unwrap(),
            enough: dice.one(&[1, 4, 30]),
            rate: dice.one(&[None, None, Some(5), Some(40)]),
            attempts: u32::try_from(dice.between(1, 5)).unwrap(),
            stop_at_rejects: dice.one(&[None, None, None, Some(8)]),
            faults: faults(&mut dice),
            cuts: cuts(&mut dice, count),
            commit_every: dice.between(0, 4),
            dice: dice.split(),
        }
    }

    /// What replies list, where they have no results.
    pub(super) fn lists(&self) -> Lists {
        if self.has_results { Lists::None } else { self.lists }
    }

    /// Whether what may have been carried out is sent again.
    pub(super) fn resends(&self) -> bool {
        InDoubt::resends(self.in_doubt, self.is_safe)
    }

    /// The ordinals of the records of a kind.
    pub(super) fn ordinals(&self, wanted: Kind) -> impl Iterator<Item = u64> + '_ {
        let pairs = (1_u64..).zip(&self.kinds);
        pairs
            .filter(move |(_, kind)| **kind == wanted)
            .map(|(ordinal, _)| ordinal)
    }
}

fn kind(dice: &mut Dice, badness: u64) -> Kind {
    match dice.strikes(badness) {
        true => dice.one(&[Kind::Unreadable, Kind::Lacking, Kind::Filtered, Kind::Refused]),
        false => Kind::Good,
    }
}

fn faults(dice: &mut Dice) -> Vec<(Fault, u64)> {
    let all = [
        Fault::Unreached,
        Fault::Broken,
        Fault::Lost,
        Fault::Silent,
        Fault::Throttled(1),
        Fault::Throttled(7),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(401),
        Fault::Slow,
        Fault::Cut,
    ];
    let most = dice.one(&[0, 20, 60, 120]);
    let share = |fault| {
        let share = if dice.strikes(500) {
            dice.between(0, most)
        } else {
            0
        };
        // The run stops at once when its key is refused.
        (
            fault,
            if fault == Fault::Status(401) {
                share / 8
            } else {
                share
            },
        )
    };
    all.map(share).into()
}

fn cuts(dice: &mut Dice, count: u64) -> Vec<Cut> {
    let sessions = dice.between(0, 5);
    let mut cut = || {
        let step = dice.one(&[15, 4 * count, 12 * count]);
        let step = dice.between(1, step);
        match dice.strikes(700) {
            true => Cut::Kill(step),
            false => Cut::Stop(step, Duration::from_millis(dice.one(&[0, 300, 60_000]))),
        }
    };
    (0..sessions).map(|_| cut()).collect()
}
