//! Inspecting: users, messages, commands, the log and the statistics.

use clap::Args;
use futures_util::StreamExt;
use sandbox::Client;
use serde_json::Value;

use super::{Failure, Outcome, answer, terminal};

#[derive(Debug, Args)]
pub(super) struct Users {
    /// Print everything as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn users(client: &Client, users: Users) -> Result<Outcome, Failure> {
    let all = client.overview().await?;
    if users.json {
        terminal::json_line(&all)?;
        return Ok(Outcome::Good);
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| terminal::inline(value.as_str().unwrap_or_default());
    for user in list(&all["users"]) {
        let online = list(&all["bots"]).iter().any(|bot| bot["id"] == user["id"] && bot["online"] == true);
        let note = match (user["bot"] == true, online) {
            (true, true) => "  bot, connected",
            (true, false) => "  bot, not connected",
            _ => "",
        };
        let locale = match user["locale"].as_str() {
            Some(locale) if user["bot"] != true && locale != sandbox::state::user::DEFAULT_LOCALE => {
                format!("  {}", terminal::inline(locale))
            }
            _ => String::new(),
        };
        terminal::line(&format!("{}  {}{note}{locale}", text(&user["id"]), text(&user["username"])))?;
    }
    for guild in list(&all["guilds"]) {
        terminal::line(&format!("guild {}  {}", text(&guild["id"]), text(&guild["name"])))?;
        for channel in list(&guild["channels"]) {
            let sign = if matches!(channel["type"].as_u64(), Some(2 | 4 | 13)) { "" } else { "#" };
            terminal::line(&format!("  {}  {sign}{}", text(&channel["id"]), text(&channel["name"])))?;
        }
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Messages {
    /// User who looks.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    /// Channel by name or id, or @NAME for direct messages with that account.
    #[arg(long, default_value = "bot-test")]
    channel: String,
    /// How many.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print each message as a line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn messages(client: &Client, asked: Messages) -> Result<Outcome, Failure> {
    for message in client.messages(&asked.user, &asked.channel, asked.limit).await? {
        if asked.json {
            terminal::json_line(&message)?;
        } else {
            terminal::print(&answer::message_lines(&message))?;
        }
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Commands {
    /// User who looks.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    /// Channel by name or id.
    #[arg(long, default_value = "bot-test")]
    channel: String,
    /// Print each command as a line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn commands(client: &Client, asked: Commands) -> Result<Outcome, Failure> {
    for command in client.commands(&asked.user, &asked.channel).await? {
        if asked.json {
            terminal::json_line(&command)?;
            continue;
        }
        let shown = |field: &str| {
            let localized = command[format!("{field}_localized")].as_str();
            terminal::inline(localized.or(command[field].as_str()).unwrap_or_default())
        };
        let name = shown("name");
        terminal::line(&match command["type"].as_u64() {
            Some(2) => format!("{name}  (on a user)"),
            Some(3) => format!("{name}  (on a message)"),
            _ => format!("/{name}  {}", shown("description")),
        })?;
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Log {
    /// Go on with what comes.
    #[arg(long, short)]
    follow: bool,
    /// Number of the first entry.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

pub(super) async fn log(client: &Client, log: Log) -> Result<Outcome, Failure> {
    let mut body = client.log(log.from, log.follow).await?.bytes_stream();
    let mut decoder = terminal::Decoder::default();
    loop {
        // If the output has no reader any more, as in `sandbox log --follow | head`, this ends even while nothing
        // happens.
        let chunk = tokio::select! {
            chunk = body.next() => chunk,
            () = terminal::reader_gone() => return Ok(Outcome::Good),
        };
        let Some(chunk) = chunk else { return Ok(Outcome::Good) };
        let chunk = chunk.map_err(|_| Failure("the sandbox has gone away".to_owned()))?;
        if !terminal::write(&terminal::json(&decoder.text(&chunk)))? {
            return Ok(Outcome::Good);
        }
    }
}

pub(super) async fn stats(client: &Client) -> Result<Outcome, Failure> {
    terminal::json_line(&client.stats().await?)?;
    Ok(Outcome::Good)
}
