//! The webhook of a plan.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::making::Making;
use crate::endpoint::{HeaderValueConfig, check_url};
use crate::webhook::{Webhook, WebhookConfig};

impl Making<'_> {
    pub(super) fn webhook(&mut self, config: &WebhookConfig) -> Option<Webhook> {
        let url = check_url(&config.url, self.config.destination.allow_http);
        let url = self.good("webhook.url", url)?;
        let headers = self.webhook_headers(config);
        let secret = match &config.secret {
            None => None,
            Some(reference) => Some(self.secret("webhook.secret", reference, None)?),
        };
        let grace: Duration = config.grace.get();
        Some(Webhook {
            url,
            headers,
            secret,
            max_events: config.max_events,
            on_full: config.on_full,
            grace,
        })
    }

    fn webhook_headers(&mut self, config: &WebhookConfig) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, given) in &config.headers {
            let path = format!("webhook.headers.{name}");
            let parsed = name
                .parse::<HeaderName>()
                .map_err(|_| format!("`{name}` is not a header name"));
            let text = match (given, given.secret()) {
                (HeaderValueConfig::Text(text), _) => Some(text.clone()),
                (_, Some(reference)) => self
                    .secret(&path, &reference, None)
                    .map(|secret| secret.reveal().to_owned()),
                (_, None) => None,
            };
            let value = text.map(|text| {
                HeaderValue::from_str(&text).map_err(|_| "the value has characters that a header cannot hold")
            });
            let value = value.and_then(|value| self.good(&path, value));
            if let (Some(name), Some(mut value)) = (self.good(&path, parsed), value) {
                value.set_sensitive(given.secret().is_some());
                headers.insert(name, value);
            }
        }
        headers
    }
}
