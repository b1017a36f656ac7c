//! What can be known of an account before anything is sent, as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How records are compared with what the account knows, before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreflightRule {
    /// The path of a GET that lists the fields, appended to the host's base URL; `{name}` is a parameter.
    pub path: String,
    /// jq over the reply's body: a list of fields, each with `name` and perhaps `type` (string, number, integer,
    /// boolean, any), `format` (date, date-time, uuid), `array` (true for lists) and `longest` (characters of a text).
    pub fields: String,
    /// Attributes that the API takes without listing them. Default: none.
    #[serde(default)]
    pub known: Vec<String>,
    /// What the API does with an attribute that it does not know, as a sentence's end.
    pub unknown: String,
    /// The most characters that a field holds. Default: no limit known.
    #[serde(default)]
    pub longest: Option<u64>,
    /// Where the names are that the path could have had, for a path that is not found. Default: none.
    #[serde(default)]
    pub names: Option<NamesRule>,
}

/// The names that a path could have had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamesRule {
    /// The parameter that holds the name.
    pub parameter: String,
    /// The path of a GET that lists the names.
    pub path: String,
    /// jq over the reply's body: the list of names.
    pub list: String,
}
