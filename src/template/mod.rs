//! Templates: a vendor's endpoints as data.
//!
//! A template is a YAML file, `templates/<vendor>/<endpoint>.yaml`, beside its vendor's `vendor.yaml`
//! ([`TemplateFile`], [`VendorFile`]; the format is described in `templates/README.md`). The [`Catalog`] holds the
//! templates built into the binary and those of a directory of the user's, which come first. This module reads and
//! checks templates; what a template does to records is the endpoint's business.

mod catalog;
mod file;
mod success;
mod treat;
mod trial;
mod vendor;

use std::sync::Arc;

use crate::secret::Secret;

pub use catalog::{Catalog, CatalogError};
pub use file::{
    BatchRule, BodyCompression, ContentType, Idempotency, Method, Need, Parameter, ParameterKind,
    ParameterValue, TemplateFile,
};
pub use success::SuccessRule;
pub use treat::{Treatment, Treatments};
pub use trial::{Expected, TemplateTest, TestRecord, TestRequest};
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
}

impl Template {
    /// The vendor's rule of the credential that the endpoint takes.
    pub fn credential(&self) -> Option<&CredentialRule> {
        self.vendor.credentials.get(&self.file.credential)
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
