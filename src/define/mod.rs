//! Definitions as code: what an account's objects and fields are to be, in one file, compared with the account and applied.
//!
//! ```text
//! file ──► Definitions ──► Contents (wanted) ──┐
//!                                              ├─► Plan: changes, and the steps that make them ──► apply
//! account ──► Connection ──► Contents (found) ─┘
//! ```
//!
//! [`Definitions`] is a file, checked offline; [`Account`] is where it goes, and [`Connection`] speaks to it. [`plan`](fn@plan) reads
//! the account and compares; [`apply`](fn@apply) makes one step at a time and reads the account again before the next, so that a step
//! whose answer was lost is never made twice, and a second run goes on where the first was stopped. [`export`] is the
//! way back: an account as a file.
//!
//! What always holds: nothing is deleted unless the plan was made with leave to delete, and then nothing that has
//! records; a key that the file does not name is no difference. What a vendor's calls are stands in `encharge/` and
//! `zuora/`; confirming and printing is the command line's.

mod account;
mod apply;
mod compare;
mod connection;
mod contents;
mod encharge;
mod export;
mod file;
mod opening;
mod plan;
mod show;
mod yaml;
mod zuora;

pub use account::{Account, AccountConfig};
pub use apply::{Applied, Stopped, apply};
pub use connection::{Answer, Call, Connection, ReadError};
pub use contents::{Contents, Deletion, plan};
pub use encharge::{Contents as EnchargeContents, EnchargeFile};
pub use export::export;
pub use file::{Definitions, DefinitionsError, DefinitionsFile, Vendor};
pub use plan::{Change, Counts, Detail, Kind, Mark, Plan, Step};
pub use zuora::{Contents as ZuoraContents, ZuoraFile};
