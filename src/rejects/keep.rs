//! How much of a record its reject keeps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Reject, dialect};
use crate::record::Fields;
use crate::shape::Exclusion;

/// What stands in `_error_row` where the record is left out. It is not empty, so the file cannot be loaded by mistake.
const LEFT_OUT: &str = "left out, as `rejects:` says";

/// What a reject keeps of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectsBody {
    /// The whole record, so that the file can be mended and loaded again.
    #[default]
    Full,
    /// The SHA-256 of the row as the input had it, to find it there.
    Hash,
    /// Nothing of it, only where it stood and what became of it.
    None,
}

/// What rejects keep of their records.
#[derive(Debug, Clone, Default)]
pub struct Keep {
    /// How much.
    pub body: RejectsBody,
    /// The attributes that are left out. A row that could not be read cannot lose them alone, and is left out whole.
    pub exclude: Option<Exclusion>,
}

impl Keep {
    /// The reject with what is kept of its record.
    pub fn of(&self, reject: Reject) -> Reject {
        match (self.body, &self.exclude) {
            (RejectsBody::Full, None) => reject,
            (RejectsBody::Full, Some(exclusion)) => match without(&reject, exclusion) {
                Some(row) => Reject {
                    original: row.into(),
                    ..reject
                },
                None => in_place(reject, LEFT_OUT.to_owned()),
            },
            (RejectsBody::Hash, _) => {
                let hash = hash(&reject.original);
                in_place(reject, hash)
            }
            (RejectsBody::None, _) => in_place(reject, LEFT_OUT.to_owned()),
        }
    }
}

/// The record's own row without what is excluded; none where that cannot be told from the rest.
fn without(reject: &Reject, exclusion: &Exclusion) -> Option<Vec<u8>> {
    if !reject.is_record {
        return None;
    }
    if let Some(dialect) = dialect(&reject.position.origin.shape) {
        return dialect.without(&reject.original, |column| exclusion.has_column(column));
    }
    let text = std::str::from_utf8(&reject.original).ok()?;
    Some(exclusion.apply(&Fields::parse(text).ok()?).into_bytes())
}

/// The reject with a text in the place of its record, and without the reply, which may repeat it.
fn in_place(reject: Reject, text: String) -> Reject {
    Reject {
        original: text.into(),
        is_record: false,
        reply: None,
        ..reject
    }
}

fn hash(row: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(row) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
