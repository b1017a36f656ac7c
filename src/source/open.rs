//! Opening what a configuration means, and reading it as one source.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::Ordering;

use super::arrow::{ArrowReader, FileBatches, ParquetBatches, StreamBatches, is_file_form, is_parquet};
use super::compression::decompressed;
use super::config::{Compression, Format, SourceConfig};
use super::csv::{CsvReader, Dialect};
use super::digest;
use super::draft::{Portion, Reader, Step};
use super::error::SourceError;
use super::inputs::{Input, Notes, Tap, Tapped, expand};
use super::json_array::JsonArrayReader;
use super::ndjson::NdjsonReader;
use super::stamp::InputStamp;
use super::window::Window;
use super::{Chunk, Source};

/// Opens the inputs that `config` means and checks all that can be checked before the first record: that the files
/// are there, that they begin as their format demands, that headers and schemas make sense.
///
/// ```
/// use outpour::source::{Entry, Source, SourceConfig, open};
/// # let directory = tempfile::tempdir()?;
/// let path = directory.path().join("people.csv");
/// std::fs::write(&path, "email,name\nann@example.com,Ann\n")?;
/// let mut source = open(&SourceConfig::at(path.display().to_string()))?;
/// let chunk = source.next_chunk()?.expect("a chunk");
/// let Entry::Record(record) = &chunk.entries[0] else { unreachable!() };
/// assert_eq!(record.as_str(), r#"{"email":"ann@example.com","name":"Ann"}"#);
/// assert_eq!(&record.original()[..], b"ann@example.com,Ann");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open(config: &SourceConfig) -> Result<Box<dyn Source>, SourceError> {
    config.check()?;
    let notes = Notes::default();
    let inputs = expand(&config.path, &notes)?;
    for input in &inputs {
        format_of(input, config)?;
    }
    let waiting: VecDeque<(Input, InputStamp)> = inputs
        .into_iter()
        .map(|input| {
            let stamp = input.stamp();
            (input, stamp)
        })
        .collect();
    let inputs: Vec<&Input> = waiting.iter().map(|(input, _)| input).collect();
    let tap = Tap {
        hash: digest::check_before(&inputs, config)?,
        ..Tap::default()
    };
    let sizes: Option<Vec<u64>> = waiting.iter().map(|(_, stamp)| stamp.size).collect();
    let mut chain = Chain {
        config: config.clone(),
        waiting,
        current: None,
        changed: false,
        failure: None,
        finished: false,
        records: 0,
        tap,
        total_bytes: sizes.map(|sizes| sizes.iter().sum()),
        notes,
    };
    chain.open_next()?;
    for (input, _) in chain.waiting.iter().filter(|(input, _)| input.is_file()) {
        open_input(input, config, Tap::default(), &Notes::default())?;
    }
    Ok(Box::new(chain))
}

/// Several inputs, read one after the other.
struct Chain {
    config: SourceConfig,
    /// The inputs that are yet to be read, and what they looked like when the source was opened.
    waiting: VecDeque<(Input, InputStamp)>,
    current: Option<Current>,
    /// Whether an input that was read to its end had changed by then.
    changed: bool,
    /// An error that waits until the records before it were handed over.
    failure: Option<SourceError>,
    finished: bool,
    records: u64,
    tap: Tap,
    total_bytes: Option<u64>,
    notes: Notes,
}

/// The input that is being read.
struct Current {
    input: Input,
    reader: Box<dyn Reader>,
    stamp: InputStamp,
}

impl Current {
    fn has_changed(&self) -> bool {
        self.input.stamp() != self.stamp
    }
}

impl Source for Chain {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, SourceError> {
        let result = self.read_chunk();
        self.finished |= !matches!(result, Ok(Some(_)));
        result
    }

    fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    fn changed(&self) -> bool {
        self.changed || self.current.as_ref().is_some_and(Current::has_changed)
    }

    fn notes(&self) -> Vec<String> {
        if let Some(current) = self.current.as_ref().filter(|current| current.has_changed()) {
            self.note_change(&current.input);
        }
        self.notes.list()
    }
}

