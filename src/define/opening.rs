//! An account while it is made ready: every problem at once.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Account, AccountConfig, Vendor};
use crate::causes::in_one_line;
use crate::client::{Limits, ProxyAuth, SenderSettings, TransportSettings};
use crate::document::{Problem, closest};
use crate::endpoint::{Success, check_url};
use crate::secret::{Secret, SecretRef};
use crate::template::{CredentialRule, SuccessRule, VendorFile};

/// An account while it is made ready.
pub(super) struct Opening<'a> {
    pub(super) config: &'a AccountConfig,
    pub(super) vendor: Vendor,
    pub(super) file: &'a VendorFile,
    pub(super) allow_inline: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
}

impl Opening<'_> {
    /// The account, as far as nothing is wrong.
    pub(super) fn account(&mut self) -> Option<Account> {
        let base = self.base();
        let (headers, mut secrets) = self.headers();
        let limits = self.limits();
        let proxy_auth = self.proxy_auth();
        for (key, message) in self.config.http.idle_keys() {
            self.problem(&format!("http.{key}"), message);
        }
        secrets.extend(proxy_auth.iter().map(|auth| auth.password.clone()));
        if self.config.allow_http {
            self.warnings
                .push("`allow_http` is on: credentials may travel unencrypted".to_owned());
        }
        if self.config.http.danger_accept_any_certificate {
            self.warnings.push(
                "`http.danger_accept_any_certificate` is on: anyone on the way can read and change what is sent"
                    .to_owned(),
            );
        }
        let (limits, success) = (limits?, self.success());
        Some(Account {
            base: base?,
            headers,
            secrets,
            success: success?,
            transport: TransportSettings {
                timeouts: self.config.timeouts.clone(),
                http: self.config.http.clone(),
                proxy_auth,
                pool: limits.concurrency,
            },
            sender: SenderSettings {
                limits,
                retry: self.config.retry.clone(),
                redirects: self.config.http.redirects,
                seed: None,
            },
            warnings: std::mem::take(&mut self.warnings),
        })
    }

    fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::new(format!("account.{path}"), message));
    }

    /// The vendor's host for the calls that define things: that of the check, or the only one.
    fn base(&mut self) -> Option<String> {
        let host = match &self.file.check {
            Some(check) => self.file.hosts.get(&check.host),
            None => self
                .file
                .hosts
                .values()
                .next()
                .filter(|_| self.file.hosts.len() == 1),
        };
        let Some(base) = self.config.base_url.as_ref().or(host).cloned() else {
            let message = format!(
                "`{}` has no host of its own for this: say where its API is",
                self.vendor
            );
            self.problem("base_url", message);
            return None;
        };
        check_url(&base, self.config.allow_http)
            .map_err(|error| self.problem("base_url", error.to_string()))
            .ok()
            .map(|_| base)
    }

    /// The vendor's credential for the same calls.
    fn credential(&self) -> Option<(&str, &CredentialRule)> {
        let known = &self.file.credentials;
        let named = self.file.check.as_ref().map(|check| check.credential.as_str());
        match named {
            Some(name) => known
                .get_key_value(name)
                .map(|(name, rule)| (name.as_str(), rule)),
            None => known
                .iter()
                .next()
                .filter(|_| known.len() == 1)
                .map(|(name, rule)| (name.as_str(), rule)),
        }
    }

    fn headers(&mut self) -> (HeaderMap, Vec<Secret>) {
        let mut headers = HeaderMap::new();
        for (name, text) in &self.config.headers {
            match (name.parse::<HeaderName>(), HeaderValue::from_str(text)) {
                (Ok(header), Ok(_)) if is_for_secrets(&header) => {
                    self.problem(
                        &format!("headers.{name}"),
                        "it is for a secret, which belongs to `credentials`",
                    );
                }
                (Ok(header), Ok(value)) => drop(headers.insert(header, value)),
                _ => self.problem(&format!("headers.{name}"), "it is not a header's name and value"),
            }
        }
        let Some((name, rule)) = self
            .credential()
            .map(|(name, rule)| (name.to_owned(), rule.clone()))
        else {
            let vendor = self.vendor;
            self.problem("credentials", format!("`{vendor}` has no credential for this"));
            return (headers, Vec::new());
        };
        self.refuse_others(&name);
        let secret = self.secret(&name, &rule);
        if let Some(secret) = &secret {
            self.authorize(&mut headers, &name, &rule, secret);
        }
        (headers, secret.into_iter().collect())
    }

    fn authorize(&mut self, headers: &mut HeaderMap, name: &str, rule: &CredentialRule, secret: &Secret) {
        let path = format!("credentials.{name}");
        let header = rule.header.parse::<HeaderName>();
        match (header, HeaderValue::from_str(secret.reveal())) {
            (Ok(header), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.insert(header, value);
            }
            (Err(_), _) => self.problem(&path, "the vendor's file names a header that is none"),
            (_, Err(_)) => self.problem(&path, "the secret has characters that a header cannot hold"),
        }
    }

    fn refuse_others(&mut self, wanted: &str) {
        let names: Vec<String> = self.config.credentials.keys().cloned().collect();
        for name in names.iter().filter(|name| *name != wanted) {
            let meant = closest(name, [wanted]).map(|name| format!(", did you mean `{name}`?"));
            let message = format!("unknown credential `{name}`{}", meant.unwrap_or_default());
            self.problem(&format!("credentials.{name}"), message);
        }
    }

    fn secret(&mut self, name: &str, rule: &CredentialRule) -> Option<Secret> {
        let given = self.config.credentials.get(name).cloned();
        let reference = given.unwrap_or_else(|| SecretRef::env(&rule.env));
        match reference.resolve(self.allow_inline) {
            Ok(secret) => {
                self.warnings.extend(reference.exposure());
                Some(secret)
            }
            Err(error) => {
                let place = rule.where_to_find.as_ref().map(|place| format!(" ({place})"));
                let held = format!("it holds the {}{}", rule.title, place.unwrap_or_default());
                self.problem(
                    &format!("credentials.{name}"),
                    format!("{}; {held}", in_one_line(&error)),
                );
                None
            }
        }
    }

    /// How replies are told apart, with the vendor's way of saying what is wrong.
    fn success(&mut self) -> Option<Arc<Success>> {
        let compiled = Success::compile(&SuccessRule::default(), self.file.error.as_deref());
        compiled
            .map(Arc::new)
            .map_err(|(key, error)| self.problem(key, format!("of the vendor's file: {error}")))
            .ok()
    }

    fn limits(&mut self) -> Option<Limits> {
        let merged = self.config.limits.clone().or(self.file.limits.clone());
        merged
            .check()
            .map_err(|error| self.problem("limits", error.to_string()))
            .ok()
    }

    fn proxy_auth(&mut self) -> Option<ProxyAuth> {
        let auth = self.config.http.proxy_auth.as_ref()?;
        if self.config.http.proxy.is_none() {
            self.problem("http.proxy_auth", "it belongs to `http.proxy`, and none is set");
        }
        match auth.password.resolve(self.allow_inline) {
            Ok(password) => Some(ProxyAuth {
                username: auth.username.clone(),
                password,
            }),
            Err(error) => {
                self.problem("http.proxy_auth.password", in_one_line(&error));
                None
            }
        }
    }
}

/// Headers that hold secrets by their name, and those that calls set themselves.
fn is_for_secrets(name: &HeaderName) -> bool {
    let name = name.as_str();
    [
        "authorization",
        "cookie",
        "token",
        "secret",
        "password",
        "api-key",
        "apikey",
    ]
    .iter()
    .any(|word| name.contains(word))
}
