//! Gateway intents: the bits a client asks for, and which of them let each event through.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

use serde::{Deserialize, Serialize};

/// Set of gateway intents, by Discord's bit positions (Gateway, "List of Intents").
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Intents(u64);

/// Name and bit of every documented intent, in the order of the documentation.
const NAMED: [(&str, Intents); 21] = [
    ("GUILDS", Intents::GUILDS),
    ("GUILD_MEMBERS", Intents::GUILD_MEMBERS),
    ("GUILD_MODERATION", Intents::GUILD_MODERATION),
    ("GUILD_EXPRESSIONS", Intents::GUILD_EXPRESSIONS),
    ("GUILD_INTEGRATIONS", Intents::GUILD_INTEGRATIONS),
    ("GUILD_WEBHOOKS", Intents::GUILD_WEBHOOKS),
    ("GUILD_INVITES", Intents::GUILD_INVITES),
    ("GUILD_VOICE_STATES", Intents::GUILD_VOICE_STATES),
    ("GUILD_PRESENCES", Intents::GUILD_PRESENCES),
    ("GUILD_MESSAGES", Intents::GUILD_MESSAGES),
    ("GUILD_MESSAGE_REACTIONS", Intents::GUILD_MESSAGE_REACTIONS),
    ("GUILD_MESSAGE_TYPING", Intents::GUILD_MESSAGE_TYPING),
    ("DIRECT_MESSAGES", Intents::DIRECT_MESSAGES),
    ("DIRECT_MESSAGE_REACTIONS", Intents::DIRECT_MESSAGE_REACTIONS),
    ("DIRECT_MESSAGE_TYPING", Intents::DIRECT_MESSAGE_TYPING),
    ("MESSAGE_CONTENT", Intents::MESSAGE_CONTENT),
    ("GUILD_SCHEDULED_EVENTS", Intents::GUILD_SCHEDULED_EVENTS),
    ("AUTO_MODERATION_CONFIGURATION", Intents::AUTO_MODERATION_CONFIGURATION),
    ("AUTO_MODERATION_EXECUTION", Intents::AUTO_MODERATION_EXECUTION),
    ("GUILD_MESSAGE_POLLS", Intents::GUILD_MESSAGE_POLLS),
    ("DIRECT_MESSAGE_POLLS", Intents::DIRECT_MESSAGE_POLLS),
];

impl Intents {
    /// Guilds, channels, roles, threads and stages.
    pub const GUILDS: Self = Self(1);
    /// Members who join, change or leave; privileged.
    pub const GUILD_MEMBERS: Self = Self(1 << 1);
    /// Bans and audit log entries.
    pub const GUILD_MODERATION: Self = Self(1 << 2);
    /// Emojis, stickers and soundboard sounds.
    pub const GUILD_EXPRESSIONS: Self = Self(1 << 3);
    /// Integrations.
    pub const GUILD_INTEGRATIONS: Self = Self(1 << 4);
    /// Webhooks.
    pub const GUILD_WEBHOOKS: Self = Self(1 << 5);
    /// Invites.
    pub const GUILD_INVITES: Self = Self(1 << 6);
    /// Voice states and voice channel effects.
    pub const GUILD_VOICE_STATES: Self = Self(1 << 7);
    /// Presences; privileged.
    pub const GUILD_PRESENCES: Self = Self(1 << 8);
    /// Messages in guilds.
    pub const GUILD_MESSAGES: Self = Self(1 << 9);
    /// Reactions in guilds.
    pub const GUILD_MESSAGE_REACTIONS: Self = Self(1 << 10);
    /// Typing in guilds.
    pub const GUILD_MESSAGE_TYPING: Self = Self(1 << 11);
    /// Direct messages.
    pub const DIRECT_MESSAGES: Self = Self(1 << 12);
    /// Reactions in direct messages.
    pub const DIRECT_MESSAGE_REACTIONS: Self = Self(1 << 13);
    /// Typing in direct messages.
    pub const DIRECT_MESSAGE_TYPING: Self = Self(1 << 14);
    /// What messages say, beside the events that carry them; privileged.
    pub const MESSAGE_CONTENT: Self = Self(1 << 15);
    /// Scheduled events.
    pub const GUILD_SCHEDULED_EVENTS: Self = Self(1 << 16);
    /// Auto moderation rules.
    pub const AUTO_MODERATION_CONFIGURATION: Self = Self(1 << 20);
    /// Auto moderation at work.
    pub const AUTO_MODERATION_EXECUTION: Self = Self(1 << 21);
    /// Poll votes in guilds.
    pub const GUILD_MESSAGE_POLLS: Self = Self(1 << 24);
    /// Poll votes in direct messages.
    pub const DIRECT_MESSAGE_POLLS: Self = Self(1 << 25);

    /// Intents that an application must have enabled before it may ask for them.
    pub const PRIVILEGED: Self =
        Self(Self::GUILD_MEMBERS.0 | Self::GUILD_PRESENCES.0 | Self::MESSAGE_CONTENT.0);

    /// No intent; as the condition of an event: it goes to everyone.
    pub const fn empty() -> Self {
        Self(0)
    }

    /// Every documented intent.
    pub fn all() -> Self {
        NAMED.iter().fold(Self(0), |all, (_, intent)| all | *intent)
    }

