//! References of new messages to others: replies and forwards.
//!
//! Source: "Message Reference Object" in Discord's documentation.

use serde_json::{Value, json};

use super::Live;
use crate::draft::Draft;
use crate::error::{ApiError, ApiResult, FieldError};
use crate::gateway::{Intents, content};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::clock;
use crate::state::message::{Message, Reference, flag};
use crate::state::user::User;

/// Types of messages that can be replied to and forwarded: an ordinary one, a reply, and the answers to commands.
const BASIC: [u8; 4] = [0, 19, 20, 23];

impl Live<'_> {
    /// Applies `message_reference`: a reply or a forward. `by` is the account that sends the message.
    pub(super) fn refer(&self, message: &mut Message, draft: &Draft, by: Option<Snowflake>) -> ApiResult<()> {
        let Some(wanted) = &draft.message.message_reference else { return Ok(()) };
        let (other, forward) = (wanted.message_id, wanted.forward);
        let channel_id = wanted.channel_id.filter(|_| forward).unwrap_or(message.channel_id);
        if let Some(user) = by {
            self.may_refer(user, channel_id, forward)?;
        }
        let Some(found) = self.message(channel_id, other) else {
            if !wanted.fail_if_not_exists && !forward {
                return Ok(());
            }
            return Err(wrong("MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message"));
        };
        if !BASIC.contains(&found.kind) && !forward {
            return Err(wrong("REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"));
        }
        message.reference = Some(Reference {
            kind: u8::from(forward),
            channel_id,
            message_id: Some(other),
            guild_id: self.channels.get(&channel_id).and_then(|channel| channel.guild_id),
        });
        if forward {
            message.forwarded = Some(self.snapshots(found, by)?);
            message.flags |= flag::HAS_SNAPSHOT;
        } else {
            message.kind = 19;
        }
        Ok(())
    }

    /// Checks that an account may reply to, or forward, a message of a channel.
    fn may_refer(&self, user: Snowflake, channel: Snowflake, forward: bool) -> ApiResult<()> {
        let channel = self.channel_for(channel, user, Permissions::NONE)?;
        let reads = self.permissions_in(user, channel).contains(Permissions::READ_MESSAGE_HISTORY);
        if forward || reads || channel.is_dm() { Ok(()) } else { Err(ApiError::cannot_reply_unread()) }
    }

    /// Returns `message_snapshots` of a forward: the message as it is now, or what that has forwarded itself, since
    /// snapshots are not nested.
    fn snapshots(&self, found: &Message, by: Option<Snowflake>) -> ApiResult<Value> {
        if !BASIC.contains(&found.kind) || found.poll.is_some() {
            return Err(wrong("MESSAGE_REFERENCE_NOT_FORWARDABLE", "This message cannot be forwarded"));
        }
        let in_guild = self.channels.get(&found.channel_id).is_some_and(|c| c.guild_id.is_some());
        if let Some(bot) = by.filter(|user| in_guild && self.applications.contains_key(user))
            && !self.has_intent(bot, Intents::MESSAGE_CONTENT)
            && !content::is_open(&found.json(self, None), bot)
        {
            return Err(ApiError::cannot_forward_unread());
        }
        if let Some(snapshots) = &found.forwarded {
            return Ok(snapshots.clone());
        }
        let files = found.files().map(|file| file.json(&self.files_url)).collect::<Vec<_>>();
        let mentioned = found.mentions.iter().filter_map(|id| self.users.get(id)).map(User::json);
        let mut snapshot = json!({
            "type": found.kind,
            "content": found.content,
            "mentions": mentioned.collect::<Vec<_>>(),
            "mention_roles": found.mention_roles,
            "attachments": files,
            "embeds": found.embeds,
            "components": found.components,
            "timestamp": clock::iso_of(found.id),
            "edited_timestamp": found.edited,
            "flags": found.flags,
        });
        if !found.stickers.is_empty() {
            snapshot["sticker_items"] = found.stickers.clone().into();
        }
        Ok(json!([{ "message": snapshot }]))
    }
}

fn wrong(code: &'static str, message: &'static str) -> ApiError {
    ApiError::field(&["message_reference"], FieldError::new(code, message))
}
