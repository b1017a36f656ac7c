//! Hostile input, hostile servers, and secrets: a test for each row of the table in docs/reliability.md.
