//! JSON text that jaq may read.

use super::{ExpressionError, MAX_DEPTH, MAX_NUMBER};
use crate::record::depth_of;

/// Refuses JSON text that nests too deep for jaq's reader, or has a number that would take it minutes.
pub(super) fn refuse_text(text: &str) -> Result<(), ExpressionError> {
    let depth = depth_of(text);
    if depth > MAX_DEPTH {
        return Err(ExpressionError::TooDeep(depth));
    }
    // A text that is no longer than a number may be has no longer number.
    match text.len() > MAX_NUMBER {
        true => refuse_numbers(text),
        false => Ok(()),
    }
}

fn refuse_numbers(text: &str) -> Result<(), ExpressionError> {
    let (mut is_quoted, mut is_escaped, mut length) = (false, false, 0);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E' if !is_quoted => {
                length += 1;
                continue;
            }
            _ => {}
        }
        if length > MAX_NUMBER {
            break;
        }
        length = 0;
    }
    match length > MAX_NUMBER {
        true => Err(ExpressionError::LongNumber(length)),
        false => Ok(()),
    }
}
