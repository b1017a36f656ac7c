//! Running the arrow crate on data that may be corrupt.
//!
//! It panics on some of it. A panic is caught and becomes an error with its place, and it is caught in silence: the
//! hook that prints panics is asked to leave out those of a thread that is inside [`guarded`]. Every other panic
//! reaches the hook that was there before. The hook is put in place once, when the first Arrow input is opened, and
//! never taken back, so threads that come and go do not disturb each other.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use arrow_schema::ArrowError;

use crate::source::error::SourceError;

thread_local! {
    /// Whether this thread's panics are expected and caught.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a part of the arrow crate; its errors and panics become an error of the input at `place`.
pub(super) fn guarded<T>(
    name: &str,
    place: &str,
    decode: impl FnOnce() -> Result<T, ArrowError>,
) -> Result<T, SourceError> {
    silence_guarded_panics();
    let before = IS_GUARDED.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    IS_GUARDED.set(before);
    let reason = match decoded {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("the data is corrupt ({})", said.unwrap_or("the decoder gave up"))
        }
    };
    Err(SourceError::Arrow {
        name: name.to_owned(),
        place: place.to_owned(),
        reason,
    })
}

fn silence_guarded_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            // A thread that is ending has no flag left, and nothing to decode either.
            if !IS_GUARDED.try_with(Cell::get).unwrap_or(false) {
                others(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_leaves_the_thread_unguarded() {
        let place = || {
            guarded("p.arrow", "batch 3", || -> Result<(), _> {
                panic!("index {}", 7)
            })
        };
        let error = place().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`p.arrow`, batch 3: the data is corrupt (index 7)"
        );
        assert!(!IS_GUARDED.get());
        let inside = guarded("p.arrow", "batch 3", || Ok(IS_GUARDED.get())).unwrap();
        let elsewhere = guarded("p.arrow", "batch 3", || {
            Ok(std::thread::spawn(|| IS_GUARDED.get()).join().unwrap())
        });
        assert!(
            inside && !elsewhere.unwrap(),
            "one thread is guarded, and no other"
        );
    }
}
