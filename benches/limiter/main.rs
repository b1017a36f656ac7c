//! The limiter at 5,000 requests a second for 10 seconds of the real clock: whether it holds the rate, whether a window ever has more
//! than that, and what it costs. The API is in memory, so the processor time is that of the limiter, the sender and the callers together.
//!
//! Two figures beside it say how to read that: what the same requests cost where no rate is set, and what a thread costs that does
//! nothing but sleep and wake as often as the limiter does. The second is the machine's, and is paid by any program that waits.
//!
//! ```text
//! cargo bench --bench limiter
//! ```

#![expect(clippy::print_stdout, reason = "a bench prints what it found")]

#[path = "../fixture/ending.rs"]
mod ending;

use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use outpour::client::{
    LimitsConfig, Outcome, Policy, Reply, Request, Sender, SenderSettings, Transport, TransportError,
};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use ending::Fault;

/// The rate, in requests a second.
const RATE: usize = 5_000;

/// How long the rate is asked for.
const SPAN: Duration = Duration::from_secs(10);

/// How many callers stand in line.
const CALLERS: usize = 64;

/// How many requests fewer than the rate asks for may come, in a hundred.
const LACK: f64 = 1.0;

/// The distance of the wake-ups at this rate.
const NAP: Duration = Duration::from_millis(25);

/// How much of a core it may take, in a hundred.
const SHARE: f64 = 2.0;

/// Answers at once, and notes when.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Instant>>>);

impl Notes {
    fn taken(&self) -> std::sync::MutexGuard<'_, Vec<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Notes {
    async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
        self.taken().push(Instant::now());
        Ok(Reply::new(http::StatusCode::OK, ""))
    }
}

fn main() -> ExitCode {
    ending::code(run())
}

/// Whether every goal was met.
fn run() -> Result<bool, Fault> {
    let notes = Notes::default();
    notes.taken().reserve(4 * RATE * 10);
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let paced = sender(&notes, &format!(r#""{RATE}/s""#))?;
    let end = tokio::time::Instant::now() + SPAN;
    let until = move || tokio::time::Instant::now() < end;
    let share = share_of(|| runtime.block_on(ask(paced, until)))?;
    let mut times = notes.taken().clone();
    // Who stood in line when the time was over came after it.
    let end = times.first().copied().ok_or("nothing was sent")? + SPAN;
    times.retain(|time| *time < end);
    let fullest = fullest_window(&times);
    let lack = 100.0 - percent(count(times.len()), count(RATE) * SPAN.as_secs_f64());
    println!(
        "{} requests in {SPAN:?} at {RATE}/s: {lack:.2} % fewer than that (at most {LACK} %)",
        times.len()
    );
    println!("the fullest window of a second had {fullest} (at most {RATE})");
    println!("{share:.2} % of a core (at most {SHARE} %)");
    let free = sender(&notes, "[]")?;
    let left = Arc::new(AtomicUsize::new(times.len()));
    let until = move || {
        left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
            .is_ok()
    };
    let unpaced = share_of(|| runtime.block_on(ask(free, until)))?;
    println!("  of it {unpaced:.2} for as many requests without a rate");
    let waking = share_of(|| {
        sleep_only();
        Ok(())
    })?;
    println!("  beside it {waking:.2} for a thread that sleeps {NAP:?} at a time and does nothing else");
    Ok((0.0..=LACK).contains(&lack) && fullest <= RATE && share < SHARE)
}

/// What some work takes of a core, in a hundred, as if it were spread over the span.
fn share_of(work: impl FnOnce() -> Result<(), Fault>) -> Result<f64, Fault> {
    let before = processor_time()?;
    work()?;
    let took = processor_time()?.saturating_sub(before);
    Ok(percent(took.as_secs_f64(), SPAN.as_secs_f64()))
}

fn sender(notes: &Notes, rate: &str) -> Result<Sender<Notes>, Fault> {
    let limits: LimitsConfig =
        serde_json::from_str(&format!(r#"{{"rate": {rate}, "concurrency": {CALLERS}}}"#))?;
    let settings = SenderSettings {
        limits: limits.check()?,
        ..SenderSettings::default()
    };
    Ok(Sender::new(notes.clone(), &settings))
}

/// Sends from as many callers as may, each for as long as it is told to go on.
async fn ask(
    sender: Sender<Notes>,
    goes_on: impl Fn() -> bool + Clone + Send + 'static,
) -> Result<(), Fault> {
    let request = Request::new(http::Method::POST, "http://localhost:9/in".parse()?, "{}");
    let policy = Arc::new(Policy::default());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (sender, request, policy) = (sender.clone(), request.clone(), Arc::clone(&policy));
        let goes_on = goes_on.clone();
        callers.spawn(async move {
            while goes_on() {
                let sent = sender.send(&request, &policy).await;
                if !matches!(sent.outcome, Outcome::Replied(_)) {
                    return Err("a request had no reply");
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

/// Sleeps for as long as the span lasts, and wakes as often as the limiter does.
fn sleep_only() {
    let end = Instant::now() + SPAN;
    while Instant::now() < end {
        std::thread::sleep(NAP);
    }
}

/// The most requests in any half-open window of a second.
fn fullest_window(times: &[Instant]) -> usize {
    let mut times = times.to_vec();
    times.sort();
    let mut first = 0;
    let mut most = 0;
    for (last, time) in times.iter().enumerate() {
        while time.duration_since(times[first]) >= Duration::from_secs(1) {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

/// The processor time of all threads of this process so far, as the scheduler counts it.
fn processor_time() -> Result<Duration, Fault> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let counted = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let own: u64 = counted.split(' ').next().unwrap_or_default().parse()?;
        nanos += own;
    }
    Ok(Duration::from_nanos(nanos))
}

fn percent(part: f64, whole: f64) -> f64 {
    part / whole * 100.0
}

/// No count of requests here comes near the 53 bits of a float.
#[expect(clippy::cast_precision_loss, reason = "a share is printed with two decimals")]
fn count(requests: usize) -> f64 {
    requests as f64
}
