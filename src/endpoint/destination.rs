//! Where requests go, as written: a template with its parameters, or a manual method, URL and headers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::header::parse_text;
use super::operation::OperationConfig;
use super::placeholder::Parameters;
use crate::client::ClientAuth;
use crate::secret::{EnvRef, FileRef, SecretRef};
use crate::template::{BodyCompression, ContentType, Idempotency, Method, Need, SuccessRule};

/// Where requests go; the key `destination:`. Either `template`, `operation`, or `method` and `url`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DestinationConfig {
    /// A template's name, such as `encharge/upsert-person`; `outpour templates` lists them.
    pub template: Option<String>,
    /// In place of `template`: sends each record of a change feed to one of several templates of one vendor, as a field
    /// of the record says. Default: none.
    pub operation: Option<OperationConfig>,
    /// Values for the template's parameters, or for `{name}` in `url` and `headers`. Default: none.
    pub parameters: Parameters,
    /// Where the template's credentials are kept. Default: the environment variables that the template names.
    pub credentials: BTreeMap<String, SecretRef>,
    /// Sends a template's requests to another base URL: a proxy, a test server, a mock. Default: the vendor's.
    pub base_url: Option<String>,
    /// A file with definitions of objects, YAML or JSON, by which a template that can checks its records: `{definitions: {NAME:
    /// ..}}`, also as an API lists them. The one named by the parameter `object` counts. Default: none.
    pub definitions: Option<PathBuf>,
    /// The HTTP method of a manual endpoint: POST, PUT, PATCH or DELETE.
    pub method: Option<Method>,
    /// The URL of a manual endpoint; `{name}` is a parameter, `{record.field}` a field. Host and scheme are literal.
    pub url: Option<String>,
    /// `json`, `ndjson` (a line a record), `form` (one record a request) or `merge_patch` (RFC 7396, one record a request).
    /// Default: `json`.
    pub content_type: Option<ContentType>,
    /// Further headers: a map, or the text `header1:value1,header2:value2`. Default: none.
    pub headers: HeadersConfig,
    /// How a manual endpoint authenticates. Default: none.
    pub auth: AuthConfig,
    /// jq over one record: what is sent of it, with `$parameters`. `empty` sends no body. Default: the record as it is.
    pub body: Option<String>,
    /// What each record must have at a manual endpoint; one that lacks it is a reject and is not sent. Default: nothing.
    pub needs: Vec<Need>,
    /// Fields that tell one record from another, for reports, events and duplicates. Default: the template's, else none.
    pub identifiers: Vec<String>,
    /// What counts as success at a manual endpoint; a template says it itself. Default: every 2xx.
    pub success: SuccessRule,
    /// jq over a reply's body: the message of an error. Default: the vendor's; for a manual endpoint
    /// the usual places, `.error.message`, `.error`, `.message`, `.errors`.
    pub error: Option<String>,
    /// Whether sending the same request twice does the same as sending it once. A request that is not safe and whose
    /// answer was lost is in doubt, and not resent. Default: the template's; for a manual endpoint true for PUT and
    /// DELETE, false for POST and PATCH.
    pub safe_to_resend: Option<bool>,
    /// The header by which the API of a manual endpoint knows a request that it has seen before. With it, sending again
    /// is safe. Default: none.
    pub idempotency: Option<Idempotency>,
    /// `gzip`: bodies of 1 KiB and more go out compressed, and compressed replies are asked for. `none`: neither. Default:
    /// the template's; for a manual endpoint `none`.
    pub compression: Option<BodyCompression>,
    /// Permits plain http to a host that is not this machine. Default: `false`.
    pub allow_http: bool,
}

/// a map of headers, or the text `header1:value1,header2:value2`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HeadersConfig {
    /// A map of names to values.
    Map(BTreeMap<String, HeaderValueConfig>),
    /// The text form.
    Text(String),
}

/// a header's value: a text, or a secret as `{env: NAME}` or `{file: PATH}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HeaderValueConfig {
    /// A text, which may have placeholders.
    Text(String),
    /// A secret from the environment.
    Env(EnvRef),
    /// A secret from a file.
    File(FileRef),
}

