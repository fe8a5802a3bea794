//! Polls: voting, and how they end.

use serde_json::json;
use time::OffsetDateTime;

use super::Live;
use crate::error::{ApiError, ApiResult, FieldError};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::message::{Author, Message, Reference};
use crate::state::poll::Poll;
use crate::validate;

/// Type of the message that reports how a poll ended.
const POLL_RESULT: u8 = 46;

impl Live<'_> {
    /// Returns the poll of a message that a user can read, or Discord's error.
    pub fn poll(&self, channel: Snowflake, message: Snowflake, user: Snowflake) -> ApiResult<&Poll> {
        self.channel_for(channel, user, Permissions::READ_MESSAGE_HISTORY)?;
        let message = self.any_message(channel, message).ok_or_else(ApiError::unknown_message)?;
        message.poll.as_ref().ok_or_else(ApiError::not_a_poll)
    }

    /// Completes the emojis of a new poll's answers; a custom one must exist.
    pub(super) fn resolve_poll(&self, poll: Option<&mut validate::poll::Poll>) -> ApiResult<()> {
        for media in poll.into_iter().flat_map(|poll| &mut poll.answers) {
            if let Some(id) = media["emoji"]["id"].as_str() {
                let emoji = self.emoji(&format!("_:{id}")).map_err(|_| ApiError::poll_emoji())?;
                media["emoji"] = emoji.to_json();
            }
        }
        Ok(())
    }

    /// Makes `answers` all that a user votes for, and sends an event for each answer that lost or got their vote.
    pub fn vote(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        user: Snowflake,
        answers: &[u64],
    ) -> ApiResult<()> {
        let poll = self.poll(channel_id, id, user)?;
        if poll.expiry <= self.clock.now() {
            return Err(ApiError::poll_expired());
        }
        if answers.iter().any(|answer| poll.answer(*answer).is_none()) {
            return Err(ApiError::field(&["answer_ids"], FieldError::choices(1..=poll.answers.len())));
        }
        if answers.len() > 1 && !poll.allow_multiselect {
            return Err(ApiError::field(&["answer_ids"], FieldError::max_length(1)));
        }
        let Some(message) = self.any_message_mut(channel_id, id) else { return Ok(()) };
        let (mut lost, mut got) = (Vec::new(), Vec::new());
        for (number, answer) in (1..).zip(message.poll.iter_mut().flat_map(|poll| &mut poll.answers)) {
            if answers.contains(&number) {
                if answer.voters.insert(user) {
                    got.push(number);
                }
            } else if answer.voters.remove(&user) {
                lost.push(number);
            }
        }
        let guild = self.channel(channel_id)?.guild_id;
        let lost = lost.into_iter().map(|answer| ("MESSAGE_POLL_VOTE_REMOVE", answer));
        let got = got.into_iter().map(|answer| ("MESSAGE_POLL_VOTE_ADD", answer));
        for (name, answer) in lost.chain(got) {
            let mut event = json!({
                "user_id": user,
                "channel_id": channel_id,
                "message_id": id,
                "answer_id": answer,
            });
            if let Some(guild) = guild {
                event["guild_id"] = json!(guild);
            }
            self.dispatch_channel(channel_id, name, event);
        }
        Ok(())
    }

    /// Ends a poll of this user before its time (Poll Resource, "End Poll").
    pub fn expire_poll(&mut self, channel: Snowflake, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        self.channel_for(channel, user, Permissions::NONE)?;
        let now = self.clock.now();
        let message = self.any_message_mut(channel, id).ok_or_else(ApiError::unknown_message)?;
        let author = message.author_id();
        let poll = message.poll.as_mut().ok_or_else(ApiError::not_a_poll)?;
        if author != Some(user) {
            return Err(ApiError::not_author());
        }
        if poll.expiry <= now {
            return Err(ApiError::poll_expired());
        }
        poll.expiry = now;
        self.finish_poll(channel, id);
        Ok(())
    }

    /// Puts the end of a message's poll on the agenda.
    pub(super) fn schedule_poll(&mut self, channel: Snowflake, message: Snowflake) {
        let found = self.any_message(channel, message).and_then(|message| message.poll.as_ref());
        if let Some(expiry) = found.filter(|poll| !poll.is_finalized).map(|poll| poll.expiry) {
            self.schedule(expiry, Due::Poll { channel, message });
        }
    }

    /// Ends a poll whose time is over.
    pub(super) fn poll_is_due(&mut self, channel: Snowflake, message: Snowflake, now: OffsetDateTime) {
        let found = self.any_message(channel, message).and_then(|message| message.poll.as_ref());
        if found.is_some_and(|poll| !poll.is_finalized && poll.expiry <= now) {
            self.finish_poll(channel, message);
        }
    }

    /// Makes the counts of a poll final, and reports the result in the channel (Message Resource, "Poll result
    /// messages").
    fn finish_poll(&mut self, channel_id: Snowflake, id: Snowflake) {
        let Some(message) = self.any_message_mut(channel_id, id) else { return };
        let Some(poll) = &mut message.poll else { return };
        poll.is_finalized = true;
        let embed = poll.result_embed();
        let (author, webhook_id) = (message.author.clone(), message.webhook_id);
        let is_public = message.ephemeral_for.is_none();
        self.announce_edit(channel_id, id);
        if !is_public {
            return;
        }
        let mentioned = match author {
            Author::User(id) => vec![id],
            Author::Webhook { .. } => Vec::new(),
        };
        let mut result = Message::new(self.next_id(), channel_id, author);
        result.kind = POLL_RESULT;
        result.webhook_id = webhook_id;
        result.mentions = mentioned;
        result.embeds = vec![embed];
        result.reference = Some(Reference { kind: 0, channel_id, message_id: Some(id), guild_id: None });
        self.publish(result);
    }
}
