//! What a token endpoint answered: a token, or why there is none. Pure.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Reply;
use crate::secret::{Mask, Secret};

/// Why there is no token. What the token endpoint says is quoted without secrets.
///
/// ```
/// use outpour::client::TokenError;
/// let error = TokenError::Refused { reason: "invalid_client".into(), kept_in: "`CLIENT_SECRET`".into() };
/// assert_eq!(error.to_string(), "the token endpoint refuses the client: invalid_client; look at `CLIENT_SECRET`");
/// ```
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// The client or its secret is wrong, or it may not have what it asks for.
    #[error("the token endpoint refuses the client: {reason}; look at {kept_in}")]
    Refused {
        /// What the token endpoint says.
        reason: String,
        /// Where the client's secrets are kept.
        kept_in: String,
    },
    /// The reply is none that a token endpoint gives (RFC 6749, 5.1).
    #[error("the token endpoint answers without a token: {0}")]
    Unusable(String),
    /// The token endpoint says that it does not work just now.
    #[error("the token endpoint does not work: {0}")]
    Down(String),
    /// No answer came.
    #[error("the token endpoint does not answer")]
    Unanswered {
        /// Why.
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl TokenError {
    pub(super) fn unanswered(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Unanswered {
            source: Arc::new(source),
        }
    }
}

/// A token that was granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) token: Secret,
    /// The header that carries it.
    pub(super) header: HeaderValue,
    /// How long it lives; none where the reply does not say, and then it is used until it is refused.
    pub(super) life: Option<Duration>,
}

/// A reply of a token endpoint. Its numbers come as texts from some.
#[derive(Deserialize)]
struct Body {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

/// An error of a token endpoint (RFC 6749, 5.2).
#[derive(Default, Deserialize)]
struct Refusal {
    error: Option<Value>,
    error_description: Option<Value>,
    message: Option<Value>,
}

/// The longest reason that is quoted.
const LONGEST: usize = 300;

/// The longest life that is believed: a hundred years.
const LONGEST_LIFE: u64 = 100 * 366 * 24 * 60 * 60;

/// Reads the reply to a token request.
pub(super) fn granted(reply: &Reply, mask: &Mask, kept_in: &str) -> Result<Granted, TokenError> {
    let status = reply.status;
    if status.is_success() {
        return read(reply).map_err(|why| TokenError::Unusable(format!("{status}, and {why}")));
    }
    let reason = reason(reply, mask);
    Err(match status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => TokenError::Refused {
            reason,
            kept_in: kept_in.to_owned(),
        },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => TokenError::Down(reason),
        status if status.is_server_error() => TokenError::Down(reason),
        _ => TokenError::Unusable(reason),
    })
}

fn read(reply: &Reply) -> Result<Granted, &'static str> {
    let body: Body =
        serde_json::from_slice(&reply.body).map_err(|_| "its body is not the JSON of a token")?;
    let token = body.access_token.filter(|token| !token.is_empty());
    let token = token.ok_or("it has no `access_token`")?;
    if body
        .token_type
        .is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer"))
    {
        return Err("its `token_type` is not `bearer`");
    }
    let is_fit = token.bytes().all(|byte| byte.is_ascii_graphic());
    let header = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut header = header
        .ok()
        .filter(|_| is_fit)
        .ok_or("no header can hold its `access_token`")?;
    header.set_sensitive(true);
    Ok(Granted {
        token: Secret::new(token),
        header,
        life: match body.expires_in {
            None | Some(Value::Null) => None,
            Some(given) => Some(life(&given).ok_or("its `expires_in` is not a number of seconds")?),
        },
    })
}

fn life(given: &Value) -> Option<Duration> {
    let seconds = match given {
        Value::String(text) => text.trim().parse().ok()?,
        Value::Number(number) => number.as_f64()?,
        _ => return None,
    };
    // Anything that is no time at all is refused, and what is beyond belief is cut.
    let longest = Duration::from_secs(LONGEST_LIFE);
    (seconds.is_finite() && seconds >= 0.0)
        .then(|| Duration::try_from_secs_f64(seconds).map_or(longest, |life| life.min(longest)))
}

