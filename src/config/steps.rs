//! Steps: jobs that are carried out one after the other, as written.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::document::{Document, Problem, Problems};

/// A file whose `steps` are carried out in order, each only after the one before has come to a good end.
///
/// ```
/// use outpour::config::Steps;
/// let steps = Steps::parse("load.yaml", "steps: [{run: people.yaml}, {run: events.yaml}]")?;
/// assert_eq!(steps.steps.len(), 2);
/// # Ok::<(), outpour::document::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "outpour steps")]
pub struct Steps {
    /// What is done, in this order.
    #[schemars(length(min = 1))]
    pub steps: Vec<Step>,
}

/// One step: either of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A file of definitions, made so as by `outpour define apply`; nothing is deleted. Default: none.
    #[serde(default)]
    pub define: Option<PathBuf>,
    /// A job, sent as by `outpour run`. Default: none.
    #[serde(default)]
    pub run: Option<PathBuf>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes the account as this file of definitions says.
    Define(PathBuf),
    /// Runs this job.
    Run(PathBuf),
}

impl Steps {
    /// Whether a document has steps, and is no job.
    pub fn is_in(document: &Document) -> bool {
        document.value().get("steps").is_some()
    }

    /// The steps of a file, if it has some. Relative paths in it start from its own folder.
    pub fn load(path: &Path) -> Result<Option<Self>, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let name = path.display().to_string();
        if !Document::parse(&name, &text).is_ok_and(|document| Self::is_in(&document)) {
            return Ok(None);
        }
        let mut steps = Self::parse(&name, &text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for path in steps.steps.iter_mut().flat_map(Step::paths) {
            *path = folder.join(&*path);
        }
        Ok(Some(steps))
    }

    /// Reads steps from text; `name` is what messages call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let (steps, document) = crate::document::parse::<Self>(name, text)?;
        let mut problems = Vec::new();
        for (index, step) in steps.steps.iter().enumerate() {
            if step.action().is_none() {
                problems.push(Problem::new(
                    format!("steps.{index}"),
                    "a step is either `define: FILE` or `run: JOB`",
                ));
            }
        }
        match problems.is_empty() {
            true => Ok(steps),
            false => Err(document.locate(problems)),
        }
    }
}

impl Step {
    /// What the step does; none if it says nothing, or two things.
    pub fn action(&self) -> Option<Action> {
        match (&self.define, &self.run) {
            (Some(file), None) => Some(Action::Define(file.clone())),
            (None, Some(job)) => Some(Action::Run(job.clone())),
            _ => None,
        }
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.define.iter_mut().chain(&mut self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_does_one_thing_or_is_an_error_with_its_place() {
        for wrong in ["{}", "{run: a.yaml, define: b.yaml}"] {
            let problems =
                Steps::parse("load.yaml", &format!("steps:\n- run: a.yaml\n- {wrong}\n")).unwrap_err();
            assert_eq!(
                problems.to_string(),
                "load.yaml:3: steps.1: a step is either `define: FILE` or `run: JOB`"
            );
        }
        let problems = Steps::parse("load.yaml", "steps:\n- runn: a.yaml\n").unwrap_err();
        assert!(problems.to_string().contains("did you mean `run`?"), "{problems}");
    }
}
