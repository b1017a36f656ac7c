//! Every row of the tables in docs/reliability.md, each with a test that bears its name.

mod bad_input;
mod corpora;
mod faults;
mod invariants;
mod security;
