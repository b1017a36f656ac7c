//! Which records of a run have an outcome: ranges of ordinals that grow together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Records by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken by the API.
    pub accepted: u64,
    /// Not taken.
    pub rejected: u64,
    /// Left out by the job.
    pub filtered: u64,
    /// Perhaps carried out.
    pub in_doubt: u64,
}

/// Consecutive ordinals and what became of their records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first ordinal.
    pub first: u64,
    /// The last ordinal.
    pub last: u64,
    /// What became of the records; the counts add up to the span's length.
    pub counts: Counts,
}

/// Some ordinals, as ranges: `5-104,110`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Members(Vec<(u64, u64)>);

/// The ordinals that have an outcome. Ranges that touch become one, so that a run that loses nothing is one range.
///
/// ```
/// use outpour::ledger::{Counts, Span, Spans};
/// let accepted = |first, last| Span { first, last, counts: Counts { accepted: last - first + 1, ..Counts::default() } };
/// let mut spans = Spans::default();
/// spans.add(accepted(1, 100))?;
/// spans.add(accepted(201, 300))?;
/// spans.add(accepted(101, 200))?;
/// assert_eq!(spans.iter().collect::<Vec<_>>(), [accepted(1, 300)]);
/// assert!(spans.contains(150) && !spans.contains(301));
/// assert!(spans.add(accepted(300, 301)).is_err(), "no record has two outcomes");
/// # Ok::<(), outpour::ledger::TwoOutcomes>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Spans {
    by_first: BTreeMap<u64, (u64, Counts)>,
    /// The firsts of ranges that came, changed or went since they were last taken.
    touched: BTreeSet<u64>,
    total: Counts,
}

/// A record was to be given a second outcome: a defect of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("records {first} to {last} were to be given a second outcome")]
pub struct TwoOutcomes {
    /// The first ordinal of the range that was to be added.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

impl Counts {
    /// All records.
    pub fn sum(&self) -> u64 {
        self.accepted + self.rejected + self.filtered + self.in_doubt
    }

    /// Adds other records.
    pub fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.filtered += other.filtered;
        self.in_doubt += other.in_doubt;
    }
}

impl Spans {
    /// Adds a range none of whose records has an outcome yet.
    pub fn add(&mut self, span: Span) -> Result<(), TwoOutcomes> {
        let Span {
            mut first,
            mut last,
            mut counts,
        } = span;
        if self.overlaps(first, last) {
            return Err(TwoOutcomes { first, last });
        }
        self.total.add(counts);
        if let Some((&before, &(end, earlier))) = self.by_first.range(..first).next_back()
            && end + 1 == first
        {
            first = before;
            counts.add(earlier);
        }
        if let Some((end, later)) = last.checked_add(1).and_then(|next| self.by_first.remove(&next)) {
            self.touched.insert(last + 1);
            last = end;
            counts.add(later);
        }
        self.by_first.insert(first, (last, counts));
        self.touched.insert(first);
        Ok(())
    }

    /// Adds many ranges, in whatever order. Those that touch are put together first: of records that are sent alone, one by
    /// one, there are thousands.
    pub(super) fn add_all(&mut self, spans: &[Span]) -> Result<(), TwoOutcomes> {
        let mut sorted = spans.to_vec();
        sorted.sort_unstable_by_key(|span| span.first);
        let mut sorted = sorted.into_iter();
        let Some(mut grown) = sorted.next() else {
            return Ok(());
        };
        for span in sorted {
            if grown.last + 1 == span.first {
                grown.last = span.last;
                grown.counts.add(span.counts);
            } else {
                self.add(grown)?;
                grown = span;
            }
        }
        self.add(grown)
    }

    /// Whether a record has an outcome.
    pub fn contains(&self, ordinal: u64) -> bool {
        self.overlaps(ordinal, ordinal)
    }

    /// Whether every record of a range has an outcome.
    pub fn contains_all(&self, first: u64, last: u64) -> bool {
        let found = self.by_first.range(..=first).next_back();
        found.is_some_and(|(_, (end, _))| *end >= last)
    }

    /// What became of all records together.
    pub fn total(&self) -> Counts {
        self.total
    }

    /// The ranges in order.
    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        let span = |(&first, &(last, counts)): (&u64, &(u64, Counts))| Span { first, last, counts };
        self.by_first.iter().map(span)
    }

    /// The ranges that came, changed or went since this was last asked: by their first ordinal, and what is there now.
    pub(super) fn take_touched(&mut self) -> Vec<(u64, Option<Span>)> {
        let touched = std::mem::take(&mut self.touched);
        let now = |first: u64| {
            let found = self.by_first.get(&first);
            (first, found.map(|&(last, counts)| Span { first, last, counts }))
        };
        touched.into_iter().map(now).collect()
    }

    fn overlaps(&self, first: u64, last: u64) -> bool {
        let found = self.by_first.range(..=last).next_back();
        found.is_some_and(|(_, (end, _))| *end >= first)
    }
}

