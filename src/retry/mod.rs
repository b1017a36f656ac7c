//! Records that are sent again: as the ledger kept them ([`KeptRecords`]), or from a file of rejects that was mended
//! ([`MendedFile`]).
//!
//! Both are ordinary sources, and differ from others in one thing: their records keep the ordinal, number, line and input
//! that they had in the run that is retried. By the ordinal the ledger learns what became of them.

mod kept;
mod mended;
mod survey;

pub use kept::KeptRecords;
pub use mended::MendedFile;
pub use survey::{MendedError, Survey, survey};
