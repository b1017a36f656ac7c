//! An endpoint to try a template with, before there is a job.

use std::collections::BTreeMap;

use super::{Definitions, DestinationConfig, Endpoint, EndpointInput, Parameters, wanted_secrets};
use crate::secret::Secret;
use crate::template::{ParameterValue, Template};

impl Endpoint {
    /// The endpoint of a template for trying things out: its parameters as given, else as in their examples, and
    /// secrets that are none.
    pub fn sample(template: &Template, parameters: &Parameters) -> Result<Self, String> {
        Self::sample_with(template, parameters, None)
    }

    /// As [`sample`](Self::sample), with a definition of the template's object at hand.
    pub fn sample_with(
        template: &Template,
        parameters: &Parameters,
        definition: Option<&serde_json::Value>,
    ) -> Result<Self, String> {
        let mut destination = DestinationConfig {
            template: Some(template.name.clone()),
            parameters: parameters.clone(),
            ..DestinationConfig::default()
        };
        for (name, parameter) in template.parameters() {
            if let Some(example) = parameter.example.as_ref().filter(|_| parameter.is_required()) {
                destination
                    .parameters
                    .entry(name)
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
        let object = destination.parameters.get("object").map(ParameterValue::to_text);
        let definitions =
            definition.map(|definition| Definitions::single(&object.unwrap_or_default(), definition.clone()));
        let input = EndpointInput {
            destination: &destination,
            template: Some(template),
            secrets: &secrets,
            body_shape: None,
            is_batched: false,
            distinct: &[],
            empty: None,
            definitions: definitions.as_ref(),
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
