//! What of a job decides which bytes it sends.

use serde::Serialize;

use super::Config;
use crate::endpoint::{DestinationConfig, HeaderValueConfig, HeadersConfig, Operation};
use crate::ledger::Fingerprint;
use crate::source::SourceConfig;
use crate::template::Template;

/// The parts of a job that decide which bytes are sent, and where to. Limits, retries and timeouts may change while a
/// run is stopped, and so may credentials; they are left out. So is how a reply is judged.
pub(super) fn fingerprint(
    config: &Config,
    template: Option<&Template>,
    operations: &[(Vec<Operation>, &Template)],
    definitions: Option<&str>,
) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    let source = SourceConfig {
        expect_records: None,
        expect_sha256: None,
        ..SourceConfig {
            path: SourceConfig::default().path,
            ..config.source.clone()
        }
    };
    let batch = config.batch.clone().map(|batch| crate::batch::BatchConfig {
        max_wait: None,
        ..batch
    });
    fingerprint.note("source", &text(&source));
    fingerprint.note("records", &text(&config.records));
    fingerprint.note("batch", &text(&batch));
    fingerprint.note("order_by", &text(&config.order_by));
    fingerprint.note("destination", &text(&addressed(&config.destination)));
    if let Some(template) = template {
        let vendor = &template.vendor;
        let shared = (
            &vendor.regions,
            &vendor.parameters,
            &vendor.headers,
            &vendor.functions,
        );
        fingerprint.note("template", &text(&(&template.file, &vendor.hosts, shared)));
    }
    if let Some(definitions) = definitions {
        fingerprint.note("destination.definitions", definitions);
    }
    for (_, template) in operations.iter().skip(1) {
        let named = format!("the template `{}`", template.name);
        fingerprint.note(&named, &text(&template.file));
    }
    fingerprint
}

/// A destination without its secrets, and without what is only looked at when a reply is there.
fn addressed(destination: &DestinationConfig) -> DestinationConfig {
    let headers = match &destination.headers {
        HeadersConfig::Map(map) => {
            let plain = map
                .iter()
                .filter(|(_, value)| matches!(value, HeaderValueConfig::Text(_)));
            HeadersConfig::Map(plain.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        text @ HeadersConfig::Text(_) => text.clone(),
    };
    DestinationConfig {
        template: destination.template.clone(),
        operation: destination.operation.clone(),
        parameters: destination.parameters.clone(),
        base_url: destination.base_url.clone(),
        method: destination.method,
        url: destination.url.clone(),
        content_type: destination.content_type,
        headers,
        body: destination.body.clone(),
        needs: destination.needs.clone(),
        idempotency: destination.idempotency.clone(),
        ..DestinationConfig::default()
    }
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
