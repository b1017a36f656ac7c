//! The format of a vendor's file, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::{Parameter, ParameterKind, ParameterValue};
use super::wiring::placeholders;
use crate::client::{ClientAuth, LimitsConfig};
use crate::document::Problem;
use crate::secret::Secret;

/// `vendor.yaml`: what the endpoints of one vendor share.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorFile {
    /// The vendor's name as people write it.
    pub title: String,
    /// Where the vendor documents its API.
    #[serde(default)]
    pub docs: Option<String>,
    /// Base URLs by name; a template's `path` is appended to one of them.
    pub hosts: BTreeMap<String, String>,
    /// Base URLs by region and host, which a job chooses with the parameter `region`. A host that a region does not name is
    /// that of `hosts`. Default: none.
    #[serde(default)]
    pub regions: BTreeMap<String, BTreeMap<String, String>>,
    /// What a job must or may set at any endpoint. One of the same name in a template takes its place. Default: none.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Headers of every endpoint; values may name parameters, `{name}`. One that names an optional parameter is left out
    /// where the job does not give it. Default: none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// jq definitions (`def name: ..;`) that `check`, `refuse`, `body`, `query` and `batch.shape` may use. They see what
    /// they are given, and no variables. Default: none.
    #[serde(default)]
    pub functions: Option<String>,
    /// Credentials by name.
    pub credentials: BTreeMap<String, CredentialRule>,
    /// The read-only request that tells whether a credential is good.
    #[serde(default)]
    pub check: Option<CheckRequest>,
    /// jq over a reply's body: the message of an error. Default: `.error.message`, `.error`, `.message` or `.errors`.
    #[serde(default)]
    pub error: Option<String>,
    /// Rate, burst and concurrency unless the job says otherwise.
    #[serde(default)]
    pub limits: LimitsConfig,
}

/// A credential of a vendor.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialRule {
    /// What the vendor calls it.
    pub title: String,
    /// Where a user finds it.
    #[serde(default)]
    pub where_to_find: Option<String>,
    /// The environment variable it is read from unless the job says otherwise. Required without `oauth`.
    #[serde(default)]
    pub env: Option<String>,
    /// The header that carries it. A credential that is only asked for a token with has none.
    #[serde(default)]
    pub header: Option<String>,
    /// What is put before the value in the header, such as `Bearer ` with its space. Default: nothing.
    #[serde(default)]
    pub prefix: Option<String>,
    /// What its value looks like, so that two swapped credentials are told apart.
    #[serde(default)]
    pub looks_like: Option<CredentialKind>,
    /// In place of `env` and `header`: a token that is fetched with two other credentials, and sent as
    /// `Authorization: Bearer`.
    #[serde(default)]
    pub oauth: Option<OauthRule>,
}

/// How a token is fetched: `OAuth2` client credentials (RFC 6749, 4.4).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OauthRule {
    /// The name of one of the vendor's hosts.
    pub host: String,
    /// The path of the token endpoint, appended to the host's base URL.
    pub path: String,
    /// The name of the credential that is the client's identifier.
    pub client_id: String,
    /// The name of the credential that is its secret.
    pub client_secret: String,
    /// What the token is for. Default: what the vendor gives by itself.
    #[serde(default)]
    pub scope: Option<String>,
    /// How the client shows who it is: `form` or `basic`. Default: `form`.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// What a credential's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A JSON Web Token.
    Jwt,
    /// A short text that is no JSON Web Token.
    Opaque,
}

/// The read-only request that checks a credential.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// The host's name.
    pub host: String,
    /// The path, appended to the host's base URL. The method is GET.
    pub path: String,
    /// The credential that it carries.
    pub credential: String,
    /// jq over the reply's body: a line about the account.
    #[serde(default)]
    pub account: Option<String>,
}

