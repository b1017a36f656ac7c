//! Order by key: of records that agree in the fields of `order_by`, at most one batch is under way, the earliest first.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use crate::batch::Batcher;
use crate::endpoint::Prepared;
use crate::record::{FieldError, Fields, text_of};

/// What is under way, by the keys of its records. Records without a key are in no order, and cost nothing here.
#[derive(Debug, Default)]
pub(super) struct Order {
    under_way: HashSet<u64>,
}

impl Order {
    /// The first batch that has nothing to wait for: none of its keys is under way or in a batch that waits before it.
    pub(super) fn next(&mut self, queue: &mut VecDeque<Vec<Prepared>>) -> Option<Vec<Prepared>> {
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
        for key in keys(items).filter(|key| !left.contains(key)) {
            self.under_way.remove(&key);
        }
    }
}

fn keys(items: &[Prepared]) -> impl Iterator<Item = u64> {
    items.iter().filter_map(|item| item.order)
}

/// The key of a record: the hash of its fields' texts, none where it has none of them. Two keys of one hash only wait
/// for each other without need.
pub(super) fn key_of(text: &str, paths: &[String]) -> Result<Option<u64>, FieldError> {
    let fields = Fields::parse(text)?;
    let mut hasher = DefaultHasher::new();
    let mut has_any = false;
    for path in paths {
        let value = fields.at(path)?.filter(|value| *value != "null");
        has_any |= value.is_some();
        // A text is the same text however it is escaped.
        match value.map(|value| (value, text_of(value))) {
            Some((_, Some(text))) => text.hash(&mut hasher),
            Some((value, None)) => value.hash(&mut hasher),
            None => 0_u8.hash(&mut hasher),
        }
    }
    Ok(has_any.then(|| hasher.finish()))
}

/// Which open batch holds a key. A batch of another group must not overtake it.
#[derive(Debug, Default)]
pub(super) struct OpenKeys {
    groups: HashMap<u64, Option<String>>,
}

impl OpenKeys {
    /// Puts a record into the batch of its group and gives what is complete. A batch of another group that holds a
    /// record of the same key goes first.
    pub(super) fn push(
        &mut self,
        batcher: &mut Batcher<Prepared>,
        prepared: Prepared,
        group: Option<&str>,
        now: Instant,
    ) -> Vec<Vec<Prepared>> {
        let (size, order) = (prepared.piece.len() + 1, prepared.order);
        let ordinal = prepared.record.position.ordinal;
        let other = order.and_then(|key| self.groups.get(&key).filter(|open| open.as_deref() != group));
        let mut complete: Vec<_> = other
            .and_then(|other| batcher.release(other.as_deref()))
            .into_iter()
            .collect();
        complete.extend(batcher.push(prepared, size, group, now));
        self.forget(&complete);
        let is_last = |batch: &Vec<Prepared>| {
            batch
                .last()
                .is_some_and(|last| last.record.position.ordinal == ordinal)
        };
        if let Some(key) = order.filter(|_| !complete.iter().any(is_last)) {
            self.groups.insert(key, group.map(str::to_owned));
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
