//! The stream form: a schema, batches, and an end mark.

use std::io::Read;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::Schema;

use super::{Batches, guarded};
use crate::source::config::ArrowConfig;
use crate::source::error::SourceError;
use crate::source::window::read_some;
use crate::units::ByteSize;

/// How many bytes are read at a time.
const READ_SIZE: usize = 128 * 1024;

/// The record batches of a stream.
pub(in crate::source) struct StreamBatches<R> {
    name: String,
    reader: R,
    decoder: StreamDecoder,
    /// What was read and not yet decoded.
    buffer: Buffer,
    /// A batch that was decoded together with the schema.
    first: Option<RecordBatch>,
    schema: Arc<Schema>,
    /// How many bytes were read.
    byte: u64,
    /// How many bytes were read when the last batch was complete.
    batch_start: u64,
    /// How many batches were decoded.
    batches: u64,
    allow_missing_eos: bool,
    max_batch_bytes: u64,
    is_ended: bool,
}

impl<R: Read> StreamBatches<R> {
    /// Reads the schema.
    pub(in crate::source) fn open(name: &str, reader: R, config: &ArrowConfig) -> Result<Self, SourceError> {
        let mut stream = Self {
            name: name.to_owned(),
            reader,
            decoder: StreamDecoder::new(),
            buffer: Buffer::default(),
            first: None,
            schema: Arc::new(Schema::empty()),
            byte: 0,
            batch_start: 0,
            batches: 0,
            allow_missing_eos: config.allow_missing_eos,
            max_batch_bytes: config.max_batch_bytes.get(),
            is_ended: false,
        };
        let mut start = Vec::new();
        while start.len() < 8 && stream.fill()? {
            start.extend_from_slice(&stream.buffer);
        }
        check_start(name, &start)?;
        stream.buffer = Buffer::from_vec(start);
        loop {
            stream.first = stream.decode()?;
            if let Some(schema) = stream.decoder.schema() {
                stream.schema = schema;
                return Ok(stream);
            }
            if !stream.fill()? {
                return Err(stream.truncated());
            }
        }
    }

    /// Reads more bytes into the buffer, which must be empty; false at the end.
    fn fill(&mut self) -> Result<bool, SourceError> {
        let mut bytes = vec![0; READ_SIZE];
        let read = read_some(&mut self.reader, &mut bytes)
            .map_err(|error| SourceError::from_io(&self.name, self.byte, error))?;
        bytes.truncate(read);
        self.byte += read as u64;
        self.buffer = Buffer::from_vec(bytes);
        Ok(read > 0)
    }

    /// Decodes what was read, to the next batch.
    fn decode(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        let Self {
            decoder,
            buffer,
            batches,
            ..
        } = self;
        let batch = guarded(&self.name, || place(*batches), || decoder.decode(buffer))?;
        if batch.is_some() {
            self.batches += 1;
            self.batch_start = self.byte;
        }
        Ok(batch)
    }

    /// Checks that the stream may end here.
    fn check_end(&mut self) -> Result<(), SourceError> {
        if self.decoder.finish().is_err() {
            return Err(self.truncated());
        }
        // Behind its end mark the decoder refuses any byte; before it, this is the rest of an end mark.
        let has_end_mark = self.decoder.decode(&mut Buffer::from_vec(vec![0_u8; 4])).is_err();
        if has_end_mark || self.allow_missing_eos {
            return Ok(());
        }
        Err(SourceError::ArrowForm {
            name: self.name.clone(),
            reason: "ends without the end mark of an Arrow stream",
            hint: "it may have been cut between two batches; `source.arrow.allow_missing_eos: true` accepts that",
        })
    }

    fn truncated(&self) -> SourceError {
        SourceError::Truncated {
            name: self.name.clone(),
            what: "an Arrow stream",
            byte: self.byte,
        }
    }
}

impl<R: Read + Send> Batches for StreamBatches<R> {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        if let Some(batch) = self.first.take() {
            return Ok(Some(batch));
        }
        while !self.is_ended {
            if let Some(batch) = self.decode()? {
                return Ok(Some(batch));
            }
            if self.byte - self.batch_start > self.max_batch_bytes {
                return Err(too_large(&self.name, self.batches, self.max_batch_bytes));
            }
            if !self.fill()? {
                self.is_ended = true;
                self.check_end()?;
            }
        }
        Ok(None)
    }
}

/// Where the decoder is after so many batches.
fn place(batches: u64) -> String {
    format!("batch {}", batches + 1)
}

/// Checks that a stream begins like one, as the decoder takes any four bytes for a length.
fn check_start(name: &str, start: &[u8]) -> Result<(), SourceError> {
    let form = |reason, hint| {
        let name = name.to_owned();
        Err(SourceError::ArrowForm { name, reason, hint })
    };
    match start {
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => form(
            "is in the file form of Arrow, which can be read only from a plain file",
            "save it to a file and decompress it, or write it in the stream form",
        ),
        [b'F', b'E', b'A', b'1', ..] => form(
            "is a Feather file of version 1",
            "write it as version 2, which is Arrow IPC",
        ),
        // Since Arrow 0.15 each message has this mark; before, a schema began with its length, which is small.
        [0xFF, 0xFF, 0xFF, 0xFF, ..] | [_, _, _, 0 | 1, ..] => Ok(()),
        [] | [_] | [_, _] | [_, _, _] => Err(SourceError::Truncated {
            name: name.to_owned(),
            what: "an Arrow stream",
            byte: start.len() as u64,
        }),
        _ => form("is not Arrow IPC", "set `source.format` to what it is"),
    }
}

/// The error for a batch beyond the cap.
pub(super) fn too_large(name: &str, batches: u64, limit: u64) -> SourceError {
    SourceError::Arrow {
        name: name.to_owned(),
        place: place(batches),
        reason: format!(
            "larger than `arrow.max_batch_bytes`, which is {}",
            ByteSize::new(limit)
        ),
    }
}
