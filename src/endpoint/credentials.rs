//! Secrets and headers of an endpoint: which it needs, and where they go.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::compile::{Build, Says};
use super::destination::is_secret_header;
use super::destination::{AuthConfig, DestinationConfig, HeaderValueConfig, HeadersConfig};
use super::header::{HeaderTemplate, check_name, parse_text};
use crate::client::TokenClient;
use crate::secret::{Secret, SecretRef};
use crate::template::{CredentialKind, CredentialRule, Template};

/// The secrets that a destination needs, each with its path in the configuration.
pub fn wanted_secrets(
    destination: &DestinationConfig,
    template: Option<&Template>,
) -> Vec<(String, SecretRef)> {
    let mut wanted = Vec::new();
    for (name, rule) in template.iter().flat_map(|template| template.secrets()) {
        let given = destination.credentials.get(name).cloned();
        let usual = || rule.env.as_deref().map(SecretRef::env);
        wanted.extend(given.or_else(usual).map(|secret| (credential_path(name), secret)));
    }
    match &destination.auth {
        AuthConfig::None => {}
        AuthConfig::Header { value, .. } => wanted.push((AUTH.to_owned(), value.clone())),
        AuthConfig::Bearer { token } => wanted.push((AUTH.to_owned(), token.clone())),
        AuthConfig::Basic { password, .. } => wanted.push((AUTH.to_owned(), password.clone())),
        AuthConfig::Oauth2 {
            client_id,
            client_secret,
            ..
        } => {
            wanted.push((CLIENT_ID.to_owned(), client_id.clone()));
            wanted.push((CLIENT_SECRET.to_owned(), client_secret.clone()));
        }
    }
    if let HeadersConfig::Map(map) = &destination.headers {
        for (name, value) in map {
            let path = format!("destination.headers.{name}");
            wanted.extend(value.secret().map(|secret| (path, secret)));
        }
    }
    wanted
}

/// Who asks for the token that a destination takes, if it takes one. The secrets stand by the paths that
/// [`wanted_secrets`] gives.
pub fn token_client(
    destination: &DestinationConfig,
    template: Option<&Template>,
    secrets: &BTreeMap<String, Secret>,
) -> Option<TokenClient> {
    let (id, secret, scope, auth) = match (template, &destination.auth) {
        (Some(template), _) => {
            let oauth = template.oauth()?;
            let [id, secret] = [&oauth.client_id, &oauth.client_secret].map(|name| credential_path(name));
            (id, secret, &oauth.scope, oauth.client_auth)
        }
        (
            None,
            AuthConfig::Oauth2 {
                scope, client_auth, ..
            },
        ) => (
            CLIENT_ID.to_owned(),
            CLIENT_SECRET.to_owned(),
            scope,
            *client_auth,
        ),
        _ => return None,
    };
    Some(TokenClient {
        id: secrets.get(&id)?.clone(),
        secret: secrets.get(&secret)?.clone(),
        scope: scope.clone(),
        auth,
    })
}

const AUTH: &str = "destination.auth";
const CLIENT_ID: &str = "destination.auth.client_id";
const CLIENT_SECRET: &str = "destination.auth.client_secret";

/// What stands in the place of a token until there is one: in previews, and in requests that are not sent yet.
const STAND_IN_TOKEN: HeaderValue = HeaderValue::from_static("Bearer stand-in");

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
                    if let Ok(mut value) = header.render(&crate::record::Fields::default()) {
                        value.set_sensitive(is_secret_header(&name));
                        if fixed.insert(header.name, value).is_some() {
                            self.problem(
                                &path,
                                "the header is there already, upper and lower case are the same",
                            );
                        }
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
        if matches!(auth, AuthConfig::Oauth2 { .. }) {
            return token_header();
        }
        let Some(secret) = self.input.secrets.get(AUTH) else {
            return headers;
        };
        let (name, value) = match auth {
            AuthConfig::None | AuthConfig::Oauth2 { .. } => return headers,
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
        if rule.oauth.is_some() {
            return token_header();
        }
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
        let header = rule.header.as_deref().map(str::parse::<HeaderName>);
        if let (Some(Ok(header)), Some(value)) = (header, self.sensitive(&path, &rule.value_of(secret))) {
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
        let wanted: Vec<&str> = template.secrets().iter().map(|(name, _)| *name).collect();
        let listed: Vec<String> = wanted.iter().map(|name| format!("`{name}`")).collect();
        let listed = listed.join(" and ");
        let given = self.input.destination.credentials.keys();
        for name in given.filter(|name| !wanted.contains(&name.as_str())) {
            let is_vendors = template.vendor.credentials.contains_key(name);
            let message = match is_vendors {
                true => format!("`{}` takes {listed}, not `{name}`", template.name),
                false => format!(
                    "`{}` has no credential `{name}`, it takes {listed}",
                    template.name
                ),
            };
            self.problem(credential_path(name), message);
        }
    }
}

fn token_header() -> HeaderMap {
    let mut value = STAND_IN_TOKEN;
    value.set_sensitive(true);
    [(AUTHORIZATION, value)].into_iter().collect()
}
