//! The command line: its words, its exit codes, and what it never shows.
