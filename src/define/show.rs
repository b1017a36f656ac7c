//! A plan for people, like a diff, and for machines, as JSON.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::{Change, Counts, Detail, Mark, Plan};
use crate::visible::in_line;

/// A line a change, its differing keys below it, and the counts at the end.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        write!(f, "{}", self.counts())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, kind) = (self.mark.sign(), self.kind.word());
        write!(f, "{sign} {kind} {}", in_line(&self.name))?;
        if let Some(because) = &self.because {
            write!(f, ": {}", in_line(because))?;
        }
        for detail in &self.details {
            write!(f, "\n    {}: {}", in_line(&detail.key), values(detail, self.mark))?;
        }
        Ok(())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.create + self.change + self.delete + self.cannot == 0 {
            return write!(f, "nothing to do: {} as the file has them", self.same);
        }
        write!(
            f,
            "{} to create, {} to change, {} to delete, {} as they are",
            self.create, self.change, self.delete, self.same
        )?;
        match self.cannot {
            0 => Ok(()),
            cannot => write!(f, ", {cannot} that cannot be done"),
        }
    }
}

/// The value, or both where it changes.
fn values(detail: &Detail, mark: Mark) -> String {
    let to = shown(&detail.to);
    match (&detail.from, mark) {
        (_, Mark::Create) => to,
        (from, _) => format!("{} -> {to}", from.as_ref().map_or("none".to_owned(), shown)),
    }
}

fn shown(value: &Value) -> String {
    const MOST: usize = 200;
    let text = match value {
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        // Writing to a string cannot fail.
        let _ = write!(short, ".. ({} bytes)", text.len());
    }
    in_line(&short).into_owned()
}

impl Plan {
    /// The plan as JSON: `changes` and their `counts`.
    pub fn to_json(&self) -> Value {
        json!({"changes": self.changes, "counts": self.counts()})
    }
}
