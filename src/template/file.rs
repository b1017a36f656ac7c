//! The format of an endpoint's file, as written.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::Parameter;
use super::preflight::PreflightRule;
use super::success::SuccessRule;
use super::trial::{TemplateTest, TestRecord};
use crate::batch::BodyShape;
use crate::record::EmptyStrings;
use crate::units::ByteSize;

/// `<endpoint>.yaml`: one endpoint of a vendor.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateFile {
    /// What the endpoint does, in a few words.
    pub title: String,
    /// What a user should know before choosing it.
    #[serde(default)]
    pub summary: String,
    /// Where the vendor documents it.
    #[serde(default)]
    pub docs: Option<String>,
    /// The HTTP method.
    pub method: Method,
    /// The name of one of the vendor's hosts.
    pub host: String,
    /// The path, appended to the host's base URL; `{name}` is a parameter, `{record.field}` a field.
    pub path: String,
    /// The name of one of the vendor's credentials.
    pub credential: String,
    /// How the body is labelled. Default: `json`.
    #[serde(default)]
    pub content_type: ContentType,
    /// What a job must or may set, besides the vendor's parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Further headers, besides the vendor's; values may have the same placeholders as `path`. One that names an optional
    /// parameter is left out where the job does not give it.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The fields (dotted paths) that tell one record from another, for reports, events and duplicates.
    #[serde(default)]
    pub identifiers: Vec<String>,
    /// What each record must have; one that lacks it is a reject and is not sent.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// What becomes of values that are empty strings, unless the job says otherwise. Default: `keep`.
    #[serde(
        default,
        deserialize_with = "EmptyStrings::given",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "EmptyStrings")]
    pub empty: Option<EmptyStrings>,
    /// jq over one record, with `$parameters` and `$definition`: each text that it gives is a reason why the record is not
    /// sent.
    #[serde(default)]
    pub refuse: Option<String>,
    /// jq over one record: what is sent of it, with `$parameters`. Without it the record is sent as it is.
    #[serde(default)]
    pub body: Option<String>,
    /// jq over the list of a request's records, with `$parameters`: an object, or a list of pairs, that is appended to the
    /// URL as its query.
    #[serde(default)]
    pub query: Option<String>,
    /// How the request carries its records.
    #[serde(default)]
    pub batch: BatchRule,
    /// What counts as success.
    #[serde(default)]
    pub success: SuccessRule,
    /// Whether sending the same request twice does the same as sending it once.
    pub safe_to_resend: bool,
    /// The header by which the API knows a request that it has seen before. Default: none.
    #[serde(default)]
    pub idempotency: Option<Idempotency>,
    /// How bodies are compressed on their way, and whether compressed replies are asked for. Default: `none`.
    #[serde(default)]
    pub compression: BodyCompression,
    /// How records are compared with what the account knows, before anything is sent. Default: not at all.
    #[serde(default)]
    pub preflight: Option<PreflightRule>,
    /// A record to try the endpoint with.
    pub example: TestRecord,
    /// Records in, exact requests out.
    pub tests: Vec<TemplateTest>,
}

/// How an API knows a request that it has seen before.
///
/// Each request gets a key that follows from the run, its records and its body. A request that is sent again has the same
/// bytes and the same key, also after a crash; so what the API has carried out already it does not carry out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// The header that carries the key, such as `Idempotency-Key`.
    pub header: String,
}

/// `none`, or `gzip`
///
/// With `gzip`, bodies of 1 KiB and more go out compressed, with `Content-Encoding: gzip`, and compressed replies are asked
/// for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyCompression {
    /// Bodies go as they are, and so do replies come.
    #[default]
    None,
    /// Both are compressed where that is worth it.
    Gzip,
}

/// an HTTP method: POST, PUT, PATCH or DELETE
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// Something that each record must have: a field with a value that is not blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The fields (dotted paths) of which a record must have at least one.
    pub any_of: Vec<String>,
    /// A parameter that waives the need when it is true. A record that lacks it is then sent and counted as a
    /// warning, and its request is never resent when its answer was lost.
    #[serde(default)]
    pub unless: Option<String>,
    /// What happens without it, for the reject's reason.
    #[serde(default)]
    pub because: Option<String>,
}

/// How a request carries its records.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRule {
    /// Records in one request unless the job says otherwise. Default: 1.
    #[serde(default = "one")]
    pub max_records: u32,
    /// The most records that the API takes in one request; absent where no limit is known.
    #[serde(default)]
    pub most: Option<u32>,
    /// The most bytes of a request's body unless the job says otherwise. Default: `1MiB`.
    #[serde(default)]
    pub max_bytes: Option<ByteSize>,
    /// The form of the body; jq may use `$parameters`. Default: `object`.
    #[serde(default)]
    pub shape: BodyShape,
    /// Fields (dotted paths). Records that agree in them never share a request, and are sent in their order. Default: none.
    #[serde(default)]
    pub distinct: Vec<String>,
}

/// a content type: `json`, `ndjson`, `form` or `merge_patch` (or its MIME name)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContentType {
    /// `application/json`
    #[default]
    #[serde(rename = "json", alias = "application/json")]
    Json,
    /// `application/x-ndjson`: a line a record.
    #[serde(rename = "ndjson", alias = "application/x-ndjson")]
    Ndjson,
    /// `application/x-www-form-urlencoded`: one record a request.
    #[serde(rename = "form", alias = "application/x-www-form-urlencoded")]
    Form,
    /// `application/merge-patch+json`: what changes of one resource (RFC 7396).
    #[serde(rename = "merge_patch", alias = "application/merge-patch+json")]
    MergePatch,
}

impl Default for BatchRule {
    fn default() -> Self {
        Self {
            max_records: one(),
            most: None,
            max_bytes: None,
            shape: BodyShape::Object,
            distinct: Vec::new(),
        }
    }
}

const fn one() -> u32 {
    1
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(http::Method::from(*self).as_str())
    }
}

impl ContentType {
    /// The MIME name.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Form => "application/x-www-form-urlencoded",
            Self::MergePatch => "application/merge-patch+json",
        }
    }
}
