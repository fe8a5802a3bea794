//! Announcement channels: following one, and publishing a message.

use clap::Args;
use sandbox::Client;
use sandbox::snowflake::Snowflake;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Follow {
    /// Announcement channel, by name or id.
    source: String,
    /// Channel that is to follow it.
    channel: String,
    /// User who sets it up.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
}

pub(super) async fn follow(client: &Client, follow: Follow) -> Result<Outcome, Failure> {
    client.follow(&follow.user, &follow.source, &follow.channel).await?;
    terminal::line(&format!("{} follows {}.", follow.channel, follow.source))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Publish {
    /// Message of an announcement channel.
    message: Snowflake,
    /// User who publishes it.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
}

pub(super) async fn publish(client: &Client, publish: Publish) -> Result<Outcome, Failure> {
    client.crosspost(&publish.user, publish.message).await?;
    Ok(Outcome::Good)
}
