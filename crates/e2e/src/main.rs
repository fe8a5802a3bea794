//! `e2e smoke`, `bench`, `faults`, `soak`, `play`, `drip`, `docker` and `contents`, as `./dev-env.sh` calls them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Parser)]
#[command(name = "e2e", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reloads under load and broken edits, end to end
    Smoke(e2e::smoke::Options),
    /// How long a reload takes, against bare rustc and a restart
    Bench(e2e::bench::Options),
    /// Everything that goes wrong, done for real, as a table
    Faults(e2e::faults::Options),
    /// Reloads without a pause under load, and what the host holds of each
    Soak(e2e::soak::Options),
    /// Reloads while music plays, and what listeners hear
    Play(e2e::play::Options),
    /// Servers that send a byte a second, and who is kept waiting
    Drip(e2e::drip::Options),
    /// Both ways into Docker, for real
    Docker(e2e::docker::Options),
    /// Whether a binary holds nothing of development
    Contents(e2e::docker::contents::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    // Processes started here are stopped by signals.
    if let Err(error) = hmr::signals::set_back() {
        eprintln!("e2e: {error}");
        return ExitCode::from(2);
    }
    let work = async {
        match Arguments::parse().command {
            Command::Smoke(options) => e2e::smoke::run(&options).await,
            Command::Bench(options) => e2e::bench::run(&options).await,
            Command::Faults(options) => e2e::faults::run(&options).await,
            Command::Soak(options) => e2e::soak::run(&options).await,
            Command::Play(options) => e2e::play::run(&options).await,
            Command::Drip(options) => e2e::drip::run(&options).await,
            Command::Docker(options) => e2e::docker::run(&options).await,
            Command::Contents(options) => e2e::docker::contents::run(&options),
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
            eprintln!("e2e: {error}");
            ExitCode::from(2)
        }
    }
}

async fn told_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
