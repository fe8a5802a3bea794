//! An event on its way to the sessions that may see it.

use serde_json::Value;

use super::Intents;
use crate::snowflake::Snowflake;

/// One event, and whom it is for.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Bot that it is for; nothing: every bot that is in the guild, or every bot if there is no guild either.
    pub bot: Option<Snowflake>,
    /// Name, as in the field `t`.
    pub name: &'static str,
    /// Data, as in the field `d`, with everything in it; the hub leaves out what a session may not see.
    pub data: Value,
    /// Guild that it happened in; picks the shard. Nothing: shard 0.
    pub guild_id: Option<Snowflake>,
    /// Intents of which any one lets it through; empty: it goes to everyone.
    pub intents: Intents,
}

impl Dispatch {
    /// Event of a guild, for every bot in it, with the intents that Discord's documentation asks for.
    pub fn guild(guild_id: Snowflake, name: &'static str, data: Value) -> Self {
        let intents = Intents::for_event(name, true);
        Self { bot: None, name, data, guild_id: Some(guild_id), intents }
    }

    /// Event outside of guilds (a direct message, an entitlement) for one bot, with the documented intents.
    pub fn direct(bot: Snowflake, name: &'static str, data: Value) -> Self {
        let intents = Intents::for_event(name, false);
        Self { bot: Some(bot), name, data, guild_id: None, intents }
    }

    /// The same event for one bot only.
    #[must_use]
    pub fn only(mut self, bot: Snowflake) -> Self {
        self.bot = Some(bot);
        self
    }
}