    /// Set with exactly these bits, or nothing if one of them is no documented intent.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits & !Self::all().0 == 0).then_some(Self(bits))
    }

    /// Bits of this set.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether no intent is in this set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Intents of both sets, also in a constant.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all intents of `other` are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether at least one intent is in both sets.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Documented names of the intents in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMED.into_iter().filter(move |(_, intent)| self.contains(*intent)).map(|(name, _)| name)
    }

    /// Intents of which any one lets the event of this name through; empty if it goes to everyone.
    ///
    /// `in_guild` tells the events of a guild from those of a direct message. The caveats of the documentation (a
    /// member update about the bot itself, thread members) are the hub's business, since they depend on the receiver.
    pub fn for_event(name: &str, in_guild: bool) -> Self {
        let place = |guild, direct| if in_guild { guild } else { direct };
        match name {
            "GUILD_CREATE"
            | "GUILD_UPDATE"
            | "GUILD_DELETE"
            | "GUILD_ROLE_CREATE"
            | "GUILD_ROLE_UPDATE"
            | "GUILD_ROLE_DELETE"
            | "CHANNEL_CREATE"
            | "CHANNEL_UPDATE"
            | "CHANNEL_DELETE"
            | "THREAD_CREATE"
            | "THREAD_UPDATE"
            | "THREAD_DELETE"
            | "THREAD_LIST_SYNC"
            | "THREAD_MEMBER_UPDATE"
            | "STAGE_INSTANCE_CREATE"
            | "STAGE_INSTANCE_UPDATE"
            | "STAGE_INSTANCE_DELETE"
            | "VOICE_CHANNEL_STATUS_UPDATE"
            | "VOICE_CHANNEL_START_TIME_UPDATE" => Self::GUILDS,
            "CHANNEL_PINS_UPDATE" => place(Self::GUILDS, Self::DIRECT_MESSAGES),
            "THREAD_MEMBERS_UPDATE" => Self::GUILDS | Self::GUILD_MEMBERS,
            "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" | "GUILD_MEMBER_REMOVE" => Self::GUILD_MEMBERS,
            "GUILD_AUDIT_LOG_ENTRY_CREATE" | "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" => Self::GUILD_MODERATION,
            "GUILD_EMOJIS_UPDATE"
            | "GUILD_STICKERS_UPDATE"
            | "GUILD_SOUNDBOARD_SOUND_CREATE"
            | "GUILD_SOUNDBOARD_SOUND_UPDATE"
            | "GUILD_SOUNDBOARD_SOUND_DELETE"
            | "GUILD_SOUNDBOARD_SOUNDS_UPDATE" => Self::GUILD_EXPRESSIONS,
            "GUILD_INTEGRATIONS_UPDATE"
            | "INTEGRATION_CREATE"
            | "INTEGRATION_UPDATE"
            | "INTEGRATION_DELETE" => Self::GUILD_INTEGRATIONS,
            "WEBHOOKS_UPDATE" => Self::GUILD_WEBHOOKS,
            "INVITE_CREATE" | "INVITE_DELETE" => Self::GUILD_INVITES,
            "VOICE_CHANNEL_EFFECT_SEND" | "VOICE_STATE_UPDATE" => Self::GUILD_VOICE_STATES,
            "PRESENCE_UPDATE" => Self::GUILD_PRESENCES,
            "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" => {
                place(Self::GUILD_MESSAGES, Self::DIRECT_MESSAGES)
            }
            "MESSAGE_DELETE_BULK" => Self::GUILD_MESSAGES,
            "MESSAGE_REACTION_ADD"
            | "MESSAGE_REACTION_REMOVE"
            | "MESSAGE_REACTION_REMOVE_ALL"
            | "MESSAGE_REACTION_REMOVE_EMOJI" => {
                place(Self::GUILD_MESSAGE_REACTIONS, Self::DIRECT_MESSAGE_REACTIONS)
            }
            "TYPING_START" => place(Self::GUILD_MESSAGE_TYPING, Self::DIRECT_MESSAGE_TYPING),
            "GUILD_SCHEDULED_EVENT_CREATE"
            | "GUILD_SCHEDULED_EVENT_UPDATE"
            | "GUILD_SCHEDULED_EVENT_DELETE"
            | "GUILD_SCHEDULED_EVENT_USER_ADD"
            | "GUILD_SCHEDULED_EVENT_USER_REMOVE" => Self::GUILD_SCHEDULED_EVENTS,
            "AUTO_MODERATION_RULE_CREATE" | "AUTO_MODERATION_RULE_UPDATE" | "AUTO_MODERATION_RULE_DELETE" => {
                Self::AUTO_MODERATION_CONFIGURATION
            }
            "AUTO_MODERATION_ACTION_EXECUTION" => Self::AUTO_MODERATION_EXECUTION,
            "MESSAGE_POLL_VOTE_ADD" | "MESSAGE_POLL_VOTE_REMOVE" => {
                place(Self::GUILD_MESSAGE_POLLS, Self::DIRECT_MESSAGE_POLLS)
            }
            _ => Self::empty(),
        }
    }
}

impl BitOr for Intents {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Intents {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Intents {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Intents {
    type Output = Self;

    /// Every documented intent that is not in this set.
    fn not(self) -> Self {
        Self(!self.0) & Self::all()
    }
}

impl fmt::Debug for Intents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Intents;

    #[test]
    fn documented_bits_add_up_to_the_known_total() {
        assert_eq!(Intents::all().bits(), 0b11_0011_0001_1111_1111_1111_1111);
        assert_eq!(Intents::from_bits(1 << 17), None);
        assert_eq!(Intents::from_bits(513), Some(Intents::GUILDS | Intents::GUILD_MESSAGES));
    }

    #[test]
    fn a_message_needs_another_intent_in_a_guild_than_in_a_direct_message() {
        assert_eq!(Intents::for_event("MESSAGE_CREATE", true), Intents::GUILD_MESSAGES);
        assert_eq!(Intents::for_event("MESSAGE_CREATE", false), Intents::DIRECT_MESSAGES);
    }

    #[test]
    fn an_interaction_goes_to_everyone() {
        assert!(Intents::for_event("INTERACTION_CREATE", true).is_empty());
    }
}