impl CredentialRule {
    /// The value of the header that carries the secret.
    pub fn value_of(&self, secret: &Secret) -> String {
        format!(
            "{}{}",
            self.prefix.as_deref().unwrap_or_default(),
            secret.reveal()
        )
    }
}

/// The parameter that picks one of a vendor's regions.
pub(super) const REGION: &str = "region";

impl VendorFile {
    /// What a job must or may set for any endpoint at `host`: the vendor's parameters, and `region` where it has regions.
    pub fn parameters(&self, host: &str) -> BTreeMap<String, Parameter> {
        let mut all = self.parameters.clone();
        if self.regions.is_empty() {
            return all;
        }
        let region = all.entry(REGION.to_owned()).or_insert_with(|| Parameter {
            description: format!(
                "The region of the account, which says where requests go. Without it: {}.",
                self.hosts.get(host).map_or("", String::as_str)
            ),
            kind: ParameterKind::Text,
            default: None,
            optional: true,
            choices: Vec::new(),
            check: None,
            because: None,
            example: None,
        });
        region.choices = self.regions.keys().cloned().collect();
        all
    }

    /// The headers that all endpoints share, without those that name an optional parameter that is not `given`.
    pub fn headers(&self, given: &BTreeMap<String, ParameterValue>) -> Vec<(&str, &str)> {
        let is_absent = |name: &str| {
            !given.contains_key(name)
                && self
                    .parameters
                    .get(name)
                    .is_some_and(|parameter| parameter.optional)
        };
        let sent = self
            .headers
            .iter()
            .filter(|(_, value)| !placeholders(value).any(is_absent));
        sent.map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// The base URL of a host, in a region where one is chosen.
    pub fn base_url(&self, host: &str, region: Option<&ParameterValue>) -> Option<&str> {
        let regional = region.and_then(|region| self.regions.get(&region.to_text())?.get(host));
        regional.or_else(|| self.hosts.get(host)).map(String::as_str)
    }

    /// What the schema cannot see: keys that belong together, and names that must exist elsewhere.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let rules = self.credentials.iter();
        rules
            .flat_map(|(name, rule)| self.problems_of(name, rule))
            .collect()
    }

    fn problems_of(&self, name: &str, rule: &CredentialRule) -> Vec<Problem> {
        let path = format!("credentials.{name}");
        let wrong = |key: &str, message: String| Problem::new(format!("{path}{key}"), message);
        let Some(oauth) = &rule.oauth else {
            let is_lost = rule.env.is_none();
            let is_idle = rule.prefix.is_some() && rule.header.is_none();
            let lost = is_lost.then(|| wrong("", "it needs `env`, or `oauth`".to_owned()));
            let idle =
                is_idle.then(|| wrong(".prefix", "it belongs to a `header`, and none is set".to_owned()));
            return lost.into_iter().chain(idle).collect();
        };
        let mut problems = Vec::new();
        let plain = [
            ("env", rule.env.is_some()),
            ("header", rule.header.is_some()),
            ("prefix", rule.prefix.is_some()),
            ("looks_like", rule.looks_like.is_some()),
        ];
        for (key, _) in plain.iter().filter(|(_, is_given)| *is_given) {
            let message = "a token comes from `oauth` and goes as `Authorization: Bearer`, leave this out";
            problems.push(wrong(&format!(".{key}"), message.to_owned()));
        }
        if !self.hosts.contains_key(&oauth.host) {
            problems.push(wrong(
                ".oauth.host",
                format!("the vendor has no host `{}`", oauth.host),
            ));
        }
        for (key, other) in [
            ("client_id", &oauth.client_id),
            ("client_secret", &oauth.client_secret),
        ] {
            let is_plain = self
                .credentials
                .get(other)
                .is_some_and(|rule| rule.oauth.is_none());
            if !is_plain {
                let message = format!("the vendor has no credential `{other}` that is no token itself");
                problems.push(wrong(&format!(".oauth.{key}"), message));
            }
        }
        problems
    }
}