/// a map whose `type` is `none`, `header`, `bearer`, `basic` or `oauth2`, such as `{type: bearer, token: {env: NAME}}`
///
/// How a manual endpoint authenticates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthConfig {
    /// Not at all.
    #[default]
    None,
    /// A key in a header.
    Header {
        /// The header's name.
        name: String,
        /// The key.
        value: SecretRef,
    },
    /// `Authorization: Bearer` and a token (RFC 6750).
    Bearer {
        /// The token.
        token: SecretRef,
    },
    /// `Authorization: Basic` with user name and password (RFC 7617).
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: SecretRef,
    },
    /// `Authorization: Bearer` and a token that is fetched, and fetched anew before it expires: `OAuth2` client credentials
    /// (RFC 6749, 4.4).
    Oauth2 {
        /// The URL of the token endpoint, without placeholders.
        token_url: String,
        /// The client's identifier.
        client_id: SecretRef,
        /// The client's secret.
        client_secret: SecretRef,
        /// What the token is for. Default: what the server gives by itself.
        #[serde(default)]
        scope: Option<String>,
        /// How the client shows who it is: `form` or `basic`. Default: `form`.
        #[serde(default)]
        client_auth: ClientAuth,
    },
}

impl Default for HeadersConfig {
    fn default() -> Self {
        Self::Map(BTreeMap::new())
    }
}

impl DestinationConfig {
    /// Lets the relative paths of secrets start from `folder`.
    pub fn start_from(&mut self, folder: &Path) {
        for secret in self.credentials.values_mut() {
            secret.start_from(folder);
        }
        if let Some(definitions) = &mut self.definitions {
            *definitions = folder.join(&*definitions);
        }
        if let HeadersConfig::Map(headers) = &mut self.headers {
            for header in headers.values_mut() {
                header.start_from(folder);
            }
        }
        match &mut self.auth {
            AuthConfig::None => {}
            AuthConfig::Header { value, .. } => value.start_from(folder),
            AuthConfig::Bearer { token } => token.start_from(folder),
            AuthConfig::Basic { password, .. } => password.start_from(folder),
            AuthConfig::Oauth2 {
                client_id,
                client_secret,
                ..
            } => {
                client_id.start_from(folder);
                client_secret.start_from(folder);
            }
        }
    }
}

impl HeaderValueConfig {
    /// Lets the relative path of a secret start from `folder`.
    pub fn start_from(&mut self, folder: &Path) {
        if let Self::File(from) = self {
            from.file = folder.join(&from.file);
        }
    }

    /// The secret that it names, if it is one.
    pub fn secret(&self) -> Option<SecretRef> {
        match self {
            Self::Text(_) => None,
            Self::Env(from) => Some(SecretRef::Env(from.clone())),
            Self::File(from) => Some(SecretRef::File(from.clone())),
        }
    }
}

/// Whether a header holds a secret, by its name.
pub(super) fn is_secret_header(name: &str) -> bool {
    const PARTS: [&str; 7] = [
        "authorization",
        "cookie",
        "token",
        "secret",
        "password",
        "api-key",
        "apikey",
    ];
    let name = name.trim().to_lowercase();
    PARTS.iter().any(|part| name.contains(part))
}

impl HeadersConfig {
    /// The headers that by their names hold secrets, and are written as text.
    pub fn inline_secrets(&self) -> Vec<String> {
        let texts: Vec<String> = match self {
            Self::Map(map) => {
                let is_text =
                    |(_, value): &(&String, &HeaderValueConfig)| matches!(value, HeaderValueConfig::Text(_));
                map.iter().filter(is_text).map(|(name, _)| name.clone()).collect()
            }
            Self::Text(text) => parse_text(text)
                .unwrap_or_default()
                .into_iter()
                .map(|(name, _)| name)
                .collect(),
        };
        texts.into_iter().filter(|name| is_secret_header(name)).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Map(map) => map.is_empty(),
            Self::Text(text) => text.trim().is_empty(),
        }
    }
}
