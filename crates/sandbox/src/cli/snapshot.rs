//! Snapshots of the whole world, by name in the sandbox or as files.

use std::path::Path;

use clap::{Args, Subcommand};
use sandbox::Client;
use sandbox::is_snapshot_name;
use sandbox::private_file::write_durably;
use serde_json::Value;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Snapshot {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Save the whole world under a name, or in a file if a path with a slash or a dot is given.
    Save {
        /// Name or file. A file can be read only by you: it contains the tokens of the sandbox's bots.
        to: String,
    },
    /// Put a snapshot in place of the present world. Connected bots get opcode 9 and identify again.
    Restore {
        /// Name or file.
        from: String,
    },
    /// List the snapshots in the sandbox.
    List,
    /// Delete a snapshot in the sandbox.
    Delete {
        /// Name.
        name: String,
    },
}

pub(super) async fn snapshot(client: &Client, snapshot: Snapshot) -> Result<Outcome, Failure> {
    match snapshot.what {
        What::Save { to } if is_snapshot_name(&to) => {
            terminal::line(&described(&client.save_snapshot(&to).await?))?;
        }
        What::Save { to } => {
            let bytes = client.world().await?;
            write_durably(Path::new(&to), &bytes)
                .map_err(|error| Failure(format!("can't write {to}: {error}")))?;
            terminal::line(&format!("{}: {} bytes", terminal::inline(&to), bytes.len()))?;
        }
        What::Restore { from } => {
            let restored = if is_snapshot_name(&from) {
                client.restore_snapshot(&from).await?
            } else {
                let bytes =
                    std::fs::read(&from).map_err(|error| Failure(format!("can't read {from}: {error}")))?;
                client.restore_world(bytes).await?
            };
            let (now, guilds) = (restored["now"].as_str().unwrap_or_default(), &restored["guilds"]);
            let sessions = &restored["sessions_ended"];
            terminal::line(&format!(
                "It is {} in a world of {guilds} guilds; {sessions} gateway sessions have ended.",
                terminal::inline(now)
            ))?;
        }
        What::List => {
            for snapshot in client.snapshots().await? {
                terminal::line(&described(&snapshot))?;
            }
        }
        What::Delete { name } => client.delete_snapshot(&name).await?,
    }
    Ok(Outcome::Good)
}

fn described(snapshot: &Value) -> String {
    let text = |field: &str| terminal::inline(snapshot[field].as_str().unwrap_or_default());
    match snapshot["error"].as_str() {
        Some(error) => format!("{}: {}", text("name"), terminal::inline(error)),
        None => format!(
            "{}: {}, {} guilds, {} channels, {} messages, {} bytes",
            text("name"),
            text("saved_at"),
            snapshot["guilds"],
            snapshot["channels"],
            snapshot["messages"],
            snapshot["bytes"]
        ),
    }
}
