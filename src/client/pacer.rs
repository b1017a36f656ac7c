//! When the next attempt may start.
//!
//! Callers stand in one line, first come first served. The first of them asks every limit when its next grant is due, waits
//! until the latest of these times, and takes the grant at the moment at which it goes. A pause set meanwhile by
//! [`pause_until`](Pacer::pause_until) is seen before the grant is taken. A caller that leaves the line takes nothing with it.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::quota::Counted;
use super::spread::Spread;
use super::{Limits, Rate};

/// Lets attempts start no faster than the limits say. Times are counted from its start, on tokio's clock.
#[derive(Debug)]
pub(crate) struct Pacer {
    start: Instant,
    schedule: tokio::sync::Mutex<Schedule>,
    paused: Mutex<Pause>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Pause {
    until: Duration,
    total: Duration,
}

impl Pacer {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            start: Instant::now(),
            schedule: tokio::sync::Mutex::new(Schedule::new(limits)),
            paused: Mutex::default(),
        }
    }

    /// Waits until an attempt may start and what it needs is ready. The caller starts it at once, with what `ready` gave.
    ///
    /// Where something is still missing, `ready` gives the wait for it. The first of the line waits then, and the others
    /// behind it; the grant is taken afterwards, at the moment at which the attempt really starts.
    pub(crate) async fn acquire<V, E, F>(&self, ready: impl Fn() -> Result<V, F>) -> Result<V, E>
    where
        F: Future<Output = Result<(), E>>,
    {
        let mut schedule = self.schedule.lock().await;
        loop {
            let now = self.start.elapsed();
            let due = schedule.due(now).max(self.pause().until);
            if due > now {
                // Only the first of the line sleeps: in a box, its state is not part of what all the others keep.
                Box::pin(sleep_until(self.start + due)).await;
                continue;
            }
            match ready() {
                Ok(value) => {
                    schedule.take(now);
                    return Ok(value);
                }
                Err(wait) => wait.await?,
            }
        }
    }

    /// As [`acquire`](Self::acquire), where nobody stands in the line, and nothing has to be waited for.
    pub(crate) fn acquire_at_once<V, F>(&self, ready: impl Fn() -> Result<V, F>) -> Option<V> {
        let mut schedule = self.schedule.try_lock().ok()?;
        let until = self.pause().until;
        if schedule.0.is_empty() && until.is_zero() {
            return ready().ok();
        }
        let now = self.start.elapsed();
        if schedule.due(now).max(until) > now {
            return None;
        }
        let value = ready().ok()?;
        schedule.take(now);
        Some(value)
    }

    /// Lets no attempt start before `until`. An earlier end than that of a pause already set changes nothing.
    pub(crate) fn pause_until(&self, until: Instant) {
        let now = self.start.elapsed();
        let until = until.saturating_duration_since(self.start);
        let mut pause = lock(&self.paused);
        let added = until.saturating_sub(pause.until.max(now));
        pause.total += added;
        pause.until = pause.until.max(until);
    }

    /// How long the pacer has been paused in all, a running pause counted to its end.
    pub(crate) fn paused(&self) -> Duration {
        self.pause().total
    }

    fn pause(&self) -> Pause {
        *lock(&self.paused)
    }
}

/// Locks a mutex whose holder cannot panic half-way through a change.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// All limits together: the latest wins. Synchronous, so that tests drive it with made-up clocks.
#[derive(Debug)]
struct Schedule(Vec<Limit>);

#[derive(Debug)]
enum Limit {
    Spread(Spread),
    Counted(Counted),
}

impl Schedule {
    fn new(limits: &Limits) -> Self {
        let limit = |&rate: &Rate| {
            if rate.is_spread() {
                Limit::Spread(Spread::new(rate, limits.burst))
            } else {
                Limit::Counted(Counted::new(rate))
            }
        };
        Self(limits.rates.iter().map(limit).collect())
    }

    /// When the next grant is due; at or before `now`: at once.
    fn due(&mut self, now: Duration) -> Duration {
        let earliest = |limit: &mut Limit| match limit {
            Limit::Spread(spread) => spread.earliest(now),
            Limit::Counted(counted) => counted.earliest(now),
        };
        self.0.iter_mut().map(earliest).max().unwrap_or(now)
    }

