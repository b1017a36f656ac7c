//! The configuration: a job as written, and the plan that it becomes.
//!
//! [`Config`] is the YAML as it stands, every key of it checked; [`Plan`] is the job made ready: template found,
//! endpoint and expressions compiled, limits and batches resolved. Making a plan reads secrets and the file of
//! definitions, and nothing else. Nobody imports this module but the command line; the settings themselves live beside what they set.

mod at_mock;
mod definitions;
mod fingerprint;
mod making;
mod plan;
mod routes;
mod secrets;
mod steps;
mod webhook;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::accepted::AcceptedConfig;
use crate::batch::BatchConfig;
use crate::client::{HttpConfig, LimitsConfig, RetryConfig, TimeoutsConfig};
use crate::delivery::InDoubt;
use crate::document::{Document, Problems};
use crate::endpoint::DestinationConfig;
use crate::pipeline::StopWhen;
use crate::rejects::RejectsBody;
use crate::shape::RecordsConfig;
use crate::source::{self, Paths, SourceConfig};
use crate::units::TimeSpan;
use crate::webhook::{ResponsesConfig, WebhookConfig};

pub use plan::{Check, MockPlace, Plan, PlanOptions, Secrets};
pub use steps::{Action, Step, Steps};

/// A job, as written in YAML.
///
/// ```
/// use outpour::config::Config;
/// let text = "
/// source: {path: people.csv}
/// destination: {template: encharge/upsert-person}
/// ";
/// let (config, _) = Config::parse("people.yaml", text)?;
/// assert!(config.active);
/// # Ok::<(), outpour::document::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "An outpour job")]
pub struct Config {
    /// The job's name, for reports and the names of files. Default: the configuration file's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether `outpour run` sends anything; a job that is not active is checked and previewed alone. Default: `true`.
    #[serde(default = "yes")]
    pub active: bool,
    /// What is read.
    pub source: SourceConfig,
    /// Where requests go.
    pub destination: DestinationConfig,
    /// What is kept and changed of each record.
    #[serde(default)]
    pub records: RecordsConfig,
    /// How records share requests. Default: as the template says; a manual endpoint sends one record a request.
    #[serde(default)]
    pub batch: Option<BatchConfig>,
    /// The fields (dotted paths) whose records are sent in the order of the input: of records that agree in them at most
    /// one request is under way. Default: none, as requests overtake each other; with `destination.operation` records
    /// that share the value of one of the templates' identifiers.
    #[serde(default)]
    pub order_by: Option<Vec<String>>,
    /// How fast requests are sent, and how many at once.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// When and how often a request is sent again.
    #[serde(default)]
    pub retry: RetryConfig,
    /// How long an attempt may take.
    #[serde(default)]
    pub timeouts: TimeoutsConfig,
    /// How HTTP is spoken.
    #[serde(default)]
    pub http: HttpConfig,
    /// When the run gives up.
    #[serde(default)]
    pub stop_when: StopWhen,
    /// What is done with records that may have been carried out and whose answer never came: `resend`, `hold` or `stop`
    /// the run. Default: `resend` where that is safe, else `hold`.
    #[serde(default)]
    pub in_doubt: Option<InDoubt>,
    /// How long a stopped run waits for what is in flight. Default: `30s`.
    #[serde(default = "default_grace")]
    pub grace: TimeSpan,
    /// What `outpour check --online` and `outpour run --preflight` take as it is.
    #[serde(default)]
    pub preflight: PreflightConfig,
    /// Where each reply is passed on to. Default: nowhere.
    #[serde(default)]
    pub webhook: Option<WebhookConfig>,
    /// A file that takes what the webhook would. Default: none.
    #[serde(default)]
    pub responses: Option<ResponsesConfig>,
    /// Where rejects are written.
    #[serde(default)]
    pub rejects: RejectsConfig,
    /// Where accepted records are written, with values of their replies. Default: nowhere.
    #[serde(default)]
    pub accepted: Option<AcceptedConfig>,
}

