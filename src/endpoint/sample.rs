//! An endpoint to try a template with, before there is a job.

use std::collections::BTreeMap;

use super::{DestinationConfig, Endpoint, EndpointInput, Parameters, wanted_secrets};
use crate::secret::Secret;
use crate::template::Template;

impl Endpoint {
    /// The endpoint of a template for trying things out: its parameters as given, else as in their examples, and
    /// secrets that are none.
    pub fn sample(template: &Template, parameters: &Parameters) -> Result<Self, String> {
        let mut destination = DestinationConfig {
            template: Some(template.name.clone()),
            parameters: parameters.clone(),
            ..DestinationConfig::default()
        };
        for (name, parameter) in &template.file.parameters {
            if let Some(example) = parameter.example.as_ref().filter(|_| parameter.default.is_none()) {
                destination
                    .parameters
                    .entry(name.clone())
                    .or_insert_with(|| example.clone());
            }
        }
        let secrets: BTreeMap<String, Secret> = wanted_secrets(&destination, Some(template))
            .into_iter()
            .map(|(path, _)| {
                let secret = template.stand_in_secret(path.rsplit('.').next().unwrap_or_default());
                (path, secret)
            })
            .collect();
        let input = EndpointInput {
            destination: &destination,
            template: Some(template),
            secrets: &secrets,
            body_shape: None,
            is_batched: false,
        };
        Self::compile(&input).map_err(|problems| {
            problems
                .iter()
                .map(|problem| problem.message.clone())
                .collect::<Vec<_>>()
                .join("; ")
        })
    }
}
