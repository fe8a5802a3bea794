//! Which channels of a guild and which messages an account sees, and the form in which bots get the other channels.
//!
//! Source: "Obfuscated Channels" in Discord's documentation, in force for all bots since 2026-11-16.

use std::collections::HashSet;

use serde_json::Value;

use super::World;
use super::channel::{Channel, kind};
use super::guild::Guild;
use super::message::Message;
use crate::permissions::{Overwrite, OverwriteKind, Permissions};
use crate::snowflake::Snowflake;

/// Name of a channel in the form for those who do not see it.
const HIDDEN_NAME: &str = "___hidden___";
/// Flag `CHANNEL_OBFUSCATED` of that form.
const OBFUSCATED: u64 = 1 << 17;

impl World {
    /// Returns whether a user sees a channel: with VIEW_CHANNEL, or by being in voice there, and a category also if
    /// they see any channel in it.
    pub fn can_see(&self, user: Snowflake, channel: &Channel) -> bool {
        if self.sees_itself(user, channel) {
            return true;
        }
        let guild = channel.guild_id.and_then(|id| self.guilds.get(&id));
        channel.kind == kind::CATEGORY
            && guild.is_some_and(|guild| {
                let children = guild.channels.iter().filter_map(|id| self.channels.get(id));
                children
                    .filter(|child| child.parent_id == Some(channel.id))
                    .any(|child| self.sees_itself(user, child))
            })
    }

    /// Returns whether a user sees a message: in a channel in which they have VIEW_CHANNEL, and if it is for one user alone,
    /// as that user.
    pub fn sees_message(&self, user: Snowflake, message: &Message) -> bool {
        let sees = |channel| self.permissions_in(user, channel).contains(Permissions::VIEW_CHANNEL);
        message.ephemeral_for.is_none_or(|only| only == user)
            && self.channels.get(&message.channel_id).is_some_and(sees)
    }

    /// Returns a message that a user sees, by its id.
    pub fn message_seen_by(&self, user: Snowflake, id: Snowflake) -> Option<&Message> {
        let found = self.ephemeral.get(&id).or_else(|| self.find_message(id));
        found.filter(|message| self.sees_message(user, message))
    }

    /// Returns the channels of a guild that a user sees, without threads.
    pub fn seen_in(&self, user: Snowflake, guild: &Guild) -> HashSet<Snowflake> {
        let in_voice = guild.voice_states.get(&user).map(|state| state.channel_id);
        guild.standing(user, &self.clock, |standing| {
            let sees = |channel: &&Channel| {
                in_voice == Some(channel.id)
                    || standing
                        .in_channel(&channel.overwrites)
                        .effective_in_channel()
                        .contains(Permissions::VIEW_CHANNEL)
            };
            let itself = guild.channels.iter().filter_map(|id| self.channels.get(id)).filter(sees);
            itself.flat_map(|channel| [Some(channel.id), channel.parent_id]).flatten().collect()
        })
    }

    /// Returns the channel object of a guild's channel as the gateway sends it to a bot.
    pub fn shown_to(&self, bot: Snowflake, channel: &Channel) -> Value {
        if self.can_see(bot, channel) { channel.json() } else { channel.hidden_json() }
    }

    fn sees_itself(&self, user: Snowflake, channel: &Channel) -> bool {
        let in_voice = || {
            let guild = channel.guild_id.and_then(|id| self.guilds.get(&id));
            let state = guild.and_then(|guild| guild.voice_states.get(&user));
            state.is_some_and(|state| state.channel_id == channel.id)
        };
        self.permissions_in(user, channel).contains(Permissions::VIEW_CHANNEL) || in_voice()
    }
}

impl Channel {
    /// Returns the object of a channel for a bot that does not see it: only id, type, position and category are real.
    pub fn hidden_json(&self) -> Value {
        let mut hidden = Self::new(self.id, self.kind, self.guild_id, HIDDEN_NAME, self.id.created_at());
        hidden.position = self.position;
        hidden.parent_id = self.parent_id;
        hidden.flags = OBFUSCATED;
        if let Some(everyone) = self.guild_id {
            let (allow, deny) = (Permissions::NONE, Permissions::VIEW_CHANNEL);
            hidden.overwrites.push(Overwrite { id: everyone, kind: OverwriteKind::Role, allow, deny });
        }
        hidden.json()
    }
}