/// Where rejects are written; the key `rejects:`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RejectsConfig {
    /// The file's path without its extension, which follows from the input. An older file is not written over, the new
    /// one then gets a number. Default: the job's name and `.rejected`, beside the configuration.
    pub path: Option<PathBuf>,
    /// What is kept of each record: `full`, `hash` (the SHA-256 of its row) or `none`. Only full rejects can be loaded again.
    /// Default: `full`.
    pub body: RejectsBody,
    /// Whether what `records.exclude` leaves out is left out of rejects too. They then load again without it. Default:
    /// `false`.
    pub exclude: bool,
}

/// What the preflight takes as it is; the key `preflight:`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreflightConfig {
    /// Attributes that are meant to be sent although the account does not list them. Default: none.
    pub allow: Vec<String>,
}

const fn yes() -> bool {
    true
}

const fn default_grace() -> TimeSpan {
    TimeSpan::from_secs(30)
}

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{path}` cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is wrong.
    #[error("{0}")]
    Wrong(#[from] Problems),
}

impl Config {
    /// Reads a configuration from text; `name` is what messages call it.
    pub fn parse(name: &str, text: &str) -> Result<(Self, Document), Problems> {
        crate::document::parse(name, text)
    }

    /// Reads a configuration file, with `settings` (dotted path, YAML text) in place of what it says. Relative paths in
    /// it start from its own folder.
    pub fn load(path: &Path, settings: &[(String, String)]) -> Result<(Self, Document), ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut document = Document::parse(&path.display().to_string(), &text)?;
        for (key, value) in settings {
            document.set(key, value)?;
        }
        let config = Self::of(&document, path)?;
        Ok((config, document))
    }

    /// What is left of a configuration file without the values that `problems` complain of, if it is still a job.
    pub fn load_without(
        path: &Path,
        settings: &[(String, String)],
        problems: &Problems,
    ) -> Option<(Self, Document)> {
        let text = std::fs::read_to_string(path).ok()?;
        let mut document = Document::parse(&path.display().to_string(), &text).ok()?;
        for (key, value) in settings {
            document.set(key, value).ok()?;
        }
        let document = document.without(problems);
        let config = Self::of(&document, path).ok()?;
        Some((config, document))
    }

    fn of(document: &Document, path: &Path) -> Result<Self, Problems> {
        let mut config: Self = document.typed()?;
        if config.name.is_none() {
            config.name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        }
        config.start_from(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Reads the records of these paths in place of those that the configuration names.
    pub fn read_from(&mut self, paths: Vec<String>) {
        self.source.path = if let [path] = &paths[..] {
            Paths::One(path.clone())
        } else {
            Paths::Several(paths)
        };
    }

    /// The JSON Schema of a configuration, for editors.
    pub fn schema() -> serde_json::Value {
        crate::document::schema_of::<Self>()
    }

    /// The job's name.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("outpour")
    }

    fn start_from(&mut self, folder: &Path) {
        let inputs = self
            .source
            .path
            .as_slice()
            .iter()
            .map(|path| match path.as_str() {
                "-" => path.clone(),
                path => source::path_in(folder, path),
            });
        self.read_from(inputs.collect());
        let rejects = self
            .rejects
            .path
            .take()
            .unwrap_or_else(|| format!("{}.rejected", self.name()).into());
        self.rejects.path = Some(folder.join(rejects));
        let name = self.name().to_owned();
        if let Some(accepted) = &mut self.accepted {
            accepted.start_from(folder, &name);
        }
        if let Some(responses) = &mut self.responses {
            responses.path = folder.join(&responses.path);
        }
        self.destination.start_from(folder);
        if let Some(webhook) = &mut self.webhook {
            webhook.start_from(folder);
        }
        if let Some(file) = &mut self.http.ca_file {
            *file = folder.join(&*file);
        }
        if let Some(auth) = &mut self.http.proxy_auth {
            auth.password.start_from(folder);
        }
    }
}
