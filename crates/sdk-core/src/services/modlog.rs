//! A log for moderators, as `events/modlog` keeps it.

use serenity::all::{CreateEmbed, GuildId};
use serenity::async_trait;

use crate::Error;

/// Name under which [`ModLog`] is offered.
pub const MODLOG: &str = "modlog";

/// A channel in each server where moderators read what was done.
#[async_trait]
pub trait ModLog: Send + Sync {
    /// Writes an entry to the log of `guild`, in which no mention pings anyone; says whether the server has one.
    ///
    /// # Errors
    /// When Discord does not take the entry.
    async fn write(&self, guild: GuildId, entry: CreateEmbed) -> Result<bool, Error>;
}
