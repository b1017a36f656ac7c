//! The one integration binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics where it is")]

mod cli;
mod client;
mod config_files;
mod contract;
mod define;
mod delivery;
mod docs;
mod format;
mod harness;
mod kill;
mod ledger;
mod raw_server;
mod reliability;
mod results;
mod run;
mod transports;
mod zuora;
