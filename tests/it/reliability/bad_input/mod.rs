//! Input that is not as it should be: a test for each row of the table in docs/reliability.md.
