//! Stage instances: what a live stage is about.

use serde_json::{Value, json};

use super::World;
use super::guild::Guild;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

/// A live stage (Stage Instance Resource, "Stage Instance Object").
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct StageInstance {
    /// Its id.
    pub id: Snowflake,
    /// Its guild.
    pub guild_id: Snowflake,
    /// Its stage channel.
    pub channel_id: Snowflake,
    /// User who started it.
    pub started_by: Snowflake,
    /// Its topic.
    pub topic: String,
    /// 1 public, 2 for members only.
    pub privacy_level: u8,
    /// Event that it belongs to.
    pub guild_scheduled_event_id: Option<Snowflake>,
}

impl StageInstance {
    /// Returns the stage instance object.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "guild_id": self.guild_id,
            "channel_id": self.channel_id,
            "topic": self.topic,
            "privacy_level": self.privacy_level,
            "discoverable_disabled": true,
            "guild_scheduled_event_id": self.guild_scheduled_event_id,
        })
    }
}

impl World {
    /// Returns the stage instances of a guild that a bot sees, for its GUILD_CREATE.
    pub fn stages_json(&self, guild: &Guild, bot: Snowflake) -> Value {
        let visible = |stage: &&StageInstance| {
            let channel = self.channels.get(&stage.channel_id);
            channel
                .is_some_and(|channel| self.permissions_in(bot, channel).contains(Permissions::VIEW_CHANNEL))
        };
        guild.stage_instances.values().filter(visible).map(StageInstance::json).collect()
    }
}
