//! Sources: every record is numbered once, positions grow, and what is accepted is JSON again.

use outpour::record::{Fields, Position};
use outpour::source::{BadRecord, Compression, Entry, Format, SourceConfig, SourceError, fingerprints, open};

/// How much of a bad row is kept.
const MAX_ORIGINAL: usize = 64 * 1024;

/// What an input was read to.
pub(super) struct Read {
    pub(super) records: u64,
    pub(super) error: Option<SourceError>,
}

/// Reads CSV as it comes, and with every option that forgives something.
pub(super) fn csv(data: &[u8]) {
    read_plain(data, Format::Csv, "{}");
    read_plain(data, Format::Csv, r#"{"max_record_bytes": "16"}"#);
    let forgiving =
        r#"{"csv": {"types": "infer", "ragged": "pad", "encoding": "latin1", "rename_duplicates": true}}"#;
    read_plain(data, Format::Csv, forgiving);
    let other = r#"{"csv": {"delimiter": ";", "quote": "'", "ragged": "truncate", "encoding": "lossy",
        "header": false, "names": ["a", "b"], "columns": {"a": "date", "b": "json"}, "null_values": [""]}}"#;
    read_plain(data, Format::Csv, other);
}

/// Reads NDJSON.
pub(super) fn ndjson(data: &[u8]) {
    read_plain(data, Format::Ndjson, "{}");
    read_plain(data, Format::Ndjson, r#"{"max_record_bytes": "16"}"#);
}

/// Reads a JSON array.
pub(super) fn json_array(data: &[u8]) {
    read_plain(data, Format::Json, "{}");
    read_plain(data, Format::Json, r#"{"max_record_bytes": "16"}"#);
}

/// Reads Arrow IPC in either form, as its first bytes show.
pub(super) fn arrow(data: &[u8]) {
    read_plain(data, Format::Arrow, r#"{"arrow": {"max_batch_bytes": "64KiB"}}"#);
    let forgiving = r#"{"arrow": {"max_batch_bytes": "64KiB", "allow_missing_eos": true, "non_finite": "string",
        "big_integers_as": "string"}}"#;
    read_plain(data, Format::Arrow, forgiving);
}

/// Reads Parquet, all columns and one of them.
pub(super) fn parquet(data: &[u8]) {
    read_plain(data, Format::Parquet, "{}");
    let one =
        r#"{"parquet": {"columns": ["n"]}, "arrow": {"non_finite": "null", "big_integers_as": "string"}}"#;
    read_plain(data, Format::Parquet, one);
}

/// Reads what is not compressed, whatever it looks like.
fn read_plain(data: &[u8], format: Format, options: &str) {
    let mut options: serde_json::Value = serde_json::from_str(options).unwrap();
    options["path"] = "-".into();
    let mut config: SourceConfig = serde_json::from_value(options).unwrap();
    config.format = Some(format);
    config.compression = Compression::None;
    read(data, config, Some(data));
}

/// Reads the stored bytes to their end or to an error, and holds all that comes to what a source promises. `plain` is
/// the text that the positions count in, where it is known.
pub(super) fn read(stored: &[u8], config: SourceConfig, plain: Option<&[u8]>) -> Read {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    std::fs::write(&path, stored).unwrap();
    let config = SourceConfig {
        path: outpour::source::Paths::One(path.display().to_string()),
        ..config
    };
    let stamps = fingerprints(&config).unwrap();
    assert_eq!((stamps.len(), stamps[0].size), (1, Some(stored.len() as u64)));
    let mut source = match open(&config) {
        Ok(source) => source,
        Err(error) => return ended(0, error),
    };
    let is_arrow = config.format == Some(Format::Arrow);
    let mut before: Option<Position> = None;
    let (mut records, mut bytes_read) = (0, 0);
    let error = loop {
        let chunk = match source.next_chunk() {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        assert!(chunk.bytes_read >= bytes_read && chunk.bytes_read <= stored.len() as u64);
        bytes_read = chunk.bytes_read;
        for entry in chunk.entries {
            records += 1;
            let position = entry.position();
            assert_eq!((position.ordinal, position.number), (records, records));
            if let Some(before) = before.filter(|_| !is_arrow) {
                assert!(position.byte > before.byte, "{before} and then {position}");
                assert!(position.line >= before.line, "{before} and then {position}");
            }
            before = Some(position.clone());
            check_entry(&entry, &config, plain);
        }
    };
    assert!(
        matches!(source.next_chunk(), Ok(None)),
        "something follows the end"
    );
    assert!(!source.changed(), "nobody wrote the file");
    match error {
        Some(error) => ended(records, error),
        None => Read { records, error: None },
    }
}

fn check_entry(entry: &Entry, config: &SourceConfig, plain: Option<&[u8]>) {
    match entry {
        Entry::Bad(bad) => check_bad(bad),
        Entry::Record(record) => {
            let text = std::str::from_utf8(&record.text).unwrap();
            assert!(text.starts_with('{') && text.ends_with('}'), "{text}");
            Fields::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert!(record.original().len() <= config.max_record_bytes.as_len());
            if let Some(plain) =
                plain.filter(|_| !matches!(config.format, Some(Format::Arrow | Format::Parquet)))
            {
                let start = usize::try_from(record.position.byte).unwrap();
                let there = &plain[start..start + record.original().len()];
                assert_eq!(there, &record.original()[..], "{}", record.position);
            }
        }
    }
}

fn check_bad(bad: &BadRecord) {
    assert!(!bad.reason.is_empty());
    assert!(bad.original.len() <= MAX_ORIGINAL && bad.original.len() as u64 <= bad.size);
}

fn ended(records: u64, error: SourceError) -> Read {
    assert!(!error.to_string().is_empty());
    assert!(error.hint().is_none_or(|hint| !hint.is_empty()));
    Read {
        records,
        error: Some(error),
    }
}
