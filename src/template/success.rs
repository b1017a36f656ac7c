//! What counts as success, as written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::results::{FailedRule, ItemsRule};
use super::treat::Treatments;

/// What counts as success.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuccessRule {
    /// The statuses that are a success. Default: every 2xx.
    #[serde(default)]
    pub statuses: Vec<u16>,
    /// jq over the reply's body (null where it is empty): false or null is no success, an error in it stops the run.
    #[serde(default)]
    pub when: Option<String>,
    /// Where a reply has a result for each record of its request. Default: all share one fate.
    #[serde(default)]
    pub items: Option<ItemsRule>,
    /// Where a reply has a list of what failed, and all else is accepted. Not together with `items`. Default: all share
    /// one fate.
    #[serde(default)]
    pub failed: Option<FailedRule>,
    /// Statuses from 400 to 499 that are treated in their own way, such as `{409: accepted}`. `accepted`: the records are, as
    /// where they were there already. `retry`: nothing was carried out, send again. `wait`: an earlier
    /// attempt with the same idempotency key is still being carried out, ask again. Default: none.
    #[serde(default)]
    pub treat: Treatments,
}
