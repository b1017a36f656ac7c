//! The tests that stand in a template, as written: records in, exact requests out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::Method;
use super::parameter::ParameterValue;

/// Records in, exact requests out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateTest {
    /// What is shown, as a sentence.
    pub name: String,
    /// The job's parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterValue>,
    /// What `$definition` is in `refuse`. Default: null.
    #[serde(default)]
    pub definition: Option<Value>,
    /// Records in one request. Default: the template's.
    #[serde(default)]
    pub max_records: Option<u32>,
    /// The records.
    pub records: Vec<TestRecord>,
    /// The requests that come out, in order.
    #[serde(default)]
    pub requests: Vec<TestRequest>,
    /// The reasons of the rejects that come out, in order.
    #[serde(default)]
    pub rejects: Vec<String>,
}

/// A record in a template: JSON text where its bytes matter, else YAML.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TestRecord {
    /// JSON text.
    Text(String),
    /// A map of keys.
    Map(BTreeMap<String, Value>),
}

/// A request that a template test expects.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// Headers that must be there with these values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Headers that must not be there.
    #[serde(default)]
    pub without: Vec<String>,
    /// The body: text is compared byte for byte, YAML by its values.
    pub body: Expected,
}

/// The body that a template test expects.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Expected {
    /// The exact bytes.
    Text(String),
    /// The values.
    Json(Value),
}

impl TestRecord {
    /// The record as JSON text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Map(map) => serde_json::to_string(map).unwrap_or_default(),
        }
    }
}
