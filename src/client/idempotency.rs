//! Keys by which an API knows a request that it has seen before, and when a request gets another one.
//!
//! An API that knows such keys keeps the first result of each, a failure too, and gives it again. So a request whose answer
//! was lost goes out again with the same key, and one whose answer was a failure with a new one. A request that may have
//! been carried out, since some attempt stayed without an answer, keeps its key from then on.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::Request;

/// The idempotency keys of one request: the first one, and those that follow from it.
///
/// ```
/// use outpour::client::IdempotencyKey;
/// let key = IdempotencyKey::new(http::HeaderName::from_static("idempotency-key"), 0x2a);
/// assert_eq!(key.value(0), "0000000000000000000000000000002a");
/// assert_eq!(key.value(2), "0000000000000000000000000000002a-2");
/// ```
#[derive(Clone)]
pub struct IdempotencyKey {
    header: HeaderName,
    first: String,
    generation: u32,
    is_settled: bool,
    keeper: Option<Arc<dyn KeyKeeper>>,
}

/// Whoever remembers, also after a crash, which of its keys a request has come to.
pub trait KeyKeeper: fmt::Debug + Send + Sync {
    /// The generation of the key that the request goes out with whose first key this is; 0: the first.
    fn generation(&self, first: &str) -> u32;

    /// Takes note of the next key before it is used, and says whether it may be.
    fn renew(&self, first: &str, generation: u32) -> Pin<Box<dyn Future<Output = bool> + Send>>;
}

impl IdempotencyKey {
    /// The keys that go in `header` and follow from `digest`. Each has at most 43 of the 255 characters that APIs allow.
    pub fn new(header: HeaderName, digest: u128) -> Self {
        Self {
            header,
            first: format!("{digest:032x}"),
            generation: 0,
            is_settled: false,
            keeper: None,
        }
    }

    /// Begins with the key that `keeper` knows the request came to, and lets it know of new ones.
    #[must_use]
    pub fn kept_by(mut self, keeper: Arc<dyn KeyKeeper>) -> Self {
        self.generation = keeper.generation(&self.first);
        self.keeper = Some(keeper);
        self
    }

    /// Keeps to the present key, since the request may have been carried out with it.
    #[must_use]
    pub fn settled(mut self, is_settled: bool) -> Self {
        self.is_settled = is_settled;
        self
    }

    /// Begins with the key of this generation, unless it is past it already or keeps to the one that it has.
    #[must_use]
    pub fn from_generation(mut self, generation: u32) -> Self {
        if !self.is_settled {
            self.generation = self.generation.max(generation);
        }
        self
    }

    /// The key of a generation.
    pub fn value(&self, generation: u32) -> HeaderValue {
        let text = match generation {
            0 => self.first.clone(),
            generation => format!("{}-{generation}", self.first),
        };
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("0"))
    }

    /// The generation of the key that the first attempt carries.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether the request may have been carried out with the present key.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Puts the key of a generation in place of the one that the request has.
    pub(crate) fn put(&self, request: &mut Request, generation: u32) {
        // A redirect to another origin has taken the header out.
        if let Some(value) = request.headers.get_mut(&self.header) {
            *value = self.value(generation);
        }
    }

    /// Waits until the next key may be used, and says whether it may.
    pub(crate) async fn renew(&self, generation: u32) -> bool {
        match &self.keeper {
            Some(keeper) => keeper.renew(&self.first, generation).await,
            None => true,
        }
    }
}

impl Request {
    /// Gives the request its key.
    ///
    /// ```
    /// use outpour::client::{IdempotencyKey, Request};
    /// let mut request = Request::new(http::Method::POST, "https://api.example.com/".parse()?, "{}");
    /// request.identify(IdempotencyKey::new(http::HeaderName::from_static("x-key"), 7));
    /// assert_eq!(request.headers["x-key"], "00000000000000000000000000000007");
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn identify(&mut self, key: IdempotencyKey) {
        let value = key.value(key.generation);
        self.headers.insert(key.header.clone(), value);
        self.key = Some(key);
    }
}

impl Request {
    /// Lets whoever keeps the keys know of the one that the request has, where it is not the first; waits until it may be
    /// used, and says whether it may.
    pub async fn is_renewed(&self) -> bool {
        match &self.key {
            Some(key) if !key.is_settled && key.generation > 0 => key.renew(key.generation).await,
            _ => true,
        }
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({}, {})", self.first, self.generation)
    }
}
