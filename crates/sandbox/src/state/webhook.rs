//! Webhooks of channels.

use serde_json::{Value, json};

use super::World;
use crate::snowflake::Snowflake;

/// An incoming webhook.
#[derive(Debug, Clone)]
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
}

impl Webhook {
    /// Returns the webhook object; without the user if it was requested by token.
    pub fn json(&self, world: &World, with_user: bool) -> Value {
        let mut value = json!({
            "id": self.id,
            "type": 1,
            "guild_id": self.guild_id,
            "channel_id": self.channel_id,
            "name": self.name,
            "avatar": self.avatar,
            "token": self.token,
            "application_id": self.application_id,
            "url": format!("{}/api/webhooks/{}/{}", world.base_url, self.id, self.token),
        });
        if with_user && let Some(user) = world.users.get(&self.creator) {
            value["user"] = user.json();
        }
        value
    }
}
