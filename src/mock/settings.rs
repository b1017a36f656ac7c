//! What a mock may be told.

use std::time::Duration;

use super::capacity::{Beyond, Capacity};
use super::faults::Faults;
use super::vendor::MockVendor;
use super::zuora::ZuoraSettings;

/// The API key that a mock accepts unless told otherwise. Like the vendor's it is a JWT; this one opens nothing.
pub const API_KEY: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJhY2NvdW50SWQiOjEsInVzZSI6Im1vY2sifQ.bm90LWEtcmVhbC1zaWduYXR1cmU";

/// The ingest write key that a mock accepts unless told otherwise. Like the vendor's it is short and opaque.
pub const WRITE_KEY: &str = "mockWriteKey4f1c9a27";

/// How a mock behaves.
///
/// ```
/// use std::time::Duration;
/// use outpour::mock::MockSettings;
/// let settings = MockSettings {
///     faults: "429:5%,reset:1%".parse()?,
///     rate: Some((10, Duration::from_secs(1))),
///     ..MockSettings::default()
/// };
/// assert_eq!(settings.schemas, ["company"]);
/// # Ok::<(), outpour::mock::FaultError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MockSettings {
    /// Whom it looks like. Default: Encharge.
    pub vendor: MockVendor,
    /// The port of 127.0.0.1 to listen on; 0, the default, lets the system choose.
    pub port: u16,
    /// How long each answer is held back, once the request was carried out. Default: not at all.
    pub latency: Duration,
    /// How many requests any window of that length may hold. One more is answered 429, with a Retry-After (at Zuora a
    /// `ratelimit-reset`) of whole seconds after which the window has room again. Refused requests do not use up the
    /// window, nor do requests for a token. Default: no limit.
    pub rate: Option<(u32, Duration)>,
    /// How many requests are served at once in the usual latency. Default: any number.
    pub capacity: Option<Capacity>,
    /// What becomes of more. Default: they are slow.
    pub beyond: Beyond,
    /// What goes wrong, and how often. Default: nothing.
    pub faults: Faults,
    /// The Retry-After, in whole seconds, of a 429 or 503 that is injected or beyond the capacity. Default: none, for the vendor documents none.
    pub retry_after: Option<u64>,
    /// How much longer than `latency` an answer is held back by the fault `slow`. Default: 2 s.
    pub slow: Duration,
    /// The key of Encharge's REST API. Default: [`API_KEY`].
    pub api_key: String,
    /// The key of Encharge's ingest API. Default: [`WRITE_KEY`].
    pub write_key: String,
    /// Whether what arrives is stored. Where it is not, requests are checked and counted, memory stays flat, every
    /// person is taken to be new and every person or object that a request names to exist. Default: stored.
    pub keep: bool,
    /// What all chance follows: the same requests in the same order meet the same faults and identifiers. Default: 1.
    pub seed: u64,
    /// The names of the objects that are defined at Encharge from the start. Default: `company`, which it builds in.
    pub schemas: Vec<String>,
    /// Whether fields that an object's schema does not have are dropped in silence, as the vendor is seen to do. They
    /// are kept by default, so that a test can compare what it sent. Default: kept.
    pub drop_unknown_fields: bool,
    /// The longest body in bytes; a longer one is answered 413. Default: 10 MiB.
    pub max_body: usize,
    /// How many arrivals the log keeps, the latest ones; the totals are of all. Default: 10,000.
    pub log_length: usize,
    /// How many requests are kept whole, the latest ones, body and all; keys are never kept. Default: 0, none.
    pub whole_requests: usize,
    /// What only a look-alike of Zuora needs to know.
    pub zuora: ZuoraSettings,
}

impl Default for MockSettings {
    fn default() -> Self {
        Self {
            vendor: MockVendor::default(),
            port: 0,
            latency: Duration::ZERO,
            rate: None,
            capacity: None,
            beyond: Beyond::default(),
            faults: Faults::default(),
            retry_after: None,
            slow: Duration::from_secs(2),
            api_key: API_KEY.to_owned(),
            write_key: WRITE_KEY.to_owned(),
            keep: true,
            seed: 1,
            schemas: vec!["company".to_owned()],
            drop_unknown_fields: false,
            max_body: 10 << 20,
            log_length: 10_000,
            whole_requests: 0,
            zuora: ZuoraSettings::default(),
        }
    }
}
