//! Stickers: those of guilds, and the standard ones, which are in a pack of the sandbox's own.

use axum::body::Bytes;
use discord_rules::media::sticker::Format;
use serde_json::{Value, json};

use super::guild::Guild;
use super::user::User;
use super::{File, World};
use crate::draw;
use crate::snowflake::Snowflake;

/// A guild's sticker. Its file is in [`World::files`](super::World::files).
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Sticker {
    /// Its id.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Words by which it is suggested.
    pub tags: String,
    /// Format of its file.
    pub format: Format,
    /// User who uploaded it.
    pub creator: Snowflake,
}

impl Guild {
    /// Returns whether a sticker can be used: the guild's boosts are enough for it and those before it.
    pub fn has_slot_for(&self, sticker: Snowflake) -> bool {
        self.stickers.get_index_of(&sticker).is_some_and(|index| index < self.perks.sticker_slots())
    }

    /// Returns the sticker object; with the user who uploaded it if one is given.
    pub fn sticker_json(&self, sticker: &Sticker, creator: Option<&User>) -> Value {
        let mut value = json!({
            "id": sticker.id,
            "name": sticker.name,
            "description": sticker.description,
            "tags": sticker.tags,
            "type": 2,
            "format_type": sticker.format as u8,
            "available": self.has_slot_for(sticker.id),
            "guild_id": self.id,
        });
        if let Some(user) = creator {
            value["user"] = user.json();
        }
        value
    }
}

/// A standard sticker.
#[derive(Debug)]
pub struct Standard {
    /// Its id.
    pub id: Snowflake,
    name: &'static str,
    description: &'static str,
    tags: &'static str,
    color: [u8; 3],
}

/// Id of the pack of standard stickers.
pub const PACK: Snowflake = Snowflake(1_100_000_000_000_000_100);

/// Id of the pack's banner.
pub const BANNER: Snowflake = Snowflake(PACK.0 + 98);

const fn standard(
    index: u64,
    name: &'static str,
    description: &'static str,
    tags: &'static str,
    color: [u8; 3],
) -> Standard {
    Standard { id: Snowflake(PACK.0 + index), name, description, tags, color }
}

/// The standard stickers, in their order.
pub const STANDARD: &[Standard] = &[
    standard(1, "Green Light", "A green dot that pulses", "go, yes, ok", [51, 204, 77]),
    standard(2, "Amber Light", "An amber dot that pulses", "wait, maybe", [255, 179, 26]),
    standard(3, "Red Light", "A red dot that pulses", "stop, no", [230, 51, 51]),
];

impl Standard {
    /// Returns the sticker object.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "tags": self.tags,
            "type": 1,
            "format_type": Format::Lottie as u8,
            "pack_id": PACK,
            "sort_value": self.id.0 - PACK.0,
        })
    }

    /// Returns the sticker's file.
    fn file(&self) -> File {
        let [red, green, blue] = self.color.map(|part| f64::from(part) / 255.0);
        let grows = json!({ "a": 1, "k": [
            { "t": 0, "s": [80, 80, 100] }, { "t": 30, "s": [100, 100, 100] }, { "t": 60, "s": [80, 80, 100] }] });
        let fixed = |value: Value| json!({ "a": 0, "k": value });
        let drawing = json!({ "v": "5.5.2", "fr": 30, "ip": 0, "op": 60, "w": 320, "h": 320, "assets": [], "layers": [{
            "ty": 4, "ip": 0, "op": 60, "st": 0,
            "ks": { "p": fixed(json!([160, 160, 0])), "a": fixed(json!([0, 0, 0])), "s": grows,
                "r": fixed(json!(0)), "o": fixed(json!(100)) },
            "shapes": [
                { "ty": "el", "p": fixed(json!([0, 0])), "s": fixed(json!([280, 280])) },
                { "ty": "fl", "c": fixed(json!([red, green, blue, 1])), "o": fixed(json!(100)) },
            ],
        }] });
        File {
            filename: format!("{}.json", self.id),
            content_type: Format::Lottie.content_type().to_owned(),
            bytes: Bytes::from(drawing.to_string()),
        }
    }
}

/// Returns the pack of standard stickers.
pub fn pack() -> Value {
    json!({
        "id": PACK,
        "sku_id": Snowflake(PACK.0 + 99),
        "name": "Traffic",
        "description": "Three lights of the sandbox",
        "cover_sticker_id": STANDARD[0].id,
        // Optional, but every pack of Discord's has one, and nextcord 2.6 fails without it.
        "banner_asset_id": BANNER,
        "stickers": STANDARD.iter().map(Standard::json).collect::<Vec<_>>(),
    })
}

/// Returns the file of a pack's banner, which shows the colours of its stickers.
pub fn pack_banner(id: Snowflake) -> Option<File> {
    (id == BANNER).then(|| File {
        filename: format!("{id}.png"),
        content_type: Format::Png.content_type().to_owned(),
        bytes: Bytes::from(draw::lights(&STANDARD.iter().map(|one| one.color).collect::<Vec<_>>())),
    })
}

/// Returns the smallest form of a sticker object, as messages have it.
fn item(sticker: &Value) -> Value {
    json!({ "id": sticker["id"], "name": sticker["name"], "format_type": sticker["format_type"] })
}

impl World {
    /// Returns the guild that a sticker belongs to.
    pub fn guild_of_sticker(&self, id: Snowflake) -> Option<&Guild> {
        self.guilds.values().find(|guild| guild.stickers.contains_key(&id))
    }

    /// Returns the sticker object of any guild or pack, without the user.
    pub fn sticker_json(&self, id: Snowflake) -> Option<Value> {
        if let Some(standard) = STANDARD.iter().find(|standard| standard.id == id) {
            return Some(standard.json());
        }
        let guild = self.guild_of_sticker(id)?;
        Some(guild.sticker_json(guild.stickers.get(&id)?, None))
    }

    /// Returns a sticker as messages have it.
    pub fn sticker_item(&self, id: Snowflake) -> Option<Value> {
        self.sticker_json(id).map(|sticker| item(&sticker))
    }

    /// Returns the file of any sticker.
    pub fn sticker_file(&self, id: Snowflake) -> Option<File> {
        let standard = STANDARD.iter().find(|standard| standard.id == id).map(Standard::file);
        standard.or_else(|| self.guild_of_sticker(id).and_then(|_| self.files.get(&id).cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_stickers_are_within_discords_limits() {
        for sticker in STANDARD {
            assert_eq!(discord_rules::media::sticker::check(&sticker.file().bytes).unwrap(), Format::Lottie);
        }
    }
}
