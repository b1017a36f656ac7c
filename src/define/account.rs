//! Where definitions go: base URL, credentials, pace. As written, then ready.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use http::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::opening::Opening;
use super::{Connection, Vendor};
use crate::client::{
    HttpConfig, HttpTransport, HttpTransportError, LimitsConfig, RetryConfig, Sender, SenderSettings,
    TimeoutsConfig, Transport, TransportSettings,
};
use crate::document::Problem;
use crate::endpoint::Success;
use crate::secret::{Mask, Secret, SecretRef};
use crate::template::{ParameterValue, VendorFile};

/// Which account, and how it is reached; the key `account:`.
///
/// ```
/// use outpour::define::AccountConfig;
/// let account: AccountConfig = serde_json::from_str(r#"{"base_url": "https://rest.eu.zuora.com"}"#)?;
/// assert!(account.credentials.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccountConfig {
    /// Where the API is. Default: the vendor's.
    pub base_url: Option<String>,
    /// Values for the vendor's parameters, such as `region`. Default: none.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Where the credentials are kept, by the vendor's names. Default: the environment variables that the vendor's file names.
    pub credentials: BTreeMap<String, SecretRef>,
    /// Further headers of every call. Default: none.
    pub headers: BTreeMap<String, String>,
    /// How fast calls are made. Default: the vendor's.
    pub limits: LimitsConfig,
    /// When and how often a call is made again. One that changes something is never sent again before the account has been
    /// read.
    pub retry: RetryConfig,
    /// How long an attempt may take.
    pub timeouts: TimeoutsConfig,
    /// How HTTP is spoken.
    pub http: HttpConfig,
    /// Permits plain http to a host that is not this machine. Default: `false`.
    pub allow_http: bool,
}

/// An account, ready to be connected to. Its secrets are shown nowhere.
///
/// ```
/// use outpour::define::Definitions;
/// use outpour::template::Catalog;
/// let text = "vendor: encharge\naccount: {credentials: {api_key: eyJhIjoxfQ.e30.CANARY}}\n";
/// let account = Definitions::parse("a.yaml", text, &[])?.account(&Catalog::built_in()?, true)?;
/// assert_eq!(account.base(), "https://api.encharge.io/v1");
/// assert!(!format!("{account:?}").contains("CANARY"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Account {
    pub(super) base: String,
    pub(super) headers: HeaderMap,
    pub(super) secrets: Vec<Secret>,
    pub(super) success: Arc<Success>,
    pub(super) sender: SenderSettings,
    pub(super) transport: TransportSettings,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl AccountConfig {
    /// Lets relative paths start from `folder`.
    pub(super) fn start_from(&mut self, folder: &Path) {
        for secret in self.credentials.values_mut() {
            secret.start_from(folder);
        }
        if let Some(file) = &mut self.http.ca_file {
            *file = folder.join(&*file);
        }
        if let Some(auth) = &mut self.http.proxy_auth {
            auth.password.start_from(folder);
        }
    }
}

impl Account {
    /// Reads the secrets and makes an account ready; connects to nothing. Gives every problem at once.
    pub(super) fn open(
        config: &AccountConfig,
        vendor: Vendor,
        file: &VendorFile,
        allow_inline: bool,
    ) -> Result<Self, Vec<Problem>> {
        let mut opening = Opening {
            config,
            vendor,
            file,
            allow_inline,
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        match opening.account() {
            Some(account) if opening.problems.is_empty() => Ok(account),
            _ => Err(opening.problems),
        }
    }

    /// Where calls go.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The account over HTTP.
    pub fn connect(&self) -> Result<Connection<HttpTransport>, HttpTransportError> {
        Ok(self.over(HttpTransport::new(&self.transport)?))
    }

    /// The account over a transport.
    ///
    /// The one place where calls get their authorization: `headers` hold it.
    pub fn over<T: Transport>(&self, transport: T) -> Connection<T> {
        Connection {
            sender: Sender::new(transport, &self.sender),
            base: self.base.clone(),
            headers: self.headers.clone(),
            mask: Mask::new(&self.secrets),
            success: Arc::clone(&self.success),
        }
    }
}
