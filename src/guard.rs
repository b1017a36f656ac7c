//! Running code of others that may panic on what users give it: a decoder on corrupt data, jq's functions on a value.
//!
//! A panic is caught in silence: the hook that prints panics is asked to leave out those of a thread that is inside
//! [`guarded`]. Every other panic reaches the hook that was there before. The hook is put in place once and never taken
//! back, so threads that come and go do not disturb each other.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are expected and caught.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };

    /// Where the last of them was.
    static PLACE: Cell<Option<Place>> = const { Cell::new(None) };
}

/// A panic that was caught.
#[derive(Debug)]
pub(crate) struct Panicked {
    /// What it carries.
    pub(crate) payload: Box<dyn Any + Send>,
    place: Option<Place>,
}

/// The name of a source file, and a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place(String, u32);

impl Panicked {
    /// What the panic said, if it said anything.
    pub(crate) fn said(&self) -> Option<&str> {
        let owned = self.payload.downcast_ref::<String>().map(String::as_str);
        owned.or_else(|| self.payload.downcast_ref::<&str>().copied())
    }
}

/// What it said, and where.
impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.said().unwrap_or("without a word"))?;
        match &self.place {
            Some(Place(file, line)) => write!(f, ", {file}:{line}"),
            None => Ok(()),
        }
    }
}

/// Does `work`; its panic is an error, and nothing is printed. Nobody may look at what `work` was changing.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    silence_guarded_panics();
    let before = IS_GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(before);
    done.map_err(|payload| Panicked {
        payload,
        place: PLACE.take(),
    })
}

fn silence_guarded_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            // A thread that is ending has no flag left, and nothing to guard either.
            if !IS_GUARDED.try_with(Cell::get).unwrap_or(false) {
                return others(panic);
            }
            let place = panic.location().map(|place| {
                let name = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
                Place(name.to_owned(), place.line())
            });
            PLACE.set(place);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_leaves_the_thread_unguarded() {
        let panic = guarded(|| panic!("index {}", 7)).unwrap_err();
        assert_eq!(panic.said(), Some("index 7"));
        assert!(panic.to_string().starts_with("index 7, guard.rs:"), "{panic}");
        let panic = guarded(|| panic!("no index")).unwrap_err();
        assert_eq!(panic.said(), Some("no index"));
        assert!(!IS_GUARDED.get());
        let panic = guarded(|| std::panic::resume_unwind(Box::new(7))).unwrap_err();
        assert_eq!(panic.to_string(), "without a word");
        let inside = guarded(|| IS_GUARDED.get()).unwrap();
        let elsewhere = guarded(|| std::thread::spawn(|| IS_GUARDED.get()).join().unwrap());
        assert!(
            inside && !elsewhere.unwrap(),
            "one thread is guarded, and no other"
        );
    }
}