    /// Takes a grant that is due.
    fn take(&mut self, now: Duration) {
        for limit in &mut self.0 {
            match limit {
                Limit::Spread(spread) => spread.take(now),
                Limit::Counted(counted) => counted.take(now),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use proptest::prelude::*;
    use tokio::time::{advance, sleep};

    use super::*;
    use crate::client::Window;

    impl Pacer {
        /// An attempt that needs nothing.
        async fn go(&self) {
            let ready = || Ok::<(), std::future::Ready<Result<(), ()>>>(());
            self.acquire(ready).await.unwrap();
        }
    }

    fn limits(rates: &[&str], burst: Option<u32>) -> Limits {
        Limits {
            rates: rates.iter().map(|rate| rate.parse().unwrap()).collect(),
            burst,
            ..Limits::default()
        }
    }

    /// Runs a schedule: each caller comes some time after the grant before it, each wake-up is late by some time.
    fn grants(limits: &Limits, callers: impl Iterator<Item = (Duration, Duration)>) -> Vec<Duration> {
        let mut schedule = Schedule::new(limits);
        let mut now = Duration::ZERO;
        let mut grant = |(gap, late): (Duration, Duration)| {
            now += gap;
            loop {
                let due = schedule.due(now);
                if due <= now {
                    schedule.take(now);
                    return now;
                }
                now = due + late;
            }
        };
        callers.map(&mut grant).collect()
    }

    fn eager(count: usize, late: Duration) -> impl Iterator<Item = (Duration, Duration)> {
        std::iter::repeat_n((Duration::ZERO, late), count)
    }

    /// Whether some half-open window holds more than `count` grants.
    fn overfull(grants: &[Duration], count: usize, window: Duration) -> bool {
        grants
            .windows(count + 1)
            .any(|grants| grants[count] < grants[0] + window)
    }

    fn per_second(grants: &[Duration]) -> f64 {
        let end = grants.last().unwrap().as_secs_f64();
        f64::from(u32::try_from(grants.len()).unwrap()) / end
    }

    fn callers(longest: u64) -> impl Strategy<Value = Vec<(Duration, Duration)>> {
        let micros = |most| {
            (0..4u32, 0..=most)
                .prop_map(|(kind, micros)| Duration::from_micros(micros * u64::from(kind == 0)))
        };
        prop::collection::vec((micros(longest), micros(longest)), 1..400)
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_rate(
            count in 1..150u32,
            minute in any::<bool>(),
            burst in prop::option::of(1..150u32),
            callers in prop_oneof![callers(3_000), callers(100_000), callers(3_000_000)],
        ) {
            let unit = if minute { "min" } else { "s" };
            let rate: Rate = format!("{count}/{unit}").parse().unwrap();
            let grants = grants(&limits(&[&rate.to_string()], burst), callers.into_iter());
            prop_assert!(!overfull(&grants, count as usize, rate.window.duration()));
        }

        #[test]
        fn no_window_of_a_quota_ever_holds_more_than_the_rate(count in 1..40u32, callers in callers(600_000_000)) {
            let grants = grants(&limits(&[&format!("{count}/h")], None), callers.into_iter());
            prop_assert!(!overfull(&grants, count as usize, Window::Hour.duration()));
        }

        #[test]
        fn no_window_of_a_fast_rate_holds_more_however_late_wake_ups_come(
            count in 250..3_000u32,
            late in prop::collection::vec(prop_oneof![Just(0), 0..2_000u64, 0..80_000u64], 1..300),
        ) {
            let late = late.into_iter().cycle().map(Duration::from_micros);
            let callers = late.take(4 * count as usize).map(|late| (Duration::ZERO, late));
            let grants = grants(&limits(&[&format!("{count}/s")], None), callers);
            prop_assert!(!overfull(&grants, count as usize, Duration::from_secs(1)));
        }

        #[test]
        fn several_rates_all_hold(callers in callers(500_000)) {
            let grants = grants(&limits(&["7/s", "60/min", "100/h"], None), callers.into_iter());
            for (count, window) in [(7, Window::Second), (60, Window::Minute), (100, Window::Hour)] {
                prop_assert!(!overfull(&grants, count, window.duration()));
            }
        }

        #[test]
        fn steady_demand_reaches_the_rate_less_the_slack_whatever_the_burst(count in 2..500u32, share in 0..=100u32) {
            let burst = (count * share / 100).max(1);
            let grants = grants(&limits(&[&format!("{count}/s")], Some(burst)), eager(5_000, Duration::ZERO));
            let slack = 1.0 / f64::from(count.clamp(20, 150));
            let steady = f64::from(count) / (1.0 + slack);
            prop_assert!(per_second(&grants) >= steady * 0.999, "{} of {steady}", per_second(&grants));
        }
    }

    #[test]
    fn a_burst_goes_at_once_and_then_one_per_interval() {
        let grants = grants(&limits(&["10/s"], Some(2)), eager(6, Duration::ZERO));
        // (1 s + 1 s/20) / 10
        let millis = grants.iter().map(Duration::as_millis);
        assert_eq!(millis.collect::<Vec<_>>(), [0, 0, 105, 210, 315, 420]);
    }

    #[test]
    fn a_burst_goes_once_and_is_not_saved_up_again_where_the_next_window_begins() {
        let grants = grants(&limits(&["100/s"], Some(50)), eager(1_000, Duration::ZERO));
        let at_once = |grant: &Duration| grants.iter().filter(|other| *other == grant).count();
        assert_eq!(at_once(&grants[0]), 50);
        let later = grants.iter().filter(|grant| !grant.is_zero());
        assert!(later.map(at_once).all(|number| number <= 2));
        // (1 s + 1 s/100) / 100
        assert!(per_second(&grants) >= 99.0, "{}", per_second(&grants));
    }

    #[test]
    fn the_time_for_a_number_of_requests_is_told_beforehand() {
        for rates in [
            &["10/s"][..],
            &["600/min"],
            &["1/s"],
            &["300/min"],
            &["50/s", "300/min"],
        ] {
            for burst in [None, Some(1), Some(10), Some(150), Some(300)] {
                let least = rates
                    .iter()
                    .map(|rate| rate.parse::<Rate>().unwrap().count.get())
                    .min();
                if burst > least {
                    continue;
                }
                let limits = limits(rates, burst);
                for number in [1, 20, 400, 700] {
                    let last = *grants(&limits, eager(number, Duration::ZERO)).last().unwrap();
                    let told = limits.time_for(number as u64);
                    assert!(
                        told.abs_diff(last) < Duration::from_secs(1),
                        "{number} at {rates:?}, burst {burst:?}: {told:?}, in fact {last:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn one_per_second_is_one_per_second() {
        let grants = grants(&limits(&["1/s"], None), eager(4, Duration::ZERO));
        let seconds = grants.iter().map(Duration::as_secs);
        assert_eq!(seconds.collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn late_timers_cost_no_throughput() {
        let fifty = grants(&limits(&["50/s"], None), eager(500, Duration::from_millis(5)));
        assert!(per_second(&fifty) >= 0.97 * 50.0, "{}", per_second(&fifty));
        let many = grants(
            &limits(&["5000/s"], None),
            eager(50_000, Duration::from_millis(2)),
        );
        assert!(per_second(&many) >= 0.99 * 5_000.0, "{}", per_second(&many));
    }

    #[test]
    fn after_a_long_sleep_no_more_than_the_burst_goes_at_once() {
        let suspended =
            std::iter::once((Duration::from_secs(3_600), Duration::ZERO)).chain(eager(20, Duration::ZERO));
        let grants = grants(
            &limits(&["100/s"], Some(10)),
            eager(50, Duration::ZERO).chain(suspended),
        );
        let awake = &grants[50..];
        assert_eq!(awake.iter().filter(|&&grant| grant == awake[0]).count(), 10);
    }

    #[test]
    fn a_quota_is_used_at_once_and_then_waited_for() {
        let grants = grants(&limits(&["100/h"], None), eager(101, Duration::ZERO));
        assert_eq!(grants[99], Duration::ZERO);
        let wait = grants[100].as_secs_f64();
        assert!((3_600.0..=3_604.0).contains(&wait), "{wait}");
    }

    #[tokio::test(start_paused = true)]
    async fn callers_go_in_the_order_in_which_they_came() {
        let pacer = Arc::new(Pacer::new(&limits(&["10/s"], None)));
        let next = Arc::new(AtomicU32::new(0));
        let mut callers = Vec::new();
        for number in 0..20 {
            let (pacer, next) = (Arc::clone(&pacer), Arc::clone(&next));
            callers.push(tokio::spawn(async move {
                pacer.go().await;
                assert_eq!(next.fetch_add(1, Ordering::Relaxed), number);
            }));
            tokio::task::yield_now().await;
        }
        for caller in callers {
            caller.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_callers_that_already_wait_and_is_counted_once() {
        let pacer = Pacer::new(&limits(&["10/s"], None));
        let start = Instant::now();
        pacer.go().await;
        let waiting = async {
            pacer.go().await;
            assert_eq!(start.elapsed().as_secs(), 7);
        };
        let pausing = async {
            sleep(Duration::from_millis(10)).await;
            pacer.pause_until(start + Duration::from_secs(5));
            pacer.pause_until(start + Duration::from_secs(7));
            pacer.pause_until(start + Duration::from_secs(6));
        };
        tokio::join!(waiting, pausing);
        assert_eq!(pacer.paused(), Duration::from_millis(6_990));
    }

    #[tokio::test(start_paused = true)]
    async fn the_grant_is_taken_when_what_the_attempt_needs_is_ready() {
        let pacer = Pacer::new(&limits(&["1/s"], None));
        let start = Instant::now();
        let token = AtomicU32::new(0);
        let ready = || match token.load(Ordering::Relaxed) {
            0 => Err(Box::pin(async {
                sleep(Duration::from_secs(5)).await;
                token.store(7, Ordering::Relaxed);
                Ok::<(), ()>(())
            })),
            number => Ok(number),
        };
        assert_eq!(pacer.acquire(ready).await, Ok(7));
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        pacer.go().await;
        assert_eq!(
            start.elapsed(),
            Duration::from_secs(6),
            "counted from the real start"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_fast_rate_a_wait_is_for_several_grants_and_none_is_lost_by_it() {
        let wakes_and_grants = async |rates: &[&str], end: u64| {
            let pacer = Pacer::new(&limits(rates, None));
            let start = Instant::now();
            let mut grants = Vec::new();
            while start.elapsed() < Duration::from_secs(end) {
                pacer.go().await;
                grants.push(start.elapsed());
            }
            if rates == ["5000/s"] {
                assert!(!overfull(&grants, 5_000, Duration::from_secs(1)));
            }
            let number = grants.len();
            grants.dedup();
            (grants.len(), number)
        };
        for rate in ["5000/s", "300000/min"] {
            let (wakes, grants) = wakes_and_grants(&[rate], 10).await;
            assert!(grants >= 49_600, "{rate}: {grants} grants");
            assert!(wakes <= 600, "{rate}: {wakes} wake-ups");
        }
        let (wakes, grants) = wakes_and_grants(&["100/s"], 2).await;
        assert_eq!(wakes, grants, "each has a time of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_leaves_the_line_takes_nothing_with_it() {
        let pacer = Pacer::new(&limits(&["1/s"], None));
        let start = Instant::now();
        pacer.go().await;
        let impatient = tokio::time::timeout(Duration::from_millis(500), pacer.go()).await;
        assert!(impatient.is_err());
        pacer.go().await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_bound_holds_for_many_callers_whose_timers_fire_late() {
        let pacer = Arc::new(Pacer::new(&limits(&["40/s"], Some(4))));
        let start = Instant::now();
        let caller = |_| {
            let pacer = Arc::clone(&pacer);
            tokio::spawn(async move {
                pacer.go().await;
                start.elapsed()
            })
        };
        let callers: Vec<_> = (0..200).map(caller).collect();
        for jump in (1..60).cycle() {
            advance(Duration::from_millis(jump)).await;
            if callers.iter().all(tokio::task::JoinHandle::is_finished) {
                break;
            }
        }
        let mut grants = Vec::new();
        for caller in callers {
            grants.push(caller.await.unwrap());
        }
        grants.sort();
        assert!(!overfull(&grants, 40, Duration::from_secs(1)));
    }
}
