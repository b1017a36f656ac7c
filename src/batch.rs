//! Batching: which records share a request.
//!
//! [`Batcher`] is a synchronous state machine. It takes items with their size and group, and gives complete batches
//! back; the clock is the caller's, handed in with each call, so that tests need no waiting. Items of different groups
//! never share a batch, an item that alone is over the cap in bytes still gets a batch of its own, and the order of a
//! group's items is kept.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ByteSize, TimeSpan};

/// How records share requests; the key `batch:`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchConfig {
    /// The most records in one request. Default: the template's, which is 1 unless it says otherwise; for a manual
    /// endpoint 100 once `batch` is given, else 1.
    #[schemars(range(min = 1))]
    pub max_records: Option<u32>,
    /// The most bytes of a request's body. A single larger record is sent alone. Default: `1MiB`.
    pub max_bytes: Option<ByteSize>,
    /// How long an incomplete batch waits for more records, for sources that trickle. Default: `1s`.
    pub max_wait: Option<TimeSpan>,
    /// The fields (dotted paths) in which the records of a request agree. Default: none, consecutive records.
    pub group_by: Vec<String>,
    /// The fields (dotted paths) in which records of a request never agree, such as the key of a map that they become. Those
    /// that do are sent one after the other, in the order of the input. Default: the template's, else none.
    pub distinct: Vec<String>,
    /// `object` (one record alone), `array`, `ndjson`, or jq over the list of records, with `$parameters`, such as
    /// `{records: .}`. Default: the template's; for a manual endpoint `array` once `batch` is given, else `object`.
    pub body_shape: Option<BodyShape>,
}

/// `object`, `array`, `ndjson`, or a jq expression over the list of records
///
/// `object` is one record alone, `array` a JSON list, `ndjson` a line a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum BodyShape {
    /// One record alone.
    #[default]
    Object,
    /// A JSON list of records.
    Array,
    /// A line for each record.
    Ndjson,
    /// jq over the list of records, such as `{records: .}`.
    Expression(String),
}

/// The caps of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most items.
    pub max_records: usize,
    /// The most bytes of a body.
    pub max_bytes: usize,
    /// The most bytes of what records add to the URL.
    pub max_query: usize,
    /// The longest wait for more.
    pub max_wait: Duration,
    /// The most groups that wait at once; when there are more, the oldest is given out as it is.
    pub max_groups: usize,
}

/// What an item adds to a request, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// To its body.
    pub body: usize,
    /// To its URL.
    pub query: usize,
}

/// Collects items into batches.
///
/// ```
/// use std::time::Instant;
/// use outpour::batch::{BatchLimits, Batcher};
/// let mut batcher = Batcher::new(BatchLimits { max_records: 2, ..BatchLimits::default() });
/// let now = Instant::now();
/// assert!(batcher.push("a", 1, None, now).is_empty());
/// assert_eq!(batcher.push("b", 1, None, now), [vec!["a", "b"]]);
/// batcher.push("c", 1, None, now);
/// assert_eq!(batcher.drain(), [vec!["c"]]);
/// ```
#[derive(Debug)]
pub struct Batcher<T> {
    limits: BatchLimits,
    /// The batch of the items without a group, which most jobs have alone: it is found without hashing.
    ungrouped: Option<Open<T>>,
    groups: HashMap<String, Open<T>>,
    next_age: u64,
}

#[derive(Debug)]
struct Open<T> {
    items: Vec<T>,
    size: Size,
    since: Instant,
    age: u64,
}

impl From<String> for BodyShape {
    fn from(text: String) -> Self {
        match text.trim() {
            "object" => Self::Object,
            "array" => Self::Array,
            "ndjson" => Self::Ndjson,
            _ => Self::Expression(text),
        }
    }
}

impl From<BodyShape> for String {
    fn from(shape: BodyShape) -> Self {
        match shape {
            BodyShape::Object => "object".to_owned(),
            BodyShape::Array => "array".to_owned(),
            BodyShape::Ndjson => "ndjson".to_owned(),
            BodyShape::Expression(text) => text,
        }
    }
}

impl From<usize> for Size {
    fn from(body: usize) -> Self {
        Self { body, query: 0 }
    }
}

