//! The privileged intents of a bot.

use clap::Args;
use sandbox::Client;
use serde_json::{Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Change {
    /// Bot by name or id; by default the first.
    bot: Option<String>,
    /// Privileged intents to switch on, as in GUILD_MEMBERS,MESSAGE_CONTENT.
    #[arg(long, value_name = "INTENTS", value_delimiter = ',')]
    on: Vec<String>,
    /// Privileged intents to switch off.
    #[arg(long, value_name = "INTENTS", value_delimiter = ',')]
    off: Vec<String>,
}

/// Switches privileged intents and prints those that are on.
pub(super) async fn change(client: &Client, change: Change) -> Result<Outcome, Failure> {
    let Change { bot, on, off } = change;
    let bot = match bot {
        Some(bot) => bot,
        None => client.overview().await?["bots"][0]["id"].as_str().unwrap_or_default().to_owned(),
    };
    let shown = if on.is_empty() && off.is_empty() {
        client.intents(&bot).await?
    } else {
        client.edit_intents(&bot, &json!({ "enable": on, "disable": off })).await?
    };
    let names: Vec<&str> =
        shown["privileged"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(" ") };
    let name = terminal::inline(shown["name"].as_str().unwrap_or_default());
    terminal::line(&format!("Privileged intents of {name}: {names}."))?;
    Ok(Outcome::Good)
}
