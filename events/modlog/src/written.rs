//! Entries of other plugins.

use sdk::prelude::*;
use sdk::services::ModLog;
use serenity::{CreateEmbed, CreateMessage, GuildId};

use crate::log;

/// The log as a service.
pub(crate) struct Written(Data);

impl Written {
    pub(crate) fn new(data: Data) -> Self {
        Self(data)
    }
}

#[async_trait]
impl ModLog for Written {
    async fn write(&self, guild: GuildId, entry: CreateEmbed) -> Result<bool, Error> {
        // Before the first session there is neither a cache nor anything to log.
        let Some(ctx) = self.0.serenity_context() else { return Ok(false) };
        if !self.0.server(guild).is_on() {
            return Ok(false);
        }
        let Some(channel) = log::of(&self.0, &ctx.cache, guild).await? else { return Ok(false) };
        log::send(&ctx, channel, CreateMessage::new().embed(entry)).await?;
        Ok(true)
    }
}
