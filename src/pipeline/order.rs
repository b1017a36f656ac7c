//! Order by key: of records that agree in what they are ordered by, at most one batch is under way, the earliest first.
//! Those that agree in the fields of `distinct` are in such an order too, and never in one batch.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use crate::batch::{Batcher, Size};
use crate::endpoint::Prepared;
use crate::record::{FieldError, Fields, Record, is_blank, key_of, text_of};

/// What keeps records in the order of the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OrderBy {
    /// Nothing.
    #[default]
    Nothing,
    /// Agreeing in all of these fields (dotted paths).
    All(Vec<String>),
    /// Sharing the value of one of these fields (dotted paths), perhaps under another's name.
    Any(Vec<String>),
}

/// What is under way, by the keys of its records. Records without a key are in no order, and cost nothing here.
#[derive(Debug, Default)]
pub(super) struct Order {
    under_way: HashSet<u64>,
}

impl Order {
    /// The first batch that has nothing to wait for: none of its keys is under way or in a batch that waits before it.
    pub(super) fn next(&mut self, queue: &mut VecDeque<Vec<Prepared>>) -> Option<Vec<Prepared>> {
        // Most records are in no order, and most batches so the first that waits.
        if queue.front().is_some_and(|first| !is_in_order(first)) {
            return queue.pop_front();
        }
        let mut waiting = HashSet::new();
        let is_free = |batch: &Vec<Prepared>| {
            let is_free = keys(batch).all(|key| !self.under_way.contains(&key) && !waiting.contains(&key));
            if !is_free {
                waiting.extend(keys(batch));
            }
            is_free
        };
        let index = queue.iter().position(is_free)?;
        let batch = queue.remove(index)?;
        self.under_way.extend(keys(&batch));
        Some(batch)
    }

    /// Lets those go that waited for these records, unless others of the same key are `left` to be sent.
    pub(super) fn release(&mut self, items: &[Prepared], left: &HashSet<u64>) {
        if self.under_way.is_empty() {
            return;
        }
        for key in keys(items).filter(|key| !left.contains(key)) {
            self.under_way.remove(&key);
        }
    }
}

fn is_in_order(items: &[Prepared]) -> bool {
    items
        .iter()
        .any(|item| !item.order.is_empty() || item.distinct.is_some())
}

fn keys(items: &[Prepared]) -> impl Iterator<Item = u64> {
    items.iter().flat_map(keys_of)
}

fn keys_of(item: &Prepared) -> impl Iterator<Item = u64> {
    item.order.iter().copied().chain(item.distinct)
}

impl OrderBy {
    /// The keys of a record, hashes of texts. Two keys of one hash only wait for each other without need.
    pub(super) fn keys_of(&self, record: &Record) -> Result<Vec<u64>, FieldError> {
        match self {
            Self::Nothing => Ok(Vec::new()),
            Self::All(paths) => Ok(key_of(record.as_str(), paths)?.into_iter().collect()),
            Self::Any(paths) => each_key(&Fields::parse(record.as_str())?, paths),
        }
    }
}

/// A key for each value. One record may be found by several identifiers, and by different ones each time: what shares
/// one of them stays in order. An API may be lenient about case and white space around a value, so these do not count.
fn each_key(fields: &Fields<'_>, paths: &[String]) -> Result<Vec<u64>, FieldError> {
    let mut keys = Vec::new();
    for path in paths {
        let Some(value) = fields.at(path)?.filter(|value| !is_blank(value)) else {
            continue;
        };
        let text = text_of(value).unwrap_or(value.into());
        let mut hasher = DefaultHasher::new();
        text.trim().to_lowercase().hash(&mut hasher);
        let key = hasher.finish();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Which open batch holds a key. A batch of another group must not overtake it.
#[derive(Debug, Default)]
pub(super) struct OpenKeys {
    groups: HashMap<u64, Option<String>>,
}

impl OpenKeys {
    /// Puts a record into the batch of its group, of at most `max_records`, and gives what is complete. Batches of other
    /// groups that hold a record of the same key go first, and so does one of any group that holds a record that this
    /// one must not meet.
    pub(super) fn push(
        &mut self,
        batcher: &mut Batcher<Prepared>,
        max_records: usize,
        prepared: Prepared,
        group: Option<&str>,
        now: Instant,
    ) -> Vec<Vec<Prepared>> {
        let size = Size {
            body: prepared.piece.len() + 1,
            query: prepared.query_bytes,
        };
        let ordinal = prepared.record.position.ordinal;
        if prepared.order.is_empty() && prepared.distinct.is_none() {
            let complete = batcher.push_at_most(max_records, prepared, size, group, now);
            self.forget(&complete);
            return complete;
        }
        let mut complete = self.make_way(batcher, &prepared, group);
        let own: Vec<u64> = keys_of(&prepared).collect();
        complete.extend(batcher.push_at_most(max_records, prepared, size, group, now));
        self.forget(&complete);
        let is_last = |batch: &Vec<Prepared>| {
            batch
                .last()
                .is_some_and(|last| last.record.position.ordinal == ordinal)
        };
        if !complete.iter().any(is_last) {
            let open = own.into_iter().map(|key| (key, group.map(str::to_owned)));
            self.groups.extend(open);
        }
        complete
    }

    /// The open batches that must go before this record's.
    fn make_way(
        &mut self,
        batcher: &mut Batcher<Prepared>,
        prepared: &Prepared,
        group: Option<&str>,
    ) -> Vec<Vec<Prepared>> {
        let mut complete = Vec::new();
        for key in keys_of(prepared) {
            let may_meet =
                |open: &&Option<String>| open.as_deref() == group && prepared.distinct != Some(key);
            if let Some(open) = self.groups.get(&key).filter(|open| !may_meet(open)) {
                complete.extend(batcher.release(open.as_deref()));
                self.forget(&complete);
            }
        }
        complete
    }

    /// Forgets the keys of batches that are complete.
    pub(super) fn forget(&mut self, batches: &[Vec<Prepared>]) {
        if !self.groups.is_empty() {
            for key in batches.iter().flat_map(|batch| keys(batch)) {
                self.groups.remove(&key);
            }
        }
    }
}