impl Members {
    /// The ordinals that `text` names, none if it names none.
    pub fn parse(text: &str) -> Option<Self> {
        let range = |part: &str| match part.split_once('-') {
            Some((first, last)) => Some((first.parse().ok()?, last.parse().ok()?)),
            None => part.parse().ok().map(|only| (only, only)),
        };
        text.split(',').map(range).collect::<Option<_>>().map(Self)
    }

    /// The ranges, each with its first and last ordinal.
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// The first ordinal; 0 where there is none.
    pub fn first(&self) -> u64 {
        self.0.first().map_or(0, |(first, _)| *first)
    }

    /// How many ordinals there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Each ordinal.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }

    /// Adds an ordinal behind the others.
    pub fn push(&mut self, ordinal: u64) {
        match self.0.last_mut() {
            Some((_, last)) if *last + 1 == ordinal => *last = ordinal,
            _ => self.0.push((ordinal, ordinal)),
        }
    }
}

impl FromIterator<u64> for Members {
    fn from_iter<I: IntoIterator<Item = u64>>(ordinals: I) -> Self {
        let mut ordinals = ordinals.into_iter();
        let Some(first) = ordinals.next() else {
            return Self::default();
        };
        // The range that grows is kept at hand: a batch is one range most of the time.
        let (mut ranges, mut range) = (Vec::new(), (first, first));
        for ordinal in ordinals {
            if range.1 + 1 == ordinal {
                range.1 = ordinal;
            } else {
                ranges.push(std::mem::replace(&mut range, (ordinal, ordinal)));
            }
        }
        ranges.push(range);
        Self(ranges)
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(ordinal: u64, counts: Counts) -> Span {
        Span {
            first: ordinal,
            last: ordinal,
            counts,
        }
    }

    #[test]
    fn what_changed_is_told_once_with_what_is_there_now() {
        let accepted = Counts {
            accepted: 1,
            ..Counts::default()
        };
        let mut spans = Spans::default();
        spans.add(one(1, accepted)).unwrap();
        spans.add(one(3, accepted)).unwrap();
        assert_eq!(spans.take_touched().len(), 2);
        spans.add(one(2, accepted)).unwrap();
        let touched = spans.take_touched();
        assert_eq!(touched.len(), 2, "{touched:?}");
        assert_eq!(touched[0].1.unwrap().last, 3);
        assert_eq!(touched[1], (3, None));
        assert!(spans.take_touched().is_empty());
    }

    #[test]
    fn members_are_written_as_ranges_and_read_back() {
        let members: Members = [5, 6, 7, 110, 120, 121].into_iter().collect();
        assert_eq!(members.to_string(), "5-7,110,120-121");
        assert_eq!(Members::parse("5-7,110,120-121"), Some(members));
        assert_eq!(Members::parse("5-x"), None);
    }

    proptest! {
        #[test]
        fn many_ranges_at_once_are_added_as_they_are_one_by_one(order in Just((1..60u64).collect::<Vec<_>>()).prop_shuffle(), kept in 0..60usize, again in 1..60u64) {
            let rejected = Counts { rejected: 1, ..Counts::default() };
            let all: Vec<Span> = order[..kept.min(59)].iter().map(|ordinal| one(*ordinal, rejected)).collect();
            let (earlier, later) = all.split_at(all.len() / 2);
            let (mut together, mut alone) = (Spans::default(), Spans::default());
            for half in [earlier, later] {
                together.add_all(half).unwrap();
                for span in half {
                    alone.add(*span).unwrap();
                }
                prop_assert_eq!(together.iter().collect::<Vec<_>>(), alone.iter().collect::<Vec<_>>());
                prop_assert_eq!(together.total(), alone.total());
            }
            let twice = [one(again, rejected), one(70, rejected), one(again, rejected)];
            prop_assert!(together.add_all(&twice).is_err(), "no record has two outcomes");
        }

        #[test]
        fn ranges_hold_what_was_added_in_whatever_order(order in Just((1..60u64).collect::<Vec<_>>()).prop_shuffle(), kept in 1..60usize) {
            let mut spans = Spans::default();
            for ordinal in &order[..kept] {
                let counts = Counts { accepted: ordinal % 2, rejected: 1 - ordinal % 2, ..Counts::default() };
                spans.add(one(*ordinal, counts)).unwrap();
            }
            for ordinal in 1..60 {
                prop_assert_eq!(spans.contains(ordinal), order[..kept].contains(&ordinal));
            }
            prop_assert_eq!(spans.total().sum(), kept as u64);
            let mut end = 0;
            for span in spans.iter() {
                prop_assert!(span.first > end + 1 || end == 0, "ranges touch");
                prop_assert_eq!(span.counts.sum(), span.last - span.first + 1);
                prop_assert!(spans.contains_all(span.first, span.last));
                end = span.last;
            }
        }
    }
}
