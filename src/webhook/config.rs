//! `webhook:` and `responses:` as written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backlog::{Backlog, Gate};
use crate::endpoint::HeaderValueConfig;
use crate::secret::SecretRef;
use crate::units::TimeSpan;

/// Where each reply is passed on to; the key `webhook:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// The URL that takes the events, each a POST with JSON.
    pub url: String,
    /// Further headers, such as the receiver's token as `{env: NAME}`. Default: none.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValueConfig>,
    /// The secret that signs events (Standard Webhooks): `whsec_` and base64, or any text. Default: not signed.
    #[serde(default)]
    pub secret: Option<SecretRef>,
    /// How many events wait at most, those of earlier runs of the job included. Default: `10000`.
    #[serde(default = "default_max_events")]
    #[schemars(range(min = 1))]
    pub max_events: u32,
    /// What is done when as many wait: `block` takes no more records until there is room, `drop_with_count` goes on
    /// without the further events and counts them. Default: `block`.
    #[serde(default)]
    pub on_full: OnFull,
    /// How long the end of a run waits for events to be delivered; what is left stays in the ledger. Default: `30s`.
    #[serde(default = "default_grace")]
    pub grace: TimeSpan,
}

/// What is done when `max_events` wait for the webhook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// The run takes no more records until there is room, or until it is stopped.
    #[default]
    Block,
    /// Further events are not told, and counted.
    DropWithCount,
}

/// A file that takes the same events, one a line; the key `responses:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponsesConfig {
    /// The file's path. An older file is not written over, the new one then gets a number.
    pub path: PathBuf,
}

const fn default_max_events() -> u32 {
    10_000
}

const fn default_grace() -> TimeSpan {
    TimeSpan::from_secs(30)
}

impl OnFull {
    /// Whether an event is dropped now.
    pub(super) fn drops(self, backlog: &Backlog) -> bool {
        self == Self::DropWithCount && backlog.is_full()
    }

    /// What holds a run up.
    pub(super) fn gate(self, backlog: &Backlog) -> Gate {
        match self {
            Self::Block => backlog.gate(),
            Self::DropWithCount => Gate::default(),
        }
    }
}

impl WebhookConfig {
    /// Lets the relative paths of secrets start from `folder`.
    pub fn start_from(&mut self, folder: &Path) {
        for header in self.headers.values_mut() {
            header.start_from(folder);
        }
        if let Some(secret) = &mut self.secret {
            secret.start_from(folder);
        }
    }
}
