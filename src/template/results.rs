//! Where a reply says what became of single records, as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// jq that gives a list with one result for each record, in their order, or a map with `list`
///
/// Of the short form, true or null is accepted; anything else rejects that record alone and is its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ItemsRule {
    /// The list alone.
    List(String),
    /// The list, and how its results are read.
    Results(ResultsRule),
}

/// A list with one result for each record, and how they are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultsRule {
    /// jq over the reply's body: the list of results.
    pub list: String,
    /// jq over one result: the key of its record. Default: the results stand in the order of the records.
    #[serde(default)]
    pub key: Option<String>,
    /// jq over the record as it is sent: the same key there. Only with `key`. Default: as `key`.
    #[serde(default)]
    pub of: Option<String>,
    /// jq over one result: whether its record is accepted. Default: true and null are.
    #[serde(default)]
    pub ok: Option<String>,
    /// jq over one result: the reason of a reject. Default: its `message`, else the whole of it.
    #[serde(default)]
    pub reason: Option<String>,
    /// jq over one result: the API's own code of what went wrong, kept with the reject. Default: none.
    #[serde(default)]
    pub code: Option<String>,
    /// jq over one result that is not accepted: whether its record was not carried out and is worth sending again,
    /// alone. Up to `retry.attempts`. Default: never.
    #[serde(default)]
    pub retry: Option<String>,
}

/// A list of what failed, and which records it names: by `record`, what it repeats of them, or by `key`.
///
/// On a success the records that it names are rejected and all others accepted. On a refusal (4xx) nothing was carried
/// out: the records that it names are rejected, and the others sent again without them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedRule {
    /// jq over the reply's body: the list of failures. Null or nothing is none.
    pub list: String,
    /// jq over one failure: the record that it repeats, which is compared by its values.
    #[serde(default)]
    pub record: Option<String>,
    /// jq over one failure: the key of its record.
    #[serde(default)]
    pub key: Option<String>,
    /// jq over the record as it is sent: what `record` or `key` is compared with. Default: the record, or as `key`.
    #[serde(default)]
    pub of: Option<String>,
    /// jq over one failure: the reason of the reject. Default: its `message`, else the whole of it.
    #[serde(default)]
    pub reason: Option<String>,
    /// jq over one failure: the API's own code of what went wrong, kept with the reject. Default: none.
    #[serde(default)]
    pub code: Option<String>,
    /// jq over one failure: whether its record is worth sending again, alone. Up to `retry.attempts`. Default: never.
    #[serde(default)]
    pub retry: Option<String>,
    /// jq over the reply's body: how many records were accepted, by the API's own count, or the list of them. If that is not
    /// how many it does not name, nothing can be concluded from the reply. Null is no count. Default: none.
    #[serde(default)]
    pub accepted: Option<String>,
    /// Whether each refusal that is about records names them. One that names none is then about the request: it rejects all
    /// of its records, and a batch is not halved unless it is too large (413). Default: `false`.
    #[serde(default)]
    pub always: bool,
    /// Further statuses at which the records that the list does not name were accepted, such as `[500]`. A reply of
    /// such a status whose list is empty is a refusal like any other. Default: none.
    #[serde(default)]
    pub partial: Vec<u16>,
}
