//! Scheduled events and stages, as users have them.

use clap::{Args, Subcommand};
use sandbox::Client;
use sandbox::snowflake::Snowflake;
use serde_json::{Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Event {
    /// Guild by name or id.
    #[arg(long, global = true, default_value = "Sandbox")]
    guild: String,
    /// User who acts.
    #[arg(long = "as", global = true, value_name = "USER", default_value = "alice")]
    user: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the events.
    List,
    /// Create an event somewhere outside Discord.
    Create {
        /// Name of the event.
        name: String,
        /// Where it is.
        location: String,
        /// When it starts, in ISO 8601.
        start: String,
        /// When it ends, in ISO 8601.
        end: String,
    },
    /// Subscribe to an event, by name or id.
    Subscribe(Subscription),
    /// Withdraw a subscription.
    Unsubscribe(Subscription),
    /// Start an event.
    Start {
        /// Event by name or id.
        event: String,
    },
    /// End an event.
    End {
        /// Event by name or id.
        event: String,
    },
    /// Cancel an event.
    Cancel {
        /// Event by name or id.
        event: String,
    },
}

#[derive(Debug, Args)]
struct Subscription {
    /// Event by name or id.
    event: String,
    /// Only this occurrence, by the id of its exception.
    #[arg(long)]
    exception: Option<Snowflake>,
}

pub(super) async fn run(client: &Client, event: Event) -> Result<Outcome, Failure> {
    let Event { guild, user, command } = event;
    let status = async |event: &str, status: u8| {
        client.edit_event(&guild, event, &user, &json!({ "status": status })).await
    };
    let shown = match command {
        Command::List => {
            for event in client.scheduled_events(&guild).await? {
                show(&event)?;
            }
            return Ok(Outcome::Good);
        }
        Command::Create { name, location, start, end } => {
            let body = json!({ "name": name, "privacy_level": 2, "entity_type": 3, "scheduled_start_time": start,
                "scheduled_end_time": end, "entity_metadata": { "location": location } });
            client.create_event(&guild, &user, &body).await?
        }
        Command::Subscribe(Subscription { event, exception }) => {
            client.subscribe(&guild, &event, &user, exception, true).await?
        }
        Command::Unsubscribe(Subscription { event, exception }) => {
            client.subscribe(&guild, &event, &user, exception, false).await?
        }
        Command::Start { event } => status(&event, 2).await?,
        Command::End { event } => status(&event, 3).await?,
        Command::Cancel { event } => status(&event, 4).await?,
    };
    show(&shown)?;
    Ok(Outcome::Good)
}

fn show(event: &Value) -> Result<(), Failure> {
    let text = |field: &str| terminal::inline(event[field].as_str().unwrap_or_default());
    let status = match event["status"].as_u64() {
        Some(1) => "scheduled",
        Some(2) => "active",
        Some(3) => "completed",
        _ => "canceled",
    };
    let users = event["user_count"].as_u64().unwrap_or(0);
    let start = text("scheduled_start_time");
    terminal::line(&format!("{} {} ({status}, {start}, {users} interested)", text("id"), text("name")))?;
    Ok(())
}

#[derive(Debug, Args)]
pub(super) struct Stage {
    /// User who acts.
    #[arg(long = "as", global = true, value_name = "USER", default_value = "alice")]
    user: String,
    #[command(subcommand)]
    command: StageCommand,
}

#[derive(Debug, Subcommand)]
enum StageCommand {
    /// Open a stage.
    Open {
        /// Stage channel by name or id.
        channel: String,
        /// What it is about.
        topic: String,
    },
    /// Close a stage.
    Close {
        /// Stage channel by name or id.
        channel: String,
    },
}

pub(super) async fn stage(client: &Client, stage: Stage) -> Result<Outcome, Failure> {
    match stage.command {
        StageCommand::Open { channel, topic } => {
            let opened = client.open_stage(&stage.user, &channel, &topic).await?;
            terminal::line(&terminal::inline(opened["id"].as_str().unwrap_or_default()))?;
        }
        StageCommand::Close { channel } => client.close_stage(&stage.user, &channel).await?,
    }
    Ok(Outcome::Good)
}
