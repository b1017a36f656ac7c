//! From a destination as written to an endpoint, with every problem at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::credentials::token_client;
use super::definitions::Definitions;
use super::destination::DestinationConfig;
use super::placeholder::Parameters;
use super::query::Query;
use super::refuse::Refuse;
use super::success::Success;
use super::url::UrlTemplate;
use super::{Endpoint, Requirement};
use crate::batch::BodyShape;
use crate::client::{Headers, TokenClient};
use crate::document::Problem;
use crate::expression::{Expression, Value};
use crate::record::EmptyStrings;
use crate::secret::{Mask, Secret};
use crate::template::{
    BodyCompression, ContentType, Idempotency, Method, Need, ParameterValue, Places, SuccessRule, Template,
};
use crate::units::ByteSize;

/// All that an endpoint is made from.
#[derive(Debug)]
pub struct EndpointInput<'a> {
    /// The destination as written.
    pub destination: &'a DestinationConfig,
    /// The template that it names.
    pub template: Option<&'a Template>,
    /// The secrets, by the paths that [`wanted_secrets`](super::wanted_secrets) gives.
    pub secrets: &'a BTreeMap<String, Secret>,
    /// The body's form where the job chooses one.
    pub body_shape: Option<&'a BodyShape>,
    /// Whether the job turned batching on.
    pub is_batched: bool,
    /// The fields in which records of a request never agree, where the job chooses some.
    pub distinct: &'a [String],
    /// What becomes of empty strings, where the job chooses it.
    pub empty: Option<EmptyStrings>,
    /// Definitions of objects at hand.
    pub definitions: Option<&'a Definitions>,
}

impl Endpoint {
    /// Makes an endpoint ready, or says everything that is wrong with it.
    pub fn compile(input: &EndpointInput<'_>) -> Result<Self, Vec<Problem>> {
        let mut build = Build {
            input,
            problems: Vec::new(),
        };
        let endpoint = match input.template {
            Some(template) => build.templated(template),
            None => build.manual(),
        };
        match endpoint {
            Some(endpoint) if build.problems.is_empty() => Ok(endpoint),
            _ => Err(build.problems),
        }
    }
}

pub(super) struct Build<'a> {
    pub(super) input: &'a EndpointInput<'a>,
    problems: Vec<Problem>,
}

/// The part of an endpoint that templates and manual endpoints say in different places.
pub(super) struct Says<'a> {
    pub(super) name: &'a str,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) url_path: &'a str,
    pub(super) content_type: ContentType,
    pub(super) parameters: Parameters,
    pub(super) own_headers: Vec<(String, String)>,
    pub(super) credentials: HeaderMap,
    pub(super) functions: &'a str,
    pub(super) places: Option<&'a Places>,
    pub(super) refuse: Option<&'a str>,
    pub(super) definition: Value,
    pub(super) query: Option<&'a str>,
    pub(super) empty: EmptyStrings,
    pub(super) distinct: &'a [String],
    pub(super) body: Option<&'a str>,
    pub(super) body_shape: BodyShape,
    pub(super) needs: &'a [Need],
    pub(super) identifiers: &'a [String],
    pub(super) success: &'a SuccessRule,
    pub(super) error: Option<&'a str>,
    pub(super) safe_to_resend: bool,
    pub(super) idempotency: Option<&'a Idempotency>,
    pub(super) compression: BodyCompression,
    pub(super) max_records: u32,
    pub(super) most_records: Option<u32>,
    pub(super) max_bytes: Option<ByteSize>,
}

