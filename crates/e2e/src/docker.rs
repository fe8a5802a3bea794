//! Both uses of Docker, for real: a fresh clone that reloads in containers, and the production image.
//!
//! `./dev-env.sh test --docker` runs this, if it has found an engine that responds. Everything it creates there has
//! names of its own and is removed at the end, except images, which are Docker's cache and keep those names.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use clap::Args;
use tokio::process::Command;

mod clone;
pub mod contents;
mod production;
mod saves;

/// Words of the command line.
#[derive(Args, Debug)]
pub struct Options {
    /// Try development alone
    #[arg(long, conflicts_with = "production")]
    development: bool,
    /// Try production alone
    #[arg(long)]
    production: bool,
    /// Build the bot's image alone, and look at its size, layers, labels and contents
    #[arg(long, conflicts_with_all = ["development", "production", "at"])]
    image: bool,
    /// Try development in this clone, which keeps its volumes, in place of a fresh one
    #[arg(long, value_name = "FOLDER")]
    at: Option<PathBuf>,
    /// Saves through the bind mount, by editors' ways in turn
    #[arg(long, default_value_t = 50)]
    saves: usize,
    /// Saves measured in the container and on this machine, in turn
    #[arg(long, default_value_t = 15)]
    rounds: usize,
}

/// Runs the requested parts, and prints the results.
///
/// # Errors
/// With the first unexpected result.
pub async fn run(options: &Options) -> io::Result<bool> {
    if !options.production && !options.image {
        clone::run(options).await?;
    }
    if options.image {
        production::image().await?;
    } else if !options.development {
        production::run().await?;
    }
    println!("\ndocker: all as it should be");
    Ok(true)
}

/// Runs a program. Returns its standard output.
///
/// # Errors
/// With its whole output, if it fails.
async fn said(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output().await?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(io::Error::other(format!(
        "{:?} ended with {}:\n{}{}",
        command.as_std(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// Runs docker. Returns its output.
///
/// # Errors
/// As [`said`].
async fn docker(words: &[&str]) -> io::Result<String> {
    said(Command::new("docker").args(words)).await
}

/// Checks a condition.
///
/// # Errors
/// With `what`, unless `is`.
fn insist(is: bool, what: impl FnOnce() -> String) -> io::Result<()> {
    if is { Ok(()) } else { Err(io::Error::other(what())) }
}