/// What a token endpoint says of its refusal, without secrets.
fn reason(reply: &Reply, mask: &Mask) -> String {
    let masked = mask.apply(&reply.body);
    let body = masked.as_deref().unwrap_or(&reply.body);
    let said: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let words = [said.error, said.error_description.or(said.message)];
    let words: Vec<String> = words
        .into_iter()
        .flatten()
        .filter_map(|word| word.as_str().map(str::to_owned))
        .filter(|word| !word.trim().is_empty())
        .collect();
    let words: String = words.join(": ").chars().take(LONGEST).collect();
    match words.is_empty() {
        true => reply.status.to_string(),
        false => format!("{}: {words}", reply.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<Granted, TokenError> {
        let reply = Reply::new(StatusCode::from_u16(status).unwrap(), body.to_owned());
        let mask = Mask::new([&Secret::new("CANARY-SECRET")]);
        granted(&reply, &mask, "`CLIENT_ID` and `CLIENT_SECRET`")
    }

    fn life_of(expires_in: &str) -> Option<u64> {
        let body = format!(r#"{{"access_token":"abc","token_type":"Bearer","expires_in":{expires_in}}}"#);
        answer(200, &body).unwrap().life.map(|life| life.as_secs())
    }

    #[test]
    fn a_token_is_read_with_its_life() {
        assert_eq!(life_of("3598"), Some(3_598));
        assert_eq!(life_of("\"3600\""), Some(3_600));
        assert_eq!(life_of("59.9"), Some(59));
        assert_eq!(life_of("1e300"), Some(LONGEST_LIFE));
        assert_eq!(life_of("null"), None);
        let granted = answer(200, r#"{"access_token":"abc"}"#).unwrap();
        assert_eq!(
            (granted.header.to_str().unwrap(), granted.life),
            ("Bearer abc", None)
        );
        assert!(granted.header.is_sensitive());
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_quoted() {
        for (body, why) in [
            ("<html>CANARY</html>", "its body is not the JSON of a token"),
            ("[]", "its body is not the JSON of a token"),
            ("{}", "it has no `access_token`"),
            (r#"{"access_token":""}"#, "it has no `access_token`"),
            (
                r#"{"access_token":"CAN\nARY"}"#,
                "no header can hold its `access_token`",
            ),
            (
                r#"{"access_token":"x","token_type":"mac"}"#,
                "its `token_type` is not `bearer`",
            ),
            (
                r#"{"access_token":"x","expires_in":-1}"#,
                "its `expires_in` is not a number of seconds",
            ),
            (
                r#"{"access_token":"x","expires_in":"soon"}"#,
                "its `expires_in` is not a number of seconds",
            ),
        ] {
            let error = answer(200, body).unwrap_err();
            let expected = format!("the token endpoint answers without a token: 200 OK, and {why}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_refusal_is_quoted_without_secrets_and_says_where_to_look() {
        let error = answer(
            401,
            r#"{"error":"invalid_client","error_description":"no CANARY-SECRET here"}"#,
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "the token endpoint refuses the client: 401 Unauthorized: invalid_client: no *** here; \
             look at `CLIENT_ID` and `CLIENT_SECRET`"
        );
    }

    #[test]
    fn what_will_pass_is_told_from_what_is_wrong() {
        assert!(matches!(answer(400, ""), Err(TokenError::Refused { .. })));
        assert!(matches!(answer(403, ""), Err(TokenError::Refused { .. })));
        assert!(matches!(answer(429, ""), Err(TokenError::Down(_))));
        assert!(matches!(answer(503, "{}"), Err(TokenError::Down(_))));
        assert!(matches!(answer(404, "<p>"), Err(TokenError::Unusable(_))));
        assert!(matches!(answer(307, ""), Err(TokenError::Unusable(_))));
    }
}
