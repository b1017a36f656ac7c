//! Why a call was refused, and the forms in which Zuora says so.
//!
//! A code is the number of a resource and two digits of a category. The contract shows 710125 for records and 710002 for
//! definitions; it does not say which one migrations have, so here it is that of definitions.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{json, value};

use crate::mock::Attributes;
use crate::mock::answer::{Answer, Call, Effect};

/// What is wrong, as the last two digits of a code say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Category {
    /// The caller may not.
    Denied = 15,
    /// The request or a value is not as it must be; also a text that is empty or has the wrong format.
    Invalid = 20,
    /// No such field.
    UnknownField = 21,
    /// A required field is absent or null.
    MissingField = 22,
    /// An integer field got something else. The contract lists 23 to 26 for wrong types and shows 23 in this case; that
    /// the next three are those of the other types is a choice made here.
    NotInteger = 23,
    /// A number field got something else.
    NotNumber = 24,
    /// A boolean field got something else.
    NotBoolean = 25,
    /// A text field got something else.
    NotText = 26,
    /// A rule of the field is broken: its length, its digits, its options, its uniqueness, its relationship.
    Rule = 30,
    /// There is no such thing.
    NotFound = 40,
    /// The server could not, or a limit is reached.
    Internal = 60,
    /// The server could not for now; sending it again may do.
    Retryable = 61,
}

/// What is wrong with a record, and the record.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Detail {
    code: u32,
    message: String,
    record: Echo,
}

/// A record as errors repeat it: by value, in no order to rely on. Its keys are sorted here, whatever order they came in.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Echo(BTreeMap<String, Box<RawValue>>);

/// What is wrong with a record.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) category: Category,
    pub(super) message: String,
}

/// A call that was not carried out, or not wholly.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) category: Category,
    pub(super) message: String,
    pub(super) details: Vec<Detail>,
    /// How much was carried out all the same.
    pub(super) effect: Effect,
}

/// An error with what is wrong with each record, as the body of an answer or a part of one.
#[derive(Debug, Serialize)]
pub(super) struct Envelope<'a> {
    pub(super) code: u32,
    pub(super) message: &'a str,
    pub(super) details: &'a [Detail],
}

/// The number of the resource that records are.
const RECORDS: u32 = 710_125;

/// The number of the resource that definitions are.
const DEFINITIONS: u32 = 710_002;

impl Category {
    /// The code of a record's error.
    pub(super) fn of_records(self) -> u32 {
        RECORDS * 100 + self as u32
    }
}

impl Problem {
    pub(super) fn new(category: Category, message: impl Into<String>) -> Self {
        Self {
            category,
            message: message.into(),
        }
    }

    pub(super) fn with(self, record: Echo) -> Detail {
        Detail {
            code: self.category.of_records(),
            message: self.message,
            record,
        }
    }
}

impl Echo {
    pub(super) fn of(record: &Attributes) -> Self {
        let names = record.iter().map(|(name, _)| name);
        Self(
            names
                .filter_map(|name| Some((name.to_owned(), record.raw(name)?.to_owned())))
                .collect(),
        )
    }

    /// A record that is known by its id, as a batch of updates repeats it.
    pub(super) fn of_id(id: &str) -> Self {
        let id = value::to_raw_value(id).ok();
        Self(id.map(|id| ("Id".to_owned(), id)).into_iter().collect())
    }
}

impl Detail {
    /// By code, and not by the order in which the records came: errors belong to records by what they repeat.
    pub(super) fn sort(details: &mut [Self]) {
        details.sort_by_key(|detail| detail.code);
    }
}

impl Refusal {
    fn new(status: StatusCode, category: Category, message: impl Into<String>) -> Self {
        Self {
            status,
            category,
            message: message.into(),
            details: Vec::new(),
            effect: Effect::Nothing,
        }
    }

    /// A refusal of this status, with the category that goes with it.
    pub(super) fn of_status(status: StatusCode, message: impl Into<String>) -> Self {
        let category = match status.as_u16() {
            401 | 403 => Category::Denied,
            404 => Category::NotFound,
            // Never 61 without a list of records: that would say that all were carried out.
            429 | 500..=599 => Category::Internal,
            _ => Category::Invalid,
        };
        Self::new(status, category, message)
    }

    pub(super) fn bad(category: Category, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, category, message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::bad(Category::Invalid, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Category::NotFound, message)
    }

    /// A path that does not exist, or not with this method.
    pub(super) fn no_such_page() -> Self {
        Self::not_found("Resource not found")
    }

    pub(super) fn unauthorized() -> Self {
        let message = "Authentication error: the token is absent, wrong or expired";
        Self::of_status(StatusCode::UNAUTHORIZED, message)
    }

    /// Records that are wrong, where one spoils all.
    pub(super) fn of_records(message: &str, details: Vec<Detail>) -> Self {
        Self {
            details,
            ..Self::invalid(message)
        }
    }

    /// Records that were not looked at, and are to be sent again.
    pub(super) fn throttled(details: Vec<Detail>) -> Self {
        let message = "Unable to process the records, please try again later.";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self {
            details,
            ..Self::new(status, Category::Retryable, message)
        }
    }

    /// The answer in the form that the call has for it.
    pub(super) fn to_answer(&self, call: &Call<'_>) -> Answer {
        let is_many = call.method == Method::POST
            && (call.path.starts_with("/objects/records/") || call.path.starts_with("/objects/batch/"));
        let code = self.code(call);
        let mut answer =
            if self.status == StatusCode::UNAUTHORIZED && !is_many || call.path == super::TOKEN_PAGE {
                Answer::json(self.status, &json!({"message": self.message}))
            } else if !self.details.is_empty() || self.status == StatusCode::UNAUTHORIZED {
                let envelope = Envelope {
                    code,
                    message: &self.message,
                    details: &self.details,
                };
                Answer::json(self.status, &envelope)
            } else {
                Answer::json(self.status, &json!({"code": code, "message": self.message}))
            };
        answer.effect = Some(self.effect);
        answer
    }

    /// What is not found at records is their definition, as far as a call of many is concerned.
    fn code(&self, call: &Call<'_>) -> u32 {
        let is_of_records =
            call.path.starts_with("/objects/records/") || call.path.starts_with("/objects/batch/");
        let resource = match is_of_records && self.category != Category::NotFound {
            true => RECORDS,
            false => DEFINITIONS,
        };
        resource * 100 + self.category as u32
    }
}
