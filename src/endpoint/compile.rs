//! From a destination as written to an endpoint, with every problem at once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::destination::{AuthConfig, DestinationConfig, HeaderValueConfig, HeadersConfig};
use super::header::{HeaderTemplate, check_name, parse_text};
use super::placeholder::Parameters;
use super::success::Success;
use super::url::UrlTemplate;
use super::{Endpoint, Requirement};
use crate::batch::BodyShape;
use crate::document::{Problem, closest};
use crate::expression::{Expression, Value};
use crate::secret::{Secret, SecretRef};
use crate::template::{
    ContentType, CredentialKind, CredentialRule, Method, Need, ParameterKind, ParameterValue, SuccessRule,
    Template,
};

/// All that an endpoint is made from.
#[derive(Debug)]
pub struct EndpointInput<'a> {
    /// The destination as written.
    pub destination: &'a DestinationConfig,
    /// The template that it names.
    pub template: Option<&'a Template>,
    /// The secrets, by the paths that [`wanted_secrets`] gives.
    pub secrets: &'a BTreeMap<String, Secret>,
    /// The body's form where the job chooses one.
    pub body_shape: Option<&'a BodyShape>,
    /// Whether the job turned batching on.
    pub is_batched: bool,
}

/// The secrets that a destination needs, each with its path in the configuration.
pub fn wanted_secrets(
    destination: &DestinationConfig,
    template: Option<&Template>,
) -> Vec<(String, SecretRef)> {
    let mut wanted = Vec::new();
    if let Some(template) = template
        && let Some(rule) = template.credential()
    {
        let name = &template.file.credential;
        let given = destination.credentials.get(name).cloned();
        wanted.push((
            credential_path(name),
            given.unwrap_or_else(|| SecretRef::env(&rule.env)),
        ));
    }
    match &destination.auth {
        AuthConfig::None => {}
        AuthConfig::Header { value, .. } => wanted.push((AUTH.to_owned(), value.clone())),
        AuthConfig::Bearer { token } => wanted.push((AUTH.to_owned(), token.clone())),
        AuthConfig::Basic { password, .. } => wanted.push((AUTH.to_owned(), password.clone())),
    }
    if let HeadersConfig::Map(map) = &destination.headers {
        for (name, value) in map {
            let path = format!("destination.headers.{name}");
            match value {
                HeaderValueConfig::Text(_) => {}
                HeaderValueConfig::Env(from) => wanted.push((path, SecretRef::Env(from.clone()))),
                HeaderValueConfig::File(from) => wanted.push((path, SecretRef::File(from.clone()))),
            }
        }
    }
    wanted
}

const AUTH: &str = "destination.auth";

fn credential_path(name: &str) -> String {
    format!("destination.credentials.{name}")
}

impl Endpoint {
    /// Makes an endpoint ready, or says everything that is wrong with it.
    pub fn compile(input: &EndpointInput<'_>) -> Result<Self, Vec<Problem>> {
        let mut build = Build {
            input,
            problems: Vec::new(),
        };
        let endpoint = match input.template {
            Some(template) => build.from_template(template),
            None => build.manual(),
        };
        match endpoint {
            Some(endpoint) if build.problems.is_empty() => Ok(endpoint),
            _ => Err(build.problems),
        }
    }
}

struct Build<'a> {
    input: &'a EndpointInput<'a>,
    problems: Vec<Problem>,
}

/// The part of an endpoint that templates and manual endpoints say in different places.
struct Says<'a> {
    name: &'a str,
    method: Method,
    url: String,
    url_path: &'a str,
    content_type: ContentType,
    parameters: Parameters,
    own_headers: Vec<(String, String)>,
    credentials: HeaderMap,
    body: Option<&'a str>,
    body_shape: BodyShape,
    needs: &'a [Need],
    identifiers: &'a [String],
    success: &'a SuccessRule,
    error: Option<&'a str>,
    safe_to_resend: bool,
    max_records: u32,
    most_records: Option<u32>,
}

