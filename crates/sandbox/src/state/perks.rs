//! What a guild has beyond the plain settings: features, boosts, a vanity code, pictures.

use std::collections::BTreeSet;

use serde_json::Value;

use super::guild::{Emoji, Guild};
use super::user::User;
use crate::snowflake::Snowflake;

/// Feature of a guild in which nobody can join.
pub const INVITES_DISABLED: &str = "INVITES_DISABLED";
/// Feature of a guild whose new members first accept its rules.
pub const MEMBER_VERIFICATION: &str = "MEMBER_VERIFICATION_GATE_ENABLED";

/// Features by the number of boosts from which a guild has them.
const BY_BOOSTS: &[(u64, &str)] = &[
    (2, "ANIMATED_ICON"),
    (2, "INVITE_SPLASH"),
    (7, "BANNER"),
    (7, "ROLE_ICONS"),
    (14, "ANIMATED_BANNER"),
    (14, "VANITY_URL"),
];

/// A vanity code, with which anyone can join.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Vanity {
    /// The code.
    pub code: String,
    /// Number of joins so far.
    pub uses: u64,
}

/// Features, boosts, vanity code and pictures of a guild.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Perks {
    /// Features that do not follow from boosts.
    pub granted: BTreeSet<String>,
    /// Number of boosts.
    pub boosts: u64,
    /// Vanity code.
    pub vanity: Option<Vanity>,
    /// Hash of the splash of invites.
    pub splash: Option<String>,
    /// Hash of the splash in discovery.
    pub discovery_splash: Option<String>,
    /// Hash of the banner.
    pub banner: Option<String>,
    /// Whether the progress of boosts is shown.
    pub progress_bar: bool,
}

impl Perks {
    /// Returns the level of boosts, 0 to 3.
    pub fn tier(&self) -> u8 {
        match self.boosts {
            0..=1 => 0,
            2..=6 => 1,
            7..=13 => 2,
            _ => 3,
        }
    }

    /// Returns the highest bitrate of a voice channel, in bits per second.
    pub fn most_bitrate(&self) -> u32 {
        match self.tier() {
            _ if self.has("VIP_REGIONS") => 384_000,
            0 => 96_000,
            1 => 128_000,
            2 => 256_000,
            _ => 384_000,
        }
    }

    /// Returns the number of emojis that the guild may have, of those that are animated and of the others each.
    pub fn emoji_slots(&self) -> usize {
        match self.tier() {
            0 => 50,
            1 => 100,
            2 => 150,
            _ => 250,
        }
    }

    /// Returns the number of stickers that the guild may have.
    pub fn sticker_slots(&self) -> usize {
        [5, 15, 30, 60][usize::from(self.tier())]
    }

    /// Returns the number of sounds that the guild may have.
    pub fn sound_slots(&self) -> usize {
        [8, 24, 36, 48][usize::from(self.tier())]
    }

    /// Returns whether Lottie stickers may be uploaded.
    pub fn takes_lottie(&self) -> bool {
        self.has("VERIFIED") || self.has("PARTNERED")
    }

    /// Grants a feature. Community guilds also have announcement channels.
    pub fn grant(&mut self, feature: &str) {
        self.granted.insert(feature.to_owned());
        if feature == "COMMUNITY" {
            self.granted.insert("NEWS".to_owned());
        }
    }

    /// Returns whether the guild has a feature.
    pub fn has(&self, feature: &str) -> bool {
        self.granted.contains(feature)
            || BY_BOOSTS.iter().any(|(boosts, name)| *name == feature && self.boosts >= *boosts)
    }

    /// Returns all features, in the order of the alphabet.
    pub fn features(&self) -> BTreeSet<&str> {
        let boosted = BY_BOOSTS.iter().filter(|(boosts, _)| self.boosts >= *boosts).map(|(_, name)| *name);
        self.granted.iter().map(String::as_str).chain(boosted).collect()
    }

    /// Returns the vanity code, while the guild may have one.
    pub fn vanity_code(&self) -> Option<&str> {
        self.vanity.as_ref().filter(|_| self.has("VANITY_URL")).map(|vanity| vanity.code.as_str())
    }
}

impl Guild {
    /// Returns the emoji object; with the user who created it if one is given. Its boosts may not be enough for an emoji
    /// and those of its kind before it.
    pub fn emoji_json(&self, emoji: &Emoji, creator: Option<&User>) -> Value {
        let same = |other: &&Emoji| other.animated == emoji.animated;
        let place = self.emojis.values().filter(same).position(|other| other.id == emoji.id);
        self.emoji_at(emoji, place.unwrap_or(0), creator)
    }

    /// Returns the emoji objects, each with its creator if `creator` returns one.
    pub fn emojis_json<'a>(&self, creator: impl Fn(Snowflake) -> Option<&'a User>) -> Vec<Value> {
        let mut places = [0, 0];
        let shown = self.emojis.values().map(|emoji| {
            let next = &mut places[usize::from(emoji.animated)];
            *next += 1;
            self.emoji_at(emoji, *next - 1, creator(emoji.creator))
        });
        shown.collect()
    }

    /// Returns the emoji object of an emoji at this place among those of its kind.
    fn emoji_at(&self, emoji: &Emoji, place: usize, creator: Option<&User>) -> Value {
        let mut value = emoji.json(creator);
        value["available"] = (place < self.perks.emoji_slots()).into();
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boosts_bring_their_features_and_take_them_away_again() {
        let mut perks = Perks { granted: BTreeSet::from(["NEWS".to_owned()]), ..Perks::default() };
        for (boosts, tier, features) in
            [(1, 0, 1), (2, 1, 3), (6, 1, 3), (7, 2, 5), (13, 2, 5), (14, 3, 7), (0, 0, 1)]
        {
            perks.boosts = boosts;
            assert_eq!((perks.tier(), perks.features().len()), (tier, features), "{boosts} boosts");
        }
        assert!(perks.has("NEWS") && !perks.has("BANNER"));
    }

    #[test]
    fn a_vanity_code_lasts_as_long_as_its_feature() {
        let vanity = Some(Vanity { code: "tea".to_owned(), uses: 0 });
        let mut perks = Perks { boosts: 14, vanity, ..Perks::default() };
        assert_eq!(perks.vanity_code(), Some("tea"));
        perks.boosts = 13;
        assert_eq!(perks.vanity_code(), None);
    }
}
