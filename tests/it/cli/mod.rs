//! The command line: its words, its exit codes, and what it never shows.

mod canary;
mod exit_codes;
mod help;
mod messages;
mod mocks;
mod options;
mod outputs;
mod preview;
mod signals;
mod verbs;
