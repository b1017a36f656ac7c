//! Running code of others that may panic on what users give it: a decoder on corrupt data, jq's functions on a value.
//!
//! A panic is caught in silence: the hook that prints panics is asked to leave out those of a thread that is inside
//! [`guarded`]. Every other panic reaches the hook that was there before. The hook is put in place once and never taken
//! back, so threads that come and go do not disturb each other.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread;

thread_local! {
    /// Whether this thread's panics are expected and caught.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`; its panic is an error, and nothing is printed. Nobody may look at what `work` was changing.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> thread::Result<T> {
    silence_guarded_panics();
    let before = IS_GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(before);
    done
}

/// What a panic said, if it said anything.
pub(crate) fn said(panic: &(dyn Any + Send)) -> Option<&str> {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied())
}

fn silence_guarded_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            // A thread that is ending has no flag left, and nothing to guard either.
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
        let panic = guarded(|| panic!("index {}", 7)).unwrap_err();
        assert_eq!(said(&*panic), Some("index 7"));
        let panic = guarded(|| panic!("no index")).unwrap_err();
        assert_eq!(said(&*panic), Some("no index"));
        assert!(!IS_GUARDED.get());
        let inside = guarded(|| IS_GUARDED.get()).unwrap();
        let elsewhere = guarded(|| thread::spawn(|| IS_GUARDED.get()).join().unwrap());
        assert!(
            inside && !elsewhere.unwrap(),
            "one thread is guarded, and no other"
        );
    }
}
