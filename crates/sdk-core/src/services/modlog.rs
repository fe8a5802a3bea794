//! A log for moderators, provided by `events/modlog`.

use serenity::all::{CreateEmbed, GuildId};
use serenity::async_trait;

use crate::Error;

/// Name under which [`ModLog`] is offered.
pub const MODLOG: &str = "modlog";

/// A channel in each server with a record of moderation events.
#[async_trait]
pub trait ModLog: Send + Sync {
    /// Writes an entry to the log of `guild`. Mentions in it ping no one. Returns whether the server has a log.
    ///
    /// # Errors
    /// If Discord refuses the entry.
    async fn write(&self, guild: GuildId, entry: CreateEmbed) -> Result<bool, Error>;
}
