//! The marks of a run on disk, a row each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rusqlite::{Connection, params};

use super::runs::signed;
use super::spans::Spans;
use super::store::Mark;

/// How many marks one statement writes. Batches are marked by the dozen, and a row costs little more than half as much so.
/// More rows in a statement would save little more, and leave more that is written one by one.
const ROWS: usize = 16;

const COLUMNS: &str = "INSERT OR REPLACE INTO marks (run, first, members, single) VALUES ";

/// The statement that writes one mark, and the one that writes many.
static ONE: LazyLock<String> = LazyLock::new(|| insert(1));
static MANY: LazyLock<String> = LazyLock::new(|| insert(ROWS));

/// A statement for so many rows. The run is its first parameter, and each row has three of its own.
fn insert(rows: usize) -> String {
    let row = |row: usize| format!("(?1, ?{}, ?{}, ?{})", 3 * row + 2, 3 * row + 3, 3 * row + 4);
    format!("{COLUMNS}{}", (0..rows).map(row).collect::<Vec<_>>().join(", "))
}

/// Writes marks, each in the place of the one that has its first record.
pub(super) fn write_marks(connection: &Connection, run: i64, marks: &[&Mark]) -> rusqlite::Result<()> {
    let (many, rest) = marks.as_chunks::<ROWS>();
    for marks in many {
        write(connection, &MANY, run, marks)?;
    }
    rest.chunks(1)
        .try_for_each(|mark| write(connection, &ONE, run, mark))
}

fn write(connection: &Connection, sql: &str, run: i64, marks: &[&Mark]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.raw_bind_parameter(1, run)?;
    for (row, mark) in marks.iter().enumerate() {
        statement.raw_bind_parameter(3 * row + 2, signed(mark.members.first()))?;
        statement.raw_bind_parameter(3 * row + 3, mark.members.to_string())?;
        statement.raw_bind_parameter(3 * row + 4, mark.is_single)?;
    }
    statement.raw_execute().map(drop)
}

/// Drops the marks all of whose records have an outcome. A statement for each: SQLite deletes one row by its key at once, but
/// collects the keys of several before it deletes any, which costs more.
pub(super) fn drop_settled_marks(
    connection: &Connection,
    run: i64,
    spans: &Spans,
    marks: &mut BTreeMap<u64, Mark>,
) -> rusqlite::Result<()> {
    let mut settled = Vec::new();
    marks.retain(|first, mark| {
        let mut ranges = mark.members.ranges().iter();
        let is_settled = ranges.all(|(first, last)| spans.contains_all(*first, *last));
        if is_settled {
            settled.push(*first);
        }
        !is_settled
    });
    let mut statement = connection.prepare_cached("DELETE FROM marks WHERE run = ?1 AND first = ?2")?;
    for first in settled {
        statement.execute(params![run, signed(first)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Counts, Ledger, NewRun, Span};

    /// Batches of ten records, by their numbers from 0.
    fn mark(number: u64) -> Mark {
        Mark {
            members: (10 * number + 1..=10 * number + 10).collect(),
            is_single: false,
        }
    }

    fn accepted(mark: &Mark) -> Span {
        let (first, last) = mark.members.ranges()[0];
        let counts = Counts {
            accepted: last - first + 1,
            ..Counts::default()
        };
        Span { first, last, counts }
    }

    #[test]
    fn however_many_marks_there_are_each_is_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let run = ledger.begin(&NewRun::default()).unwrap();
        for count in [0, 1, 15, 16, 17, 40] {
            let marks: Vec<Mark> = (0..count).map(mark).collect();
            ledger.rewrite_marks(run, &marks).unwrap();
            assert_eq!(ledger.unanswered(run, &Spans::default()).unwrap(), marks);
        }
        let single = Mark {
            members: (1..=7).collect(),
            is_single: true,
        };
        write_marks(&ledger.connection, run, &[&single]).unwrap();
        let marks = ledger.unanswered(run, &Spans::default()).unwrap();
        assert_eq!(
            (&marks[0], marks.len()),
            (&single, 40),
            "in the place of the first"
        );
    }

    #[test]
    fn marks_go_once_all_of_their_records_have_an_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let (run, other) = [0, 1]
            .map(|job| NewRun {
                run_id: format!("{job}"),
                ..NewRun::default()
            })
            .map(|new| ledger.begin(&new).unwrap())
            .into();
        let all: Vec<Mark> = (0..20).map(mark).collect();
        ledger.rewrite_marks(run, &all).unwrap();
        ledger.rewrite_marks(other, &all).unwrap();
        let mut marks: BTreeMap<u64, Mark> = all
            .iter()
            .map(|mark| (mark.members.first(), mark.clone()))
            .collect();
        let mut spans = Spans::default();
        let open = [3, 4, 9, 19];
        let settled = (0..20).filter(|number| !open.contains(number));
        settled.for_each(|number| spans.add(accepted(&mark(number))).unwrap());
        // A part of one that is open is no reason to drop it.
        let part = Mark {
            members: (91..=95).collect(),
            is_single: false,
        };
        spans.add(accepted(&part)).unwrap();
        drop_settled_marks(&ledger.connection, run, &spans, &mut marks).unwrap();
        let left: Vec<Mark> = open.map(mark).into();
        assert_eq!(ledger.unanswered(run, &Spans::default()).unwrap(), left);
        assert_eq!(marks.into_values().collect::<Vec<_>>(), left);
        assert_eq!(
            ledger.unanswered(other, &Spans::default()).unwrap(),
            all,
            "another run's"
        );
    }
}
