//! Who may do what: Discord's permission bits, and how roles, overwrites and timeouts make up a member's set of them.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Not};
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::snowflake::Snowflake;

/// A set of permissions, in JSON a decimal string.
///
/// Bits that Discord has not named yet are carried along, since a bot may read and write sets newer than this list.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Permissions(pub u64);

macro_rules! permissions {
    ($($name:ident = $bit:literal, $doc:literal;)*) => {
        impl Permissions {
            $(#[doc = $doc] pub const $name: Self = Self(1 << $bit);)*

            /// Every permission that Discord documents, under its documented name.
            pub const NAMED: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),*];

            /// All documented permissions: what an owner or administrator has.
            pub const ALL: Self = Self($(1 << $bit)|*);
        }
    };
}

permissions! {
    CREATE_INSTANT_INVITE = 0, "Make invites.";
    KICK_MEMBERS = 1, "Kick members.";
    BAN_MEMBERS = 2, "Ban members.";
    ADMINISTRATOR = 3, "Everything, past every overwrite.";
    MANAGE_CHANNELS = 4, "Make, edit and delete channels.";
    MANAGE_GUILD = 5, "Edit the guild.";
    ADD_REACTIONS = 6, "Add a reaction that is not on the message yet.";
    VIEW_AUDIT_LOG = 7, "Read the audit log.";
    PRIORITY_SPEAKER = 8, "Speak over others.";
    STREAM = 9, "Go live.";
    VIEW_CHANNEL = 10, "See a channel and what is in it.";
    SEND_MESSAGES = 11, "Send messages, outside threads.";
    SEND_TTS_MESSAGES = 12, "Send messages that are read aloud.";
    MANAGE_MESSAGES = 13, "Delete the messages of others.";
    EMBED_LINKS = 14, "Have links embedded.";
    ATTACH_FILES = 15, "Send files.";
    READ_MESSAGE_HISTORY = 16, "Read earlier messages.";
    MENTION_EVERYONE = 17, "Notify everyone, and roles that are not mentionable.";
    USE_EXTERNAL_EMOJIS = 18, "Use emojis of other guilds.";
    VIEW_GUILD_INSIGHTS = 19, "See the guild's figures.";
    CONNECT = 20, "Join voice.";
    SPEAK = 21, "Speak in voice.";
    MUTE_MEMBERS = 22, "Mute members in voice.";
    DEAFEN_MEMBERS = 23, "Deafen members in voice.";
    MOVE_MEMBERS = 24, "Move members between voice channels.";
    USE_VAD = 25, "Speak without pushing to talk.";
    CHANGE_NICKNAME = 26, "Change one's own nickname.";
    MANAGE_NICKNAMES = 27, "Change the nicknames of others.";
    MANAGE_ROLES = 28, "Make, edit and give roles; in a channel, edit its overwrites.";
    MANAGE_WEBHOOKS = 29, "Make, edit and delete webhooks.";
    MANAGE_GUILD_EXPRESSIONS = 30, "Edit and delete anyone's emojis, stickers and sounds.";
    USE_APPLICATION_COMMANDS = 31, "Use application commands.";
    REQUEST_TO_SPEAK = 32, "Ask to speak on a stage.";
    MANAGE_EVENTS = 33, "Edit and delete anyone's scheduled events.";
    MANAGE_THREADS = 34, "Archive and delete threads, see private ones.";
    CREATE_PUBLIC_THREADS = 35, "Make public threads.";
    CREATE_PRIVATE_THREADS = 36, "Make private threads.";
    USE_EXTERNAL_STICKERS = 37, "Use stickers of other guilds.";
    SEND_MESSAGES_IN_THREADS = 38, "Send messages in threads.";
    USE_EMBEDDED_ACTIVITIES = 39, "Use Activities.";
    MODERATE_MEMBERS = 40, "Time members out.";
    VIEW_CREATOR_MONETIZATION_ANALYTICS = 41, "See what role subscriptions earn.";
    USE_SOUNDBOARD = 42, "Use the soundboard.";
    CREATE_GUILD_EXPRESSIONS = 43, "Make emojis, stickers and sounds.";
    CREATE_EVENTS = 44, "Make scheduled events.";
    USE_EXTERNAL_SOUNDS = 45, "Use sounds of other guilds.";
    SEND_VOICE_MESSAGES = 46, "Send voice messages.";
    SET_VOICE_CHANNEL_STATUS = 48, "Set the status of a voice channel.";
    SEND_POLLS = 49, "Send polls.";
    USE_EXTERNAL_APPS = 50, "Let apps that are only user-installed answer in public.";
    PIN_MESSAGES = 51, "Pin and unpin messages.";
    BYPASS_SLOWMODE = 52, "Not be held by slowmode.";
}

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// All that a timed-out member keeps.
    pub const WHILE_TIMED_OUT: Self = Self(Self::VIEW_CHANNEL.0 | Self::READ_MESSAGE_HISTORY.0);

    /// What the @everyone role of a new guild allows.
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

    /// Whether all of these permissions are in the set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Names of the documented permissions in the set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().filter(move |(_, bit)| self.contains(*bit)).map(|(name, _)| *name)
    }

    /// The permission of a documented name, in any case, with spaces or underscores: `Send Messages` too.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim().replace([' ', '-'], "_");
        let found = Self::NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        found.map(|(_, bit)| *bit)
    }

    /// The set with some permissions taken away and then some given.
    fn overwritten(self, deny: Self, allow: Self) -> Self {
        self & !deny | allow
    }

    /// What is left of a member's permissions in a channel once those that presuppose others have gone with them
    /// ("Implicit Permissions"): nothing in a channel one can't see, nothing to write with where one can't write.
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

