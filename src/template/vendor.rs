//! The format of a vendor's file, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::Parameter;
use crate::client::LimitsConfig;

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
    /// The environment variable it is read from unless the job says otherwise.
    pub env: String,
    /// The header that carries it; its value is the credential as it is.
    pub header: String,
    /// What its value looks like, so that two swapped credentials are told apart.
    #[serde(default)]
    pub looks_like: Option<CredentialKind>,
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
