//! What must agree in an endpoint: keys that belong together, and keys that shut each other out.

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderName};

use super::compile::{Build, Says};
use super::credentials::credential_path;
use super::destination::{AuthConfig, DestinationConfig};
use super::header::{HeaderTemplate, check_name};
use super::placeholder::Parameters;
use crate::batch::BodyShape;
use crate::template::{BodyCompression, ContentType, Method, Need, SuccessRule, Treatment};

impl Build<'_> {
    /// Who compresses bodies says so in a header that nothing else may fill.
    pub(super) fn check_coding(&mut self, says: &Says<'_>, fixed: &HeaderMap, varying: &[HeaderTemplate]) {
        let is_coded = fixed.contains_key(CONTENT_ENCODING)
            || varying.iter().any(|header| header.name == CONTENT_ENCODING);
        if is_coded && says.compression == BodyCompression::Gzip {
            self.problem(
                "destination.compression",
                "`content-encoding` stands in `headers` too, leave one of them out",
            );
        }
    }

    /// The header of the idempotency key, which nothing else may fill.
    pub(super) fn idempotency(
        &mut self,
        says: &Says<'_>,
        fixed: &HeaderMap,
        varying: &[HeaderTemplate],
    ) -> Option<HeaderName> {
        const PATH: &str = "destination.idempotency.header";
        let is_settled_by_method = matches!(says.method, Method::Put | Method::Delete);
        if says.idempotency.is_some() && is_settled_by_method {
            let message = format!(
                "keys are for POST and PATCH: a {} does the same when it is sent twice, leave `idempotency` out",
                says.method
            );
            self.problem("destination.idempotency", message);
            return None;
        }
        if says.idempotency.is_none() && says.success.treat.has(Treatment::Wait) {
            let message =
                "`wait` asks for what came of an earlier attempt by its key, so it needs `idempotency`";
            self.problem("destination.success.treat", message);
        }
        let credentials: Vec<HeaderName> = says.credentials.keys().cloned().collect();
        let name = self.good(PATH, check_name(&says.idempotency?.header, &credentials))?;
        if fixed.contains_key(&name) || varying.iter().any(|header| header.name == name) {
            self.problem(
                PATH,
                format!("`{name}` stands in `headers` too; it gets a key for each request"),
            );
        }
        Some(name)
    }

    /// The content type and the form of the body must say the same.
    pub(super) fn check_shape(&mut self, says: &Says<'_>) {
        let is_lines = says.body_shape == BodyShape::Ndjson;
        let is_list = is_lines || says.body_shape == BodyShape::Array;
        if says.content_type == ContentType::MergePatch && is_list {
            self.problem(
                "batch.body_shape",
                "a merge patch is one object; leave the shape out, or write jq that makes one of the records",
            );
        } else if says.content_type == ContentType::Json && is_lines {
            self.problem(
                "batch.body_shape",
                "lines are no JSON document, set `destination.content_type: ndjson`",
            );
        } else if says.content_type == ContentType::Ndjson && !is_lines {
            self.problem(
                "batch.body_shape",
                "the content type `ndjson` has a line a record, leave the shape out",
            );
        }
        if says.content_type == ContentType::Form && says.body_shape != BodyShape::Object {
            self.problem(
                "batch.body_shape",
                "a form holds one record, leave the shape out or write `object`",
            );
        }
    }

    pub(super) fn check_needs(&mut self, needs: &[Need], parameters: &Parameters) {
        for (index, need) in needs.iter().enumerate() {
            if need.any_of.is_empty() {
                self.problem(format!("destination.needs.{index}.any_of"), "it names no field");
            }
            if let Some(name) = need
                .unless
                .as_ref()
                .filter(|name| !parameters.contains_key(*name))
            {
                self.problem(
                    format!("destination.needs.{index}.unless"),
                    format!("no parameter is named `{name}`"),
                );
            }
        }
    }

    pub(super) fn refuse_template_keys(&mut self, destination: &DestinationConfig) {
        if destination.base_url.is_some() {
            self.problem(
                "destination.base_url",
                "it belongs to a template, a manual endpoint has its `url`",
            );
        }
        if self.input.definitions.is_some() {
            self.problem(
                "destination.definitions",
                "it belongs to a template that looks at definitions",
            );
        }
        for name in destination.credentials.keys() {
            self.problem(
                credential_path(name),
                "it belongs to a template, a manual endpoint has `auth`",
            );
        }
    }

    pub(super) fn refuse_manual_keys(&mut self, destination: &DestinationConfig, template: &str) {
        let given = [
            ("method", destination.method.is_some()),
            ("url", destination.url.is_some()),
            ("content_type", destination.content_type.is_some()),
            ("auth", destination.auth != AuthConfig::None),
            ("body", destination.body.is_some()),
            ("needs", !destination.needs.is_empty()),
            ("idempotency", destination.idempotency.is_some()),
            ("success", destination.success != SuccessRule::default()),
        ];
        for (key, _) in given.iter().filter(|(_, is_given)| *is_given) {
            let message = format!("it belongs to a manual endpoint, `{template}` says it itself");
            self.problem(format!("destination.{key}"), message);
        }
    }
}
