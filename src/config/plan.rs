//! From a configuration to a plan: everything resolved, compiled and checked, with every problem at once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Config;
use super::making::Making;
use crate::client::{Request, SenderSettings, TransportSettings};
use crate::document::{Document, Problems};
use crate::ledger::Fingerprint;
use crate::pipeline::Job;
use crate::preflight::Preflight;
use crate::secret::Secret;
use crate::template::Catalog;
use crate::webhook::{EventContext, Webhook};

/// Where the secrets of a plan come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// From where the configuration says.
    Real {
        /// Whether a secret may stand in the configuration itself.
        allow_inline: bool,
    },
    /// None are read, stand-ins take their places: for a preview, which shows none.
    StandIn,
}

/// How a plan is made.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// Where secrets come from.
    pub secrets: Secrets,
    /// A mock in the vendor's place: its base URLs by the vendor's host names, and its credentials.
    pub mock: Option<MockPlace>,
    /// The most records to read.
    pub limit: Option<u64>,
}

/// Where a mock stands in for a vendor.
#[derive(Debug, Clone, Default)]
pub struct MockPlace {
    /// The vendor that the mock looks like.
    pub vendor: String,
    /// Base URLs by the names of the vendor's hosts.
    pub hosts: BTreeMap<String, String>,
    /// Further base URLs of the vendor's, such as those of its regions, and the mock's in their places.
    pub servers: BTreeMap<String, String>,
    /// Credentials by the names of the vendor's.
    pub credentials: BTreeMap<String, Secret>,
}

impl MockPlace {
    /// Every base URL that the mock stands in for, and the mock's own in its place: those of the vendor's file in the
    /// order of their names, then the further ones.
    pub(super) fn bases(&self, catalog: &Catalog) -> Vec<(String, String)> {
        let vendor = catalog.vendor(&self.vendor);
        let hosts = vendor.map(|vendor| vendor.hosts.clone()).unwrap_or_default();
        let of_vendor = hosts
            .into_iter()
            .filter_map(|(name, base)| Some((base, self.hosts.get(&name)?.clone())));
        let mut bases: Vec<_> = of_vendor.collect();
        let is_new = |base: &str, bases: &[(String, String)]| bases.iter().all(|(known, _)| known != base);
        for (base, place) in &self.servers {
            if is_new(base, &bases) {
                bases.push((base.clone(), place.clone()));
            }
        }
        bases
    }
}

/// A job made ready.
#[derive(Debug)]
pub struct Plan {
    /// What the pipeline runs.
    pub job: Job,
    /// What the sender is made from.
    pub sender: SenderSettings,
    /// What the transport is made from.
    pub transport: TransportSettings,
    /// The webhook.
    pub webhook: Option<Webhook>,
    /// The file of responses.
    pub responses: Option<PathBuf>,
    /// Who events say they are from.
    pub context: EventContext,
    /// The read-only request that checks the credentials, where the vendor has one.
    pub check: Option<Check>,
    /// What is compared with the account before anything is sent, in the order of the job's routes; none where a
    /// template has no preflight.
    pub preflights: Vec<Option<Preflight>>,
    /// What must be the same for a stopped run to be gone on with, the inputs aside.
    pub fingerprint: Fingerprint,
    /// What the user should know before anything is sent.
    pub warnings: Vec<String>,
}

/// The read-only request that checks a credential.
#[derive(Debug)]
pub struct Check {
    /// The request.
    pub request: Request,
    /// jq over the reply's body: a line about the account.
    pub account: Option<String>,
}

impl Plan {
    /// Makes a plan, or says everything that is wrong. All that it reads is secrets and the file of definitions.
    pub fn make(
        config: &Config,
        document: &Document,
        catalog: &Catalog,
        options: &PlanOptions,
    ) -> Result<Self, Problems> {
        let mut making = Making {
            config,
            document,
            options,
            problems: Vec::new(),
            warnings: Vec::new(),
            definitions_text: None,
        };
        let plan = making.plan(catalog);
        match plan {
            Some(plan) if making.problems.is_empty() => Ok(plan),
            _ => Err(document.locate(making.problems)),
        }
    }

    /// The webhook of a job alone, and what its transport is made from. No other secrets are read than its own and the
    /// proxy's.
    pub fn webhook(
        config: &Config,
        document: &Document,
        secrets: Secrets,
    ) -> Result<Option<(Webhook, TransportSettings)>, Problems> {
        let options = PlanOptions {
            secrets,
            mock: None,
            limit: None,
        };
        let mut making = Making {
            config,
            document,
            options: &options,
            problems: Vec::new(),
            warnings: Vec::new(),
            definitions_text: None,
        };
        let proxy_auth = making.proxy_auth();
        let webhook = config.webhook.as_ref().and_then(|given| making.webhook(given));
        if !making.problems.is_empty() {
            return Err(document.locate(making.problems));
        }
        let transport = TransportSettings {
            timeouts: config.timeouts.clone(),
            http: config.http.clone(),
            proxy_auth,
            pool: 1,
        };
        Ok(webhook.map(|webhook| (webhook, transport)))
    }
}