impl Build<'_> {
    fn problem(&mut self, path: impl Into<String>, message: impl ToString) {
        self.problems.push(Problem::new(path, message.to_string()));
    }

    /// The value, or none and a problem at `path`.
    fn good<T, E: ToString>(&mut self, path: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.problem(path, error.to_string())).ok()
    }

    fn from_template(&mut self, template: &Template) -> Option<Endpoint> {
        let destination = self.input.destination;
        self.refuse_manual_keys(destination, &template.name);
        let (file, vendor) = (&template.file, &template.vendor);
        let parameters = self.template_parameters(template);
        let rule = template.credential()?;
        let credentials = self.template_credential(&file.credential, rule);
        self.refuse_unknown_credentials(template);
        let base = destination
            .base_url
            .as_ref()
            .or_else(|| vendor.hosts.get(&file.host))?;
        let shape = self
            .input
            .body_shape
            .cloned()
            .unwrap_or_else(|| file.batch.shape.clone());
        self.finish(Says {
            name: &template.name,
            method: file.method,
            url: format!("{}{}", base.trim_end_matches('/'), file.path),
            url_path: if destination.base_url.is_some() {
                "destination.base_url"
            } else {
                "destination.template"
            },
            content_type: ContentType::Json,
            parameters,
            own_headers: file.headers.clone().into_iter().collect(),
            credentials,
            body: file.body.as_deref(),
            body_shape: shape,
            needs: &file.needs,
            identifiers: if destination.identifiers.is_empty() {
                &file.identifiers
            } else {
                &destination.identifiers
            },
            success: &file.success,
            error: destination.error.as_deref().or(vendor.error.as_deref()),
            safe_to_resend: destination.safe_to_resend.unwrap_or(file.safe_to_resend),
            max_records: file.batch.max_records,
            most_records: file.batch.most,
        })
    }

    fn manual(&mut self) -> Option<Endpoint> {
        let destination = self.input.destination;
        if destination.method.is_none() && destination.url.is_none() {
            self.problem("destination", "name a `template`, or give a `method` and a `url`");
            return None;
        }
        for (key, is_missing) in [
            ("method", destination.method.is_none()),
            ("url", destination.url.is_none()),
        ] {
            if is_missing {
                self.problem("destination", format!("a manual endpoint needs `{key}`"));
            }
        }
        if destination.base_url.is_some() {
            self.problem(
                "destination.base_url",
                "it belongs to a template, a manual endpoint has its `url`",
            );
        }
        for name in destination.credentials.keys() {
            self.problem(
                credential_path(name),
                "it belongs to a template, a manual endpoint has `auth`",
            );
        }
        let credentials = self.auth();
        let method = destination.method?;
        let content_type = destination.content_type.unwrap_or_default();
        self.finish(Says {
            name: "manual",
            method,
            url: destination.url.clone()?,
            url_path: "destination.url",
            content_type,
            parameters: destination.parameters.clone(),
            own_headers: Vec::new(),
            credentials,
            body: destination.body.as_deref(),
            body_shape: self.manual_shape(content_type),
            needs: &destination.needs,
            identifiers: &destination.identifiers,
            success: &destination.success,
            error: destination.error.as_deref(),
            safe_to_resend: destination
                .safe_to_resend
                .unwrap_or(matches!(method, Method::Put | Method::Delete)),
            max_records: if self.input.is_batched && content_type != ContentType::Form {
                100
            } else {
                1
            },
            most_records: (content_type == ContentType::Form).then_some(1),
        })
    }

    fn manual_shape(&self, content_type: ContentType) -> BodyShape {
        match (self.input.body_shape, content_type) {
            (Some(shape), _) => shape.clone(),
            (None, ContentType::Ndjson) => BodyShape::Ndjson,
            (None, ContentType::Json) if self.input.is_batched => BodyShape::Array,
            (None, _) => BodyShape::Object,
        }
    }

    fn finish(&mut self, says: Says<'_>) -> Option<Endpoint> {
        let destination = self.input.destination;
        let url = UrlTemplate::compile(&says.url, &says.parameters, destination.allow_http);
        let url = self.good(says.url_path, url);
        let body = says.body.and_then(|text| {
            let compiled = Expression::compile_with(text, &["$parameters"]);
            self.good("destination.body", compiled)
        });
        let wrap = match &says.body_shape {
            BodyShape::Expression(text) => self.good("batch.body_shape", Expression::compile(text)),
            _ => None,
        };
        if says.content_type == ContentType::Form && says.body_shape != BodyShape::Object {
            self.problem(
                "batch.body_shape",
                "a form holds one record, leave the shape out or write `object`",
            );
        }
        let success = Success::compile(says.success, says.error)
            .map_err(|(key, error)| self.problem(format!("destination.{key}"), error))
            .ok();
        let (fixed_headers, varying_headers) = self.headers(&says);
        let needs = says.needs.iter().map(|need| {
            let is_true = |name: &String| says.parameters.get(name).is_some_and(ParameterValue::is_true);
            Requirement {
                need: need.clone(),
                is_waived: need.unless.as_ref().is_some_and(is_true),
            }
        });
        let parameters = serde_json::to_string(&says.parameters).unwrap_or_default();
        Some(Endpoint {
            name: says.name.to_owned(),
            method: says.method.into(),
            url: url?,
            fixed_headers,
            varying_headers,
            content_type: says.content_type,
            body,
            body_shape: says.body_shape,
            wrap,
            parameters: self.good("destination.parameters", Value::parse(&parameters))?,
            needs: needs.collect(),
            identifiers: says.identifiers.to_vec(),
            success: success?,
            safe_to_resend: says.safe_to_resend,
            max_records: says.max_records,
            most_records: says.most_records,
        })
    }

    /// Fixed headers with the credentials' among them, and those that vary by record.
    fn headers(&mut self, says: &Says<'_>) -> (HeaderMap, Vec<HeaderTemplate>) {
        const PATH: &str = "destination.headers";
        let taken: Vec<HeaderName> = says.credentials.keys().cloned().collect();
        let mut fixed = says.credentials.clone();
        let mut varying = Vec::new();
        let own = says
            .own_headers
            .iter()
            .cloned()
            .map(|(name, value)| (name, HeaderValueConfig::Text(value)));
        for (name, value) in own.chain(self.configured_headers()) {
            let path = format!("{PATH}.{name}");
            let HeaderValueConfig::Text(text) = value else {
                self.secret_header(&mut fixed, &name, &path, &taken);
                continue;
            };
            let compiled = HeaderTemplate::compile(&name, &text, &says.parameters, &taken);
            let Some(header) = self.good(&path, compiled) else {
                continue;
            };
            match header.is_varying() {
                true => varying.push(header),
                false => {
                    if let Ok(value) = header.render(&crate::record::Fields::default()) {
                        fixed.insert(header.name, value);
                    }
                }
            }
        }
        (fixed, varying)
    }

    fn configured_headers(&mut self) -> Vec<(String, HeaderValueConfig)> {
        match &self.input.destination.headers {
            HeadersConfig::Map(map) => map.clone().into_iter().collect(),
            HeadersConfig::Text(text) => {
                let pairs = self
                    .good("destination.headers", parse_text(text))
                    .unwrap_or_default();
                pairs
                    .into_iter()
                    .map(|(name, value)| (name, HeaderValueConfig::Text(value)))
                    .collect()
            }
        }
    }

    fn secret_header(&mut self, fixed: &mut HeaderMap, name: &str, path: &str, taken: &[HeaderName]) {
        let Some(secret) = self.input.secrets.get(path) else {
            return;
        };
        let Some(name) = self.good(path, check_name(name, taken)) else {
            return;
        };
        if let Some(value) = self.sensitive(path, secret.reveal()) {
            fixed.insert(name, value);
        }
    }

    fn auth(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let auth = &self.input.destination.auth;
        let Some(secret) = self.input.secrets.get(AUTH) else {
            return headers;
        };
        let (name, value) = match auth {
            AuthConfig::None => return headers,
            AuthConfig::Header { name, .. } => (name.as_str(), secret.reveal().to_owned()),
            AuthConfig::Bearer { .. } => ("authorization", format!("Bearer {}", secret.reveal())),
            AuthConfig::Basic { username, .. } => {
                if username.contains(':') {
                    self.problem(
                        "destination.auth.username",
                        "a user name cannot contain `:` (RFC 7617)",
                    );
                }
                (
                    "authorization",
                    format!(
                        "Basic {}",
                        STANDARD.encode(format!("{username}:{}", secret.reveal()))
                    ),
                )
            }
        };
        let name = self.good("destination.auth.name", check_name(name, &[]));
        if let (Some(name), Some(value)) = (name, self.sensitive(AUTH, &value)) {
            headers.insert(name, value);
        }
        headers
    }

    fn template_credential(&mut self, name: &str, rule: &CredentialRule) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let path = credential_path(name);
        let Some(secret) = self.input.secrets.get(&path) else {
            return headers;
        };
        let title = &rule.title;
        match (rule.looks_like, secret.is_jwt()) {
            (Some(CredentialKind::Jwt), false) => {
                self.problem(&path, format!("the value is not the {title}, which is a JWT (three parts that begin with `eyJ`); is it another key of the vendor?"));
            }
            (Some(CredentialKind::Opaque), true) => {
                self.problem(
                    &path,
                    format!("the value is a JWT, and the {title} is not; is it the API key?"),
                );
            }
            _ => {}
        }
        let value = self.sensitive(&path, secret.reveal());
        if let (Ok(header), Some(value)) = (rule.header.parse::<HeaderName>(), value) {
            headers.insert(header, value);
        }
        headers
    }

    fn sensitive(&mut self, path: &str, text: &str) -> Option<HeaderValue> {
        let value =
            HeaderValue::from_str(text).map_err(|_| "the secret has characters that a header cannot hold");
        let mut value = self.good(path, value)?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The template's parameters with the job's values and the defaults; what is missing or unknown is a problem.
    fn template_parameters(&mut self, template: &Template) -> Parameters {
        let given = &self.input.destination.parameters;
        let known = &template.file.parameters;
        for name in given.keys().filter(|name| !known.contains_key(*name)) {
            let meant = closest(name, known.keys().map(String::as_str));
            let hint = meant
                .map(|meant| format!(", did you mean `{meant}`?"))
                .unwrap_or_default();
            let path = format!("destination.parameters.{name}");
            self.problem(
                path,
                format!("`{}` has no parameter `{name}`{hint}", template.name),
            );
        }
        let mut parameters = Parameters::new();
        for (name, parameter) in known {
            let path = format!("destination.parameters.{name}");
            match given.get(name).or(parameter.default.as_ref()) {
                None => {
                    let description = parameter.description.trim();
                    self.problem(&path, format!("`{name}` is missing: {description}"));
                    // What asks for the parameter would only say the same again.
                    parameters.insert(name.clone(), ParameterValue::Text(name.clone()));
                }
                Some(value) => {
                    match (parameter.kind, value) {
                        (ParameterKind::Boolean, ParameterValue::Boolean(_)) => {}
                        (ParameterKind::Boolean, _) => self.problem(&path, "it takes true or false"),
                        (ParameterKind::Text, value) if value.to_text().trim().is_empty() => {
                            self.problem(&path, "it is empty");
                        }
                        (ParameterKind::Text, _) => {}
                    }
                    parameters.insert(name.clone(), value.clone());
                }
            }
        }
        parameters
    }

    fn refuse_unknown_credentials(&mut self, template: &Template) {
        let wanted = &template.file.credential;
        for name in self
            .input
            .destination
            .credentials
            .keys()
            .filter(|name| *name != wanted)
        {
            let is_vendors = template.vendor.credentials.contains_key(name);
            let message = match is_vendors {
                true => format!("`{}` takes `{wanted}`, not `{name}`", template.name),
                false => format!(
                    "`{}` has no credential `{name}`, it takes `{wanted}`",
                    template.name
                ),
            };
            self.problem(credential_path(name), message);
        }
    }

    fn refuse_manual_keys(&mut self, destination: &DestinationConfig, template: &str) {
        let given = [
            ("method", destination.method.is_some()),
            ("url", destination.url.is_some()),
            ("content_type", destination.content_type.is_some()),
            ("auth", destination.auth != AuthConfig::None),
            ("body", destination.body.is_some()),
            ("needs", !destination.needs.is_empty()),
            ("success", destination.success != SuccessRule::default()),
        ];
        for (key, _) in given.iter().filter(|(_, is_given)| *is_given) {
            let message = format!("it belongs to a manual endpoint, `{template}` says it itself");
            self.problem(format!("destination.{key}"), message);
        }
    }
}
