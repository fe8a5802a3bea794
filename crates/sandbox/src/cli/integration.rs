//! Integrations of a guild.

use clap::{Args, Subcommand};
use sandbox::Client;
use serde_json::{Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Integration {
    #[command(subcommand)]
    action: Action,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox", global = true)]
    guild: String,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all, bots too.
    List,
    /// Add a channel of twitch or youtube, or guild_subscription.
    Add {
        /// What it is: twitch, youtube or guild_subscription.
        kind: String,
        /// Name of the channel.
        name: String,
    },
    /// Switch one on or off.
    Enable {
        /// Its id.
        id: String,
        /// Whether it is in use.
        #[arg(action = clap::ArgAction::Set)]
        enabled: bool,
    },
    /// Remove one; a bot leaves the guild.
    Remove {
        /// Its id.
        id: String,
    },
}

pub(super) async fn integration(client: &Client, asked: Integration) -> Result<Outcome, Failure> {
    let guild = &asked.guild;
    match asked.action {
        Action::List => {
            for one in client.integrations(guild).await? {
                show(&one)?;
            }
        }
        Action::Add { kind, name } => {
            show(&client.add_integration(guild, &json!({ "type": kind, "name": name })).await?)?;
        }
        Action::Enable { id, enabled } => {
            show(&client.edit_integration(guild, &id, &json!({ "enabled": enabled })).await?)?;
        }
        Action::Remove { id } => client.remove_integration(guild, &id).await?,
    }
    Ok(Outcome::Good)
}

fn show(integration: &Value) -> Result<(), Failure> {
    let text = |field: &str| terminal::inline(integration[field].as_str().unwrap_or_default());
    let off = if integration["enabled"] == false { "  off" } else { "" };
    terminal::line(&format!("{}  {}  {}{off}", text("id"), text("type"), text("name")))?;
    Ok(())
}
