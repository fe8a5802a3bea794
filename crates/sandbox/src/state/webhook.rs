//! Webhooks of channels.

use serde_json::{Value, json};

use super::World;
use crate::snowflake::Snowflake;

/// A webhook: an incoming one, or one that follows a channel.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: Snowflake,
    /// Guild of its channel.
    pub guild_id: Option<Snowflake>,
    /// Channel in which it posts.
    pub channel_id: Snowflake,
    /// Default name of its messages.
    pub name: String,
    /// Default picture of its messages.
    pub avatar: Option<String>,
    /// Secret with which it can be used.
    pub token: String,
    /// Application whose bot created it.
    pub application_id: Option<Snowflake>,
    /// User who created it.
    pub creator: Snowflake,
    /// Announcement channel that it follows.
    pub follows: Option<Snowflake>,
}

impl Webhook {
    /// Returns the webhook object; without the user if it was requested by token.
    pub fn json(&self, world: &World, with_user: bool) -> Value {
        let mut value = json!({
            "id": self.id,
            "type": if self.follows.is_some() { 2 } else { 1 },
            "guild_id": self.guild_id,
            "channel_id": self.channel_id,
            "name": self.name,
            "avatar": self.avatar,
            "application_id": self.application_id,
        });
        match self.follows {
            None => {
                value["token"] = json!(self.token);
                value["url"] = json!(format!("{}/api/webhooks/{}/{}", world.base_url, self.id, self.token));
            }
            Some(source) => self.add_source(world, source, &mut value),
        }
        if with_user && let Some(user) = world.users.get(&self.creator) {
            value["user"] = user.json();
        }
        value
    }

    /// Adds the followed channel and its guild, as long as the webhook's creator is there.
    fn add_source(&self, world: &World, source: Snowflake, value: &mut Value) {
        let Some(channel) = world.channels.get(&source) else { return };
        let guild = channel.guild_id.and_then(|id| world.guilds.get(&id));
        if let Some(guild) = guild.filter(|guild| guild.members.contains_key(&self.creator)) {
            value["source_guild"] = json!({ "id": guild.id, "name": guild.name, "icon": guild.icon });
            value["source_channel"] = json!({ "id": source, "name": channel.name });
        }
    }
}
