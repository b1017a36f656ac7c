//! Why a call was refused, and the three forms in which Encharge says so.

use http::StatusCode;
use serde_json::json;

use crate::mock::answer::{Answer, Call};

/// A call that was not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    code: Option<u32>,
    is_page: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            code: None,
            is_page: false,
        }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// A path that does not exist, or not with this method.
    pub(super) fn no_such_page() -> Self {
        Self {
            is_page: true,
            ..Self::not_found("")
        }
    }

    pub(super) fn not_logged_in() -> Self {
        let message = "User not logged in. Pass a valid token in the X-Encharge-Token header.";
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(super) fn not_a_jwt() -> Self {
        Self {
            code: Some(10082),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "Token without payload (should be JWT token).",
            )
        }
    }

    /// The answer in the form of the API that was called: HTML for a missing page, the bare text for ingest, the
    /// envelope for everything else.
    pub(super) fn to_answer(&self, call: &Call<'_>, trace: u64) -> Answer {
        if self.is_page {
            let title = format!("Cannot {} {}", call.method, escape(call.path));
            let page = format!("<!DOCTYPE html>\n<html lang=\"en\"><body><pre>{title}</pre></body></html>\n");
            return Answer::html(self.status, page);
        }
        if call.path.starts_with("/ingest/") {
            return Answer::json(self.status, &json!({"error": self.message}));
        }
        let mut error = json!({
            "message": self.message,
            "markdown": self.message,
            "traceId": format!("{trace:016x}"),
        });
        if let Some(code) = self.code {
            error["errorCode"] = code.into();
        }
        Answer::json(self.status, &json!({"error": error}))
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
