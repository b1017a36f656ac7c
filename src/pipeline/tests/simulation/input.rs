//! The input: the same records in every session, in chunks of whatever size.

use std::sync::Arc;

use bytes::Bytes;

use super::dice::Dice;
use super::plan::Kind;
use crate::record::{Origin, Position, Record, Shape};
use crate::source::{BadRecord, Chunk, Entry, Source, SourceError};

pub(super) struct Input {
    entries: std::vec::IntoIter<Entry>,
    dice: Dice,
}

impl Input {
    pub(super) fn of(kinds: &[Kind], dice: Dice) -> Self {
        let origin = Arc::new(Origin {
            name: "simulated.ndjson".to_owned(),
            shape: Shape::Json,
        });
        let entries: Vec<Entry> = (1..)
            .zip(kinds)
            .map(|(ordinal, kind)| entry(ordinal, *kind, Arc::clone(&origin)))
            .collect();
        Self {
            entries: entries.into_iter(),
            dice,
        }
    }
}

/// What happened to a record, where there are two endpoints.
fn operation_of(ordinal: u64) -> &'static str {
    match ordinal * 7 % 5 {
        0..3 => "insert",
        _ => "delete",
    }
}

/// The group that a record belongs to.
pub(super) fn group_of(ordinal: u64) -> u64 {
    ordinal % 3
}

fn entry(ordinal: u64, kind: Kind, origin: Arc<Origin>) -> Entry {
    let position = Position {
        origin,
        ordinal,
        number: ordinal,
        line: Some(ordinal),
        byte: ordinal * 100,
    };
    if kind == Kind::Unreadable {
        return Entry::Bad(BadRecord {
            position,
            reason: "not valid JSON".to_owned(),
            original: Bytes::from_static(b"{oops"),
            size: 5,
        });
    }
    let (group, is_kept, is_bad) = (group_of(ordinal), kind != Kind::Filtered, kind == Kind::Refused);
    let id = if kind == Kind::Lacking { "" } else { "x" };
    let op = operation_of(ordinal);
    let text = format!(
        r#"{{"n":{ordinal},"op":"{op}","group":{group},"id":"{id}","keep":{is_kept},"bad":{is_bad}}}"#
    );
    Entry::Record(Record {
        position,
        text: text.into(),
        original: None,
    })
}

impl Source for Input {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, SourceError> {
        let count = usize::try_from(self.dice.between(1, 25)).unwrap();
        let entries: Vec<Entry> = self.entries.by_ref().take(count).collect();
        Ok((!entries.is_empty()).then(|| Chunk {
            bytes_read: entries.last().map_or(0, |entry| entry.position().byte),
            entries,
            blank_lines: 0,
            lacks_error_keys: false,
        }))
    }
}
