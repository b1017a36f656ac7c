//! Secrets and headers of an endpoint: which it needs, and where they go.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::compile::{Build, Says};
use super::destination::{AuthConfig, DestinationConfig, HeaderValueConfig, HeadersConfig};
use super::header::{HeaderTemplate, check_name, parse_text};
use crate::secret::SecretRef;
use crate::template::{CredentialKind, CredentialRule, Template};

/// The secrets that a destination needs, each with its path in the configuration.
pub fn wanted_secrets(
    destination: &DestinationConfig,
    template: Option<&Template>,
) -> Vec<(String, SecretRef)> {
    let mut wanted = Vec::new();
    if let Some(template) = template
        && let Some(rule) = template.credential()
    {
        let name = &template.file.credential;
        let given = destination.credentials.get(name).cloned();
        wanted.push((
            credential_path(name),
            given.unwrap_or_else(|| SecretRef::env(&rule.env)),
        ));
    }
    match &destination.auth {
        AuthConfig::None => {}
        AuthConfig::Header { value, .. } => wanted.push((AUTH.to_owned(), value.clone())),
        AuthConfig::Bearer { token } => wanted.push((AUTH.to_owned(), token.clone())),
        AuthConfig::Basic { password, .. } => wanted.push((AUTH.to_owned(), password.clone())),
    }
    if let HeadersConfig::Map(map) = &destination.headers {
        for (name, value) in map {
            let path = format!("destination.headers.{name}");
            wanted.extend(value.secret().map(|secret| (path, secret)));
        }
    }
    wanted
}

const AUTH: &str = "destination.auth";

pub(super) fn credential_path(name: &str) -> String {
    format!("destination.credentials.{name}")
}

impl Build<'_> {
    /// Fixed headers with the credentials' among them, and those that vary by record.
    pub(super) fn headers(&mut self, says: &Says<'_>) -> (HeaderMap, Vec<HeaderTemplate>) {
        const PATH: &str = "destination.headers";
        let taken: Vec<HeaderName> = says.credentials.keys().cloned().collect();
        let mut fixed = says.credentials.clone();
        let mut varying = Vec::new();
        let own = says
            .own_headers
            .iter()
            .cloned()
            .map(|(name, value)| (name, HeaderValueConfig::Text(value)));
        for (name, value) in own.chain(self.configured_headers()) {
            let path = format!("{PATH}.{name}");
            let HeaderValueConfig::Text(text) = value else {
                self.secret_header(&mut fixed, &name, &path, &taken);
                continue;
            };
            let compiled = HeaderTemplate::compile(&name, &text, &says.parameters, &taken);
            let Some(header) = self.good(&path, compiled) else {
                continue;
            };
            match header.is_varying() {
                true => varying.push(header),
                false => {
                    if let Ok(value) = header.render(&crate::record::Fields::default()) {
                        fixed.insert(header.name, value);
                    }
                }
            }
        }
        (fixed, varying)
    }

    fn configured_headers(&mut self) -> Vec<(String, HeaderValueConfig)> {
        match &self.input.destination.headers {
            HeadersConfig::Map(map) => map.clone().into_iter().collect(),
            HeadersConfig::Text(text) => {
                let pairs = self
                    .good("destination.headers", parse_text(text))
                    .unwrap_or_default();
                pairs
                    .into_iter()
                    .map(|(name, value)| (name, HeaderValueConfig::Text(value)))
                    .collect()
            }
        }
    }

    fn secret_header(&mut self, fixed: &mut HeaderMap, name: &str, path: &str, taken: &[HeaderName]) {
        let Some(secret) = self.input.secrets.get(path) else {
            return;
        };
        let Some(name) = self.good(path, check_name(name, taken)) else {
            return;
        };
        if let Some(value) = self.sensitive(path, secret.reveal()) {
            fixed.insert(name, value);
        }
    }

    pub(super) fn auth(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let auth = &self.input.destination.auth;
        let Some(secret) = self.input.secrets.get(AUTH) else {
            return headers;
        };
        let (name, value) = match auth {
            AuthConfig::None => return headers,
            AuthConfig::Header { name, .. } => (name.as_str(), secret.reveal().to_owned()),
            AuthConfig::Bearer { .. } => ("authorization", format!("Bearer {}", secret.reveal())),
            AuthConfig::Basic { username, .. } => {
                if username.contains(':') {
                    self.problem(
                        "destination.auth.username",
                        "a user name cannot contain `:` (RFC 7617)",
                    );
                }
                (
                    "authorization",
                    format!(
                        "Basic {}",
                        STANDARD.encode(format!("{username}:{}", secret.reveal()))
                    ),
                )
            }
        };
        let name = self.good("destination.auth.name", check_name(name, &[]));
        if let (Some(name), Some(value)) = (name, self.sensitive(AUTH, &value)) {
            headers.insert(name, value);
        }
        headers
    }

    pub(super) fn template_credential(&mut self, name: &str, rule: &CredentialRule) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let path = credential_path(name);
        let Some(secret) = self.input.secrets.get(&path) else {
            return headers;
        };
        let title = &rule.title;
        match (rule.looks_like, secret.is_jwt()) {
            (Some(CredentialKind::Jwt), false) => {
                self.problem(&path, format!("the value is not the {title}, which is a JWT (three parts that begin with `eyJ`); is it another key of the vendor?"));
            }
            (Some(CredentialKind::Opaque), true) => {
                self.problem(
                    &path,
                    format!("the value is a JWT, and the {title} is not; is it the API key?"),
                );
            }
            _ => {}
        }
        let value = self.sensitive(&path, secret.reveal());
        if let (Ok(header), Some(value)) = (rule.header.parse::<HeaderName>(), value) {
            headers.insert(header, value);
        }
        headers
    }

    fn sensitive(&mut self, path: &str, text: &str) -> Option<HeaderValue> {
        let value =
            HeaderValue::from_str(text).map_err(|_| "the secret has characters that a header cannot hold");
        let mut value = self.good(path, value)?;
        value.set_sensitive(true);
        Some(value)
    }

    pub(super) fn refuse_unknown_credentials(&mut self, template: &Template) {
        let wanted = &template.file.credential;
        for name in self
            .input
            .destination
            .credentials
            .keys()
            .filter(|name| *name != wanted)
        {
            let is_vendors = template.vendor.credentials.contains_key(name);
            let message = match is_vendors {
                true => format!("`{}` takes `{wanted}`, not `{name}`", template.name),
                false => format!(
                    "`{}` has no credential `{name}`, it takes `{wanted}`",
                    template.name
                ),
            };
            self.problem(credential_path(name), message);
        }
    }
}
