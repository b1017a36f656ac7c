//! `outpour rejects` and `outpour doubts`: records that a run did not bring to a good end.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use outpour::ledger::{Kept, KeptKind, Ledger, Run};
use outpour::new_file;
use outpour::record::{Origin, Shape};
use outpour::rejects::{Reject, header_of, row_of};
use outpour::report::{counted, grouped, with_code};
use outpour::source::{Entry, RowReader, SourceConfig};

use super::args::{DoubtsArgs, KeptArgs, KeptFormat, RejectsArgs};
use super::error::Failure;
use super::ledger::{here, moment};
use super::printer::Printer;
use super::retry::plural;
use super::run::unwritable;
use super::standing::go_on_hint;

pub(super) fn rejects(args: &RejectsArgs, printer: Printer) -> Result<u8, Failure> {
    let ledger = Ledger::find(&here(args.kept.state.state.as_deref()))?;
    let Some(run) = chosen(&ledger, args.run, KeptKind::Reject, printer)? else {
        return Ok(0);
    };
    let writing = Writing {
        ledger: &ledger,
        run: &run,
        kind: KeptKind::Reject,
        args: &args.kept,
    };
    writing.write(args.format, printer)
}

pub(super) fn doubts(args: &DoubtsArgs, printer: Printer) -> Result<u8, Failure> {
    let ledger = Ledger::find(&here(args.kept.state.state.as_deref()))?;
    let run = match args.run {
        None => last_in_doubt(&ledger)?,
        some => chosen(&ledger, some, KeptKind::Doubt, printer)?,
    };
    let Some(run) = run else {
        printer.note("no run has open doubts");
        return Ok(0);
    };
    let writing = Writing {
        ledger: &ledger,
        run: &run,
        kind: KeptKind::Doubt,
        args: &args.kept,
    };
    match (args.format, &args.kept.output) {
        (None, None) => writing.list(printer),
        (format, _) => {
            if let Some(text) = unanswered(&ledger, &run)? {
                printer.note(&text);
            }
            writing.write(format, printer)
        }
    }
}

/// The run that is meant.
fn chosen(
    ledger: &Ledger,
    run: Option<i64>,
    kind: KeptKind,
    printer: Printer,
) -> Result<Option<Run>, Failure> {
    if let Some(run) = run {
        return Ok(Some(ledger.run(run)?));
    }
    let found = ledger.last_with_open(kind, None)?;
    if found.is_none() {
        printer.note(&format!("no run has open {}", plural(kind)));
    }
    Ok(found)
}

/// The last run with open doubts, or with records that were under way when it was killed.
fn last_in_doubt(ledger: &Ledger) -> Result<Option<Run>, Failure> {
    let with_doubts = ledger.last_with_open(KeptKind::Doubt, None)?;
    Ok(match (ledger.last_unanswered()?, with_doubts) {
        (Some(cut), Some(other)) if cut.id < other.id => Some(other),
        (Some(cut), _) => Some(cut),
        (None, other) => other,
    })
}

/// What was under way when a run was killed, in words; nothing where it was not, or was gone on with.
pub(super) fn unanswered(ledger: &Ledger, run: &Run) -> Result<Option<String>, Failure> {
    const SHOWN: usize = 20;
    let marks = ledger.unanswered(run.id, &ledger.spans(run.id)?)?;
    let count: u64 = marks.iter().map(|mark| mark.members.count()).sum();
    if count == 0 {
        return Ok(None);
    }
    let id = run.id;
    if let Some(runner) = ledger.folder().runner(&run.begun.job)? {
        let pid = runner.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
        return Ok(Some(format!(
            "run {id} is under way{pid}: {} may have been sent and have no answer yet",
            counted(count, "record")
        )));
    }
    let ranges: Vec<String> = marks.iter().map(|mark| mark.members.to_string()).collect();
    let more = match ranges.len() {
        0..=SHOWN => String::new(),
        all => format!(" and {} batches more", grouped((all - SHOWN) as u64)),
    };
    let ranges = ranges.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    Ok(Some(format!(
        "run {id} was killed: {} may have been sent and have no answer: {ranges}{more} (counted over all inputs)\n  {}",
        counted(count, "record"),
        go_on_hint(ledger, run)?
    )))
}

/// The records of one run, to be listed or written.
struct Writing<'a> {
    ledger: &'a Ledger,
    run: &'a Run,
    kind: KeptKind,
    args: &'a KeptArgs,
}

