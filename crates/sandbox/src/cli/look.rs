//! Looking on: users, messages, commands, the record and the sums.

use std::io::Write;

use clap::Args;
use futures_util::StreamExt;
use sandbox::Client;
use serde_json::Value;

use super::{Failure, Outcome, answer};

#[derive(Debug, Args)]
pub(super) struct Users {
    /// Print everything as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn users(client: &Client, users: Users) -> Result<Outcome, Failure> {
    let all = client.overview().await?;
    if users.json {
        println!("{all}");
        return Ok(Outcome::Good);
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for user in list(&all["users"]) {
        let online = list(&all["bots"]).iter().any(|bot| bot["id"] == user["id"] && bot["online"] == true);
        let note = match (user["bot"] == true, online) {
            (true, true) => "  bot, connected",
            (true, false) => "  bot, not connected",
            _ => "",
        };
        let locale = match user["locale"].as_str() {
            Some(locale) if user["bot"] != true && locale != sandbox::state::user::DEFAULT_LOCALE => {
                format!("  {locale}")
            }
            _ => String::new(),
        };
        println!("{}  {}{note}{locale}", text(&user["id"]), text(&user["username"]));
    }
    for guild in list(&all["guilds"]) {
        println!("guild {}  {}", text(&guild["id"]), text(&guild["name"]));
        for channel in list(&guild["channels"]) {
            let sign = if matches!(channel["type"].as_u64(), Some(2 | 4 | 13)) { "" } else { "#" };
            println!("  {}  {sign}{}", text(&channel["id"]), text(&channel["name"]));
        }
    }
    Ok(Outcome::Good)
}

/// Prints what the default bot needs, for `eval` or a `.env` file.
///
/// The token is the one that `serve` was given in SANDBOX_TOKEN, else the one that every sandbox has by default: a
/// running sandbox gives out none.
pub(super) async fn env(client: &Client) -> Result<Outcome, Failure> {
    let all = client.overview().await?;
    let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
    let bot = all["bots"][0]["id"].as_str().and_then(|id| id.parse().ok());
    let bot = bot.ok_or_else(|| Failure("this sandbox has no bot".to_owned()))?;
    let token = match std::env::var("SANDBOX_TOKEN") {
        Ok(token) if !token.is_empty() => token,
        _ => sandbox::state::scenario::token(bot),
    };
    println!("DISCORD_TOKEN={token}");
    println!("DISCORD_API_URL={}", client.url());
    println!("TEST_GUILD_ID={}", id(&all["guilds"][0]));
    println!("OWNER_IDS={}", all["guilds"][0]["owner"].as_str().unwrap_or_default());
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
            println!("{message}");
        } else {
            print!("{}", answer::message_lines(&message));
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
            println!("{command}");
            continue;
        }
        let shown = |field: &str| {
            let localized = command[format!("{field}_localized")].as_str();
            localized.or(command[field].as_str()).unwrap_or_default()
        };
        let name = shown("name");
        match command["type"].as_u64() {
            Some(2) => println!("{name}  (on a user)"),
            Some(3) => println!("{name}  (on a message)"),
            _ => println!("/{name}  {}", shown("description")),
        }
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
    let mut out = std::io::stdout();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Failure("the sandbox has gone away".to_owned()))?;
        // Nobody reads any more, as in `sandbox log | head`; that is no failure.
        if out.write_all(&chunk).and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    Ok(Outcome::Good)
}

pub(super) async fn stats(client: &Client) -> Result<Outcome, Failure> {
    println!("{}", client.stats().await?);
    Ok(Outcome::Good)
}