impl Build<'_> {
    pub(super) fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(path, message));
    }

    /// The value, or none and a problem at `path`.
    pub(super) fn good<T, E: ToString>(&mut self, path: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.problem(path, error.to_string())).ok()
    }

    fn templated(&mut self, template: &Template) -> Option<Endpoint> {
        let destination = self.input.destination;
        self.refuse_manual_keys(destination, &template.name);
        let (file, vendor) = (&template.file, &template.vendor);
        let parameters = self.template_parameters(template);
        let rule = template.credential()?;
        let credentials = self.template_credential(&file.credential, rule);
        self.refuse_unknown_credentials(template);
        let base = match &destination.base_url {
            Some(base) => base.as_str(),
            None => template.base_url(&file.host, &parameters)?,
        };
        let definition = self.definition(template, &parameters);
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
            content_type: file.content_type,
            own_headers: template.headers(&parameters),
            parameters,
            credentials,
            functions: vendor.functions.as_deref().unwrap_or_default(),
            places: Some(&template.places),
            refuse: file.refuse.as_deref(),
            definition,
            query: file.query.as_deref(),
            empty: self.input.empty.or(file.empty).unwrap_or_default(),
            distinct: match self.input.distinct {
                [] => &file.batch.distinct,
                given => given,
            },
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
            idempotency: file.idempotency.as_ref(),
            compression: destination.compression.unwrap_or(file.compression),
            max_records: file.batch.max_records,
            max_bytes: file.batch.max_bytes,
            most_records: match file.content_type {
                ContentType::Form => Some(1),
                _ => file.batch.most,
            },
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
        self.refuse_template_keys(destination);
        let credentials = self.auth();
        let method = destination.method?;
        let content_type = destination.content_type.unwrap_or_default();
        // Without jq that makes one of several records, a patch is one record's.
        let is_patch = content_type == ContentType::MergePatch && self.input.body_shape.is_none();
        self.finish(Says {
            name: "manual",
            method,
            url: destination.url.clone()?,
            url_path: "destination.url",
            content_type,
            parameters: destination.parameters.clone(),
            own_headers: Vec::new(),
            credentials,
            functions: "",
            places: None,
            refuse: None,
            definition: Value::null(),
            query: None,
            empty: self.input.empty.unwrap_or_default(),
            distinct: self.input.distinct,
            body: destination.body.as_deref(),
            body_shape: self.manual_shape(content_type),
            needs: &destination.needs,
            identifiers: &destination.identifiers,
            success: &destination.success,
            error: destination.error.as_deref(),
            safe_to_resend: destination.safe_to_resend.unwrap_or(
                matches!(method, Method::Put | Method::Delete) || destination.idempotency.is_some(),
            ),
            idempotency: destination.idempotency.as_ref(),
            compression: destination.compression.unwrap_or_default(),
            max_records: if self.input.is_batched && content_type != ContentType::Form && !is_patch {
                100
            } else {
                1
            },
            max_bytes: None,
            most_records: (content_type == ContentType::Form || is_patch).then_some(1),
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
        let body = self.expression(&says, "body", says.body, &["$parameters"]);
        let refuse = self.expression(&says, "refuse", says.refuse, &["$parameters", "$definition"]);
        let query = self.expression(&says, "query", says.query, &["$parameters"]);
        let wrap = self.wrap(&says);
        self.check_needs(says.needs, &says.parameters);
        self.check_shape(&says);
        let success = Success::compile(says.success, says.error)
            .map_err(|(key, message)| self.problem(format!("destination.{key}"), message))
            .ok();
        let (fixed_headers, varying_headers) = self.headers(&says);
        self.check_coding(&says, &fixed_headers, &varying_headers);
        let idempotency = self.idempotency(&says, &fixed_headers, &varying_headers);
        let needs = says.needs.iter().map(|need| {
            let is_true = |name: &String| says.parameters.get(name).is_some_and(ParameterValue::is_true);
            Requirement {
                need: need.clone(),
                is_waived: need.unless.as_ref().is_some_and(is_true),
            }
        });
        let parameters = serde_json::to_string(&says.parameters).unwrap_or_default();
        let parameters = self.good("destination.parameters", Value::parse(&parameters))?;
        Some(Endpoint {
            name: says.name.to_owned(),
            method: says.method.into(),
            url: url?,
            fixed_headers: with_and_without_body(fixed_headers, says.content_type),
            varying_headers,
            content_type: says.content_type,
            body,
            body_shape: says.body_shape,
            wrap,
            refuse: refuse.map(|expression| Refuse {
                expression,
                variables: [parameters.clone(), says.definition.clone()],
            }),
            query: query.map(|expression| Query {
                expression,
                parameters: parameters.clone(),
            }),
            parameters,
            empty: says.empty,
            distinct: says.distinct.to_vec(),
            needs: needs.collect(),
            identifiers: says.identifiers.to_vec(),
            success: Arc::new(success?),
            safe_to_resend: says.safe_to_resend,
            idempotency,
            compression: says.compression,
            max_records: says.max_records,
            most_records: says.most_records,
            max_bytes: says.max_bytes,
            mask: self.mask(&says.credentials),
        })
    }

    /// Compiles what stands under a key of the template, or of the destination.
    fn expression(
        &mut self,
        says: &Says<'_>,
        key: &str,
        text: Option<&str>,
        variables: &[&str],
    ) -> Option<Expression> {
        let error = match Expression::compile_among(says.functions, text?, variables) {
            Ok(expression) => return Some(expression),
            Err(error) => error.to_string(),
        };
        match says.places {
            Some(places) => self.problem("destination.template", places.in_file(key, &error)),
            None => self.problem(format!("destination.{key}"), error),
        }
        None
    }

    /// Compiles what makes one body of several records.
    fn wrap(&mut self, says: &Says<'_>) -> Option<Expression> {
        let BodyShape::Expression(text) = &says.body_shape else {
            return None;
        };
        if says.places.is_some() && self.input.body_shape.is_none() {
            return self.expression(says, "batch.shape", Some(text), &["$parameters"]);
        }
        self.good(
            "batch.body_shape",
            Expression::compile_among(says.functions, text, &["$parameters"]),
        )
    }

    /// Hides the secrets, and what is made of them: the base64 of basic authentication, and all forms in which a token is
    /// asked for.
    fn mask(&self, credentials: &HeaderMap) -> Mask {
        let sent = credentials.values().filter_map(|value| value.to_str().ok());
        let sent: Vec<Secret> = sent
            .map(|text| Secret::new(text.trim_start_matches("Basic ")))
            .collect();
        let EndpointInput {
            destination,
            template,
            secrets,
            ..
        } = self.input;
        let client = token_client(destination, *template, secrets);
        let forms: Vec<Secret> = client.iter().flat_map(TokenClient::forms).collect();
        Mask::new(secrets.values().chain(&sent).chain(&forms))
    }
}

/// The headers of requests without a body, and of those that have one, which say what it is.
fn with_and_without_body(fixed: HeaderMap, content_type: ContentType) -> [Headers; 2] {
    let mut with_body = fixed.clone();
    with_body.insert(CONTENT_TYPE, HeaderValue::from_static(content_type.mime()));
    [fixed.into(), with_body.into()]
}
