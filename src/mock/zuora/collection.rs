//! The records of one object, in the order in which they were created, and what must be unique among them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::record::ZuoraRecord;
use crate::mock::Attributes;

/// The records of one object.
#[derive(Debug, Default)]
pub(super) struct Collection {
    by_number: BTreeMap<u64, ZuoraRecord>,
    by_id: HashMap<String, u64>,
    /// Which record has a value of a unique field, by field and text.
    owners: HashMap<(String, String), String>,
    last: u64,
}

impl Collection {
    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ZuoraRecord> {
        self.by_number.values()
    }

    pub(super) fn find(&self, id: &str) -> Option<&ZuoraRecord> {
        self.by_number.get(self.by_id.get(id)?)
    }

    /// The records after that of an id, or all.
    pub(super) fn after(&self, id: Option<&str>) -> Option<impl Iterator<Item = &ZuoraRecord>> {
        let start = match id {
            Some(id) => Bound::Excluded(*self.by_id.get(id)?),
            None => Bound::Unbounded,
        };
        let range = self.by_number.range((start, Bound::Unbounded));
        Some(range.map(|(_, record)| record))
    }

    /// The id of the record that has this value in a unique field.
    pub(super) fn owner(&self, field: &str, value: &str) -> Option<&str> {
        let key = (field.to_owned(), value.to_owned());
        self.owners.get(&key).map(String::as_str)
    }

    pub(super) fn add(&mut self, record: ZuoraRecord, unique: &BTreeSet<String>) {
        self.last += 1;
        for key in keys(&record.fields, unique) {
            self.owners.insert(key, record.id.clone());
        }
        self.by_id.insert(record.id.clone(), self.last);
        self.by_number.insert(self.last, record);
    }

    /// Gives a record other fields, and shows what it is then.
    pub(super) fn write(
        &mut self,
        id: &str,
        fields: Attributes,
        date: String,
        unique: &BTreeSet<String>,
    ) -> Option<ZuoraRecord> {
        let number = self.by_id.get(id)?;
        let record = self.by_number.get_mut(number)?;
        for key in keys(&record.fields, unique) {
            self.owners.remove(&key);
        }
        for key in keys(&fields, unique) {
            self.owners.insert(key, id.to_owned());
        }
        record.fields = fields;
        record.updated_date = date;
        record.writes += 1;
        Some(record.clone())
    }

    /// Deletes a record, and says whether there was one.
    pub(super) fn remove(&mut self, id: &str, unique: &BTreeSet<String>) -> bool {
        let number = self.by_id.remove(id);
        let Some(record) = number.and_then(|number| self.by_number.remove(&number)) else {
            return false;
        };
        for key in keys(&record.fields, unique) {
            self.owners.remove(&key);
        }
        true
    }

    /// Gives a field of all records another name.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for record in self.by_number.values_mut() {
            record.fields = renamed(&record.fields, from, to);
        }
    }

    /// Finds out anew which values are taken, where other fields are unique than before. None where two records agree.
    pub(super) fn owners_of(&self, unique: &BTreeSet<String>) -> Option<HashMap<(String, String), String>> {
        let mut owners = HashMap::new();
        for record in self.by_number.values() {
            for key in keys(&record.fields, unique) {
                if owners.insert(key, record.id.clone()).is_some() {
                    return None;
                }
            }
        }
        Some(owners)
    }

    pub(super) fn set_owners(&mut self, owners: HashMap<(String, String), String>) {
        self.owners = owners;
    }
}

/// The values of unique fields. Null is no value.
fn keys(fields: &Attributes, unique: &BTreeSet<String>) -> impl Iterator<Item = (String, String)> {
    unique.iter().filter_map(|name| {
        let value = fields.json(name).filter(|value| *value != "null")?;
        Some((name.clone(), value.to_owned()))
    })
}

fn renamed(fields: &Attributes, from: &str, to: &str) -> Attributes {
    let mut renamed = Attributes::default();
    for (name, _) in fields.iter() {
        if let Some(value) = fields.raw(name) {
            let name = if name == from { to } else { name };
            renamed.set(name.to_owned(), value.to_owned());
        }
    }
    renamed
}
