//! From the arguments that every job verb takes to a plan.

use outpour::config::{Config, ConfigError, MockPlace, Plan, PlanOptions, Secrets};
use outpour::document::Document;
use outpour::endpoint::OperationConfig;
use outpour::mock::{
    API_KEY, CLIENT_ID, CLIENT_SECRET, Mock, MockSettings, MockVendor, WRITE_KEY, ZUORA_SERVERS,
};
use outpour::secret::Secret;
use outpour::source::SourceConfig;
use outpour::template::{Catalog, ParameterValue};
use serde_json::{Value, json};

use super::args::JobArgs;
use super::error::Failure;

/// A job as loaded: its configuration, and what is needed to make plans of it.
pub(super) struct LoadedJob {
    pub(super) config: Config,
    document: Document,
    catalog: Catalog,
    limit: Option<u64>,
    allow_inline: bool,
}

impl LoadedJob {
    pub(super) fn load(args: &JobArgs) -> Result<Self, Failure> {
        let settings = settings(&args.set)?;
        let catalog = catalog(args.templates.as_deref())?;
        let (mut config, document) = load(args, &settings, &catalog)?;
        if !args.input.is_empty() {
            config.read_from(args.input.clone());
        }
        Ok(Self {
            config,
            document,
            catalog,
            limit: args.limit,
            allow_inline: args.allow_inline_secrets,
        })
    }

    /// The plan with its real secrets, or with a mock in the vendor's place.
    pub(super) fn plan(&self, mock: Option<&Mock>) -> Result<Plan, Failure> {
        self.make(
            Secrets::Real {
                allow_inline: self.allow_inline,
            },
            mock.map(place_of),
        )
    }

    /// The plan with stand-ins for its secrets.
    pub(super) fn plan_without_secrets(&self) -> Result<Plan, Failure> {
        self.make(Secrets::StandIn, None)
    }

    pub(super) fn source(&self) -> &SourceConfig {
        &self.config.source
    }

    fn make(&self, secrets: Secrets, mock: Option<MockPlace>) -> Result<Plan, Failure> {
        let options = PlanOptions {
            secrets,
            mock,
            limit: self.limit,
        };
        Ok(Plan::make(&self.config, &self.document, &self.catalog, &options)?)
    }

    /// A mock of the vendor that the job is for, on a port of the system's choice. The object that the job names is
    /// defined there: at Encharge without fields; at Zuora as in the job's file of definitions, or open to records of any fields.
    pub(super) async fn start_mock(&self, settings: MockSettings) -> Result<Mock, Failure> {
        self.refuse_a_vendor_without_look_alike()?;
        Ok(Mock::start(self.mock_settings(settings)).await?)
    }

    /// The settings of the mock that the job is tried against.
    pub(super) fn mock_settings(&self, settings: MockSettings) -> MockSettings {
        let mut settings = MockSettings {
            vendor: self.mock_vendor(),
            ..settings
        };
        let parameters = &self.config.destination.parameters;
        let name_of = |parameter: &str| parameters.get(parameter).map(ParameterValue::to_text);
        match settings.vendor {
            MockVendor::Encharge => settings.schemas.extend(name_of("object_name")),
            MockVendor::Zuora => {
                settings.zuora.open_objects.extend(name_of("object"));
                settings.zuora.definitions = self.definitions().or(settings.zuora.definitions);
            }
        }
        settings
    }

    /// The definitions that the job checks its records by. Where the file cannot be read, the plan says so.
    fn definitions(&self) -> Option<Value> {
        let path = self.config.destination.definitions.as_deref()?;
        let text = std::fs::read_to_string(path).ok()?;
        let document = Document::parse(&path.display().to_string(), &text).ok()?;
        let definitions = document
            .value()
            .get("definitions")
            .filter(|some| some.as_object().is_some_and(|some| !some.is_empty()))?;
        Some(json!({"definitions": definitions}))
    }

    fn refuse_a_vendor_without_look_alike(&self) -> Result<(), Failure> {
        let vendor = self.template().and_then(|template| template.split('/').next());
        let is_known =
            |vendor: &&str| self.catalog.vendor(vendor).is_some() && MockVendor::named(vendor).is_none();
        let Some(vendor) = vendor.filter(is_known) else {
            return Ok(());
        };
        let known = MockVendor::ALL.map(|known| format!("`{}`", known.name()));
        Err(Failure::usage(format!(
            "there is no look-alike of `{vendor}`, only of {}",
            known.join(" and ")
        )))
    }

