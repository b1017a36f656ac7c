//! How many batches are marked at once.

use std::time::Duration;

use tokio::time::Instant;

/// How many batches are marked at once: many where sending one twice does no harm, else few, since all of them are in doubt
/// after a crash. Few is twice as many as may be under way, or what goes out in about [`SPAN`] if that is more: the
/// outcomes of that time are not on disk either.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    is_safe_to_resend: bool,
    now: usize,
    /// When the last mark was made, and how many batches had gone out by then.
    last: Option<(Instant, u64)>,
}

/// The time that a mark is meant to last where few batches are marked at once.
const SPAN: Duration = Duration::from_millis(10);

/// How many times as many as are under way are marked at once at the most, however fast they go out.
const MOST_ROUNDS: usize = 16;

/// How many may be marked at any time, where so many may be under way.
pub(super) fn least(under_way: usize) -> usize {
    under_way.saturating_mul(2)
}

impl Window {
    pub(super) fn new(is_safe_to_resend: bool) -> Self {
        Self {
            is_safe_to_resend,
            now: 0,
            last: None,
        }
    }

    /// How many may be marked now, where `least` are no harm: twice as many as before, if as many have gone out in less than
    /// the span, and the least again once they took twice as long.
    pub(super) fn next(&mut self, now: Instant, gone: u64, least: usize) -> usize {
        if self.is_safe_to_resend {
            return usize::MAX;
        }
        if let Some((last, gone_then)) = self.last.replace((now, gone)) {
            let lasted = now.duration_since(last);
            if lasted > 2 * SPAN {
                self.now = least;
            } else if lasted < SPAN && gone.saturating_sub(gone_then) >= self.now as u64 {
                self.now *= 2;
            }
        }
        self.now = self.now.clamp(least, least.saturating_mul(MOST_ROUNDS));
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be marked at each of these times, where so many batches have gone out by then.
    fn windows(at: &[(u64, u64)]) -> Vec<usize> {
        let (start, mut window) = (Instant::now(), Window::new(false));
        let marks = at.iter();
        marks
            .map(|(millis, gone)| window.next(start + Duration::from_millis(*millis), *gone, 16))
            .collect()
    }

    #[test]
    fn where_sending_twice_does_harm_few_are_marked_at_once_while_few_go_out() {
        assert_eq!(windows(&[(0, 0), (1_000, 16), (1_500, 32)]), [16, 16, 16]);
        let one_by_one: Vec<(u64, u64)> = (0..100).map(|mark| (mark * 6, mark)).collect();
        assert!(windows(&one_by_one).iter().all(|window| *window == 16));
    }

    #[test]
    fn as_many_are_marked_as_go_out_in_the_span_and_few_again_once_they_do_not() {
        let at = [
            (0, 0),
            (4, 16),
            (8, 48),
            (14, 112),
            (20, 240),
            (29, 496),
            (44, 752),
            (80, 800),
        ];
        assert_eq!(windows(&at), [16, 32, 64, 128, 256, 256, 256, 16]);
    }

    #[test]
    fn where_sending_twice_does_no_harm_all_that_is_there_is_marked() {
        assert_eq!(Window::new(true).next(Instant::now(), 0, 1), usize::MAX);
    }
}
