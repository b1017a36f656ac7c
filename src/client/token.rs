//! Tokens: `OAuth2` client credentials (RFC 6749, 4.4).
//!
//! A [`Sender`](super::Sender) whose settings have [`TokenSettings`] fetches a token when it first needs one, through a
//! sender of its own, and puts it into every attempt. The token is used until shortly before it expires; who needs one
//! meanwhile waits for the one request that is under way. A token that is refused (401) is given up, once: only if it is
//! still the one in use.
//!
//! The reply with the token is read here and nowhere else: no log, event or report sees it.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::granted::granted;
use super::pacer::lock;
use super::{Outcome, Policy, Reply, Request, Sender, TokenError, Transport};
use crate::secret::{Mask, Secret};

/// How a client shows a token endpoint who it is (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// With `client_id` and `client_secret` in the form.
    #[default]
    Form,
    /// With `Authorization: Basic`.
    Basic,
}

/// Who asks for a token, and for what.
#[derive(Debug, Clone)]
pub struct TokenClient {
    /// The client's identifier.
    pub id: Secret,
    /// Its secret.
    pub secret: Secret,
    /// What the token is for; none: what the server gives by itself.
    pub scope: Option<String>,
    /// How the client shows who it is.
    pub auth: ClientAuth,
}

/// Where tokens come from.
///
/// ```
/// use outpour::client::{ClientAuth, TokenClient, TokenSettings};
/// use outpour::secret::Secret;
/// let client = TokenClient {
///     id: Secret::new("etl"),
///     secret: Secret::new("CANARY & co"),
///     scope: None,
///     auth: ClientAuth::Form,
/// };
/// let settings = TokenSettings::new("https://api.example.com/oauth/token".parse()?, &client, "`CLIENT_SECRET`");
/// assert!(!format!("{settings:?}").contains("CANARY"));
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenSettings {
    request: Request,
    mask: Mask,
    kept_in: String,
}

/// The tokens of one sender.
pub(crate) struct Tokens<T> {
    sender: Sender<T>,
    settings: TokenSettings,
    /// Held by whoever fetches a token, so that everyone else waits for that one. It keeps why there is none: without a
    /// token the sender's work is over, and whoever still waits need not ask the same again.
    fetching: tokio::sync::Mutex<Option<TokenError>>,
    current: Mutex<Option<Arc<Token>>>,
    fetched: AtomicU64,
    /// Whether the last token was given up since it was refused.
    has_refused: AtomicBool,
}

/// A token as requests carry it.
pub(crate) struct Token {
    /// Counted from 1 in the order of fetching.
    pub(crate) number: u64,
    header: HeaderValue,
    mask: Mask,
    /// None: until it is refused.
    usable_until: Option<Instant>,
    /// Whether it took the place of one that was refused.
    follows_refusal: bool,
    /// Whether any request with it was not refused.
    was_taken: AtomicBool,
}

/// The wait for a token.
pub(crate) type Fetching<'a> = Pin<Box<dyn Future<Output = Result<(), TokenError>> + Send + 'a>>;

/// A token is given up this long before it expires, or a tenth of its life before, whichever is shorter.
const MARGIN: Duration = Duration::from_secs(60);

/// However short its life is said to be, a token is used for this long: else nothing would ever be sent with it.
const SHORTEST: Duration = Duration::from_secs(1);

impl TokenClient {
    /// Every form in which the client's secrets travel to the token endpoint, so that replies which repeat one can be
    /// masked: as they are, form-encoded, and in the base64 of basic authentication.
    pub fn forms(&self) -> Vec<Secret> {
        let encoded = |secret: &Secret| Secret::new(form_encoded(secret.reveal()));
        vec![
            self.id.clone(),
            self.secret.clone(),
            encoded(&self.id),
            encoded(&self.secret),
            Secret::new(self.basic()),
        ]
    }

    /// Both are form-encoded before they are joined, as RFC 6749 has it.
    fn basic(&self) -> String {
        let [id, secret] = [&self.id, &self.secret].map(|part| form_encoded(part.reveal()));
        STANDARD.encode(format!("{id}:{secret}"))
    }

