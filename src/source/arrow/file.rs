//! The file form: batches that a footer at the end tells the places of.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, Footer, root_as_footer};
use arrow_schema::{ArrowError, Schema};

use super::Batches;
use super::guard::guarded;
use super::message::{CONTINUATION, check_body, parse};
use crate::source::config::ArrowConfig;
use crate::source::error::SourceError;

/// What a file begins and ends with.
const MAGIC: &[u8] = b"ARROW1";
/// The length of the footer's length and the magic behind it.
const TAIL: u64 = 10;

/// The record batches of a file.
pub(in crate::source) struct FileBatches<R> {
    name: String,
    reader: R,
    size: u64,
    max_batch_bytes: u64,
    schema: Arc<Schema>,
    decoder: FileDecoder,
    blocks: Vec<Block>,
    next: usize,
}

/// Whether a file that begins with these bytes is in the file form.
pub(in crate::source) fn is_file_form(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

impl<R: Read + Seek> FileBatches<R> {
    /// Reads the footer and the dictionaries.
    pub(in crate::source) fn open(
        name: &str,
        mut reader: R,
        config: &ArrowConfig,
    ) -> Result<Self, SourceError> {
        let unreadable = |error| SourceError::from_io(name, 0, error);
        let size = reader.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let footer = read_footer(name, &mut reader, size)?;
        let decoded = guarded(name, "the footer", || {
            let footer =
                root_as_footer(&footer).map_err(|error| ArrowError::ParseError(error.to_string()))?;
            decode_footer(footer)
        })?;
        let schema = Arc::new(decoded.schema);
        let mut file = Self {
            name: name.to_owned(),
            reader,
            size,
            max_batch_bytes: config.max_batch_bytes.get(),
            decoder: FileDecoder::new(Arc::clone(&schema), decoded.version),
            schema,
            blocks: decoded.batches,
            next: 0,
        };
        for (index, block) in decoded.dictionaries.iter().enumerate() {
            let bytes = file.read_block(block)?;
            let place = format!("dictionary {}", index + 1);
            guarded(name, &place, || file.decoder.read_dictionary(block, &bytes))?;
        }
        Ok(file)
    }

    /// Reads the bytes of a block, whose place comes from the file and may be anything.
    fn read_block(&mut self, block: &Block) -> Result<Buffer, SourceError> {
        let place = || {
            let start = u64::try_from(block.offset()).ok()?;
            let length = u64::try_from(block.metaDataLength()).ok()?;
            let length = length.checked_add(u64::try_from(block.bodyLength()).ok()?)?;
            (start.checked_add(length)? <= self.size).then_some((start, length))
        };
        let Some((start, length)) = place() else {
            return Err(self.corrupt("its place is outside the file"));
        };
        if length > self.max_batch_bytes {
            return Err(self.corrupt("larger than `arrow.max_batch_bytes`"));
        }
        let unreadable = |error| SourceError::from_io(&self.name, start, error);
        self.reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        // The length is that of a part of the file, so there is room for it.
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => self.corrupt("the file became shorter while it was read"),
                _ => unreadable(error),
            })?;
        let place = format!("batch {}", self.next + 1);
        guarded(&self.name, &place, || {
            check_block(block, &bytes, self.max_batch_bytes)
        })?;
        Ok(Buffer::from_vec(bytes))
    }

    fn corrupt(&self, reason: &str) -> SourceError {
        SourceError::Arrow {
            name: self.name.clone(),
            place: format!("batch {}", self.next + 1),
            reason: reason.to_owned(),
        }
    }
}

impl<R: Read + Seek + Send> Batches for FileBatches<R> {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        while let Some(block) = self.blocks.get(self.next).copied() {
            let bytes = self.read_block(&block)?;
            self.next += 1;
            let place = format!("batch {}", self.next);
            let batch = guarded(&self.name, &place, || {
                self.decoder.read_record_batch(&block, &bytes)
            })?;
            if batch.is_some() {
                return Ok(batch);
            }
        }
        Ok(None)
    }
}

/// Checks what a block claims about its body.
fn check_block(block: &Block, bytes: &[u8], limit: u64) -> Result<(), ArrowError> {
    let metadata = usize::try_from(block.metaDataLength())
        .ok()
        .and_then(|length| bytes.split_at_checked(length));
    let prefix = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
    match metadata.map(|(metadata, body)| (metadata.get(prefix..), body)) {
        Some((Some(metadata), body)) => check_body(parse(metadata)?, body, limit),
        _ => Err(ArrowError::ParseError(
            "its metadata are outside its block".to_owned(),
        )),
    }
}

/// What the footer says.
struct Decoded {
    schema: Schema,
    version: arrow_ipc::MetadataVersion,
    dictionaries: Vec<Block>,
    batches: Vec<Block>,
}

/// Reads the bytes of the footer. A file without one was cut.
fn read_footer(name: &str, reader: &mut (impl Read + Seek), size: u64) -> Result<Vec<u8>, SourceError> {
    let truncated = || SourceError::Truncated {
        name: name.to_owned(),
        what: "an Arrow file",
        byte: size,
    };
    let unreadable = |error| SourceError::from_io(name, size, error);
    let tail_start = size.checked_sub(TAIL).ok_or_else(truncated)?;
    reader.seek(SeekFrom::Start(tail_start)).map_err(unreadable)?;
    let mut tail = [0; 10];
    reader.read_exact(&mut tail).map_err(unreadable)?;
    let length = read_footer_length(tail).map_err(|_| truncated())? as u64;
    let start = tail_start.checked_sub(length).ok_or_else(truncated)?;
    reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    let mut footer = Vec::new();
    reader.take(length).read_to_end(&mut footer).map_err(unreadable)?;
    Ok(footer)
}

fn decode_footer(footer: Footer<'_>) -> Result<Decoded, ArrowError> {
    let schema = footer
        .schema()
        .ok_or_else(|| ArrowError::ParseError("there is no schema".to_owned()))?;
    if !schema.endianness().equals_to_target_endianness() {
        return Err(ArrowError::ParseError(
            "the byte order is another machine's".to_owned(),
        ));
    }
    Ok(Decoded {
        schema: fb_to_schema(schema),
        version: footer.version(),
        dictionaries: footer.dictionaries().iter().flatten().copied().collect(),
        batches: footer.recordBatches().iter().flatten().copied().collect(),
    })
}
