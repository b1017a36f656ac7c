//! The stream form: a schema, batches, and an end mark.

use std::io::Read;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::Schema;

use super::Batches;
use super::guard::guarded;
use super::message::{CONTINUATION, body_length, check_body, parse};
use crate::source::config::ArrowConfig;
use crate::source::error::SourceError;

/// What a stream ends with.
const END_MARK: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

/// The record batches of a stream.
pub(in crate::source) struct StreamBatches<R> {
    name: String,
    reader: R,
    decoder: StreamDecoder,
    /// The message that is being decoded.
    buffer: Buffer,
    /// A batch that was decoded together with the schema.
    first: Option<RecordBatch>,
    schema: Arc<Schema>,
    /// How many bytes were read.
    byte: u64,
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
            batches: 0,
            allow_missing_eos: config.allow_missing_eos,
            max_batch_bytes: config.max_batch_bytes.get(),
            is_ended: false,
        };
        let start = stream.read_bytes(4)?;
        check_start(name, &start)?;
        stream.read_message(start)?;
        loop {
            stream.first = stream.decode()?;
            if let Some(schema) = stream.decoder.schema() {
                stream.schema = schema;
                return Ok(stream);
            }
            if stream.is_ended {
                return Err(stream.truncated());
            }
            let start = stream.read_bytes(4)?;
            stream.read_message(start)?;
        }
    }

    /// Reads so many bytes, or fewer at the end of the stream.
    fn read_bytes(&mut self, length: u64) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        self.read_behind(&mut bytes, length)?;
        Ok(bytes)
    }

    /// Reads so many bytes, or fewer at the end of the stream, behind those that are in `bytes`.
    fn read_behind(&mut self, bytes: &mut Vec<u8>, length: u64) -> Result<u64, SourceError> {
        match self.reader.by_ref().take(length).read_to_end(bytes) {
            Ok(read) => {
                self.byte += read as u64;
                Ok(read as u64)
            }
            Err(error) => Err(SourceError::from_io(&self.name, self.byte, error)),
        }
    }

    /// Adds so many bytes of the stream, which must be there, to `bytes`.
    fn extend(&mut self, bytes: &mut Vec<u8>, length: u64) -> Result<(), SourceError> {
        match self.read_behind(bytes, length)? < length {
            true => Err(self.truncated()),
            false => Ok(()),
        }
    }

    /// Reads the message that begins with these four bytes into the buffer, or the end mark.
    fn read_message(&mut self, mut bytes: Vec<u8>) -> Result<(), SourceError> {
        match bytes.len() {
            0 => return self.end(false),
            4 => {}
            _ => return Err(self.truncated()),
        }
        if bytes == CONTINUATION {
            self.extend(&mut bytes, 4)?;
        }
        let length = bytes.last_chunk().map_or(0, |length| u32::from_le_bytes(*length));
        if length == 0 {
            return self.end(true);
        }
        let start = bytes.len();
        self.extend(&mut bytes, length.into())?;
        let (limit, place) = (self.max_batch_bytes, place(self.batches));
        let body = guarded(&self.name, &place, || body_length(parse(&bytes[start..])?, limit))?;
        let end = bytes.len();
        self.extend(&mut bytes, body)?;
        guarded(&self.name, &place, || {
            check_body(parse(&bytes[start..end])?, &bytes[end..], limit)
        })?;
        self.buffer = Buffer::from_vec(bytes);
        Ok(())
    }

    /// Decodes what is in the buffer, to the next batch. A message without a body is decoded only once another
    /// follows it, so the buffer may hold that one afterwards.
    fn decode(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        let Self { decoder, buffer, .. } = self;
        let batch = guarded(&self.name, &place(self.batches), || decoder.decode(buffer))?;
        self.batches += u64::from(batch.is_some());
        Ok(batch)
    }

    /// Ends the stream, if it may end here with its end mark or without.
    fn end(&mut self, has_end_mark: bool) -> Result<(), SourceError> {
        self.is_ended = true;
        if has_end_mark && !self.read_bytes(1)?.is_empty() {
            return Err(self.form(
                "goes on behind the end mark of an Arrow stream",
                "streams cannot be joined to one; list them under `source.path` instead",
            ));
        }
        if !has_end_mark && !self.allow_missing_eos {
            return Err(self.form(
                "ends without the end mark of an Arrow stream",
                "it may have been cut between two batches; `source.arrow.allow_missing_eos: true` accepts that",
            ));
        }
        self.buffer = Buffer::from_vec(END_MARK.to_vec());
        Ok(())
    }

    fn form(&self, reason: &'static str, hint: &'static str) -> SourceError {
        let name = self.name.clone();
        SourceError::ArrowForm { name, reason, hint }
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
        loop {
            if let Some(batch) = self.decode()? {
                return Ok(Some(batch));
            }
            if self.is_ended {
                return Ok(None);
            }
            let start = self.read_bytes(4)?;
            self.read_message(start)?;
        }
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
        b"ARRO" => form(
            "is in the file form of Arrow, which can be read only from a plain file",
            "decompress it to a file and read that as `source.format: arrow`, or write it in the stream form",
        ),
        b"PAR1" => form("is Parquet and not Arrow IPC", "set `source.format: parquet`"),
        b"FEA1" => form(
            "is a Feather file of version 1",
            "write it as version 2, which is Arrow IPC",
        ),
        // Since Arrow 0.15 each message has this mark; before, a schema began with its length, which is small.
        [0xFF, 0xFF, 0xFF, 0xFF] | [_, _, _, 0 | 1] => Ok(()),
        short if short.len() < 4 => Err(SourceError::Truncated {
            name: name.to_owned(),
            what: "an Arrow stream",
            byte: start.len() as u64,
        }),
        _ => form("is not Arrow IPC", "set `source.format` to what it is"),
    }
}
