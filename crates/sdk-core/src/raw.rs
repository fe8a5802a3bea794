//! Gateway events as Discord sends them, for what serenity drops or cannot read.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serenity::all::GuildId;

use crate::Error;

/// An event of the gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RawEvent {
    name: Arc<str>,
    shard: u32,
    json: Arc<str>,
    guild: Option<GuildId>,
}

impl RawEvent {
    /// Describes an event: its name as in the gateway's `t`, and the JSON of its `d`.
    pub fn new(name: &str, shard: u32, json: &str) -> Self {
        #[derive(Deserialize)]
        struct Place {
            guild_id: Option<GuildId>,
        }
        // Not every event is an object, or belongs to a guild.
        let place = serde_json::from_str::<Place>(json).ok();
        Self { name: name.into(), shard, json: json.into(), guild: place.and_then(|place| place.guild_id) }
    }

    /// Returns the name, for example `INTERACTION_CREATE`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of the shard that it came from.
    pub fn shard(&self) -> u32 {
        self.shard
    }

    /// Returns its data as sent by Discord.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the guild that its field `guild_id` names.
    pub fn guild_id(&self) -> Option<GuildId> {
        self.guild
    }

    /// Reads its data as a type of `twilight_model` or of your own: `raw.parse::<Interaction>()?`.
    ///
    /// # Errors
    /// If the data has another form. The sentence names the event.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.json)
            .map_err(|error| format!("a raw {} can't be read: {error}", self.name).into())
    }
}
