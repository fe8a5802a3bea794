//! The privileged intents of an application: which it has enabled, and what a bot without one does not get over REST.

use serde_json::Value;

use super::World;
use super::message::Message;
use super::user::Application;
use crate::error::{ApiError, ApiResult};
use crate::gateway::{Intents, content};
use crate::snowflake::Snowflake;

/// The intents with the flags of an application that is in few guilds: `GATEWAY_PRESENCE_LIMITED`,
/// `GATEWAY_GUILD_MEMBERS_LIMITED`, `GATEWAY_MESSAGE_CONTENT_LIMITED`.
const FLAGS: [(Intents, u64); 3] = [
    (Intents::GUILD_PRESENCES, 1 << 13),
    (Intents::GUILD_MEMBERS, 1 << 15),
    (Intents::MESSAGE_CONTENT, 1 << 19),
];

impl Application {
    /// Returns the application's flags that follow from its privileged intents.
    pub fn intent_flags(&self) -> u64 {
        let enabled = FLAGS.iter().filter(|(intent, _)| self.privileged.contains(*intent));
        enabled.fold(0, |flags, (_, flag)| flags | flag)
    }

    /// Enables the privileged intents whose flags are set, and disables the others.
    pub fn set_intent_flags(&mut self, flags: u64) {
        let enabled = FLAGS.iter().filter(|(_, flag)| flags & flag != 0);
        self.privileged = enabled.map(|(intent, _)| *intent).collect();
    }
}

impl World {
    /// Returns whether a bot's application has a privileged intent enabled.
    pub fn has_intent(&self, bot: Snowflake, intent: Intents) -> bool {
        self.applications.get(&bot).is_some_and(|application| application.privileged.contains(intent))
    }

    /// Checks that a bot's application has a privileged intent enabled (Gateway, "HTTP Restrictions").
    pub fn require_intent(&self, bot: Snowflake, intent: Intents) -> ApiResult<()> {
        if self.has_intent(bot, intent) { Ok(()) } else { Err(ApiError::missing_access()) }
    }

    /// Returns a message as a bot reads it over REST: without its content if the bot may not have that.
    pub fn message_for(&self, bot: Snowflake, message: &Message) -> Value {
        let mut value = message.json(self, Some(bot));
        let in_guild = self.channels.get(&message.channel_id).is_some_and(|c| c.guild_id.is_some());
        if in_guild && !self.has_intent(bot, Intents::MESSAGE_CONTENT) {
            content::hide_message(&mut value, bot);
        }
        value
    }
}
