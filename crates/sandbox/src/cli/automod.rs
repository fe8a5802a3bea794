//! Rules of auto moderation, as an owner sets them.

use clap::{Args, Subcommand};
use sandbox::Client;
use serde_json::{Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Automod {
    /// Guild by name or id.
    #[arg(long, global = true, default_value = "Sandbox")]
    guild: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the rules.
    List,
    /// Add a rule that looks for keywords in messages, and blocks these unless it only alerts.
    Add(Add),
    /// Remove a rule by name or id.
    Remove {
        /// Name or id of the rule.
        rule: String,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// Keywords with wildcards, as in 'cat*'.
    #[arg(required_unless_present = "regex")]
    keywords: Vec<String>,
    /// Regular expressions in Rust's dialect.
    #[arg(long)]
    regex: Vec<String>,
    /// Words that are allowed nevertheless.
    #[arg(long)]
    allow: Vec<String>,
    /// Name of the rule.
    #[arg(long, default_value = "Keywords")]
    name: String,
    /// Channel to report to, by name or id.
    #[arg(long, value_name = "CHANNEL")]
    alert: Option<String>,
    /// Only report, and let the message pass.
    #[arg(long, requires = "alert")]
    pass: bool,
    /// Seconds for which the author is timed out.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// Explanation for the author.
    #[arg(long)]
    message: Option<String>,
}

impl Add {
    fn body(&self, alert: Option<&str>) -> Value {
        let mut actions = Vec::new();
        if !self.pass {
            actions.push(json!({ "type": 1, "metadata": { "custom_message": self.message } }));
        }
        if let Some(channel) = alert {
            actions.push(json!({ "type": 2, "metadata": { "channel_id": channel } }));
        }
        if let Some(seconds) = self.timeout {
            actions.push(json!({ "type": 3, "metadata": { "duration_seconds": seconds } }));
        }
        json!({
            "name": self.name,
            "event_type": 1,
            "trigger_type": 1,
            "trigger_metadata": {
                "keyword_filter": self.keywords,
                "regex_patterns": self.regex,
                "allow_list": self.allow,
            },
            "actions": actions,
            "enabled": true,
        })
    }
}

pub(super) async fn run(client: &Client, automod: Automod) -> Result<Outcome, Failure> {
    let Automod { guild, command } = automod;
    match command {
        Command::List => {
            for rule in client.auto_moderation_rules(&guild).await? {
                show(&rule)?;
            }
        }
        Command::Add(add) => {
            let alert = match &add.alert {
                Some(name) => Some(channel(client, &guild, name).await?),
                None => None,
            };
            let body = add.body(alert.as_deref());
            show(&client.create_auto_moderation_rule(&guild, &body).await?)?;
        }
        Command::Remove { rule } => client.delete_auto_moderation_rule(&guild, &rule).await?,
    }
    Ok(Outcome::Good)
}

/// Returns the id of a channel of a guild, by name or id.
async fn channel(client: &Client, guild: &str, wanted: &str) -> Result<String, Failure> {
    let wanted = wanted.trim_start_matches('#');
    let overview = client.overview().await?;
    let named = |value: &&Value| value["id"] == guild || value["name"] == guild;
    let guilds = overview["guilds"].as_array();
    let guild = guilds.and_then(|guilds| guilds.iter().find(named)).map_or(&Value::Null, |guild| guild);
    let mut channels = guild["channels"].as_array().into_iter().flatten();
    let found = channels.find(|channel| channel["id"] == wanted || channel["name"] == wanted);
    let id = found.and_then(|channel| channel["id"].as_str());
    id.map(str::to_owned).ok_or_else(|| Failure(format!("there is no channel \"{wanted}\"")))
}

fn show(rule: &Value) -> Result<(), Failure> {
    let text = |field: &str| terminal::inline(rule[field].as_str().unwrap_or_default());
    let state = if rule["enabled"] == true { "on" } else { "off" };
    terminal::line(&format!("{} {} ({state})", text("id"), text("name")))?;
    Ok(())
}
