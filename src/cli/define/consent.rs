//! Whether a plan may be made: asked at a terminal, or said on the command line.

use std::io::{BufRead, IsTerminal, stdin};

use outpour::define::Plan;

use super::super::error::Failure;
use super::super::printer::Printer;

/// What was said on the command line.
pub(super) struct Consent<'a> {
    pub(super) yes: bool,
    pub(super) confirmed: &'a [String],
    pub(super) is_json: bool,
}

impl Consent<'_> {
    /// Asks for what was not said. Each deletion is confirmed by its name.
    pub(super) fn ask(&self, plan: &Plan) -> Result<(), Failure> {
        let is_answered = stdin().is_terminal() && !self.is_json;
        for name in plan.deletions().map(|change| change.name.as_str()) {
            if self.confirmed.iter().any(|confirmed| confirmed == name) {
                continue;
            }
            if !is_answered {
                return Err(Failure::usage_hint(
                    format!("the deletion of `{name}` is not confirmed, and nobody can be asked"),
                    format!("confirm it with `--confirm '{name}'`"),
                ));
            }
            expect(&format!("`{name}` will be deleted. Type its name: "), name)?;
        }
        if self.yes {
            return Ok(());
        }
        if !is_answered {
            return Err(Failure::usage_hint(
                "nobody can be asked whether to make these changes",
                "agree to them with `--yes`",
            ));
        }
        expect("Make these changes? Only `yes` is taken: ", "yes")
    }
}

fn expect(question: &str, wanted: &str) -> Result<(), Failure> {
    Printer::question(question);
    let mut line = String::new();
    let read = stdin().lock().read_line(&mut line);
    match read.is_ok() && line.trim() == wanted {
        true => Ok(()),
        false => Err(Failure::Unconfirmed),
    }
}
