//! outpour pours records into HTTP APIs.
//!
//! It reads CSV, NDJSON, Arrow or Parquet, shapes each record with an endpoint template or a manual method and URL, sends
//! rate-limited, retried requests, and accounts for every record:
//! read = accepted + rejected + filtered + in doubt + unsent.

pub mod accepted;
pub mod batch;
mod causes;
pub mod client;
pub mod config;
mod dates;
pub mod define;
pub mod delivery;
pub mod document;
pub mod endpoint;
pub mod expression;
mod guard;
pub mod ledger;
pub mod mock;
pub mod new_file;
pub mod pipeline;
pub mod preflight;
pub mod record;
pub mod rejects;
pub mod report;
pub mod request;
pub mod retry;
pub mod secret;
pub mod selftest;
pub mod shape;
pub mod source;
pub mod template;
pub mod units;
pub mod visible;
pub mod webhook;
