//! The webhook of a plan.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::making::Making;
use crate::endpoint::HeaderValueConfig;
use crate::webhook::{Webhook, WebhookConfig};

impl Making<'_> {
    pub(super) fn webhook(&mut self, config: &WebhookConfig) -> Option<Webhook> {
        let url =
            Url::parse(&config.url).map_err(|_| format!("`{}` is not a URL, write `https://..`", config.url));
        let url = self.good("webhook.url", url)?;
        let is_local = url
            .host_str()
            .is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host));
        if url.scheme() != "https"
            && !(url.scheme() == "http" && (is_local || self.config.destination.allow_http))
        {
            self.problem("webhook.url", "write `https://`; plain http is for this machine alone, or with `destination.allow_http: true`");
        }
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
