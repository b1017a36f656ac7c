//! The command line of outpour.

fn main() {}
