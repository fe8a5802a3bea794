//! The soundboard: sounds of guilds, and the default ones.

use serde_json::{Value, json};

use super::World;
use super::guild::Guild;
use super::user::User;
use crate::snowflake::Snowflake;

/// A guild's sound. Its file is in [`World::files`](super::World::files).
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Sound {
    /// Its id.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// Its volume, from 0 to 1.
    pub volume: f64,
    /// The guild's emoji that it shows.
    pub emoji_id: Option<Snowflake>,
    /// The Unicode emoji that it shows.
    pub emoji_name: Option<String>,
    /// User who uploaded it.
    pub creator: Snowflake,
}

/// The default sounds: name and emoji. Ids count from 1.
const DEFAULT: &[(&str, &str)] = &[
    ("quack", "\u{1f986}"),
    ("airhorn", "\u{1f50a}"),
    ("cricket", "\u{1f997}"),
    ("golf clap", "\u{1f44f}"),
    ("sad horn", "\u{1f3ba}"),
    ("ba dum tss", "\u{1f941}"),
];

/// Returns the default sounds.
pub fn defaults() -> Vec<Value> {
    let ids = 1_u64..;
    let sound = |((name, emoji), id): (&(&str, &str), u64)| {
        json!({
            "sound_id": id.to_string(),
            "name": name,
            "volume": 1.0,
            "emoji_id": null,
            "emoji_name": emoji,
            "available": true,
        })
    };
    DEFAULT.iter().zip(ids).map(sound).collect()
}

impl Guild {
    /// Returns the sound object; with the user who uploaded it if one is given.
    pub fn sound_json(&self, sound: &Sound, creator: Option<&User>) -> Value {
        let slot = self.sounds.get_index_of(&sound.id);
        let mut value = json!({
            "sound_id": sound.id,
            "name": sound.name,
            "volume": sound.volume,
            "emoji_id": sound.emoji_id,
            "emoji_name": sound.emoji_name,
            "guild_id": self.id,
            "available": slot.is_some_and(|index| index < self.perks.sound_slots()),
        });
        if let Some(user) = creator {
            value["user"] = user.json();
        }
        value
    }
}

impl World {
    /// Returns the sounds of a guild with the users who uploaded them.
    pub fn sounds_json(&self, guild: &Guild) -> Vec<Value> {
        guild.sounds.values().map(|sound| guild.sound_json(sound, self.users.get(&sound.creator))).collect()
    }
}
