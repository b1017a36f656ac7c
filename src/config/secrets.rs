//! The secrets of a plan: read, or stood in for, and the request that checks them.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use super::making::Making;
use super::{Check, Secrets};
use crate::causes::in_one_line;
use crate::client::{ProxyAuth, Request, TokenSettings};
use crate::endpoint::{
    AuthConfig, DestinationConfig, HeadersConfig, check_url, fixed_url, token_client, wanted_secrets,
};
use crate::preflight::Preflight;
use crate::secret::{Secret, SecretRef};
use crate::template::Template;

impl Making<'_> {
    pub(super) fn secrets(&mut self, template: Option<&Template>) -> BTreeMap<String, Secret> {
        let mut secrets = BTreeMap::new();
        for (path, reference) in wanted_secrets(&self.config.destination, template) {
            let name = path.rsplit('.').next().unwrap_or_default();
            let mocked = self.options.mock.as_ref().and_then(|mock| {
                // A manual endpoint may call its key anything.
                let key = || mock.credentials.get("api_key").filter(|_| template.is_none());
                mock.credentials.get(name).or_else(key).cloned()
            });
            let secret = match mocked {
                Some(secret) => Some(secret),
                None => self.secret(&path, &reference, template),
            };
            if let Some(secret) = secret {
                secrets.insert(path, secret);
            }
        }
        secrets
    }

    pub(super) fn secret(
        &mut self,
        path: &str,
        reference: &SecretRef,
        template: Option<&Template>,
    ) -> Option<Secret> {
        let Secrets::Real { allow_inline } = self.options.secrets else {
            let name = path.rsplit('.').next().unwrap_or_default();
            return Some(template.map_or_else(
                || Secret::new("stand-in"),
                |template| template.stand_in_secret(name),
            ));
        };
        match reference.resolve(allow_inline) {
            Ok(secret) => {
                self.warnings.extend(reference.exposure());
                Some(secret)
            }
            Err(error) => {
                let rules = template.map(Template::secrets).unwrap_or_default();
                let rule = rules
                    .into_iter()
                    .find(|(name, _)| path.ends_with(&format!(".{name}")))
                    .map(|(_, rule)| rule);
                let found = rule.map(|rule| {
                    let place = rule
                        .where_to_find
                        .as_ref()
                        .map(|place| format!(" ({place})"))
                        .unwrap_or_default();
                    format!("; it holds the {}{place}", rule.title)
                });
                self.problem(
                    path,
                    format!("{}{}", in_one_line(&error), found.unwrap_or_default()),
                );
                None
            }
        }
    }

    /// What the proxy asks for.
    pub(super) fn proxy_auth(&mut self) -> Option<ProxyAuth> {
        let http = &self.config.http;
        let auth = http.proxy_auth.as_ref()?;
        if http.proxy.is_none() {
            self.problem("http.proxy_auth", "it belongs to `http.proxy`, and none is set");
        }
        if auth.username.contains(':') {
            self.problem(
                "http.proxy_auth.username",
                "a user name cannot contain `:` (RFC 7617)",
            );
        }
        Some(ProxyAuth {
            username: auth.username.clone(),
            password: self.secret("http.proxy_auth.password", &auth.password, None)?,
        })
    }

    pub(super) fn check(&mut self, template: &Template, secrets: &BTreeMap<String, Secret>) -> Option<Check> {
        let check = template
            .vendor
            .check
            .as_ref()
            .filter(|check| check.credential == template.file.credential)?;
        Some(Check {
            request: self.get(template, secrets, &check.host, &check.path)?,
            account: check.account.clone(),
        })
    }

    /// The template's preflight with its requests.
    pub(super) fn preflight(
        &mut self,
        template: &Template,
        secrets: &BTreeMap<String, Secret>,
    ) -> Option<Preflight> {
        let rule = template.file.preflight.as_ref()?;
        let host = &template.file.host;
        let request = self.get(template, secrets, host, &rule.path)?;
        let names = rule.names.as_ref().and_then(|names| {
            let wanted = self.config.destination.parameters.get(&names.parameter)?;
            Some((self.get(template, secrets, host, &names.path)?, wanted.to_text()))
        });
        let allowed = self.config.preflight.allow.clone();
        self.good(
            "destination.template",
            Preflight::compile(rule, request, names, allowed),
        )
    }

    /// A read-only request to a host of the template's vendor, with the template's credential. What is wrong with the
    /// base URL or the parameters is said of the endpoint itself.
    fn get(
        &self,
        template: &Template,
        secrets: &BTreeMap<String, Secret>,
        host: &str,
        path: &str,
    ) -> Option<Request> {
        let text = self.place(template, host, path)?;
        let parameters = &self.config.destination.parameters;
        let url = fixed_url(&text, parameters, self.config.destination.allow_http).ok()?;
        let mut request = Request::new(http::Method::GET, url, "");
        let rule = template.credential()?;
        // A token is the sender's to fetch and to put in.
        if rule.oauth.is_none() {
            let secret = secrets.get(&format!("destination.credentials.{}", template.file.credential))?;
            let mut value = HeaderValue::from_str(&rule.value_of(secret)).ok()?;
            value.set_sensitive(true);
            let header = rule.header.as_deref()?.parse::<HeaderName>().ok()?;
            request.headers.insert(header, value);
        }
        Some(request)
    }

    /// A place at one of the vendor's hosts: at the mock's or the job's, where one of them takes its place.
    fn place(&self, template: &Template, host: &str, path: &str) -> Option<String> {
        let mock = self.options.mock.as_ref().and_then(|mock| mock.hosts.get(host));
        let base = mock
            .or(self.config.destination.base_url.as_ref())
            .map(String::as_str)
            .or_else(|| template.base_url(host, &self.config.destination.parameters))?;
        Some(format!("{}{path}", base.trim_end_matches('/')))
    }

    /// Where the token comes from that the destination takes, if it takes one. `destination` is the one that is sent to,
    /// at the mock where there is one.
    pub(super) fn token(
        &mut self,
        destination: &DestinationConfig,
        template: Option<&Template>,
        secrets: &BTreeMap<String, Secret>,
    ) -> Option<TokenSettings> {
        let client = token_client(destination, template, secrets)?;
        let (path, url) = match (template, &destination.auth) {
            (Some(template), _) => {
                let oauth = template.oauth()?;
                let path = match self.config.destination.base_url {
                    Some(_) => "destination.base_url",
                    None => "destination.template",
                };
                (path, self.place(template, &oauth.host, &oauth.path)?)
            }
            (None, AuthConfig::Oauth2 { token_url, .. }) => ("destination.auth.token_url", token_url.clone()),
            _ => return None,
        };
        let url = self.good(path, check_url(&url, destination.allow_http))?;
        Some(TokenSettings::new(url, &client, kept_in(destination, template)))
    }

    /// A header that by its name holds a secret must not stand in the configuration as text.
    pub(super) fn refuse_inline_headers(&mut self, headers: &HeadersConfig) {
        if self.options.secrets != (Secrets::Real { allow_inline: false }) {
            return;
        }
        for name in headers.inline_secrets() {
            let message = "it looks like a secret that stands in the configuration itself; write `{env: NAME}` or \
                           `{file: PATH}`, or allow it with `--allow-inline-secrets`";
            self.problem(format!("destination.headers.{name}"), message);
        }
    }
}

/// Where the secrets are kept that a token is asked for with, for messages.
fn kept_in(destination: &DestinationConfig, template: Option<&Template>) -> String {
    let mut places: Vec<String> = wanted_secrets(destination, template)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("destination.headers."))
        .map(|(path, reference)| match reference {
            SecretRef::Env(from) => format!("`{}`", from.env),
            SecretRef::File(from) => format!("`{}`", from.file.display()),
            SecretRef::Inline(_) => format!("`{path}`"),
        })
        .collect();
    places.dedup();
    places.join(" and ")
}
