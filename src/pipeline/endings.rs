//! How a run ends that is stopped: by a signal, or by what became of a delivery.

use crate::client::{Fatal, TokenError};
use crate::delivery::StopReason;
use crate::report::Ending;

/// A signal as people know it.
pub(super) fn signal_words(number: i32) -> String {
    match number {
        2 => "interrupted (SIGINT)".to_owned(),
        15 => "terminated (SIGTERM)".to_owned(),
        number => format!("signal {number}"),
    }
}

/// The ending of a run that a delivery stops.
pub(super) fn ending_of(reason: &StopReason) -> Ending {
    match reason {
        StopReason::Credentials(_) | StopReason::Fatal(Fatal::Token(TokenError::Refused { .. })) => {
            Ending::Credentials
        }
        StopReason::Defect => Ending::Defect,
        StopReason::Fatal(
            Fatal::Unreachable(_)
            | Fatal::Tls(_)
            | Fatal::Down { .. }
            | Fatal::Token(TokenError::Down(_) | TokenError::Unanswered { .. }),
        ) => Ending::Unreachable,
        StopReason::Fatal(Fatal::RetryAfter { .. } | Fatal::Token(TokenError::Unusable(_)))
        | StopReason::Unexpected(_)
        | StopReason::Redirect(_) => Ending::Destination,
    }
}
