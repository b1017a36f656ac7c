//! What is printed of definitions: for people, and as JSON.

use outpour::define::{Applied, Contents, Plan, Stopped, Vendor, export};
use outpour::document::{Document, Problems};
use outpour::report::counted;
use serde_json::{Value, json};

use super::super::error::Failure;

pub(super) fn problems(problems: &Problems) -> Value {
    let problem = |problem: &outpour::document::Problem| {
        json!({
            "line": problem.place.map(|place| place.line),
            "path": problem.path,
            "message": problem.message,
        })
    };
    let list: Vec<Value> = problems.iter().map(problem).collect();
    json!({"file": problems.name(), "problems": list})
}

pub(super) fn plan(vendor: Vendor, base: &str, plan: &Plan) -> Value {
    let mut report = plan.to_json();
    report["vendor"] = vendor.to_string().into();
    report["account"] = base.into();
    report
}

pub(super) fn applied(vendor: Vendor, base: &str, shown: &Plan, applied: &Applied) -> Value {
    let mut report = plan(vendor, base, shown);
    report["applied"] = json!(applied);
    report
}

/// The same as the YAML, for programs.
pub(super) fn contents(contents: &Contents) -> Result<String, Failure> {
    let document = Document::parse("export", &export(contents))?;
    Ok(format!("{}\n", document.value()))
}

pub(super) fn summary(applied: &Applied) -> String {
    let done = counted(applied.done.len() as u64, "change");
    match applied.left.len() {
        0 => format!("{done} made, nothing is left"),
        _ => format!("{done} made, not made: {}", applied.left.join(", ")),
    }
}

/// Why steps were left.
pub(in crate::cli) fn told(stopped: &Stopped) -> String {
    let of = |step: &[String]| step.join(", ");
    match stopped {
        Stopped::Denied { said } => format!("the credentials were refused: {said}"),
        Stopped::Refused { step, said } => format!("{} was refused: {said}", of(step)),
        Stopped::Doubtful { step, said } => {
            format!(
                "{} may have been made, and the account does not show it: {said}",
                of(step)
            )
        }
        Stopped::Unreachable { said } => said.clone(),
        Stopped::Changed { change } => {
            format!("the account has changed since the plan was made: {change} was not in it as it is now")
        }
    }
}

/// The exit code.
pub(in crate::cli) fn code_of(stopped: &Stopped) -> u8 {
    match stopped {
        Stopped::Refused { .. } => 1,
        Stopped::Unreachable { .. } => 69,
        Stopped::Doubtful { .. } | Stopped::Changed { .. } => 75,
        Stopped::Denied { .. } => 77,
    }
}

/// What to do next.
pub(in crate::cli) fn advice(stopped: &Stopped) -> &'static str {
    match stopped {
        Stopped::Denied { .. } => {
            "give the credentials leave to change definitions, then run the same command again: it goes on from here"
        }
        Stopped::Refused { .. } => {
            "mend what was refused, then run the same command again: it goes on from here"
        }
        Stopped::Doubtful { .. } => {
            "look at it with `outpour define plan` in some minutes, then run the same command again: it goes on from here"
        }
        Stopped::Unreachable { .. } => "run the same command again: it goes on from here",
        Stopped::Changed { .. } => "look at the plan again with `outpour define plan`",
    }
}
