//! Templates: a vendor's endpoints as data.
//!
//! A template is a YAML file, `templates/<vendor>/<endpoint>.yaml`, beside its vendor's `vendor.yaml`
//! ([`TemplateFile`], [`VendorFile`]; the format is described in `templates/README.md`). The [`Catalog`] holds the
//! templates built into the binary and those of a directory of the user's, which come first. This module reads and
//! checks templates; what a template does to records is the endpoint's business.

mod catalog;
mod file;
mod preflight;
mod success;
mod treat;
mod trial;
mod vendor;

use std::sync::Arc;

use crate::secret::Secret;

pub use catalog::{Catalog, CatalogError};
pub use file::{
    BatchRule, ContentType, Idempotency, Method, Need, Parameter, ParameterKind, ParameterValue, TemplateFile,
};
pub use preflight::{NamesRule, PreflightRule};
pub use success::SuccessRule;
pub use treat::{Treatment, Treatments};
pub use trial::{Expected, TemplateTest, TestRecord, TestRequest};
pub use vendor::{CheckRequest, CredentialKind, CredentialRule, VendorFile};

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

    /// A value of the form that the credential has and that opens nothing, for previews and tests.
    pub fn stand_in_secret(&self) -> Secret {
        match self.credential().and_then(|rule| rule.looks_like) {
            Some(CredentialKind::Jwt) => Secret::new("eyJzdGFuZCI6ImluIn0.e30.c3RhbmQtaW4"),
            _ => Secret::new("stand-in"),
        }
    }
}
