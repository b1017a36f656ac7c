//! Compressed NDJSON: what is cut or has something behind it never passes for whole, and bombs have a cap.

use outpour::source::{Compression, Format, SourceConfig};

use super::source::read;

/// Reads bytes as whatever compression they show, and again as each that they might be.
pub(super) fn compressed(data: &[u8]) {
    for compression in [Compression::Auto, Compression::Gzip, Compression::Zstd] {
        let config: SourceConfig = serde_json::from_str(
            r#"{"path": "-", "max_decompressed": "256KiB", "max_record_bytes": "64KiB"}"#,
        )
        .unwrap();
        let config = SourceConfig {
            format: Some(Format::Ndjson),
            compression,
            ..config
        };
        let read = read(data, config, None);
        let is_without_mark =
            !data.starts_with(&[0x1F, 0x8B]) && !data.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]);
        if compression == Compression::Gzip && is_without_mark {
            assert!(read.records == 0 && read.error.is_some(), "this is no gzip");
        }
    }
}
