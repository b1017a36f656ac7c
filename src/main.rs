//! The command line of outpour: parses, dispatches, and renders an error once.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
