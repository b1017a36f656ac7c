//! The parameters of a template or a vendor, as written, and the values that a job gives them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::closest;

/// A value that a job gives a template.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it is, and what it does.
    pub description: String,
    /// Whether it is text, a number, or a yes or no.
    #[serde(default, rename = "type")]
    pub kind: ParameterKind,
    /// The value unless the job gives one. Without a default the parameter is required, unless it is optional.
    #[serde(default)]
    pub default: Option<ParameterValue>,
    /// Whether a job may leave it out though it has no default. It is then null in `$parameters`, and headers that name it
    /// are not sent. Default: `false`.
    #[serde(default)]
    pub optional: bool,
    /// The only values that it may have. Default: any.
    #[serde(default)]
    pub choices: Vec<String>,
    /// jq over the value: false or null refuses it. Default: none.
    #[serde(default)]
    pub check: Option<String>,
    /// What `check` asks for, for the message. Default: that the value is refused.
    #[serde(default)]
    pub because: Option<String>,
    /// A value for examples.
    #[serde(default)]
    pub example: Option<ParameterValue>,
}

/// What a parameter's values are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Any text but an empty one.
    #[default]
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// a text, a whole number, or true or false
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParameterValue {
    /// `true` or `false`
    Boolean(bool),
    /// A whole number, which stands for its digits.
    Number(i64),
    /// A text.
    Text(String),
}

impl Parameter {
    /// What is wrong with a value, as far as its type and the choices say.
    ///
    /// ```
    /// use outpour::template::{Parameter, ParameterValue};
    /// let parameter: Parameter = serde_json::from_str(r#"{"description": "Where", "choices": ["eu", "na"]}"#)?;
    /// let value = ParameterValue::Text("eo".into());
    /// assert_eq!(parameter.problem_of(&value).as_deref(), Some("`eo` is not one of `eu`, `na`, did you mean `eu`?"));
    /// assert_eq!(parameter.problem_of(&ParameterValue::Text("na".into())), None);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn problem_of(&self, value: &ParameterValue) -> Option<String> {
        match (self.kind, value) {
            (ParameterKind::Boolean, ParameterValue::Boolean(_))
            | (ParameterKind::Number, ParameterValue::Number(_)) => {}
            (ParameterKind::Boolean, _) => return Some("it takes true or false".to_owned()),
            (ParameterKind::Number, _) => return Some("it takes a whole number".to_owned()),
            (ParameterKind::Text, value) if value.to_text().trim().is_empty() => {
                return Some("it is empty".to_owned());
            }
            (ParameterKind::Text, _) => {}
        }
        let text = value.to_text();
        if self.choices.is_empty() || self.choices.contains(&text) {
            return None;
        }
        let listed: Vec<String> = self.choices.iter().map(|choice| format!("`{choice}`")).collect();
        let meant = closest(&text, self.choices.iter().map(String::as_str))
            .map(|meant| format!(", did you mean `{meant}`?"))
            .unwrap_or_default();
        Some(match &listed[..] {
            [only] => format!("it must be {only}"),
            _ => format!("`{text}` is not one of {}{meant}", listed.join(", ")),
        })
    }

    /// Whether a job must give it.
    pub fn is_required(&self) -> bool {
        self.default.is_none() && !self.optional
    }
}

impl ParameterValue {
    /// The value as the text that stands for it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }

    /// Whether the value says yes.
    pub fn is_true(&self) -> bool {
        *self == Self::Boolean(true)
    }
}
