//! A look at a message before the arrow crate decodes it.
//!
//! The crate allocates what a message asks for, and an allocation that fails ends the process, which nothing can
//! catch. So the lengths that a message claims are checked against the cap first.

use arrow_ipc::{Message, MessageHeader, RecordBatch, root_as_message};
use arrow_schema::ArrowError;

/// What each message begins with since Arrow 0.15.
pub(super) const CONTINUATION: [u8; 4] = [0xFF; 4];

/// Reads a message's metadata.
pub(super) fn parse(metadata: &[u8]) -> Result<Message<'_>, ArrowError> {
    root_as_message(metadata).map_err(|error| ArrowError::ParseError(error.to_string()))
}

/// The length of the body that follows a message.
pub(super) fn body_length(message: Message<'_>, limit: u64) -> Result<u64, ArrowError> {
    u64::try_from(message.bodyLength())
        .ok()
        .filter(|length| *length <= limit)
        .ok_or_else(|| too_large(message.bodyLength()))
}

/// Checks that a message has no more than `limit` rows, since a column of nulls claims any number of them for nothing,
/// and that the buffers in its body do not decompress to more than `limit` bytes.
pub(super) fn check_body(message: Message<'_>, body: &[u8], limit: u64) -> Result<(), ArrowError> {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message
            .header_as_dictionary_batch()
            .and_then(|batch| batch.data()),
        _ => None,
    };
    match batch {
        Some(batch) if u64::try_from(batch.length()).is_ok_and(|rows| rows > limit) => {
            Err(too_many(batch.length()))
        }
        Some(batch) if batch.compression().is_some() => check_buffers(batch, body, limit),
        _ => Ok(()),
    }
}

/// Each compressed buffer begins with its decompressed length; -1 stands for one that is not compressed.
fn check_buffers(batch: RecordBatch<'_>, body: &[u8], limit: u64) -> Result<(), ArrowError> {
    let mut total = 0_u64;
    for buffer in batch.buffers().iter().flatten() {
        let prefix = usize::try_from(buffer.offset())
            .ok()
            .filter(|_| buffer.length() > 0)
            .and_then(|offset| body.get(offset..)?.first_chunk::<8>());
        if let Some(Ok(length)) = prefix.map(|prefix| u64::try_from(i64::from_le_bytes(*prefix))) {
            total = total.saturating_add(length);
        }
    }
    match i64::try_from(total) {
        Ok(_) if total <= limit => Ok(()),
        claimed => Err(too_large(claimed.unwrap_or(i64::MAX))),
    }
}

fn too_many(rows: i64) -> ArrowError {
    ArrowError::ParseError(format!(
        "it claims {rows} rows, beyond the bytes of `arrow.max_batch_bytes`"
    ))
}

fn too_large(claimed: i64) -> ArrowError {
    ArrowError::ParseError(format!(
        "it claims {claimed} bytes, beyond `arrow.max_batch_bytes`"
    ))
}
