//! Permissions: Discord's permission bits, and how roles, overwrites and timeouts make up a member's set of them.

mod member;

use std::fmt;
use std::str::FromStr;

use bitflags::{Flags, bitflags};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::member::{MemberPermissions, Overwrite, OverwriteKind};

/// Set of permissions, in JSON a decimal string.
///
/// Bits that Discord has not named yet are kept, since a bot may read and write sets newer than this list.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Permissions(pub u64);

bitflags! {
    impl Permissions: u64 {
        /// Create invites.
        const CREATE_INSTANT_INVITE = 1 << 0;
        /// Kick members.
        const KICK_MEMBERS = 1 << 1;
        /// Ban members.
        const BAN_MEMBERS = 1 << 2;
        /// Every permission, regardless of overwrites.
        const ADMINISTRATOR = 1 << 3;
        /// Create, edit and delete channels.
        const MANAGE_CHANNELS = 1 << 4;
        /// Edit the guild.
        const MANAGE_GUILD = 1 << 5;
        /// Add a reaction that is not on the message yet.
        const ADD_REACTIONS = 1 << 6;
        /// View the audit log.
        const VIEW_AUDIT_LOG = 1 << 7;
        /// Be heard over others.
        const PRIORITY_SPEAKER = 1 << 8;
        /// Go live.
        const STREAM = 1 << 9;
        /// View a channel and its content.
        const VIEW_CHANNEL = 1 << 10;
        /// Send messages, outside threads.
        const SEND_MESSAGES = 1 << 11;
        /// Send messages that are read aloud.
        const SEND_TTS_MESSAGES = 1 << 12;
        /// Delete the messages of others.
        const MANAGE_MESSAGES = 1 << 13;
        /// Embed links.
        const EMBED_LINKS = 1 << 14;
        /// Send files.
        const ATTACH_FILES = 1 << 15;
        /// Read earlier messages.
        const READ_MESSAGE_HISTORY = 1 << 16;
        /// Notify everyone, and roles that are not mentionable.
        const MENTION_EVERYONE = 1 << 17;
        /// Use emojis of other guilds.
        const USE_EXTERNAL_EMOJIS = 1 << 18;
        /// View the guild's statistics.
        const VIEW_GUILD_INSIGHTS = 1 << 19;
        /// Join voice.
        const CONNECT = 1 << 20;
        /// Speak in voice.
        const SPEAK = 1 << 21;
        /// Mute members in voice.
        const MUTE_MEMBERS = 1 << 22;
        /// Deafen members in voice.
        const DEAFEN_MEMBERS = 1 << 23;
        /// Move members between voice channels.
        const MOVE_MEMBERS = 1 << 24;
        /// Speak without pushing to talk.
        const USE_VAD = 1 << 25;
        /// Change one's own nickname.
        const CHANGE_NICKNAME = 1 << 26;
        /// Change the nicknames of others.
        const MANAGE_NICKNAMES = 1 << 27;
        /// Create, edit and give roles; in a channel, edit its overwrites.
        const MANAGE_ROLES = 1 << 28;
        /// Create, edit and delete webhooks.
        const MANAGE_WEBHOOKS = 1 << 29;
        /// Edit and delete the emojis, stickers and sounds of others.
        const MANAGE_GUILD_EXPRESSIONS = 1 << 30;
        /// Use application commands.
        const USE_APPLICATION_COMMANDS = 1 << 31;
        /// Ask to speak on a stage.
        const REQUEST_TO_SPEAK = 1 << 32;
        /// Edit and delete the scheduled events of others.
        const MANAGE_EVENTS = 1 << 33;
        /// Archive and delete threads, see private ones.
        const MANAGE_THREADS = 1 << 34;
        /// Create public threads.
        const CREATE_PUBLIC_THREADS = 1 << 35;
        /// Create private threads.
        const CREATE_PRIVATE_THREADS = 1 << 36;
        /// Use stickers of other guilds.
        const USE_EXTERNAL_STICKERS = 1 << 37;
        /// Send messages in threads.
        const SEND_MESSAGES_IN_THREADS = 1 << 38;
        /// Use Activities.
        const USE_EMBEDDED_ACTIVITIES = 1 << 39;
        /// Time members out.
        const MODERATE_MEMBERS = 1 << 40;
        /// View the revenue of role subscriptions.
        const VIEW_CREATOR_MONETIZATION_ANALYTICS = 1 << 41;
        /// Use the soundboard.
        const USE_SOUNDBOARD = 1 << 42;
        /// Create emojis, stickers and sounds.
        const CREATE_GUILD_EXPRESSIONS = 1 << 43;
        /// Create scheduled events.
        const CREATE_EVENTS = 1 << 44;
        /// Use sounds of other guilds.
        const USE_EXTERNAL_SOUNDS = 1 << 45;
        /// Send voice messages.
        const SEND_VOICE_MESSAGES = 1 << 46;
        /// Set the status of a voice channel.
        const SET_VOICE_CHANNEL_STATUS = 1 << 48;
        /// Send polls.
        const SEND_POLLS = 1 << 49;
        /// Let apps that are only user-installed answer publicly.
        const USE_EXTERNAL_APPS = 1 << 50;
        /// Pin and unpin messages.
        const PIN_MESSAGES = 1 << 51;
        /// Bypass slowmode.
        const BYPASS_SLOWMODE = 1 << 52;

        // All other bits, which Discord may name one day.
        const _ = !0;
    }
}

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self::empty();

    /// All documented permissions: those of an owner or administrator.
    pub const ALL: Self = {
        let (mut all, mut at) = (Self::NONE, 0);
        while at < Self::FLAGS.len() {
            if Self::FLAGS[at].is_named() {
                all = all.union(*Self::FLAGS[at].value());
            }
            at += 1;
        }
        all
    };

    /// The permissions that a timed-out member keeps.
    pub const WHILE_TIMED_OUT: Self = Self::VIEW_CHANNEL.union(Self::READ_MESSAGE_HISTORY);

    /// The permissions that the @everyone role of a new guild allows.
    pub const EVERYONE: Self = Self(
        Self::CREATE_INSTANT_INVITE.0
            | Self::ADD_REACTIONS.0
            | Self::STREAM.0
            | Self::VIEW_CHANNEL.0
            | Self::SEND_MESSAGES.0
            | Self::EMBED_LINKS.0
            | Self::ATTACH_FILES.0
            | Self::READ_MESSAGE_HISTORY.0
            | Self::MENTION_EVERYONE.0
            | Self::USE_EXTERNAL_EMOJIS.0
            | Self::CONNECT.0
            | Self::SPEAK.0
            | Self::USE_VAD.0
            | Self::CHANGE_NICKNAME.0
            | Self::USE_APPLICATION_COMMANDS.0
            | Self::REQUEST_TO_SPEAK.0
            | Self::CREATE_PUBLIC_THREADS.0
            | Self::CREATE_PRIVATE_THREADS.0
            | Self::USE_EXTERNAL_STICKERS.0
            | Self::SEND_MESSAGES_IN_THREADS.0
            | Self::USE_EMBEDDED_ACTIVITIES.0
            | Self::USE_SOUNDBOARD.0
            | Self::CREATE_GUILD_EXPRESSIONS.0
            | Self::CREATE_EVENTS.0
            | Self::USE_EXTERNAL_SOUNDS.0
            | Self::SEND_VOICE_MESSAGES.0
            | Self::SEND_POLLS.0
            | Self::USE_EXTERNAL_APPS.0,
    );

    /// Returns the names of the documented permissions in the set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.iter_names().map(|(name, _)| name)
    }

    /// Returns the permission of a documented name, in any case, with spaces or underscores: `Send Messages` too.
    pub fn named(name: &str) -> Option<Self> {
        Self::from_name(&name.trim().replace([' ', '-'], "_").to_ascii_uppercase())
    }

    /// Returns the set with some permissions removed and then some added.
    fn overwritten(self, deny: Self, allow: Self) -> Self {
        self & !deny | allow
    }

    /// Returns a member's permissions in a channel without those whose prerequisites are missing ("Implicit
    /// Permissions"): none in a channel that the member cannot see, none for writing where the member cannot write.
    #[must_use]
    pub fn effective_in_channel(self) -> Self {
        if self.contains(Self::ADMINISTRATOR) {
            return self;
        }
        if !self.contains(Self::VIEW_CHANNEL) {
            return Self::NONE;
        }
        if self.contains(Self::SEND_MESSAGES) || self.contains(Self::SEND_MESSAGES_IN_THREADS) {
            return self;
        }
        self & !(Self::MENTION_EVERYONE | Self::SEND_TTS_MESSAGES | Self::ATTACH_FILES | Self::EMBED_LINKS)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unnamed = self.0 & !Self::ALL.0;
        let mut set = f.debug_set();
        set.entries(self.names());
        if unnamed != 0 {
            set.entry(&format_args!("{unnamed:#x}"));
        }
        set.finish()
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Permissions {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Set;

        impl Visitor<'_> for Set {
            type Value = Permissions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a permission set as a decimal string or an integer")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Permissions, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, bits: u64) -> Result<Permissions, E> {
                Ok(Permissions(bits))
            }
        }

        deserializer.deserialize_any(Set)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bits_have_their_documented_values() {
        assert_eq!(Permissions::SEND_MESSAGES.0, 0x800);
        assert_eq!(Permissions::USE_EXTERNAL_APPS.0, 0x0004_0000_0000_0000);
        assert_eq!(Permissions::BYPASS_SLOWMODE.0, 0x0010_0000_0000_0000);
        assert_eq!((Permissions::ADD_REACTIONS | Permissions::SEND_MESSAGES).to_string(), "2112");
        assert_eq!(Permissions::ALL.names().count(), 52);
        assert_eq!(Permissions::ALL.0.count_ones(), 52);
    }

    #[test]
    fn a_set_is_a_string_in_json_and_read_from_string_or_integer() {
        assert_eq!(serde_json::to_string(&Permissions(2112)).unwrap(), "\"2112\"");
        assert_eq!(serde_json::from_str::<Permissions>("\"2112\"").unwrap(), Permissions(2112));
        assert_eq!(serde_json::from_str::<Permissions>("2112").unwrap(), Permissions(2112));
        assert!(serde_json::from_str::<Permissions>("\"many\"").is_err());
        assert!(serde_json::from_str::<Permissions>("-1").is_err());
    }

    #[test]
    fn what_one_cannot_see_one_cannot_use() {
        let blind = !Permissions::VIEW_CHANNEL & Permissions::EVERYONE;
        assert_eq!(blind.effective_in_channel(), Permissions::NONE);
        let mute = Permissions::VIEW_CHANNEL | Permissions::ATTACH_FILES | Permissions::ADD_REACTIONS;
        assert_eq!(mute.effective_in_channel(), Permissions::VIEW_CHANNEL | Permissions::ADD_REACTIONS);
        assert_eq!(Permissions::EVERYONE.effective_in_channel(), Permissions::EVERYONE);
    }

    proptest! {
        #[test]
        fn text_and_json_give_the_same_set_back(bits: u64) {
            let set = Permissions(bits);
            prop_assert_eq!(set.to_string().parse::<Permissions>().unwrap(), set);
            let json = serde_json::to_value(set).unwrap();
            prop_assert_eq!(serde_json::from_value::<Permissions>(json).unwrap(), set);
        }
    }
}
