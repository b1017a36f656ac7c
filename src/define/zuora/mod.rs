//! Zuora: custom object definitions.
//!
//! [`file`] is the file as written, in the API's own form, of which a List answer is one; [`check`] its rules, with every
//! limit; [`contents`] the form that a file and an account are compared in; [`compare`](fn@compare) the difference as steps.

mod check;
mod compare;
mod contents;
mod digits;
mod file;

pub(super) use compare::compare;
pub use contents::Contents;
pub(super) use contents::{export, read};
pub use file::ZuoraFile;

/// The fields that every object has.
const SYSTEM_FIELDS: [&str; 5] = ["Id", "CreatedById", "UpdatedById", "CreatedDate", "UpdatedDate"];

/// The lists of a definition that say something of its fields, each with what they are called on a field of a migration.
const FLAGS: [&str; 4] = ["required", "unique", "filterable", "auditable"];
