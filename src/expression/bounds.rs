//! What one run of an expression may cost, and the meter that watches it.
//!
//! jaq knows no limits of its own. It asks for its table of terms at every step, though, and does all its work on values
//! through traits, so the kind of data that we give it ([`Metered`]) and its values ([`Bounded`](super::bounded::Bounded))
//! can count. Neither can answer with an error: what goes beyond a limit unwinds to [`within`], without the panic's
//! message, and becomes an error there. So does a panic of jaq itself: it is one record that it cannot deal with. The meter belongs to the thread, since a run begins and ends on one.

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::time::Duration;

use jaq_core::data::HasLut;
use jaq_core::{DataT, Lut};

use super::bounded::Bounded;
use crate::guard::guarded;

/// The most steps of a run. A step is a term that is evaluated, or 64 bytes of values that are looked at: half a second or so.
pub const MAX_STEPS: u64 = 10_000_000;

/// The most memory that one value may take, in bytes.
pub const MAX_WEIGHT: u64 = 64 << 20;

/// The deepest that values made by an expression may nest.
pub(super) const MAX_NESTING: u16 = 256;

/// The most of its thread's stack that a run may take. Threads that run expressions need twice as much.
const MAX_STACK: usize = 1 << 20;

/// How long a run may search with regexes for each step that it may take: five seconds for [`MAX_STEPS`]. What a search costs is
/// paid before it begins, for as far as that can be known, so this is for those that look at the same text again and again.
const SEARCH_PER_STEP: Duration = Duration::from_nanos(500);

/// Which limit a run went beyond.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// It takes too many steps, perhaps without end.
    #[error("it takes too long, more than {MAX_STEPS} steps")]
    Steps,
    /// It calls itself too deep, perhaps without end, or nests a value too deep.
    #[error("it goes too deep")]
    Depth,
    /// It makes a value that is too large.
    #[error("it makes a value of more than {} MiB", MAX_WEIGHT >> 20)]
    Weight,
    /// Its regexes search for too long.
    #[error("its regexes take too long")]
    Search,
    /// Something in it panicked, and said this.
    #[error("it failed by a defect of jq or of outpour ({0})")]
    Defect(String),
}

impl Exceeded {
    /// Ends the run.
    pub(super) fn end(self) -> ! {
        resume_unwind(Box::new(self))
    }
}

struct Meter {
    steps_left: Cell<u64>,
    search_left: Cell<Duration>,
    stack_base: Cell<Option<usize>>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            steps_left: Cell::new(u64::MAX),
            search_left: Cell::new(Duration::MAX),
            stack_base: Cell::new(None),
        }
    };
}

/// Stops the meter however a run ends.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        METER.with(|meter| {
            meter.steps_left.set(u64::MAX);
            meter.search_left.set(Duration::MAX);
            meter.stack_base.set(None);
        });
    }
}

/// Does `work` within the limits, and so many steps.
pub(super) fn within<T>(steps: u64, work: impl FnOnce() -> T) -> Result<T, Exceeded> {
    METER.with(|meter| {
        meter.steps_left.set(steps);
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        meter.search_left.set(SEARCH_PER_STEP * steps);
        meter.stack_base.set(Some(stack_here()));
    });
    let running = Running;
    // What `work` holds is dropped as it unwinds; nobody sees it half done.
    let done = guarded(work);
    drop(running);
    done.map_err(|panic| match panic.payload.downcast_ref::<Exceeded>() {
        Some(exceeded) => exceeded.clone(),
        None => Exceeded::Defect(panic.to_string()),
    })
}

/// Takes steps off what is left of the run.
pub(super) fn charge(steps: u64) {
    METER.with(|meter| match meter.steps_left.get().checked_sub(steps) {
        Some(left) => meter.steps_left.set(left),
        None => Exceeded::Steps.end(),
    });
}

/// Takes the time of a search off what is left of the run for it.
pub(super) fn charge_search(time: Duration) {
    METER.with(|meter| match meter.search_left.get().checked_sub(time) {
        Some(left) => meter.search_left.set(left),
        None => Exceeded::Search.end(),
    });
}

fn check_stack() {
    let base = METER.with(|meter| meter.stack_base.get());
    if base.is_some_and(|base| base.abs_diff(stack_here()) > MAX_STACK) {
        Exceeded::Depth.end();
    }
}

/// An address on the stack, for its distance to another.
#[inline(never)]
fn stack_here() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// The kind of data that our filters work on: bounded values, each step counted.
pub(super) struct Metered(PhantomData<()>);

/// The table of terms, which jaq asks for at every step.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a>(pub(super) &'a Lut<Metered>);

impl DataT for Metered {
    type V<'a> = Bounded;
    type Data<'a> = Terms<'a>;
}

impl<'a> HasLut<'a, Metered> for Terms<'a> {
    fn lut(&self) -> &'a Lut<Metered> {
        charge(1);
        check_stack();
        self.0
    }
}