impl Chain {
    fn read_chunk(&mut self) -> Result<Option<Chunk>, SourceError> {
        while !self.finished {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let Some(current) = &mut self.current else {
                if self.open_next()? {
                    continue;
                }
                return self.check_expectations().map(|()| None);
            };
            let portion = current.reader.read();
            if let Some(chunk) = self.accept(portion)? {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Opens the next input; false if there is none.
    fn open_next(&mut self) -> Result<bool, SourceError> {
        let Some((input, stamp)) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let reader = open_input(&input, &self.config, self.tap.clone(), &self.notes)?;
        self.current = Some(Current { input, reader, stamp });
        Ok(true)
    }

    /// Makes a chunk of what a reader gave, if it gave anything.
    fn accept(&mut self, mut portion: Portion) -> Result<Option<Chunk>, SourceError> {
        for entry in &mut portion.entries {
            self.records += 1;
            entry.position_mut().ordinal = self.records;
        }
        let is_empty = portion.entries.is_empty() && portion.blank_lines == 0;
        match portion.outcome {
            Ok(Step::More) => {}
            Ok(Step::End) => self.close_current(),
            Err(error) if is_empty => return Err(error),
            Err(error) => self.failure = Some(error),
        }
        Ok((!is_empty).then(|| Chunk {
            entries: portion.entries,
            blank_lines: portion.blank_lines,
            bytes_read: self.bytes_read(),
            lacks_error_keys: portion.lacks_error_keys,
        }))
    }

    /// How much was read; a part that was read twice, as an Arrow footer is, does not count beyond the end.
    fn bytes_read(&self) -> u64 {
        let read = self.tap.count.load(Ordering::Relaxed);
        self.total_bytes.map_or(read, |total| read.min(total))
    }

    fn close_current(&mut self) {
        if let Some(current) = self.current.take().filter(Current::has_changed) {
            self.changed = true;
            self.note_change(&current.input);
        }
    }

    fn note_change(&self, input: &Input) {
        self.notes
            .add(format!("`{}` changed while it was read", input.name));
    }

    /// Checks, at the end of all inputs, what the configuration expects of them.
    fn check_expectations(&self) -> Result<(), SourceError> {
        if let (Some(expected), Some(hash)) = (&self.config.expect_sha256, &self.tap.hash) {
            hash.check(expected)?;
        }
        match self.config.expect_records {
            Some(expected) if expected != self.records => Err(SourceError::Count {
                expected,
                found: self.records,
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("waiting", &self.waiting)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

fn format_of(input: &Input, config: &SourceConfig) -> Result<Format, SourceError> {
    match config.format.or_else(|| input.format()) {
        Some(format) => Ok(format),
        None if is_parquet(&input.start(4)?) => Ok(Format::Parquet),
        None => Err(SourceError::UnknownFormat {
            name: input.name.clone(),
        }),
    }
}

/// Opens one input and checks its beginning.
fn open_input(
    input: &Input,
    config: &SourceConfig,
    tap: Tap,
    notes: &Notes,
) -> Result<Box<dyn Reader>, SourceError> {
    let format = format_of(input, config)?;
    let cap = config.max_record_bytes.as_len();
    if format == Format::Arrow
        && let Some(file) = arrow_file(input, &tap)?
    {
        let batches = FileBatches::open(&input.name, file, &config.arrow)?;
        return Ok(Box::new(ArrowReader::new(
            &input.name,
            batches,
            &config.arrow,
            cap,
        )?));
    }
    let bytes = |tap| decompressed(input, config, tap, notes);
    Ok(match format {
        Format::Csv => {
            let dialect = Dialect::new(&config.csv, input.delimiter())?;
            let window = Window::on_text(&input.name, bytes(tap)?)?;
            Box::new(CsvReader::new(window, dialect, &config.csv, cap)?)
        }
        Format::Ndjson => {
            let window = Window::on_text(&input.name, bytes(tap)?)?;
            Box::new(NdjsonReader::new(window, cap))
        }
        Format::Json => open_json(input, bytes(tap)?, cap, notes)?,
        Format::Arrow | Format::ArrowStream => {
            let batches = StreamBatches::open(&input.name, bytes(tap)?, &config.arrow)?;
            Box::new(ArrowReader::new(&input.name, batches, &config.arrow, cap)?)
        }
        Format::Parquet => {
            let file = parquet_file(input, config.compression, tap)?;
            let batches = ParquetBatches::open(&input.name, file, &config.parquet)?;
            Box::new(ArrowReader::new(&input.name, batches, &config.arrow, cap)?)
        }
    })
}

/// Opens a plain file that is in the file form of Arrow; none if the input is anything else.
fn arrow_file(input: &Input, tap: &Tap) -> Result<Option<Tapped<File>>, SourceError> {
    match is_file_form(&input.start(8)?) {
        true => input.file_bytes(tap.clone()).map(Some),
        false => Ok(None),
    }
}

/// Opens a plain file for Parquet, whose footer is read before its columns.
fn parquet_file(input: &Input, compression: Compression, tap: Tap) -> Result<Tapped<File>, SourceError> {
    let refused = |hint| {
        Err(SourceError::ArrowForm {
            name: input.name.clone(),
            reason: "is to be read as Parquet, which can be read only from a plain file",
            hint,
        })
    };
    match compression {
        Compression::Gzip | Compression::Zstd => {
            refused("leave out `source.compression`; what Parquet compresses by itself is read anyway")
        }
        _ if !input.is_file() => refused("save it to a file, and give that as `source.path`"),
        _ => input.file_bytes(tap),
    }
}

/// Opens a JSON file as an array, or as NDJSON if it begins with an object.
fn open_json(
    input: &Input,
    bytes: Box<dyn Read + Send>,
    cap: usize,
    notes: &Notes,
) -> Result<Box<dyn Reader>, SourceError> {
    let mut window = Window::on_text(&input.name, bytes)?;
    if window.first_solid_byte()? == Some(b'{') {
        notes.add(format!(
            "`{}` begins with an object and is read as NDJSON",
            input.name
        ));
        return Ok(Box::new(NdjsonReader::new(window, cap)));
    }
    Ok(Box::new(JsonArrayReader::new(window, cap)))
}