impl Writing<'_> {
    /// A list for people: places, line numbers and reasons.
    fn list(&self, printer: Printer) -> Result<u8, Failure> {
        let cut = unanswered(self.ledger, self.run)?;
        let count = self.count()?;
        if count == 0 && cut.is_none() {
            printer.note(&format!("run {} has no open doubts", self.run.id));
            return Ok(0);
        }
        if count > 0 {
            Printer::result(&format!(
                "run {} of {}, {}: {} in doubt",
                self.run.id,
                self.run.begun.job,
                moment(&self.run.started_at),
                counted(count, "record")
            ))?;
        }
        self.each(|kept| {
            let settled = kept
                .settled
                .map(|(by, outcome)| format!(" ({outcome} by run {by})"));
            Printer::result(&format!(
                "  {}: {}{}",
                kept.reject.position,
                with_code(kept.reject.code.as_deref(), &kept.reject.reason).replace('\n', " "),
                settled.unwrap_or_default()
            ))
        })?;
        if let Some(text) = cut {
            Printer::result(&text)?;
        }
        Ok(0)
    }

    /// The records themselves.
    fn write(&self, format: Option<KeptFormat>, printer: Printer) -> Result<u8, Failure> {
        let (id, words) = (self.run.id, plural(self.kind));
        let shapes = self.ledger.shapes(id, self.kind, !self.args.all)?;
        let Some(first) = shapes.first() else {
            let open = if self.args.all { "" } else { "open " };
            printer.note(&format!("run {id} has no {open}{words}"));
            return Ok(0);
        };
        let has_json = shapes.contains(&Shape::Json);
        let is_json = format == Some(KeptFormat::Ndjson) || (format.is_none() && *first == Shape::Json);
        let hint = "write all of them as JSON with `--format ndjson`";
        match format {
            Some(KeptFormat::Csv) if has_json => {
                let message = format!("{words} of run {id} are JSON, whose values CSV has no form for");
                return Err(Failure::usage_hint(message, hint));
            }
            Some(KeptFormat::Ndjson) => {}
            _ if shapes.len() > 1 => {
                let message = format!(
                    "{words} of run {id} come from inputs of {} shapes, and one output has one",
                    shapes.len()
                );
                return Err(Failure::usage_hint(message, hint));
            }
            _ => {}
        }
        let mut out = Out::open(self.args.output.clone())?;
        if !is_json {
            out.write(&header_of(first))?;
        }
        let rows = RowReader::new(&SourceConfig::default());
        let mut count = 0;
        self.each(|kept| {
            count += 1;
            let reject = match is_json {
                true => as_json(kept.reject, &rows),
                false => kept.reject,
            };
            out.write(&row_of(&reject, Some(id)))
        })?;
        out.close()?;
        let to = self
            .args
            .output
            .as_ref()
            .map(|path| format!(" to {}", path.display()));
        printer.note(&format!(
            "wrote {} {} of run {id}{}",
            grouped(count),
            if count == 1 {
                words.trim_end_matches('s')
            } else {
                words
            },
            to.unwrap_or_default()
        ));
        Ok(0)
    }

    fn count(&self) -> Result<u64, Failure> {
        if !self.args.all {
            return Ok(self.ledger.count_open(self.run.id, self.kind)?);
        }
        let mut count = 0;
        self.each(|_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    fn each(&self, mut take: impl FnMut(Kept) -> Result<(), Failure>) -> Result<(), Failure> {
        self.ledger
            .each_kept(self.run.id, self.kind, !self.args.all, &mut take)
    }
}

/// A CSV row as a JSON object of strings under its header; what is JSON stays as it is.
fn as_json(reject: Reject, rows: &RowReader) -> Reject {
    if reject.position.origin.shape == Shape::Json {
        return reject;
    }
    let read = rows.read(reject.position.clone(), &reject.original);
    let mut position = reject.position;
    position.origin = Arc::new(Origin {
        name: position.origin.name.clone(),
        shape: Shape::Json,
    });
    let (original, is_record) = match read {
        Entry::Record(record) => (record.text, reject.is_record),
        Entry::Bad(_) => (reject.original, false),
    };
    Reject {
        position,
        original,
        is_record,
        ..reject
    }
}

/// A new file for its owner alone, or standard output.
enum Out {
    File(PathBuf, BufWriter<File>),
    Standard(Vec<u8>),
}

impl Out {
    fn open(path: Option<PathBuf>) -> Result<Self, Failure> {
        Ok(match path {
            Some(path) => {
                let file = new_file::create_at(&path).map_err(unwritable)?;
                Self::File(path, BufWriter::new(file))
            }
            None => Self::Standard(Vec::new()),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        const MOST: usize = 64 * 1024;
        match self {
            Self::File(path, file) => file.write_all(bytes).map_err(|source| Failure::Unwritable {
                path: path.clone(),
                source,
            }),
            Self::Standard(waiting) => {
                waiting.extend_from_slice(bytes);
                match waiting.len() {
                    0..MOST => Ok(()),
                    _ => Printer::data(&std::mem::take(waiting)),
                }
            }
        }
    }

    fn close(self) -> Result<(), Failure> {
        match self {
            Self::File(path, mut file) => file
                .flush()
                .and_then(|()| file.get_ref().sync_all())
                .map_err(|source| Failure::Unwritable { path, source }),
            Self::Standard(waiting) => Printer::data(&waiting),
        }
    }
}