    /// The template of the job, one of several where it has several.
    fn template(&self) -> Option<&str> {
        let destination = &self.config.destination;
        let operation = destination.operation.as_ref();
        operation
            .and_then(OperationConfig::any_template)
            .or(destination.template.as_deref())
    }

    /// Whose look-alike stands in for the job's destination: by its template, else by its URL. A job of neither vendor is
    /// refused when its plan is made.
    fn mock_vendor(&self) -> MockVendor {
        let destination = &self.config.destination;
        if let Some(template) = self.template() {
            let folder = template.split('/').next().unwrap_or_default();
            return MockVendor::named(folder).unwrap_or_default();
        }
        let url = destination.url.as_deref().unwrap_or_default();
        let is_of = |vendor: &MockVendor| {
            let file = self.catalog.vendor(vendor.name());
            let bases = file.map(|file| file.hosts.values().cloned().collect::<Vec<_>>());
            let mut bases = bases.unwrap_or_default().into_iter().chain(servers_of(*vendor));
            bases.any(|base| url.starts_with(&base))
        };
        MockVendor::ALL.into_iter().find(is_of).unwrap_or_default()
    }
}

/// Loads a configuration. Where its keys are wrong, the rest of it is looked at all the same, so that everything that is
/// wrong comes at once.
fn load(
    args: &JobArgs,
    settings: &[(String, String)],
    catalog: &Catalog,
) -> Result<(Config, Document), Failure> {
    let problems = match Config::load(&args.config, settings) {
        Err(ConfigError::Wrong(problems)) => problems,
        other => return Ok(other?),
    };
    let options = PlanOptions {
        secrets: Secrets::StandIn,
        mock: None,
        limit: None,
    };
    let more = Config::load_without(&args.config, settings, &problems)
        .and_then(|(config, document)| Plan::make(&config, &document, catalog, &options).err());
    let keys: Vec<String> = problems.keys().map(str::to_owned).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    Err(Failure::Problems(
        match more.and_then(|more| more.without_missing(&keys)) {
            Some(more) => problems.and(more),
            None => problems,
        },
    ))
}

/// The built-in templates, and those of a directory.
pub(super) fn catalog(directory: Option<&std::path::Path>) -> Result<Catalog, Failure> {
    Ok(match directory {
        Some(directory) => Catalog::with_directory(directory)?,
        None => Catalog::built_in()?,
    })
}

/// Base URLs of a vendor's, besides those of its file.
fn servers_of(vendor: MockVendor) -> Vec<String> {
    match vendor {
        MockVendor::Encharge => Vec::new(),
        MockVendor::Zuora => ZUORA_SERVERS.map(str::to_owned).to_vec(),
    }
}

fn place_of(mock: &Mock) -> MockPlace {
    let vendor = mock.vendor();
    let (hosts, credentials) = match vendor {
        MockVendor::Encharge => (
            vec![("api", mock.api_url()), ("ingest", mock.ingest_url())],
            [("api_key", API_KEY), ("write_key", WRITE_KEY)],
        ),
        MockVendor::Zuora => (
            vec![("rest", mock.rest_url())],
            [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)],
        ),
    };
    let servers = servers_of(vendor).into_iter();
    MockPlace {
        vendor: vendor.name().to_owned(),
        hosts: hosts
            .into_iter()
            .map(|(name, url)| (name.to_owned(), url))
            .collect(),
        servers: servers.map(|server| (server, mock.rest_url())).collect(),
        credentials: credentials
            .map(|(name, value)| (name.to_owned(), Secret::new(value)))
            .into(),
    }
}

/// The settings of `--set`, each a key and its value.
pub(super) fn settings(texts: &[String]) -> Result<Vec<(String, String)>, Failure> {
    texts.iter().map(|text| setting(text)).collect()
}

fn setting(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err(Failure::usage_hint(
            format!("`--set {text}` is not KEY=VALUE"),
            "write for example `--set limits.rate=5/s`",
        )),
    }
}

/// The runtime that sends: as many threads as there are processors.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)
}
