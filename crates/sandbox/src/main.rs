//! `sandbox`: a local Discord in the terminal.

mod cli;

use std::process::ExitCode;

use clap::Parser;

/// A request allocates some hundred times; see "The sandbox's pace" in docs/architecture.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(cli::Arguments::parse()).await
}
