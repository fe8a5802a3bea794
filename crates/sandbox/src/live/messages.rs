//! Sending, editing, deleting and pinning messages, and typing.

use serde_json::{Value, json};

use super::{Live, Notice};
use crate::draft::{self, Draft, Edit, Upload};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::Channel;
use crate::state::clock;
use crate::state::message::{Author, Message, Reference, flag};
use crate::validate;

/// The sender of a message.
#[derive(Debug, Clone)]
pub enum Sender {
    /// An account.
    User(Snowflake),
    /// A webhook, with the name and picture of this message.
    Webhook {
        /// The webhook.
        id: Snowflake,
        /// The application it belongs to.
        application: Option<Snowflake>,
        /// Displayed name.
        name: String,
        /// Displayed picture.
        avatar: Option<String>,
    },
}

/// How long a nonce with `enforce_nonce` is remembered, in milliseconds.
const NONCE_MEMORY_MS: u64 = 5 * 60 * 1000;

impl Live<'_> {
    /// Sends a message with all checks of permissions and references, and returns its id.
    pub fn send(&mut self, channel_id: Snowflake, sender: &Sender, mut draft: Draft) -> ApiResult<Snowflake> {
        let channel = self.channel(channel_id)?;
        if !channel.is_text() {
            return Err(ApiError::not_a_text_channel());
        }
        let user = if let Sender::User(user) = sender { Some(*user) } else { None };
        if let Some(user) = user {
            self.may_send(user, channel, &draft)?;
            if let Some(earlier) = self.same_nonce(user, channel, &draft) {
                return Ok(earlier);
            }
        }
        draft.check_recording()?;
        self.check_stickers(user, channel, &draft.message.sticker_ids)?;
        let author = match sender {
            Sender::User(id) => Author::User(*id),
            Sender::Webhook { name, avatar, .. } => {
                Author::Webhook { name: name.clone(), avatar: avatar.clone() }
            }
        };
        // The first message of a forum's post has the id of its thread (Start Thread in Forum or Media Channel).
        let id = if self.awaits_first_message(channel) { channel_id } else { self.next_id() };
        let mut message = Message::new(id, channel_id, author);
        if let Sender::Webhook { id, application, .. } = sender {
            message.webhook_id = Some(*id);
            message.application_id = *application;
        }
        self.check_skus(message.application_id.or(user), &draft.message.components)?;
        self.check_emojis(&draft.message.components, &[])?;
        self.refer(&mut message, &draft, user)?;
        self.resolve_poll(draft.message.poll.as_mut())?;
        let verdicts = match user {
            Some(user) => self.moderate(user, channel_id, &draft.message.content)?,
            None => Vec::new(),
        };
        let flagged = user.filter(|_| !verdicts.is_empty()).map(|user| (user, draft.message.content.clone()));
        draft.fill(self, &mut message);
        let id = self.publish(message);
        if let Some((user, content)) = flagged {
            self.flag(&verdicts, user, channel_id, id, &content);
        }
        Ok(id)
    }

    /// Returns whether a channel is the thread of a forum's post that has had no message yet.
    fn awaits_first_message(&self, channel: &Channel) -> bool {
        let parent = channel.parent_id.and_then(|id| self.channels.get(&id));
        channel.thread.as_ref().is_some_and(|thread| thread.total_sent == 0)
            && parent.is_some_and(Channel::is_forum)
    }

    /// Adds a complete message to its channel, sends the event, shows it in the lobby that is linked to the channel, and
    /// returns the message's id.
    pub fn publish(&mut self, message: Message) -> Snowflake {
        let channel = message.channel_id;
        let id = self.deliver(message);
        self.show_in_lobby(channel, id);
        self.direct_message_sent(channel, id);
        id
    }

    /// Adds a complete message to its channel, sends the event, and returns the message's id.
    pub(super) fn deliver(&mut self, mut message: Message) -> Snowflake {
        if message.source.is_none() {
            message.source = self.source(None);
        }
        let (id, channel_id) = (message.id, message.channel_id);
        if let Author::User(author) = message.author {
            self.saw(author);
        }
        let now = self.clock.now();
        let (mut awoken, mut joined) = (false, None);
        let Some(channel) = self.channels.get_mut(&channel_id) else { return id };
        if let Some(thread) = &mut channel.thread {
            awoken = std::mem::take(&mut thread.archived);
            if awoken {
                thread.archive_timestamp = clock::iso(now);
            }
            if let Author::User(author) = message.author
                && !thread.members.contains_key(&author)
            {
                thread.members.insert(author, clock::iso(now));
                joined = Some(author);
            }
        }
        if awoken {
            self.unarchived(channel_id);
            self.watch_activity(channel_id);
        }
        if joined.is_some() {
            self.dispatch_thread_members(channel_id, joined, None);
        }
        let Some(channel) = self.channels.get_mut(&channel_id) else { return id };
        if let Some(forgotten) = channel.push(message) {
            for attachment in forgotten.files() {
                self.files.remove(&attachment.id);
            }
            self.clear_moderation(forgotten.id);
        }
        if let Some(event) = self.message_event(channel_id, id) {
            self.dispatch_channel(channel_id, "MESSAGE_CREATE", event);
        }
        self.schedule_poll(channel_id, id);
        id
    }

    /// Reads the body of an edit, applies it and sends the event. Ephemeral messages change without an event.
    pub fn edit(
        &mut self,
        channel: Snowflake,
        id: Snowflake,
        body: &Value,
        uploads: Vec<Upload>,
    ) -> ApiResult<()> {
        let message = self.any_message(channel, id).ok_or_else(ApiError::unknown_message)?;
        let author = message.author_id();
        let change = validate::message::edit(body, &draft::names(&uploads), &draft::edit_target(message))?;
        let text = change.content.as_ref().cloned();
        let (Some(author), Some(text)) = (author, text) else {
            return self.apply(channel, id, Edit { change, uploads });
        };
        let verdicts = self.moderate(author, channel, &text)?;
        self.apply(channel, id, Edit { change, uploads })?;
        self.flag(&verdicts, author, channel, id, &text);
        Ok(())
    }

    /// Applies an edit and sends the event.
    pub fn apply(&mut self, channel: Snowflake, id: Snowflake, mut edit: Edit) -> ApiResult<()> {
        let mut message = self.any_message(channel, id).cloned().ok_or_else(ApiError::unknown_message)?;
        if message.poll.is_some() {
            return Err(ApiError::poll_message_edit());
        }
        self.resolve_poll(edit.change.poll.as_mut())?;
        let components = edit.change.components.as_ref().map_or(&[][..], Vec::as_slice);
        self.check_skus(message.application_id.or(message.author_id()), components)?;
        self.check_emojis(components, &[])?;
        if edit
            .change
            .sticker_ids
            .iter()
            .any(|id| message.stickers.iter().all(|known| known["id"] != json!(id)))
        {
            return Err(ApiError::cannot_edit_stickers());
        }
        let was_loading = message.flags & flag::LOADING != 0;
        let adds_poll = edit.change.poll.is_some();
        let text = message.content.clone();
        edit.apply(self, &mut message);
        let answers = message.interaction_metadata.as_ref().filter(|_| was_loading);
        let answers = answers.and_then(|metadata| metadata["id"].as_str()?.parse().ok());
        if let Some(source) = self.source(answers) {
            message.source = Some(source);
        }
        if text != message.content {
            self.clear_moderation(id);
        }
        if !was_loading {
            message.edited = Some(clock::iso(self.clock.now()));
        }
        if let Some(stored) = self.any_message_mut(channel, id) {
            *stored = message;
        }
        self.announce_edit(channel, id);
        self.message_edited(channel, id);
        if adds_poll {
            self.schedule_poll(channel, id);
        }
        self.edit_copies(channel, id);
        Ok(())
    }

    /// Sends the event of a changed message.
    pub fn announce_edit(&mut self, channel: Snowflake, id: Snowflake) {
        self.interactions.message_updated(id);
        match self.message_event(channel, id) {
            Some(event) => self.dispatch_channel(channel, "MESSAGE_UPDATE", event),
            // One that only its user sees.
            None => self.feed.push(Notice::Message { channel, id }),
        }
    }

    /// Deletes messages and sends the event; several messages are one event.
    pub fn delete(&mut self, channel_id: Snowflake, ids: &[Snowflake]) {
        let Some(channel) = self.channels.get_mut(&channel_id) else { return };
        let guild = channel.guild_id;
        let gone: Vec<Message> = ids.iter().filter_map(|id| channel.messages.remove(id)).collect();
        channel.pins.retain(|(id, _)| !ids.contains(id));
        for attachment in gone.iter().flat_map(Message::files) {
            self.files.remove(&attachment.id);
        }
        let ids: Vec<Snowflake> = gone.iter().map(|message| message.id).collect();
        let mut event = json!({ "channel_id": channel_id });
        if let Some(guild) = guild {
            event["guild_id"] = json!(guild);
        }
        match ids.as_slice() {
            [] => {}
            [id] => {
                event["id"] = json!(id);
                self.dispatch_channel(channel_id, "MESSAGE_DELETE", event);
            }
            ids => {
                event["ids"] = json!(ids);
                self.dispatch_channel(channel_id, "MESSAGE_DELETE_BULK", event);
            }
        }
        for original in &gone {
            self.message_deleted(original);
            self.clear_moderation(original.id);
            self.empty_copies(original);
        }
    }

    /// Pins or unpins a message as somebody, if they may, and writes that into the audit log.
    pub fn pin(
        &mut self,
        channel: Snowflake,
        id: Snowflake,
        pinned: bool,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        self.require(channel, by, Permissions::PIN_MESSAGES)?;
        let author = self.message(channel, id).and_then(Message::author_id);
        self.set_pinned(channel, id, pinned, by)?;
        if let Some(guild) = self.channel(channel)?.guild_id {
            let options = json!({ "channel_id": channel, "message_id": id });
            self.audit_with_options(guild, if pinned { 74 } else { 75 }, by, author, reason, &options);
        }
        Ok(())
    }

    /// Pins or unpins a message. Pinning adds a system message to the channel.
    fn set_pinned(
        &mut self,
        channel_id: Snowflake,
        id: Snowflake,
        pinned: bool,
        by: Snowflake,
    ) -> ApiResult<()> {
        let now = self.clock.now();
        let channel = self.channel_mut(channel_id)?;
        let Some(message) = channel.messages.get_mut(&id) else { return Err(ApiError::unknown_message()) };
        if message.pinned == pinned {
            return Ok(());
        }
        if pinned && channel.pins.len() >= 250 {
            return Err(ApiError::max_pins());
        }
        message.pinned = pinned;
        let guild = channel.guild_id;
        if pinned {
            channel.pin(id, now);
        } else {
            channel.pins.retain(|(other, _)| *other != id);
        }
        let mut event = json!({ "channel_id": channel_id, "last_pin_timestamp": channel.last_pin_timestamp });
        if let Some(guild) = guild {
            event["guild_id"] = json!(guild);
        }
        self.announce_edit(channel_id, id);
        self.dispatch_channel(channel_id, "CHANNEL_PINS_UPDATE", event);
        if pinned {
            let mut notice = Message::new(self.next_id(), channel_id, Author::User(by));
            notice.kind = 6;
            notice.reference = Some(Reference { kind: 0, channel_id, message_id: Some(id), guild_id: guild });
            self.publish(notice);
        }
        Ok(())
    }

    /// Sends the event of a typing user.
    pub fn typing(&self, channel_id: Snowflake, user: Snowflake) {
        let Some(channel) = self.channels.get(&channel_id) else { return };
        let mut event = json!({
            "channel_id": channel_id,
            "user_id": user,
            "timestamp": self.clock.now().unix_timestamp(),
        });
        if let Some(guild) = channel.guild_id {
            event["guild_id"] = json!(guild);
            event["member"] = self.member_json(guild, user).unwrap_or_default();
        }
        self.dispatch_channel(channel_id, "TYPING_START", event);
    }

    /// Returns the message object with the additional fields of gateway events.
    pub fn message_event(&self, channel_id: Snowflake, id: Snowflake) -> Option<Value> {
        let channel = self.channels.get(&channel_id)?;
        let message = channel.messages.get(&id)?;
        let mut event = message.json(self, None);
        event["channel_type"] = channel.kind.into();
        let Some(guild) = channel.guild_id.and_then(|id| self.guilds.get(&id)) else { return Some(event) };
        event["guild_id"] = json!(guild.id);
        if let Some(member) = message.author_id().and_then(|author| guild.members.get(&author)) {
            event["member"] = member.partial_json();
        }
        for mention in event["mentions"].as_array_mut().into_iter().flatten() {
            let id = mention["id"].as_str().and_then(|id| id.parse::<Snowflake>().ok());
            let member = id.and_then(|id| guild.members.get(&id));
            if let Some(member) = member {
                mention["member"] = member.partial_json();
            }
        }
        Some(event)
    }

    fn may_send(&self, user: Snowflake, channel: &Channel, draft: &Draft) -> ApiResult<()> {
        let has = self.permissions_in(user, channel);
        if !has.contains(Permissions::VIEW_CHANNEL) {
            return Err(ApiError::missing_access());
        }
        if channel.is_dm() {
            let others = channel.recipients.iter().filter(|other| **other != user);
            let paused = others.into_iter().any(|other| self.dms_paused(user, *other));
            return if paused { Err(ApiError::cannot_message_user()) } else { Ok(()) };
        }
        let needed = if channel.is_thread() {
            Permissions::SEND_MESSAGES_IN_THREADS
        } else {
            Permissions::SEND_MESSAGES
        };
        if !has.contains(needed) {
            return Err(ApiError::missing_permissions());
        }
        if !draft.uploads.is_empty() && !has.contains(Permissions::ATTACH_FILES) {
            return Err(ApiError::missing_permissions());
        }
        if draft.message.poll.is_some() && !has.contains(Permissions::SEND_POLLS) {
            return Err(ApiError::missing_permissions());
        }
        if self.in_slow_mode(user, channel) && !has.contains(Permissions::BYPASS_SLOWMODE) {
            return Err(ApiError::slowmode());
        }
        let locked = channel.thread.as_ref().is_some_and(|thread| thread.archived && thread.locked);
        if locked && !has.contains(Permissions::MANAGE_THREADS) {
            return Err(ApiError::archived_thread());
        }
        if draft.message.tts && !has.contains(Permissions::SEND_TTS_MESSAGES) {
            return Err(ApiError::missing_permissions());
        }
        self.refuse_if_locked(channel.id, user)
    }

    /// Returns whether a user who is no bot has written in a channel less than its slow mode ago.
    fn in_slow_mode(&self, user: Snowflake, channel: &Channel) -> bool {
        if channel.rate_limit_per_user == 0 || self.applications.contains_key(&user) {
            return false;
        }
        let wait = channel.rate_limit_per_user.saturating_mul(1000);
        let since = Snowflake::first_at(self.next_id().timestamp_ms().saturating_sub(wait));
        let recent = channel.messages.range(since..).rev();
        recent.into_iter().any(|(_, message)| message.author_id() == Some(user))
    }

    /// Returns the message that was already sent with this nonce, if the sender enforces nonces.
    fn same_nonce(&self, user: Snowflake, channel: &Channel, draft: &Draft) -> Option<Snowflake> {
        let nonce = draft.message.nonce.as_ref().filter(|_| draft.message.enforce_nonce)?;
        let since = Snowflake::first_at(self.next_id().timestamp_ms().saturating_sub(NONCE_MEMORY_MS));
        let recent = channel.messages.range(since..).rev().map(|(_, message)| message);
        recent
            .filter(|message| message.author_id() == Some(user))
            .find(|message| message.nonce.as_ref() == Some(nonce))
            .map(|message| message.id)
    }
}
