//! Destinations, networks and machines that fail: a test for each row of the table in docs/reliability.md.

mod ledger;
