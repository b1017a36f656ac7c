//! Encharge: custom objects, their fields, association types, and fields of people.
//!
//! [`file`] is the file as written, [`check`] its rules, [`contents`] the form that a file and an account are compared
//! in, [`read`](fn@read) what an account has, [`compare`](fn@compare) the difference as steps.

mod check;
mod compare;
mod contents;
mod export;
mod file;
mod read;

pub(super) use compare::compare;
pub use contents::Contents;
pub(super) use export::export;
pub use file::EnchargeFile;
pub(super) use read::read;

/// The objects that every account has.
const BUILT_IN: [&str; 2] = ["person", "company"];

/// The fields of people that every account has.
const PERSON_FIELDS: [&str; 6] = ["id", "email", "userId", "name", "firstName", "lastName"];

/// The fields that every object has.
const OWN_FIELDS: [&str; 4] = ["id", "externalId", "createdAt", "updatedAt"];
