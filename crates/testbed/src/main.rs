//! `testbed smoke`, `bench`, `faults`, `soak`, `play`, `drip`, `docker` and `contents`, as `./dev-env.sh` calls them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

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
    /// Everything that goes wrong, done for real, as a table
    Faults(testbed::faults::Options),
    /// Reloads without a pause under load, and what the host holds of each
    Soak(testbed::soak::Options),
    /// Reloads while music plays, and what listeners hear
    Play(testbed::play::Options),
    /// Servers that send a byte a second, and who is kept waiting
    Drip(testbed::drip::Options),
    /// Both ways into Docker, for real
    Docker(testbed::docker::Options),
    /// Whether a binary holds nothing of development
    Contents(testbed::docker::contents::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    // What is started here is told to end by signals.
    if let Err(error) = hmr::signals::set_back() {
        eprintln!("testbed: {error}");
        return ExitCode::from(2);
    }
    let work = async {
        match Arguments::parse().command {
            Command::Smoke(options) => testbed::smoke::run(&options).await,
            Command::Bench(options) => testbed::bench::run(&options).await,
            Command::Faults(options) => testbed::faults::run(&options).await,
            Command::Soak(options) => testbed::soak::run(&options).await,
            Command::Play(options) => testbed::play::run(&options).await,
            Command::Drip(options) => testbed::drip::run(&options).await,
            Command::Docker(options) => testbed::docker::run(&options).await,
            Command::Contents(options) => testbed::docker::contents::run(&options),
        }
    };
    // Dropping the work ends its bot and removes its copy of the workspace.
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = told_to_end() => return ExitCode::from(130),
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

/// Waits for SIGINT or SIGTERM.
async fn told_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