/// Whom a channel's overwrite is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverwriteKind {
    /// Everyone who has a role.
    Role,
    /// One member.
    Member,
}

impl Serialize for OverwriteKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Role => 0,
            Self::Member => 1,
        })
    }
}

impl<'de> Deserialize<'de> for OverwriteKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Role),
            1 => Ok(Self::Member),
            other => {
                Err(de::Error::custom(format!("{other} is not an overwrite type: 0 is role, 1 is member")))
            }
        }
    }
}

/// What a channel changes for one role or member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overwrite {
    /// Role or user.
    pub id: Snowflake,
    /// Which of the two.
    #[serde(rename = "type")]
    pub kind: OverwriteKind,
    /// Given here.
    pub allow: Permissions,
    /// Taken away here.
    pub deny: Permissions,
}

/// What the computation needs to know of one member of one guild.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Guild, whose id is also that of its @everyone role.
    pub guild_id: Snowflake,
    /// Who is asked about.
    pub user_id: Snowflake,
    /// Whether the guild is theirs.
    pub owner: bool,
    /// Whether a timeout is running.
    pub timed_out: bool,
    /// Permissions of @everyone.
    pub everyone: Permissions,
    /// Their roles with the permissions of each, without @everyone.
    pub roles: &'a [(Snowflake, Permissions)],
}

