//! Reactions to messages.

use indexmap::IndexSet;
use serde_json::{Value, json};

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::message::Reaction;
use crate::validate::reaction::Emoji;

impl Live<'_> {
    /// Returns the emoji that a path or a user names. A custom one must exist.
    pub fn emoji(&self, text: &str) -> ApiResult<Emoji> {
        match Emoji::parse(text)? {
            Emoji::Custom { id, .. } => {
                let (emoji, _) = self.custom_emoji(id).ok_or_else(ApiError::unknown_emoji)?;
                Ok(Emoji::Custom { id, name: emoji.name.clone(), animated: emoji.animated })
            }
            unicode @ Emoji::Unicode(_) => Ok(unicode),
        }
    }

    /// Adds a reaction to a message.
    pub fn react(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        user: Snowflake,
        emoji: Emoji,
    ) -> ApiResult<()> {
        let channel = self.channel_for(channel_id, user, Permissions::READ_MESSAGE_HISTORY)?;
        let may_add =
            channel.is_dm() || self.permissions_in(user, channel).contains(Permissions::ADD_REACTIONS);
        // Only the application itself adds an emoji of its own; others may join in.
        let owner = match &emoji {
            Emoji::Custom { id, .. } => self.application_of_emoji(*id).map(|application| application.id),
            Emoji::Unicode(_) => None,
        };
        let channel = self.channel_mut(channel_id)?;
        let guild = channel.guild_id;
        let Some(message) = channel.messages.get_mut(&id) else { return Err(ApiError::unknown_message()) };
        let known = message.reactions.iter().position(|reaction| reaction.emoji.same(&emoji));
        if known.is_none() {
            if owner.is_some_and(|owner| owner != user) {
                return Err(ApiError::unknown_emoji());
            }
            if !may_add {
                return Err(ApiError::missing_permissions());
            }
            if message.reactions.len() >= 20 {
                return Err(ApiError::max_reactions());
            }
        }
        let author = message.author_id();
        let event_emoji = emoji.to_json();
        let index = known.unwrap_or_else(|| {
            message.reactions.push(Reaction { emoji, users: IndexSet::new() });
            message.reactions.len() - 1
        });
        if !message.reactions[index].users.insert(user) {
            return Ok(());
        }
        self.saw(user);
        let mut event = reaction_event(channel_id, id, guild);
        event["user_id"] = json!(user);
        event["emoji"] = event_emoji;
        event["burst"] = false.into();
        event["type"] = 0.into();
        if let Some(author) = author {
            event["message_author_id"] = json!(author);
        }
        if let Some(guild) = guild
            && let Ok(member) = self.member_json(guild, user)
        {
            event["member"] = member;
        }
        self.dispatch_channel(channel_id, "MESSAGE_REACTION_ADD", event);
        Ok(())
    }

    /// Removes one user's reaction.
    pub fn unreact(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        user: Snowflake,
        emoji: &Emoji,
    ) -> ApiResult<()> {
        let channel = self.channel_mut(channel_id)?;
        let guild = channel.guild_id;
        let Some(message) = channel.messages.get_mut(&id) else { return Err(ApiError::unknown_message()) };
        let found = message.reactions.iter_mut().find(|reaction| reaction.emoji.same(emoji));
        let Some(reaction) = found else { return Err(ApiError::unknown_emoji()) };
        if !reaction.users.shift_remove(&user) {
            return Ok(());
        }
        message.reactions.retain(|reaction| !reaction.users.is_empty());
        let mut event = reaction_event(channel_id, id, guild);
        event["user_id"] = json!(user);
        event["emoji"] = emoji.to_json();
        event["burst"] = false.into();
        event["type"] = 0.into();
        self.dispatch_channel(channel_id, "MESSAGE_REACTION_REMOVE", event);
        Ok(())
    }

    /// Removes all reactions, or all with one emoji.
    pub fn clear_reactions(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        emoji: Option<&Emoji>,
    ) -> ApiResult<()> {
        let channel = self.channel_mut(channel_id)?;
        let guild = channel.guild_id;
        let Some(message) = channel.messages.get_mut(&id) else { return Err(ApiError::unknown_message()) };
        let mut event = reaction_event(channel_id, id, guild);
        if let Some(emoji) = emoji {
            let before = message.reactions.len();
            message.reactions.retain(|reaction| !reaction.emoji.same(emoji));
            if message.reactions.len() == before {
                return Err(ApiError::unknown_emoji());
            }
            event["emoji"] = emoji.to_json();
            self.dispatch_channel(channel_id, "MESSAGE_REACTION_REMOVE_EMOJI", event);
        } else {
            message.reactions.clear();
            self.dispatch_channel(channel_id, "MESSAGE_REACTION_REMOVE_ALL", event);
        }
        Ok(())
    }
}

fn reaction_event(channel: Snowflake, message: Snowflake, guild: Option<Snowflake>) -> Value {
    let mut event = json!({ "channel_id": channel, "message_id": message });
    if let Some(guild) = guild {
        event["guild_id"] = json!(guild);
    }
    event
}
