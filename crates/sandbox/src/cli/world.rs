//! The world as a seed file, and seed files that are added to it.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sandbox::Client;
use sandbox::private_file::write_durably;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct WorldArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write the present world as a seed file.
    Export {
        /// File; standard output by default.
        file: Option<PathBuf>,
    },
    /// Add what a seed file describes to the running sandbox.
    Add {
        /// File.
        file: PathBuf,
    },
}

pub(super) async fn world(client: &Client, world: WorldArgs) -> Result<Outcome, Failure> {
    match world.what {
        What::Export { file } => write(&client.export_seed().await?, file.as_deref())?,
        What::Add { file } => {
            let shown = file.display().to_string();
            let yaml = std::fs::read_to_string(&file)
                .map_err(|error| Failure(format!("can't read {shown}: {error}")))?;
            // Mistakes are found here, with the name of the file.
            sandbox::seed::Seed::read(&yaml, &shown).map_err(|mistake| Failure(mistake.to_string()))?;
            let named = |failure: sandbox::client::Error| {
                let text = failure.to_string();
                Failure(
                    text.strip_prefix("seed:").map_or_else(|| text.clone(), |rest| format!("{shown}:{rest}")),
                )
            };
            let added = client.plant(&yaml).await.map_err(named)?;
            let guilds = added["guilds"].as_array().map_or(0, Vec::len);
            terminal::line(&format!("{guilds} guilds were added."))?;
        }
    }
    Ok(Outcome::Good)
}

/// Writes a seed file, or prints it.
pub(super) fn write(yaml: &str, file: Option<&Path>) -> Result<(), Failure> {
    if let Some(file) = file {
        return write_durably(file, yaml.as_bytes())
            .map_err(|error| Failure(format!("can't write {}: {error}", file.display())));
    }
    // A file gets every character as it is; a terminal gets none that controls it.
    let mut out = std::io::stdout();
    if out.is_terminal() {
        return terminal::print(yaml);
    }
    match out.write_all(yaml.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure(format!("the output can't be written: {error}")))
        }
        _ => Ok(()),
    }
}
