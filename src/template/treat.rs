//! What single statuses mean at an endpoint, where that differs from what they mean elsewhere.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What is made of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// The records are accepted: what was asked for is so already.
    Accepted,
    /// Nothing was carried out, and the request is sent again.
    Retry,
    /// An earlier attempt of the request, with the same idempotency key, is still being carried out: it is sent again with
    /// that key, and in doubt where the attempts run out.
    Wait,
}

/// Statuses from 400 to 499, and what is made of each.
///
/// ```
/// use outpour::template::{Treatment, Treatments};
/// let treat: Treatments = serde_json::from_str(r#"{"409": "accepted", "423": "retry"}"#)?;
/// assert_eq!(treat.of(409), Some(Treatment::Accepted));
/// assert_eq!(treat.statuses(Treatment::Retry), [423]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Treatments(BTreeMap<u16, Treatment>);

impl Treatments {
    /// What is made of this status, if it is not the usual.
    pub fn of(&self, status: u16) -> Option<Treatment> {
        self.0.get(&status).copied()
    }

    /// Whether any status is treated so.
    pub fn has(&self, wanted: Treatment) -> bool {
        self.0.values().any(|treatment| *treatment == wanted)
    }

    /// The statuses that are treated so.
    pub fn statuses(&self, wanted: Treatment) -> Vec<u16> {
        let treated = self.0.iter().filter(|(_, treatment)| **treatment == wanted);
        treated.map(|(status, _)| *status).collect()
    }
}

impl JsonSchema for Treatments {
    fn schema_name() -> Cow<'static, str> {
        "Treatments".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let treatment = generator.subschema_for::<Treatment>();
        json_schema!({
            "type": "object",
            "patternProperties": {"^4[0-9][0-9]$": treatment},
            "additionalProperties": false
        })
    }
}