    fn request(&self, url: Url) -> Request {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if self.auth == ClientAuth::Form {
            form.append_pair("client_id", self.id.reveal());
            form.append_pair("client_secret", self.secret.reveal());
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        let mut request = Request::new(Method::POST, url, form.finish());
        let headers = &mut request.headers;
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if self.auth == ClientAuth::Basic
            && let Ok(mut value) = HeaderValue::from_str(&format!("Basic {}", self.basic()))
        {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        request
    }
}

fn form_encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

impl TokenSettings {
    /// Tokens of `client` from the token endpoint at `url`. `kept_in` says to people where the client's secrets are kept,
    /// such as `` `CLIENT_ID` and `CLIENT_SECRET` ``.
    pub fn new(url: Url, client: &TokenClient, kept_in: impl Into<String>) -> Self {
        Self {
            request: client.request(url),
            mask: Mask::new(&client.forms()),
            kept_in: kept_in.into(),
        }
    }
}

impl<T: Transport> Tokens<T> {
    pub(crate) fn new(sender: Sender<T>, settings: TokenSettings) -> Self {
        Self {
            sender,
            settings,
            fetching: tokio::sync::Mutex::default(),
            current: Mutex::default(),
            fetched: AtomicU64::new(0),
            has_refused: AtomicBool::new(false),
        }
    }

    /// The token in use; none where there is none yet, or it is about to expire, or it was refused.
    pub(crate) fn current(&self) -> Option<Arc<Token>> {
        let now = Instant::now();
        lock(&self.current)
            .clone()
            .filter(|token| token.usable_until.is_none_or(|until| now < until))
    }

    /// Gives up a token that was refused, unless another one is in use already.
    pub(crate) fn refuse(&self, refused: &Token) {
        let mut current = lock(&self.current);
        if current
            .as_ref()
            .is_some_and(|token| token.number == refused.number)
        {
            *current = None;
            self.has_refused.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until there is a token to use. An error is final: whoever asks later gets the same one.
    pub(crate) fn fetch(&self) -> Fetching<'_> {
        Box::pin(async move {
            let mut failed = self.fetching.lock().await;
            if self.current().is_some() {
                return Ok(());
            }
            if let Some(error) = &*failed {
                return Err(error.clone());
            }
            match self.ask().await {
                Ok(token) => *lock(&self.current) = Some(Arc::new(token)),
                Err(error) => return Err(failed.insert(error).clone()),
            }
            Ok(())
        })
    }

    /// How many requests for tokens there were, those that were sent again included.
    pub(crate) fn requests(&self) -> u64 {
        self.sender.counters().attempts
    }

    async fn ask(&self) -> Result<Token, TokenError> {
        // Asking twice gives two tokens, and does no harm.
        let policy = Policy {
            safe_to_resend: true,
            needs_body: true,
            ..Policy::default()
        };
        let asked = Instant::now();
        let sent = self.sender.send(&self.settings.request, &policy).await;
        let reply = match sent.outcome {
            Outcome::Replied(reply) => reply,
            Outcome::NotSent(error) | Outcome::InDoubt(error) => return Err(TokenError::unanswered(error)),
            Outcome::Fatal(fatal) => return Err(TokenError::unanswered(fatal)),
            Outcome::Stopped => return Err(TokenError::Down("nothing is sent any more".to_owned())),
        };
        let granted = granted(&reply, &self.settings.mask, &self.settings.kept_in)?;
        let number = self.fetched.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::debug!(number, life = ?granted.life, "a new token");
        Ok(Token {
            number,
            header: granted.header,
            mask: Mask::new([&granted.token]),
            follows_refusal: self.has_refused.swap(false, Ordering::Relaxed),
            was_taken: AtomicBool::new(false),
            usable_until: granted.life.map(|life| usable_until(asked, life)),
        })
    }
}

/// Until when a token is used that was asked for at `asked` and lives so long, counted from then: the clock of the server
/// began no earlier.
fn usable_until(asked: Instant, life: Duration) -> Instant {
    let margin = (life / 10).min(MARGIN);
    (asked + life.saturating_sub(margin)).max(Instant::now() + SHORTEST)
}

impl Token {
    /// Notes that a request with it was not refused.
    pub(crate) fn take(&self) {
        self.was_taken.store(true, Ordering::Relaxed);
    }

    /// Whether the API has taken it.
    pub(crate) fn has_worked(&self) -> bool {
        self.was_taken.load(Ordering::Relaxed)
    }

    /// Whether it took the place of a refused one and was itself never good: a third one would fare no better.
    pub(crate) fn is_as_bad_as_the_last(&self) -> bool {
        self.follows_refusal && !self.has_worked()
    }

    /// Puts the token into a request.
    pub(crate) fn authorize(&self, request: &mut Request) {
        request.headers.insert(AUTHORIZATION, self.header.clone());
    }

    /// Takes the token out of a reply that repeats it.
    pub(crate) fn mask(&self, reply: &mut Reply) {
        reply.mask(&self.mask);
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.number)
    }
}

impl<T> fmt::Debug for Tokens<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::client::{SenderSettings, TransportError};

    struct RefusesAll;

    impl Transport for RefusesAll {
        async fn send(&self, _: &Request) -> Result<Reply, TransportError> {
            Ok(Reply::new(StatusCode::UNAUTHORIZED, ""))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_still_waits_when_the_client_is_refused_does_not_ask_again() {
        let client = TokenClient {
            id: Secret::new("etl"),
            secret: Secret::new("x"),
            scope: None,
            auth: ClientAuth::Form,
        };
        let url = "https://api.example.com/oauth/token".parse().unwrap();
        let settings = TokenSettings::new(url, &client, "`CLIENT_SECRET`");
        let tokens = Tokens::new(Sender::new(RefusesAll, &SenderSettings::default()), settings);
        for _ in 0..3 {
            let error = tokens.fetch().await.unwrap_err();
            assert!(matches!(error, TokenError::Refused { .. }));
        }
        assert_eq!(tokens.requests(), 1);
    }
}
