//! Requests to a webhook, signed as Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::{HeaderValue, Method, header};
use sha2::Sha256;

use super::Webhook;
use crate::client::Request;
use crate::secret::Secret;

/// The request of an event.
pub(super) fn request(webhook: &Webhook, id: &str, body: Bytes, now: SystemTime) -> Request {
    let timestamp = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        .to_string();
    let mut headers = webhook.headers.clone();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut set = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    set("webhook-id", id);
    set("webhook-timestamp", &timestamp);
    if let Some(signature) = webhook
        .secret
        .as_ref()
        .and_then(|secret| sign(secret, id, &timestamp, &body))
    {
        set("webhook-signature", &signature);
    }
    Request {
        method: Method::POST,
        url: Arc::new(webhook.url.clone()),
        headers: headers.into(),
        body,
        key: None,
    }
}

fn sign(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let encoded = secret
        .reveal()
        .strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    let key = encoded.unwrap_or_else(|| secret.reveal().as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_signed_as_standard_webhooks() {
        // The example of the Standard Webhooks reference libraries.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = sign(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        )
        .unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
