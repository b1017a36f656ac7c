//! Templates: a vendor's endpoints as data.
//!
//! A template is a YAML file, `templates/<vendor>/<endpoint>.yaml`, beside its vendor's `vendor.yaml`
//! ([`TemplateFile`], [`VendorFile`]; the format is described in `templates/README.md`). The [`Catalog`] holds the
//! templates built into the binary and those of a directory of the user's, which come first. This module reads and
//! checks templates; what a template does to records is the endpoint's business.

mod catalog;
mod file;
mod parameter;
mod places;
mod preflight;
mod results;
mod success;
mod treat;
mod trial;
mod vendor;
mod wiring;

use std::collections::BTreeMap;
use std::sync::Arc;

use wiring::placeholders;

use crate::secret::Secret;

pub use catalog::{Catalog, CatalogError};
pub use file::{BatchRule, BodyCompression, ContentType, Idempotency, Method, Need, TemplateFile};
pub use parameter::{Parameter, ParameterKind, ParameterValue};
pub use places::Places;
pub use preflight::{NamesRule, PreflightRule};
pub use results::{FailedRule, ItemsRule, ResultsRule};
pub use success::SuccessRule;
pub use treat::{Treatment, Treatments};
pub use trial::{Expected, TemplateTest, TestRecord, TestRequest};
use vendor::REGION;
pub use vendor::{CheckRequest, CredentialKind, CredentialRule, OauthRule, VendorFile};

/// One endpoint of a vendor, as its files describe it.
#[derive(Debug, Clone)]
pub struct Template {
    /// The name, `vendor/endpoint`.
    pub name: String,
    /// The vendor's file.
    pub vendor: Arc<VendorFile>,
    /// The endpoint's file.
    pub file: TemplateFile,
    /// Whether it is built into the binary.
    pub is_built_in: bool,
    /// Where its keys stand.
    pub places: Places,
}

impl Template {
    /// The vendor's rule of the credential that the endpoint takes.
    pub fn credential(&self) -> Option<&CredentialRule> {
        self.vendor.credentials.get(&self.file.credential)
    }

    /// What a job must or may set: the vendor's parameters, the endpoint's in their place where they have the same name, and
    /// `region` where the vendor has regions.
    pub fn parameters(&self) -> BTreeMap<String, Parameter> {
        let mut all = self.vendor.parameters(&self.file.host);
        for (name, parameter) in &self.file.parameters {
            let choices = all.get(name).map(|vendors| vendors.choices.clone());
            let mut parameter = parameter.clone();
            // The regions are the vendor's, whoever else says something of the parameter.
            if let Some(choices) = choices.filter(|_| name == REGION) {
                parameter.choices = choices;
            }
            all.insert(name.clone(), parameter);
        }
        all
    }

    /// The headers of the vendor and of the endpoint, without those that name an optional parameter that is not `given`. The
    /// endpoint's take the place of the vendor's.
    pub fn headers(&self, given: &BTreeMap<String, ParameterValue>) -> Vec<(String, String)> {
        let parameters = self.parameters();
        let is_absent = |name: &str| {
            !given.contains_key(name) && parameters.get(name).is_some_and(|parameter| parameter.optional)
        };
        let is_own = |name: &str| self.file.headers.keys().any(|own| own.eq_ignore_ascii_case(name));
        let shared = self.vendor.headers.iter().filter(|(name, _)| !is_own(name));
        let all = shared.chain(&self.file.headers);
        let sent = all.filter(|(_, value)| !placeholders(value).any(is_absent));
        sent.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The base URL of a host of the vendor's, in the region that the job's parameters choose.
    pub fn base_url(&self, host: &str, given: &BTreeMap<String, ParameterValue>) -> Option<&str> {
        let region = given
            .get(REGION)
            .cloned()
            .or_else(|| self.parameters().get(REGION)?.default.clone());
        self.vendor.base_url(host, region.as_ref())
    }

    /// How the token that the endpoint takes is fetched, if it takes one.
    pub fn oauth(&self) -> Option<&OauthRule> {
        self.credential()?.oauth.as_ref()
    }

    /// The credentials that a job gives, by name: the one that the endpoint takes, or the two that its token is fetched
    /// with.
    pub fn secrets(&self) -> Vec<(&str, &CredentialRule)> {
        let names = match self.oauth() {
            Some(oauth) => vec![&oauth.client_id, &oauth.client_secret],
            None => vec![&self.file.credential],
        };
        let rules = &self.vendor.credentials;
        names
            .into_iter()
            .filter_map(|name| Some((name.as_str(), rules.get(name)?)))
            .collect()
    }

    /// A value of the form that the credential of that name has, and that opens nothing: for previews and tests.
    pub fn stand_in_secret(&self, name: &str) -> Secret {
        match self.vendor.credentials.get(name).and_then(|rule| rule.looks_like) {
            Some(CredentialKind::Jwt) => Secret::new("eyJzdGFuZCI6ImluIn0.e30.c3RhbmQtaW4"),
            _ => Secret::new("stand-in"),
        }
    }
}
