//! Which inputs a configuration means: paths, globs and standard input, in their order.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::config::{Compression, Format, Paths};
use super::digest::Hash;
use super::error::{SourceError, similar_names};

/// How standard input is called in messages and positions.
const STDIN_NAME: &str = "standard input";

/// One input that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    /// The name as the user knows it.
    pub(super) name: String,
    /// The file, or none for standard input.
    pub(super) path: Option<PathBuf>,
}

/// Things to tell the user, shared by the parts of a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Vec<String>>>);

/// What follows the bytes of the inputs as they are stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Tap {
    /// How many there were.
    pub(super) count: Arc<AtomicU64>,
    /// Their hash, where one is asked for.
    pub(super) hash: Option<Hash>,
}

/// A reader whose bytes are followed.
#[derive(Debug)]
pub(super) struct Tapped<R> {
    pub(super) reader: R,
    pub(super) tap: Tap,
}

/// Finds the inputs that `paths` mean. A file that is meant twice is read once, which is noted.
pub(super) fn expand(paths: &Paths, notes: &Notes) -> Result<Vec<Input>, SourceError> {
    let mut inputs: Vec<Input> = Vec::new();
    for path in paths.as_slice() {
        for input in expand_one(path)? {
            if inputs.contains(&input) {
                notes.add(format!("`{}` is listed more than once and read once", input.name));
            } else {
                inputs.push(input);
            }
        }
    }
    if inputs.is_empty() {
        return Err(SourceError::NoPath);
    }
    Ok(inputs)
}

fn expand_one(path: &str) -> Result<Vec<Input>, SourceError> {
    if path.is_empty() {
        return Err(SourceError::NoPath);
    }
    if path == "-" {
        return Ok(vec![Input::stdin()]);
    }
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(SourceError::Directory {
            path: path.to_owned(),
        }),
        Ok(_) => Ok(vec![Input::file(PathBuf::from(path))]),
        Err(_) if path.contains(['*', '?', '[']) => expand_pattern(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SourceError::NotFound {
            path: path.to_owned(),
            similar: siblings_like(Path::new(path)),
        }),
        Err(source) => Err(unreadable(path, source)),
    }
}

/// The files that a pattern matches, in the order of their names.
fn expand_pattern(pattern: &str) -> Result<Vec<Input>, SourceError> {
    let matches = glob::glob(pattern).map_err(|source| SourceError::Pattern {
        pattern: pattern.to_owned(),
        source,
    })?;
    let mut paths = Vec::new();
    for path in matches {
        let path = path.map_err(|error| unreadable(&error.path().display().to_string(), error.into()))?;
        if !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        let pattern = pattern.to_owned();
        return Err(SourceError::NoMatch { pattern });
    }
    Ok(paths.into_iter().map(Input::file).collect())
}

/// Names beside a missing file that look like it.
fn siblings_like(path: &Path) -> Vec<String> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (Some(wanted), Ok(entries)) = (path.file_name(), fs::read_dir(directory)) else {
        return Vec::new();
    };
    let names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    similar_names(&wanted.to_string_lossy(), names.iter().map(String::as_str))
        .into_iter()
        .map(|name| path.with_file_name(name).display().to_string())
        .collect()
}

impl Input {
    fn stdin() -> Self {
        Self {
            name: STDIN_NAME.to_owned(),
            path: None,
        }
    }

    fn file(path: PathBuf) -> Self {
        Self {
            name: path.display().to_string(),
            path: Some(path),
        }
    }

    /// The format that the extension stands for, before one of compression.
    pub(super) fn format(&self) -> Option<Format> {
        let (plain, _) = self.split_compression();
        Some(match plain.rsplit_once('.')?.1 {
            "csv" | "tsv" => Format::Csv,
            "ndjson" | "jsonl" => Format::Ndjson,
            "json" => Format::Json,
            "arrow" | "feather" | "ipc" => Format::Arrow,
            "arrows" => Format::ArrowStream,
            "parquet" => Format::Parquet,
            _ => return None,
        })
    }

    /// The delimiter that the extension stands for.
    pub(super) fn delimiter(&self) -> u8 {
        match self.split_compression().0.rsplit_once('.') {
            Some((_, "tsv")) => b'\t',
            _ => b',',
        }
    }

    /// The compression that the extension stands for.
    pub(super) fn compression(&self) -> Compression {
        self.split_compression().1
    }

    /// The name in lower case without an extension of compression, and the compression.
    fn split_compression(&self) -> (String, Compression) {
        let name = match &self.path {
            Some(path) => path.to_string_lossy().to_lowercase(),
            None => String::new(),
        };
        match name.rsplit_once('.') {
            Some((plain, "gz" | "gzip")) => (plain.to_owned(), Compression::Gzip),
            Some((plain, "zst" | "zstd")) => (plain.to_owned(), Compression::Zstd),
            _ => (name, Compression::None),
        }
    }

