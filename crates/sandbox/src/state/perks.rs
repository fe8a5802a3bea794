//! What a guild has by its boosts, and by Discord's grant.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::guild::{Emoji, Guild};
use super::user::User;

/// Boosts and grants of a guild.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Perks {
    /// Number of boosts.
    pub boosts: u32,
    /// Whether Discord has verified it.
    pub verified: bool,
    /// Whether it is a partner of Discord.
    pub partnered: bool,
}

impl Perks {
    /// Returns the level of its boosts, 0 to 3.
    pub fn tier(self) -> usize {
        match self.boosts {
            0..2 => 0,
            2..7 => 1,
            7..14 => 2,
            _ => 3,
        }
    }

    /// Returns the number of emojis, and of animated ones besides.
    pub fn emoji_slots(self) -> usize {
        [50, 100, 150, 250][self.tier()]
    }

    /// Returns the number of stickers.
    pub fn sticker_slots(self) -> usize {
        [5, 15, 30, 60][self.tier()]
    }

    /// Returns the number of sounds.
    pub fn sound_slots(self) -> usize {
        [8, 24, 36, 48][self.tier()]
    }

    /// Returns whether Lottie stickers may be uploaded.
    pub fn takes_lottie(self) -> bool {
        self.verified || self.partnered
    }
}

impl Guild {
    /// Returns the emoji object; with the user who created it if one is given. Its boosts may not be enough for an emoji
    /// and those of its kind before it.
    pub fn emoji_json(&self, emoji: &Emoji, creator: Option<&User>) -> Value {
        let slots = self.perks.emoji_slots();
        let same = |other: &&Emoji| other.animated == emoji.animated;
        let place = || self.emojis.values().filter(same).position(|other| other.id == emoji.id);
        let mut value = emoji.json(creator);
        value["available"] = (self.emojis.len() <= slots || place().is_none_or(|place| place < slots)).into();
        value
    }

    /// Returns the guild features.
    pub fn features(&self) -> Vec<&'static str> {
        let Perks { verified, partnered, .. } = self.perks;
        let granted = [(verified, "VERIFIED"), (partnered, "PARTNERED")];
        granted.into_iter().filter(|(has, _)| *has).map(|(_, feature)| feature).collect()
    }
}