impl Size {
    fn and(self, other: Self) -> Self {
        Self {
            body: self.body.saturating_add(other.body),
            query: self.query.saturating_add(other.query),
        }
    }
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            max_records: 1,
            max_bytes: 1 << 20,
            max_query: usize::MAX,
            max_wait: Duration::from_secs(1),
            max_groups: 256,
        }
    }
}

impl<T> Batcher<T> {
    /// An empty batcher.
    pub fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            ungrouped: None,
            groups: HashMap::new(),
            next_age: 0,
        }
    }

    /// Takes an item of this size (a number is that of its body) and gives the batches that are complete with it.
    pub fn push(&mut self, item: T, size: impl Into<Size>, group: Option<&str>, now: Instant) -> Vec<Vec<T>> {
        self.push_at_most(self.limits.max_records, item, size, group, now)
    }

    /// As [`push`](Self::push), where at most so many items share the group's batch.
    pub fn push_at_most(
        &mut self,
        max_records: usize,
        item: T,
        size: impl Into<Size>,
        group: Option<&str>,
        now: Instant,
    ) -> Vec<Vec<T>> {
        let size = size.into();
        let mut complete = Vec::new();
        if max_records <= 1 {
            complete.push(vec![item]);
            return complete;
        }
        let would_overflow = |open: &Open<T>| {
            let sum = open.size.and(size);
            sum.body > self.limits.max_bytes || sum.query > self.limits.max_query
        };
        if self.open(group).is_some_and(would_overflow) {
            complete.extend(self.take(group));
        }
        let has_most = || self.groups.len() + usize::from(self.ungrouped.is_some()) >= self.limits.max_groups;
        if self.open(group).is_none() && has_most() {
            complete.extend(self.take_oldest());
        }
        if self.add(max_records, item, size, group, now) {
            complete.extend(self.take(group));
        }
        complete
    }

    /// Gives the batch of a group as it is.
    pub fn release(&mut self, group: Option<&str>) -> Option<Vec<T>> {
        self.take(group)
    }

    /// Gives the batches that have waited long enough.
    pub fn expire(&mut self, now: Instant) -> Vec<Vec<T>> {
        let is_due = |open: &Open<T>| now.saturating_duration_since(open.since) >= self.limits.max_wait;
        let due = self.all().filter(|(_, open)| is_due(open));
        let due = due.map(|(key, open)| (open.age, key.map(str::to_owned)));
        self.take_in_order(due.collect())
    }

    /// When the next batch will have waited long enough.
    pub fn deadline(&self) -> Option<Instant> {
        self.all()
            .map(|(_, open)| open.since + self.limits.max_wait)
            .min()
    }

    /// Gives everything that is left, oldest first.
    pub fn drain(&mut self) -> Vec<Vec<T>> {
        let all = self.all().map(|(key, open)| (open.age, key.map(str::to_owned)));
        self.take_in_order(all.collect())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = (Option<&str>, &Open<T>)> {
        let groups = self.groups.iter().map(|(key, open)| (Some(key.as_str()), open));
        self.ungrouped.iter().map(|open| (None, open)).chain(groups)
    }

    fn open(&self, group: Option<&str>) -> Option<&Open<T>> {
        match group {
            None => self.ungrouped.as_ref(),
            Some(group) => self.groups.get(group),
        }
    }

    /// Adds the item to its group and says whether that is complete now.
    fn add(&mut self, max_records: usize, item: T, size: Size, group: Option<&str>, now: Instant) -> bool {
        let age = self.next_age;
        let capacity = max_records.min(1_024);
        let begin = || Open {
            items: Vec::with_capacity(capacity),
            // The list's closing bracket.
            size: 1.into(),
            since: now,
            age,
        };
        let open = match group {
            None => self.ungrouped.get_or_insert_with(begin),
            Some(group) => self.groups.entry(group.to_owned()).or_insert_with(begin),
        };
        self.next_age += 1;
        open.items.push(item);
        open.size = open.size.and(size);
        open.items.len() >= max_records
            || open.size.body >= self.limits.max_bytes
            || open.size.query >= self.limits.max_query
    }

    fn take(&mut self, group: Option<&str>) -> Option<Vec<T>> {
        let open = match group {
            None => self.ungrouped.take(),
            Some(group) => self.groups.remove(group),
        };
        open.map(|open| open.items)
    }

    fn take_oldest(&mut self) -> Option<Vec<T>> {
        let (oldest, _) = self.all().min_by_key(|(_, open)| open.age)?;
        let oldest = oldest.map(str::to_owned);
        self.take(oldest.as_deref())
    }

    fn take_in_order(&mut self, mut keys: Vec<(u64, Option<String>)>) -> Vec<Vec<T>> {
        keys.sort_unstable();
        keys.into_iter()
            .filter_map(|(_, key)| self.take(key.as_deref()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batcher(max_records: usize, max_bytes: usize) -> Batcher<u32> {
        Batcher::new(BatchLimits {
            max_records,
            max_bytes,
            ..BatchLimits::default()
        })
    }

    const GROUPS: [Option<&str>; 4] = [Some("0"), Some("1"), Some("2"), None];

    #[test]
    fn a_record_over_the_cap_in_bytes_goes_alone() {
        let (mut batcher, now) = (batcher(10, 100), Instant::now());
        assert!(batcher.push(1, 40, None, now).is_empty());
        assert_eq!(batcher.push(2, 500, None, now), [vec![1], vec![2]]);
        assert!(batcher.is_empty());
    }

    #[test]
    fn a_batch_is_cut_where_its_url_would_be_too_long() {
        let mut batcher = Batcher::new(BatchLimits {
            max_records: 10,
            max_query: 100,
            ..BatchLimits::default()
        });
        let now = Instant::now();
        let size = |query| Size { body: 1, query };
        assert!(batcher.push(1, size(60), None, now).is_empty());
        assert_eq!(batcher.push(2, size(41), None, now), [vec![1]]);
        assert_eq!(batcher.push(3, size(59), None, now), [vec![2, 3]]);
    }

    #[test]
    fn an_incomplete_batch_goes_when_it_has_waited_long_enough() {
        let (mut batcher, now) = (batcher(10, 100), Instant::now());
        batcher.push(1, 1, GROUPS[1], now);
        batcher.push(2, 1, GROUPS[2], now + Duration::from_millis(600));
        assert_eq!(batcher.deadline(), Some(now + Duration::from_secs(1)));
        assert!(batcher.expire(now + Duration::from_millis(999)).is_empty());
        assert_eq!(batcher.expire(now + Duration::from_secs(1)), [vec![1]]);
        assert_eq!(batcher.expire(now + Duration::from_secs(2)), [vec![2]]);
    }

    #[test]
    fn too_many_groups_push_out_the_oldest() {
        let mut batcher = Batcher::new(BatchLimits {
            max_records: 10,
            max_groups: 2,
            ..BatchLimits::default()
        });
        let now = Instant::now();
        assert!(batcher.push(1, 1, GROUPS[1], now).is_empty());
        assert!(batcher.push(2, 1, GROUPS[2], now).is_empty());
        assert_eq!(batcher.push(3, 1, GROUPS[3], now), [vec![1]]);
    }

    proptest! {
        #[test]
        fn every_item_comes_out_once_in_the_order_of_its_group_and_within_the_caps(
            items in proptest::collection::vec((0_u32..4, 1_usize..60), 0..200),
            max_records in 1_usize..7,
            max_bytes in 1_usize..120,
        ) {
            let mut batcher = Batcher::new(BatchLimits { max_records, max_bytes, max_groups: 3, ..BatchLimits::default() });
            let now = Instant::now();
            let mut batches = Vec::new();
            for (number, (of, bytes)) in items.iter().enumerate() {
                batches.extend(batcher.push((*of, number, *bytes), *bytes, GROUPS[*of as usize], now));
            }
            batches.extend(batcher.drain());
            for batch in &batches {
                prop_assert!(!batch.is_empty() && batch.len() <= max_records);
                prop_assert!(batch.iter().all(|item| item.0 == batch[0].0));
                prop_assert!(batch.len() == 1 || batch.iter().map(|item| item.2).sum::<usize>() <= max_bytes);
            }
            for of in 0..4 {
                let came: Vec<_> = batches.iter().flatten().filter(|item| item.0 == of).map(|item| item.1).collect();
                let went: Vec<_> = (0..items.len()).filter(|number| items[*number].0 == of).collect();
                prop_assert_eq!(came, went);
            }
        }
    }
}
