//! An event on its way to the sessions that may see it.

use serde_json::Value;

use super::Intents;
use crate::snowflake::Snowflake;

/// One event, and its receivers.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The bot that receives it; `None`: every bot in the guild, or every bot if there is no guild either.
    pub bot: Option<Snowflake>,
    /// Name, as in the field `t`.
    pub name: &'static str,
    /// Data, as in the field `d`, in full. The hub removes what a session may not see.
    pub data: Value,
    /// Guild that it happened in, which determines the shard; `None`: shard 0.
    pub guild_id: Option<Snowflake>,
    /// Intents of which any one is enough to receive it; empty: everyone receives it.
    pub intents: Intents,
}

impl Dispatch {
    /// Creates an event of a guild, for every bot in it, with the intents in Discord's documentation.
    pub fn guild(guild_id: Snowflake, name: &'static str, data: Value) -> Self {
        let intents = Intents::for_event(name, true);
        Self { bot: None, name, data, guild_id: Some(guild_id), intents }
    }

    /// Creates an event outside of guilds (a direct message, an entitlement) for one bot, with the documented intents.
    pub fn direct(bot: Snowflake, name: &'static str, data: Value) -> Self {
        let intents = Intents::for_event(name, false);
        Self { bot: Some(bot), name, data, guild_id: None, intents }
    }

    /// Returns the same event for one bot only.
    #[must_use]
    pub fn only(mut self, bot: Snowflake) -> Self {
        self.bot = Some(bot);
        self
    }
}
