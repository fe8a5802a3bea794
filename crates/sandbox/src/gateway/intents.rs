//! Gateway intents: the bits a client asks for, and the ones that each event needs.

use std::fmt;

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// Set of gateway intents, by Discord's bit positions (Gateway, "List of Intents").
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Intents(u64);

bitflags! {
    impl Intents: u64 {
        /// Guilds, channels, roles, threads and stages.
        const GUILDS = 1;
        /// Members who join, change or leave; privileged.
        const GUILD_MEMBERS = 1 << 1;
        /// Bans and audit log entries.
        const GUILD_MODERATION = 1 << 2;
        /// Emojis, stickers and soundboard sounds.
        const GUILD_EXPRESSIONS = 1 << 3;
        /// Integrations.
        const GUILD_INTEGRATIONS = 1 << 4;
        /// Webhooks.
        const GUILD_WEBHOOKS = 1 << 5;
        /// Invites.
        const GUILD_INVITES = 1 << 6;
        /// Voice states and voice channel effects.
        const GUILD_VOICE_STATES = 1 << 7;
        /// Presences; privileged.
        const GUILD_PRESENCES = 1 << 8;
        /// Messages in guilds.
        const GUILD_MESSAGES = 1 << 9;
        /// Reactions in guilds.
        const GUILD_MESSAGE_REACTIONS = 1 << 10;
        /// Typing in guilds.
        const GUILD_MESSAGE_TYPING = 1 << 11;
        /// Direct messages.
        const DIRECT_MESSAGES = 1 << 12;
        /// Reactions in direct messages.
        const DIRECT_MESSAGE_REACTIONS = 1 << 13;
        /// Typing in direct messages.
        const DIRECT_MESSAGE_TYPING = 1 << 14;
        /// Content of messages, besides the events that carry them; privileged.
        const MESSAGE_CONTENT = 1 << 15;
        /// Scheduled events.
        const GUILD_SCHEDULED_EVENTS = 1 << 16;
        /// Not documented, and of no event here, but interactions.py 5.16 asks for it by default.
        const GUILD_EMBEDDED_ACTIVITIES = 1 << 17;
        /// Auto moderation rules.
        const AUTO_MODERATION_CONFIGURATION = 1 << 20;
        /// Executed auto moderation rules.
        const AUTO_MODERATION_EXECUTION = 1 << 21;
        /// Poll votes in guilds.
        const GUILD_MESSAGE_POLLS = 1 << 24;
        /// Poll votes in direct messages.
        const DIRECT_MESSAGE_POLLS = 1 << 25;
    }
}

impl Intents {
    /// Intents that an application must have enabled before it may ask for them.
    pub const PRIVILEGED: Self =
        Self::GUILD_MEMBERS.union(Self::GUILD_PRESENCES).union(Self::MESSAGE_CONTENT);

    /// Returns the privileged intents of these names, ignoring case. The error is a sentence.
    pub fn privileged_named(names: &[String]) -> Result<Self, String> {
        let one = |name: &String| {
            let found = Self::from_name(&name.to_uppercase());
            found.filter(|intent| Self::PRIVILEGED.contains(*intent)).ok_or_else(|| {
                let known: Vec<&str> = Self::PRIVILEGED.names().collect();
                format!("There is no privileged intent \"{name}\"; there are {}.", known.join(", "))
            })
        };
        names.iter().try_fold(Self::empty(), |all, name| Ok(all | one(name)?))
    }

    /// Returns the names of the intents in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.iter_names().map(|(name, _)| name)
    }

    /// Returns the intents of which any one is enough for the event of this name; empty if everyone receives it.
    ///
    /// `in_guild` distinguishes the events of a guild from those of a direct message. The hub handles the caveats of
    /// the documentation (a member update about the bot itself, thread members), since they depend on the receiver.
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
            | "GUILD_SCHEDULED_EVENT_EXCEPTION_CREATE"
            | "GUILD_SCHEDULED_EVENT_EXCEPTION_UPDATE"
            | "GUILD_SCHEDULED_EVENT_EXCEPTION_DELETE"
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

impl fmt::Debug for Intents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Intents;

    #[test]
    fn bits_add_up_to_the_known_total() {
        assert_eq!(Intents::all().bits(), 0b11_0011_0011_1111_1111_1111_1111);
        assert_eq!(Intents::from_bits(1 << 30), None);
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
