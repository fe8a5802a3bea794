//! `testbed smoke` and `testbed bench`, as `./dev-env.sh` calls them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "testbed", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reloads under load and broken edits, end to end
    Smoke(testbed::smoke::Options),
    /// How long a reload takes, against bare rustc and a restart
    Bench(testbed::bench::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Smoke(options) => testbed::smoke::run(&options).await,
        Command::Bench(options) => testbed::bench::run(&options).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::from(2)
        }
    }
}
