//! The command line of outpour: parses, dispatches, and renders an error once.

mod cli;

/// Each record costs some memory for a short time on one thread, which is given back on another: what the system's own
/// allocator is slowest at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
