//! How a run stands: going on, killed, stopped or over, and what goes on with it.

use std::fmt::Write;

use outpour::ledger::{Ledger, Run, RunState};

use super::error::Failure;

/// What kind of run it is, where it is not an ordinary one.
pub(super) fn nature(run: &Run) -> String {
    let mut text = String::new();
    if let Some(retried) = run.begun.retries {
        let _ = write!(text, ", retry of {retried}");
    }
    if run.begun.is_mock {
        text.push_str(", mock");
    }
    text
}

/// How a run stands, as far as that can be told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Running { pid: Option<u32> },
    Killed { can_go_on: bool },
    Stopped { can_go_on: bool },
    Finished,
    Replaced,
}

/// A run that says that it runs, and whose job nobody runs, was killed.
pub(super) fn standing(ledger: &Ledger, run: &Run) -> Result<Standing, Failure> {
    Ok(match run.state {
        RunState::Finished => Standing::Finished,
        RunState::Replaced => Standing::Replaced,
        RunState::Stopped => Standing::Stopped {
            can_go_on: ledger.can_go_on(run)?,
        },
        RunState::Running => {
            let can_go_on = ledger.can_go_on(run)?;
            match ledger.folder().runner(&run.begun.job)? {
                Some(runner) if can_go_on => Standing::Running { pid: runner.pid },
                _ => Standing::Killed { can_go_on },
            }
        }
    })
}

impl Standing {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Killed { .. } => "killed",
            Self::Stopped { .. } => "stopped",
            Self::Finished => "finished",
            Self::Replaced => "replaced",
        }
    }

    pub(super) fn can_go_on(self) -> bool {
        matches!(
            self,
            Self::Killed { can_go_on: true } | Self::Stopped { can_go_on: true }
        )
    }

    pub(super) fn words(self, run: &Run) -> String {
        let mut text = match self {
            Self::Running { pid: Some(pid) } => format!("running (pid {pid})"),
            // How its last session ended says more than that it ended.
            Self::Stopped { .. } | Self::Finished => {
                run.ending.clone().unwrap_or_else(|| self.name().to_owned())
            }
            _ => self.name().to_owned(),
        };
        if let (Some(code), Self::Stopped { .. } | Self::Finished) = (run.exit_code, self) {
            let _ = write!(text, ", exit {code}");
        }
        if self.can_go_on() {
            text.push_str(", can be gone on with");
        }
        text
    }
}

/// The command that goes on with a run, or why none does.
pub(super) fn go_on_hint(ledger: &Ledger, run: &Run) -> Result<String, Failure> {
    if !ledger.can_go_on(run)? {
        return Ok("a later run has taken its place, so look at the destination for these".to_owned());
    }
    let mock = if run.begun.is_mock { " --mock" } else { "" };
    Ok(match run.begun.retries {
        Some(retried) => {
            format!("go on with it: `outpour retry {retried}{mock}`, with the flags that it had")
        }
        None => format!("go on with it: `outpour run {}{mock}`", run.begun.config),
    })
}
