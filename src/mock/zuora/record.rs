//! A record, as it is kept and as the API shows it.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::definition::USER;
use crate::mock::Attributes;

/// A record as the look-alike keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ZuoraRecord {
    /// The id that was given to it, a UUID.
    pub id: String,
    /// Its custom fields, as the exact JSON text that arrived last.
    pub fields: Attributes,
    /// When it was created, RFC 3339.
    pub created_date: String,
    /// When it was changed last, RFC 3339.
    pub updated_date: String,
    /// How often it was written: once when it was created, and once for each update.
    pub writes: u64,
}

/// A record of an object of this name, as the API shows it.
pub(super) struct Shown<'a>(pub(super) &'a str, pub(super) &'a ZuoraRecord);

impl ZuoraRecord {
    /// What changes with each write, for `If-Match`.
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.writes)
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(object, record) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Id", &record.id)?;
        map.serialize_entry("type", object)?;
        for (name, _) in record.fields.iter() {
            map.serialize_entry(name, &record.fields.raw(name))?;
        }
        map.serialize_entry("CreatedById", USER)?;
        map.serialize_entry("UpdatedById", USER)?;
        map.serialize_entry("CreatedDate", &record.created_date)?;
        map.serialize_entry("UpdatedDate", &record.updated_date)?;
        map.end()
    }
}