impl Standing<'_> {
    /// Permissions in the guild, before any channel's overwrites.
    pub fn in_guild(&self) -> Permissions {
        let base = self.base();
        if self.timed_out && base != Permissions::ALL { base & Permissions::WHILE_TIMED_OUT } else { base }
    }

    /// Permissions in a channel with these overwrites, in the eight steps of Discord's "Permission Overwrites".
    pub fn in_channel(&self, overwrites: &[Overwrite]) -> Permissions {
        let base = self.base();
        if base == Permissions::ALL {
            return base;
        }
        let mut permissions = base;
        let role = |id: Snowflake| overwrites.iter().find(|o| o.kind == OverwriteKind::Role && o.id == id);
        if let Some(everyone) = role(self.guild_id) {
            permissions = permissions.overwritten(everyone.deny, everyone.allow);
        }
        let (mut allow, mut deny) = (Permissions::NONE, Permissions::NONE);
        for overwrite in self.roles.iter().filter_map(|(id, _)| role(*id)) {
            allow |= overwrite.allow;
            deny |= overwrite.deny;
        }
        permissions = permissions.overwritten(deny, allow);
        let own = overwrites.iter().find(|o| o.kind == OverwriteKind::Member && o.id == self.user_id);
        if let Some(own) = own {
            permissions = permissions.overwritten(own.deny, own.allow);
        }
        if self.timed_out { permissions & Permissions::WHILE_TIMED_OUT } else { permissions }
    }

    /// What owner, @everyone and roles give; `ALL` for owners and administrators, whom nothing takes from.
    fn base(&self) -> Permissions {
        let granted = self.roles.iter().fold(self.everyone, |all, (_, permissions)| all | *permissions);
        if self.owner || granted.contains(Permissions::ADMINISTRATOR) { Permissions::ALL } else { granted }
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

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Permissions {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Permissions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Permissions {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
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

    const GUILD: Snowflake = Snowflake(1);
    const USER: Snowflake = Snowflake(2);
    const MODS: Snowflake = Snowflake(3);
    const MUTED: Snowflake = Snowflake(4);

    fn standing(everyone: Permissions, roles: &[(Snowflake, Permissions)]) -> Standing<'_> {
        Standing { guild_id: GUILD, user_id: USER, owner: false, timed_out: false, everyone, roles }
    }

    fn overwrite(id: Snowflake, kind: OverwriteKind, allow: Permissions, deny: Permissions) -> Overwrite {
        Overwrite { id, kind, allow, deny }
    }

    #[test]
    fn bits_have_their_documented_values() {
        assert_eq!(Permissions::SEND_MESSAGES.0, 0x800);
        assert_eq!(Permissions::USE_EXTERNAL_APPS.0, 0x0004_0000_0000_0000);
        assert_eq!(Permissions::BYPASS_SLOWMODE.0, 0x0010_0000_0000_0000);
        assert_eq!((Permissions::ADD_REACTIONS | Permissions::SEND_MESSAGES).to_string(), "2112");
        assert_eq!(Permissions::NAMED.len(), 52);
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
    fn an_overwrite_reads_and_writes_as_documented() {
        let json = serde_json::json!({ "id": "3", "type": 0, "allow": "1024", "deny": "2048" });
        let overwrite: Overwrite = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(overwrite.kind, OverwriteKind::Role);
        assert_eq!(serde_json::to_value(overwrite).unwrap(), json);
    }

    #[test]
    fn owners_and_administrators_have_everything_everywhere() {
        let deny_all = [overwrite(GUILD, OverwriteKind::Role, Permissions::NONE, Permissions::ALL)];
        let owner = Standing { owner: true, ..standing(Permissions::NONE, &[]) };
        let roles = [(MODS, Permissions::ADMINISTRATOR)];
        let admin = Standing { timed_out: true, ..standing(Permissions::NONE, &roles) };
        for member in [owner, admin] {
            assert_eq!(member.in_guild(), Permissions::ALL);
            assert_eq!(member.in_channel(&deny_all), Permissions::ALL);
        }
    }

    #[test]
    fn overwrites_apply_everyone_then_roles_then_member() {
        let see_and_write = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES;
        let roles = [(MODS, Permissions::NONE), (MUTED, Permissions::NONE)];
        let member = standing(see_and_write, &roles);
        let everyone = overwrite(GUILD, OverwriteKind::Role, Permissions::NONE, Permissions::VIEW_CHANNEL);
        let muted = overwrite(MUTED, OverwriteKind::Role, Permissions::NONE, Permissions::SEND_MESSAGES);
        let mods = overwrite(MODS, OverwriteKind::Role, see_and_write, Permissions::NONE);
        let own = overwrite(USER, OverwriteKind::Member, Permissions::NONE, Permissions::SEND_MESSAGES);

        assert_eq!(member.in_channel(&[everyone]), Permissions::SEND_MESSAGES);
        assert_eq!(member.in_channel(&[everyone, muted]), Permissions::NONE);
        // Among roles an allowance beats a denial, whatever their order.
        assert_eq!(member.in_channel(&[muted, mods, everyone]), see_and_write);
        assert_eq!(member.in_channel(&[own, everyone, mods, muted]), Permissions::VIEW_CHANNEL);
    }

    #[test]
    fn a_member_overwrite_is_not_taken_for_a_role_of_the_same_id() {
        let member = standing(Permissions::VIEW_CHANNEL, &[]);
        let strange = overwrite(GUILD, OverwriteKind::Member, Permissions::NONE, Permissions::ALL);
        assert_eq!(member.in_channel(&[strange]), Permissions::VIEW_CHANNEL);
    }

    #[test]
    fn a_timed_out_member_can_only_look() {
        let member = Standing { timed_out: true, ..standing(Permissions::EVERYONE, &[]) };
        assert_eq!(member.in_guild(), Permissions::WHILE_TIMED_OUT);
        let own = overwrite(USER, OverwriteKind::Member, Permissions::SEND_MESSAGES, Permissions::NONE);
        assert_eq!(member.in_channel(&[own]), Permissions::WHILE_TIMED_OUT);
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

        #[test]
        fn what_the_member_overwrite_says_holds(everyone: u64, role: u64, allow: u64, deny: u64, chan: u64) {
            let administrator = Permissions::ADMINISTRATOR.0;
            let roles = [(MODS, Permissions(role & !administrator))];
            let member = standing(Permissions(everyone & !administrator), &roles);
            let overwrites = [
                overwrite(GUILD, OverwriteKind::Role, Permissions(chan), Permissions(!chan)),
                overwrite(USER, OverwriteKind::Member, Permissions(allow), Permissions(deny)),
            ];
            let result = member.in_channel(&overwrites);
            prop_assert!(result.contains(Permissions(allow)));
            prop_assert_eq!(result & Permissions(deny & !allow), Permissions::NONE);
            prop_assert_eq!(result.0 & !(allow | deny), chan & !(allow | deny));
        }

        #[test]
        fn more_roles_never_take_a_guild_permission_away(everyone: u64, one: u64, two: u64) {
            let few = [(MODS, Permissions(one))];
            let many = [(MODS, Permissions(one)), (MUTED, Permissions(two))];
            let fewer = standing(Permissions(everyone), &few).in_guild() & Permissions::ALL;
            prop_assert!(standing(Permissions(everyone), &many).in_guild().contains(fewer));
        }
    }
}
