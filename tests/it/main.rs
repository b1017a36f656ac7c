//! The one integration binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics where it is")]

mod client;
mod config_files;
mod contract;
mod docs;
mod raw_server;
