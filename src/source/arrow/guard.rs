//! Running the arrow crate on data that may be corrupt. It panics on some of it; that becomes an error with its place.

use arrow_schema::ArrowError;

use crate::guard;
use crate::source::error::SourceError;

/// Runs a part of the arrow crate; its errors and panics become an error of the input at `place`.
pub(super) fn guarded<T>(
    name: &str,
    place: &str,
    decode: impl FnOnce() -> Result<T, ArrowError>,
) -> Result<T, SourceError> {
    let reason = match guard::guarded(decode) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => format!(
            "the data is corrupt ({})",
            panic.said().unwrap_or("the decoder gave up")
        ),
    };
    Err(SourceError::Arrow {
        name: name.to_owned(),
        place: place.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_of_the_input_with_its_place() {
        let broken = || -> Result<(), _> { panic!("index {}", 7) };
        assert_eq!(
            guarded("p.arrow", "batch 3", broken).unwrap_err().to_string(),
            "`p.arrow`, batch 3: the data is corrupt (index 7)"
        );
    }
}