    /// Opens the input's bytes.
    pub(super) fn bytes(&self, tap: Tap) -> Result<Box<dyn Read + Send>, SourceError> {
        Ok(match &self.path {
            Some(_) => Box::new(self.file_bytes(tap)?),
            None => Box::new(Tapped {
                reader: io::stdin(),
                tap,
            }),
        })
    }

    /// Opens the input's file. Standard input is no file.
    pub(super) fn file_bytes(&self, tap: Tap) -> Result<Tapped<File>, SourceError> {
        let path = self.path.as_deref().unwrap_or(Path::new("-"));
        match File::open(path) {
            Ok(reader) => Ok(Tapped { reader, tap }),
            Err(source) => Err(unreadable(&self.name, source)),
        }
    }

    /// The first bytes of a plain file, at most `count`; none of anything else.
    pub(super) fn start(&self, count: u64) -> Result<Vec<u8>, SourceError> {
        let mut start = Vec::new();
        if self.is_file() {
            let uncounted = self.file_bytes(Tap::default())?;
            uncounted
                .take(count)
                .read_to_end(&mut start)
                .map_err(|error| SourceError::from_io(&self.name, 0, error))?;
        }
        Ok(start)
    }

    /// Whether it is a plain file, which can be opened more than once and has a size.
    pub(super) fn is_file(&self) -> bool {
        let metadata = self.path.as_ref().and_then(|path| fs::metadata(path).ok());
        metadata.is_some_and(|metadata| metadata.is_file())
    }
}

impl Notes {
    pub(super) fn add(&self, note: String) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    pub(super) fn list(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tap {
    /// Counts and nothing else.
    pub(super) fn counting(count: &Arc<AtomicU64>) -> Self {
        Self {
            count: Arc::clone(count),
            hash: None,
        }
    }
}

impl<R: Read> Read for Tapped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.tap.count.fetch_add(read as u64, Ordering::Relaxed);
        if let Some(hash) = &self.tap.hash {
            hash.update(&buffer[..read]);
        }
        Ok(read)
    }
}

impl<R: io::Seek> io::Seek for Tapped<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

fn unreadable(name: &str, source: io::Error) -> SourceError {
    SourceError::Unreadable {
        name: name.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(directory.path().join(file), "").unwrap();
        }
        directory
    }

    fn names(directory: &tempfile::TempDir, paths: &[&str]) -> Result<Vec<String>, SourceError> {
        let full = |path: &&str| directory.path().join(path).display().to_string();
        let paths = Paths::Several(paths.iter().map(full).collect());
        let inputs = expand(&paths, &Notes::default())?;
        let name = |input: &Input| {
            input
                .path
                .as_ref()
                .unwrap()
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        Ok(inputs.iter().map(name).collect())
    }

    #[test]
    fn a_glob_is_read_in_the_order_of_names_and_a_list_in_its_own() {
        let directory = directory(&["b.csv", "a.csv", "c.json"]);
        assert_eq!(
            names(&directory, &["c.json", "*.csv"]).unwrap(),
            ["c.json", "a.csv", "b.csv"]
        );
    }

    #[test]
    fn a_file_that_is_listed_twice_is_read_once() {
        let directory = directory(&["b.csv", "a.csv"]);
        assert_eq!(
            names(&directory, &["b.csv", "*.csv"]).unwrap(),
            ["b.csv", "a.csv"]
        );
    }

    #[test]
    fn a_glob_that_matches_nothing_is_an_error() {
        let directory = directory(&["a.csv"]);
        assert!(matches!(
            names(&directory, &["*.json"]),
            Err(SourceError::NoMatch { .. })
        ));
    }

    #[test]
    fn a_missing_file_is_named_with_what_was_probably_meant() {
        let directory = directory(&["people.csv", "orders.json"]);
        let error = names(&directory, &["poeple.csv"]).unwrap_err();
        assert!(error.hint().unwrap().contains("people.csv`?"), "{error:?}");
    }

    #[test]
    fn a_file_whose_name_looks_like_a_pattern_is_a_file() {
        let directory = directory(&["a[1].csv"]);
        assert_eq!(names(&directory, &["a[1].csv"]).unwrap(), ["a[1].csv"]);
    }

    #[test]
    fn a_directory_is_refused_with_a_glob_as_hint() {
        let directory = directory(&[]);
        let error = names(&directory, &[""]).unwrap_err();
        assert!(error.hint().unwrap().contains("*.csv"), "{error:?}");
    }

    #[test]
    fn the_extension_gives_format_and_compression() {
        let input = |name: &str| Input::file(PathBuf::from(name));
        assert_eq!(input("a/B.CSV.gz").format(), Some(Format::Csv));
        assert_eq!(input("a/B.CSV.gz").compression(), Compression::Gzip);
        assert_eq!(input("a.tsv.zst").delimiter(), b'\t');
        assert_eq!(input("a.jsonl").format(), Some(Format::Ndjson));
        assert_eq!(input("a.feather").format(), Some(Format::Arrow));
        assert_eq!(input("a.Parquet").format(), Some(Format::Parquet));
        assert_eq!(input("a.txt").format(), None);
        assert_eq!(Input::stdin().format(), None);
    }
}
