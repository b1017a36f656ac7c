//! Which record of a request each entry of a reply's list belongs to.
//!
//! An entry belongs to one record or to none: where several records that differ could be meant, none is.

use std::collections::{BTreeMap, HashMap};

use super::canonical::Canonical;

/// Finds the record that each entry repeats: the one that equals it; else the one all of whose members it has, and
/// more; else the one whose members it has a part of. Of records that are equal each entry takes another one, and when
/// all are taken the last.
pub(super) fn by_content(entries: &[Option<Canonical>], records: &[Option<Canonical>]) -> Vec<Option<usize>> {
    let mut taken = Taken(vec![false; records.len()]);
    let equal = equal(records.iter().map(|record| record.as_ref().map(Canonical::text)));
    let mut places: Vec<Option<usize>> = entries
        .iter()
        .map(|entry| taken.one_of(equal.get(entry.as_ref()?.text())?))
        .collect();
    if entries
        .iter()
        .zip(&places)
        .all(|(entry, place)| entry.is_none() || place.is_some())
    {
        return places;
    }
    let parts = Parts::of(records);
    for (entry, place) in entries.iter().zip(&mut places) {
        if let (Some(entry), None) = (entry, &place) {
            let meant = parts.meant(entry).and_then(|record| equal.get(record.text()));
            *place = meant.and_then(|equal| taken.one_of(equal));
        }
    }
    places
}

/// Finds the record that has each entry's key. A key that records have which differ names none of them, unless it
/// stands in as many entries.
pub(super) fn by_key(
    entries: &[Option<String>],
    records: &[Option<String>],
    are_equal: impl Fn(&[usize]) -> bool,
) -> Vec<Option<usize>> {
    let mut taken = Taken(vec![false; records.len()]);
    let of_entries = equal(entries.iter().map(Option::as_deref));
    let of_records = equal(records.iter().map(Option::as_deref));
    let places = entries.iter().map(|entry| {
        let entry = entry.as_deref()?;
        let (entries, records) = (of_entries.get(entry)?, of_records.get(entry)?);
        let is_clear = entries.len() >= records.len() || are_equal(records);
        is_clear.then(|| taken.one_of(records)).flatten()
    });
    places.collect()
}

/// The places of those that have the same text.
fn equal<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> HashMap<&'a str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, text) in texts.enumerate() {
        if let Some(text) = text {
            places.entry(text).or_default().push(place);
        }
    }
    places
}

/// Which records an entry was found for.
struct Taken(Vec<bool>);

impl Taken {
    /// The first that is not taken, else the last.
    fn one_of(&mut self, places: &[usize]) -> Option<usize> {
        let free = places.partition_point(|place| self.0[*place]);
        let place = *places.get(free).or(places.last())?;
        self.0[place] = true;
        Some(place)
    }
}

/// Records by their single members.
struct Parts<'a> {
    records: Vec<&'a Canonical>,
    with: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Parts<'a> {
    fn of(records: &'a [Option<Canonical>]) -> Self {
        let mut with: HashMap<_, Vec<usize>> = HashMap::new();
        let mut seen = HashMap::new();
        for record in records.iter().flatten() {
            let next = seen.len();
            let Some(members) = record.members().filter(|_| !seen.contains_key(record.text())) else {
                continue;
            };
            seen.insert(record.text(), (next, record));
            for (key, value) in members {
                with.entry((key.as_str(), value.as_str())).or_default().push(next);
            }
        }
        let mut records: Vec<_> = seen.into_values().collect();
        records.sort_unstable_by_key(|(place, _)| *place);
        Self {
            records: records.into_iter().map(|(_, record)| record).collect(),
            with,
        }
    }

    /// The one record that has a part of the entry's members, or of which it has a part.
    fn meant(&self, entry: &Canonical) -> Option<&'a Canonical> {
        let members = entry.members()?;
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for (key, value) in members {
            let with = self.with.get(&(key.as_str(), value.as_str()));
            for place in with.into_iter().flatten() {
                *shared.entry(*place).or_default() += 1;
            }
        }
        let size = |place: usize| self.records[place].members().map_or(0, BTreeMap::len);
        let wanted = |is_meant: &dyn Fn(usize, usize) -> bool| -> Vec<usize> {
            let meant = shared.iter().filter(|(place, count)| is_meant(**place, **count));
            meant.map(|(place, _)| *place).collect()
        };
        let whole = wanted(&|place, count| size(place) == count);
        let largest = whole.iter().map(|place| size(*place)).max();
        let found = match largest {
            Some(largest) => wanted(&|place, count| count == largest && size(place) == largest),
            None => wanted(&|_, count| count == members.len()),
        };
        match found[..] {
            [one] => Some(self.records[one]),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Vec<Option<Canonical>> {
        texts.iter().map(|text| Canonical::of(text)).collect()
    }

    fn content(entries: &[&str], records: &[&str]) -> Vec<Option<usize>> {
        by_content(&values(entries), &values(records))
    }

    fn keys(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn an_entry_that_equals_a_record_is_that_record() {
        let places = content(&[r#"{"b":2.0,"a":1}"#], &[r#"{"a":2}"#, r#"{"a":1,"b":2}"#]);
        assert_eq!(places, [Some(1)]);
    }

    #[test]
    fn equal_records_are_taken_one_after_the_other_and_then_the_last_again() {
        let places = content(&["{\"a\":1}"; 3], &["{\"a\":1}", "{\"a\":2}", "{\"a\":1}"]);
        assert_eq!(places, [Some(0), Some(2), Some(2)]);
    }

    #[test]
    fn an_entry_with_more_members_is_the_record_that_it_has_most_of() {
        let records = [r#"{"a":1}"#, r#"{"a":1,"b":2}"#, r#"{"a":3}"#];
        let places = content(&[r#"{"Id":"x","a":1,"b":2}"#, r#"{"Id":"y","a":3}"#], &records);
        assert_eq!(places, [Some(1), Some(2)]);
    }

    #[test]
    fn an_entry_with_fewer_members_is_the_one_record_that_has_them() {
        let records = [r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#];
        assert_eq!(content(&[r#"{"b":3}"#], &records), [Some(1)]);
        assert_eq!(content(&[r#"{"a":1}"#], &records), [None]);
    }

    #[test]
    fn what_could_mean_several_records_that_differ_means_none() {
        let places = content(&[r#"{"a":1,"b":2}"#], &[r#"{"a":1}"#, r#"{"b":2}"#]);
        assert_eq!(places, [None]);
        assert_eq!(content(&["{}", "null", "7"], &[r#"{"a":1}"#]), [None; 3]);
    }

    #[test]
    fn a_key_means_the_record_that_has_it() {
        let places = by_key(&keys(&["b", "x"]), &keys(&["a", "b"]), |_| false);
        assert_eq!(places, [Some(1), None]);
    }

    #[test]
    fn a_key_of_several_records_that_differ_means_none_unless_each_has_its_entry() {
        let records = keys(&["a", "a"]);
        assert_eq!(by_key(&keys(&["a"]), &records, |_| false), [None]);
        assert_eq!(by_key(&keys(&["a"]), &records, |_| true), [Some(0)]);
        assert_eq!(
            by_key(&keys(&["a", "a"]), &records, |_| false),
            [Some(0), Some(1)]
        );
    }
}
