//! An account while it is made ready: every problem at once.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Account, AccountConfig, Vendor};
use crate::causes::in_one_line;
use crate::client::{
    IDLE_MAXIMUM, Limits, ProxyAuth, SenderSettings, TokenClient, TokenSettings, TransportSettings,
};
use crate::document::{Problem, closest};
use crate::endpoint::{Success, check_url, misfit};
use crate::secret::{Secret, SecretRef};
use crate::template::{CredentialRule, OauthRule, SuccessRule, VendorFile};

/// An account while it is made ready.
pub(super) struct Opening<'a> {
    pub(super) config: &'a AccountConfig,
    pub(super) vendor: Vendor,
    pub(super) file: &'a VendorFile,
    pub(super) allow_inline: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
}

/// How calls show who they are from, and what must not be shown of it.
#[derive(Default)]
struct Authorization {
    headers: HeaderMap,
    secrets: Vec<Secret>,
    token: Option<TokenSettings>,
}

impl Opening<'_> {
    /// The account, as far as nothing is wrong.
    pub(super) fn account(&mut self) -> Option<Account> {
        let base = self.base();
        self.check_parameters();
        let Authorization {
            headers,
            mut secrets,
            token,
        } = self.authorization();
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
                pool: limits.concurrency.most(),
            },
            sender: SenderSettings {
                limits,
                retry: self.config.retry.clone(),
                redirects: self.config.http.redirects,
                token,
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
    fn host(&self) -> Option<&str> {
        let hosts = &self.file.hosts;
        match &self.file.check {
            Some(check) => Some(check.host.as_str()),
            None => hosts
                .keys()
                .next()
                .filter(|_| hosts.len() == 1)
                .map(String::as_str),
        }
    }

    /// Where a host of the vendor's is: at the account's own place, or in the region that it names.
    fn place(&self, host: &str) -> Option<String> {
        let vendors = || self.file.base_url(host, self.config.parameters.get("region"));
        let base = self.config.base_url.as_deref().or_else(vendors)?;
        Some(base.trim_end_matches('/').to_owned())
    }

    fn base(&mut self) -> Option<String> {
        let place = self.host().and_then(|host| self.place(host));
        let Some(base) = place.or_else(|| self.config.base_url.clone()) else {
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
    fn credential(&self) -> Option<(String, CredentialRule)> {
        let known = &self.file.credentials;
        let found = match &self.file.check {
            Some(check) => known.get_key_value(&check.credential),
            None => known.iter().next().filter(|_| known.len() == 1),
        };
        found.map(|(name, rule)| (name.clone(), rule.clone()))
    }

    /// The parameters that the account gives; those that the vendor does not have, and wrong values, are problems.
    fn check_parameters(&mut self) {
        let known = self.file.parameters(self.host().unwrap_or_default());
        let functions = self.file.functions.as_deref().unwrap_or_default();
        for (name, value) in &self.config.parameters {
            let path = format!("parameters.{name}");
            let Some(parameter) = known.get(name) else {
                let meant = closest(name, known.keys().map(String::as_str));
                let meant = meant.map(|meant| format!(", did you mean `{meant}`?"));
                let message = format!(
                    "`{}` has no parameter `{name}`{}",
                    self.vendor,
                    meant.unwrap_or_default()
                );
                self.problem(&path, message);
                continue;
            };
            match misfit(functions, parameter, value) {
                Ok(None) => {}
                Ok(Some(problem)) => self.problem(&path, problem),
                Err(error) => self.problem(&path, format!("the vendor's file: {error}")),
            }
        }
    }

    /// The headers of the account and of the vendor's file; those of secrets come later.
    fn own_headers(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, text) in self.file.headers(&self.config.parameters) {
            let filled = self
                .config
                .parameters
                .iter()
                .fold(text.to_owned(), |text, (name, value)| {
                    text.replace(&format!("{{{name}}}"), &value.to_text())
                });
            match (name.parse::<HeaderName>(), HeaderValue::from_str(&filled)) {
                (Ok(name), Ok(value)) => drop(headers.insert(name, value)),
                _ => self.problem(
                    "parameters",
                    format!("the header `{name}` cannot be made of them"),
                ),
            }
        }
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
        headers
    }

    /// How calls show who they are from.
    fn authorization(&mut self) -> Authorization {
        let mut authorization = Authorization {
            headers: self.own_headers(),
            ..Authorization::default()
        };
        let Some((name, rule)) = self.credential() else {
            let vendor = self.vendor;
            self.problem("credentials", format!("`{vendor}` has no credential for this"));
            return authorization;
        };
        if let Some(oauth) = &rule.oauth {
            self.refuse_others(&[&oauth.client_id, &oauth.client_secret]);
            if let Some((token, secrets)) = self.token(oauth) {
                authorization.token = Some(token);
                authorization.secrets = secrets;
            }
            return authorization;
        }
        self.refuse_others(&[&name]);
        if let Some(secret) = self.secret(&name, &rule) {
            self.authorize(&mut authorization.headers, &name, &rule, &secret);
            authorization.secrets.push(secret);
        }
        authorization
    }

    /// The token that the two secrets of a client give, and what must not be shown of them.
    fn token(&mut self, oauth: &OauthRule) -> Option<(TokenSettings, Vec<Secret>)> {
        let mut kept_in = Vec::new();
        let [id, secret] = [&oauth.client_id, &oauth.client_secret].map(|name| {
            let Some(rule) = self.file.credentials.get(name) else {
                self.problem(
                    "credentials",
                    format!("the vendor's file has no credential `{name}`"),
                );
                return None;
            };
            kept_in.push(match self.config.credentials.get(name) {
                None => format!("`{}`", rule.env.as_deref().unwrap_or(name)),
                Some(_) => format!("`account.credentials.{name}`"),
            });
            self.secret(name, rule)
        });
        let client = TokenClient {
            id: id?,
            secret: secret?,
            scope: oauth.scope.clone(),
            auth: oauth.client_auth,
        };
        let url = format!("{}{}", self.place(&oauth.host)?, oauth.path);
        let url = check_url(&url, self.config.allow_http)
            .map_err(|error| self.problem("base_url", error.to_string()))
            .ok()?;
        let mut secrets = client.forms();
        secrets.extend([client.id.clone(), client.secret.clone()]);
        Some((TokenSettings::new(url, &client, kept_in.join(" and ")), secrets))
    }

    fn authorize(&mut self, headers: &mut HeaderMap, name: &str, rule: &CredentialRule, secret: &Secret) {
        let path = format!("credentials.{name}");
        let header = rule.header.as_deref().unwrap_or_default().parse::<HeaderName>();
        match (header, HeaderValue::from_str(&rule.value_of(secret))) {
            (Ok(header), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.insert(header, value);
            }
            (Err(_), _) => self.problem(&path, "the vendor's file names a header that is none"),
            (_, Err(_)) => self.problem(&path, "the secret has characters that a header cannot hold"),
        }
    }

    fn refuse_others(&mut self, wanted: &[&String]) {
        let names: Vec<String> = self.config.credentials.keys().cloned().collect();
        for name in names.iter().filter(|name| !wanted.contains(name)) {
            let known = wanted.iter().map(|name| name.as_str());
            let meant = closest(name, known).map(|name| format!(", did you mean `{name}`?"));
            let message = format!("unknown credential `{name}`{}", meant.unwrap_or_default());
            self.problem(&format!("credentials.{name}"), message);
        }
    }

    fn secret(&mut self, name: &str, rule: &CredentialRule) -> Option<Secret> {
        let given = self.config.credentials.get(name).cloned();
        let reference = given.unwrap_or_else(|| SecretRef::env(rule.env.as_deref().unwrap_or_default()));
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
        if self.config.limits.has_idle_maximum(&merged) {
            self.problem("limits.max_concurrency", IDLE_MAXIMUM);
        }
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
