//! The delays before retries: exponential, with full jitter.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::RetryConfig;

/// Yields the delay before each retry, uniform between zero and a ceiling that doubles from `initial_backoff` to `max_backoff`.
///
/// Full jitter, as in <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>. backon's jitter is a
/// random share of the delay on top of the delay; the share alone is full jitter.
///
/// In a box, as few requests have one, and all have the room for it.
#[derive(Debug)]
pub(crate) struct Backoff(Box<Delays>);

#[derive(Debug)]
struct Delays {
    ceilings: ExponentialBackoff,
    jittered: ExponentialBackoff,
}

impl Backoff {
    /// Starts over; the same seed gives the same delays.
    pub(crate) fn new(config: &RetryConfig, seed: Option<u64>) -> Self {
        let max = config.max_backoff.get();
        let builder = ExponentialBuilder::new()
            .with_min_delay(config.initial_backoff.get().min(max))
            .with_max_delay(max)
            .without_max_times();
        let jittered = match seed {
            Some(seed) => builder.with_jitter().with_jitter_seed(seed),
            None => builder.with_jitter(),
        };
        Self(Box::new(Delays {
            ceilings: builder.build(),
            jittered: jittered.build(),
        }))
    }

    /// Leaves out the delays before a number of retries.
    pub(crate) fn skip(&mut self, retries: u32) {
        for _ in 0..retries {
            self.delay();
        }
    }

    /// The next delay.
    pub(crate) fn delay(&mut self) -> Duration {
        let ceiling = self.0.ceilings.next().unwrap_or_default();
        let jittered = self.0.jittered.next().unwrap_or_default();
        jittered.saturating_sub(ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::TimeSpan;

    fn delays(seed: u64) -> Vec<Duration> {
        let config = RetryConfig {
            initial_backoff: TimeSpan::from_secs(1),
            max_backoff: TimeSpan::from_secs(10),
            ..RetryConfig::default()
        };
        let mut backoff = Backoff::new(&config, Some(seed));
        (0..6).map(|_| backoff.delay()).collect()
    }

    #[test]
    fn delays_lie_below_a_ceiling_that_doubles_up_to_the_maximum() {
        let ceilings = [1, 2, 4, 8, 10, 10].map(Duration::from_secs);
        let mut longest = [Duration::ZERO; 6];
        for seed in 0..500 {
            for (index, delay) in delays(seed).into_iter().enumerate() {
                assert!(delay <= ceilings[index], "{index}: {delay:?}");
                longest[index] = longest[index].max(delay);
            }
        }
        for (longest, ceiling) in longest.into_iter().zip(ceilings) {
            assert!(longest > ceiling.mul_f32(0.95), "{longest:?} of {ceiling:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_delays() {
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
    }
}
