//! What a job gives a template: its parameters, checked, and the definition of its object.

use super::compile::Build;
use super::placeholder::Parameters;
use crate::document::closest;
use crate::expression::{Expression, ExpressionError, Value};
use crate::template::{Parameter, ParameterValue, Template};

/// The parameter that says which definition is meant.
const OBJECT: &str = "object";

/// What is wrong with a parameter's value: its type, the choices, and the vendor's or template's `check`, which may use
/// the vendor's `functions`.
///
/// # Errors
///
/// The check itself does not compile.
pub fn misfit(
    functions: &str,
    parameter: &Parameter,
    value: &ParameterValue,
) -> Result<Option<String>, ExpressionError> {
    if let Some(problem) = parameter.problem_of(value) {
        return Ok(Some(problem));
    }
    let Some(check) = &parameter.check else {
        return Ok(None);
    };
    let check = Expression::compile_among(functions, check, &[])?;
    let json = serde_json::to_string(value).unwrap_or_default();
    let holds = Value::parse(&json).and_then(|value| check.holds(value));
    let refused = format!("`{}` is refused", value.to_text());
    Ok(match (holds, &parameter.because) {
        (Ok(true), _) => None,
        (Ok(false), Some(because)) => Some(format!("{refused}: {}", because.trim())),
        (Ok(false), None) => Some(refused),
        (Err(error), _) => Some(error.to_string()),
    })
}

impl Build<'_> {
    /// The template's parameters with the job's values and the defaults; what is missing or unknown is a problem.
    pub(super) fn template_parameters(&mut self, template: &Template) -> Parameters {
        let given = &self.input.destination.parameters;
        let known = template.parameters();
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
        for (name, parameter) in &known {
            let path = format!("destination.parameters.{name}");
            match given.get(name).or(parameter.default.as_ref()) {
                None if parameter.optional => {}
                None => {
                    let description = parameter.description.trim();
                    self.problem(&path, format!("`{name}` is missing: {description}"));
                    // What asks for the parameter would only say the same again.
                    parameters.insert(name.clone(), ParameterValue::Text(name.clone()));
                }
                Some(value) => {
                    self.check_value(template, name, parameter, value);
                    parameters.insert(name.clone(), value.clone());
                }
            }
        }
        parameters
    }

    fn check_value(
        &mut self,
        template: &Template,
        name: &str,
        parameter: &Parameter,
        value: &ParameterValue,
    ) {
        let path = format!("destination.parameters.{name}");
        let functions = template.vendor.functions.as_deref().unwrap_or_default();
        match misfit(functions, parameter, value) {
            Ok(None) => {}
            Ok(Some(problem)) => self.problem(path, problem),
            Err(error) => {
                let key = format!("parameters.{name}.check");
                let located = match template.file.parameters.contains_key(name) {
                    true => template.places.in_file(&key, &error.to_string()),
                    false => template.places.in_vendor(&key, &error.to_string()),
                };
                self.problem("destination.template", located);
            }
        }
    }

    /// The definition of the template's object, null where none is at hand.
    pub(super) fn definition(&mut self, template: &Template, parameters: &Parameters) -> Value {
        const PATH: &str = "destination.definitions";
        let Some(definitions) = self.input.definitions else {
            return Value::null();
        };
        let is_asked = |refuse: &String| refuse.contains("$definition");
        let looks = template.file.refuse.as_ref().is_some_and(is_asked);
        let Some(object) = parameters.get(OBJECT).filter(|_| looks) else {
            let message = format!(
                "it has no effect: `{}` does not look at definitions",
                template.name
            );
            self.problem(PATH, message);
            return Value::null();
        };
        let found = definitions.of(&object.to_text()).map(ToString::to_string);
        let value = self
            .good(PATH, found)
            .and_then(|text| self.good(PATH, Value::parse(&text)));
        value.unwrap_or_else(Value::null)
    }
}
