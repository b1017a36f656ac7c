//! What a reply says of the records that were sent.

/// What a reply says of the records that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All are accepted.
    Accepted,
    /// Each has its own result, in the order of the request.
    Each {
        /// The results.
        items: Vec<ItemVerdict>,
        /// Why nothing can be concluded of those that are [`Unclear`](ItemVerdict::Unclear), where there are some.
        unclear: Option<String>,
    },
    /// All are refused, for this reason.
    Refused(String),
    /// The reply is not what the endpoint promises, so nothing can be concluded from it.
    Unexpected(String),
}

/// What a reply says of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemVerdict {
    /// It is accepted.
    Accepted,
    /// It is refused.
    Refused(Refusal),
    /// It was not carried out, and is worth sending again alone.
    Again(Refusal),
    /// Nothing is said against it, and nothing was carried out because of others: it can be sent again without them.
    Spared,
    /// Nothing can be concluded of it.
    Unclear,
}

/// Why an API refused a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, in the API's words.
    pub reason: String,
    /// The API's own code of it, where it gives one.
    pub code: Option<String>,
}

impl Refusal {
    /// Adds what else the API has against the same record. The first code stays.
    #[must_use]
    pub(super) fn with(self, other: Self) -> Self {
        let reason = match self.reason == other.reason {
            true => self.reason,
            false => shorten(&format!("{}; {}", self.reason, other.reason)),
        };
        Self {
            reason,
            code: self.code.or(other.code),
        }
    }
}

/// The beginning of a text, in one line.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 500;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        line
    } else {
        line.chars().take(LONGEST).chain(['…']).collect()
    }
}
