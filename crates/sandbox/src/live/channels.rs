//! Channels and threads: made, changed, deleted, joined and left.

use serde_json::{Value, json};

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::permissions::{Overwrite, Permissions};
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, Thread, kind};
use crate::state::message::{Author, Message, Reference, flag};
use crate::validate::channel::{ChannelBody, ThreadBody};

impl ChannelBody {
    /// Writes the fields that it names into a channel.
    pub fn apply(self, channel: &mut Channel) {
        self.kind.apply_or(&mut channel.kind, kind::TEXT);
        if let Some(name) = self.name {
            channel.name = name;
        }
        self.position.map(i64::from).apply_or(&mut channel.position, 0);
        self.topic.apply(&mut channel.topic);
        self.bitrate.map(u64::from).apply_or(&mut channel.bitrate, 64_000);
        self.user_limit.map(u64::from).apply_or(&mut channel.user_limit, 0);
        self.nsfw.apply_or(&mut channel.nsfw, false);
        self.rate_limit_per_user.map(u64::from).apply_or(&mut channel.rate_limit_per_user, 0);
        self.parent_id.apply(&mut channel.parent_id);
        self.permission_overwrites.apply_or(&mut channel.overwrites, Vec::new());
        self.rtc_region.apply(&mut channel.rtc_region);
        self.default_auto_archive_duration.map(u64::from).apply(&mut channel.default_auto_archive_duration);
        self.flags.map(u64::from).apply_or(&mut channel.flags, 0);
    }
}

impl Live<'_> {
    /// Changes a channel that is no thread and tells of it; a call goes along to another region.
    pub fn edit_channel(&mut self, id: Snowflake, body: ChannelBody) -> ApiResult<()> {
        let channel = self.channel_mut(id)?;
        let region = channel.rtc_region.clone();
        body.apply(channel);
        let moves_call = channel.rtc_region != region;
        self.channel_changed(id);
        if moves_call {
            self.change_server(id);
        }
        Ok(())
    }

    /// Sets what a channel changes for a role or member and tells of it.
    pub fn set_overwrite(&mut self, id: Snowflake, overwrite: Overwrite) -> ApiResult<()> {
        let channel = self.channel_mut(id)?;
        if channel.guild_id.is_none() || channel.is_thread() {
            return Err(ApiError::wrong_channel_type());
        }
        channel.overwrites.retain(|other| other.id != overwrite.id);
        channel.overwrites.push(overwrite);
        self.channel_changed(id);
        Ok(())
    }

    /// Adds a channel to a guild and tells of it.
    pub fn add_channel(&mut self, channel: Channel) {
        let (id, guild) = (channel.id, channel.guild_id);
        if let Some(guild) = guild.and_then(|id| self.guilds.get_mut(&id)) {
            guild.channels.push(id);
        }
        let event = channel.json();
        self.channels.insert(id, channel);
        if let Some(guild) = guild {
            self.tell_guild(guild, "CHANNEL_CREATE", event);
        }
    }

    /// Tells that a channel or thread changed. Of channels all bots in the guild hear, of threads those that see them.
    pub fn channel_changed(&self, id: Snowflake) {
        let Some(channel) = self.channels.get(&id) else { return };
        match channel.guild_id {
            Some(guild) if !channel.is_thread() => self.tell_guild(guild, "CHANNEL_UPDATE", channel.json()),
            _ => self.tell_channel(id, "THREAD_UPDATE", channel.json()),
        }
    }

    /// Deletes a channel with its threads, or a single thread, and tells of it.
    pub fn delete_channel(&mut self, id: Snowflake) -> ApiResult<Value> {
        let channel = self.channel(id)?;
        let shown = channel.json();
        let guild = channel.guild_id;
        if let Some(thread) = &channel.thread {
            let event =
                json!({ "id": id, "guild_id": guild, "parent_id": channel.parent_id, "type": channel.kind });
            let _ = thread;
            self.tell_channel(id, "THREAD_DELETE", event);
        } else if let Some(guild) = guild {
            self.tell_guild(guild, "CHANNEL_DELETE", shown.clone());
        }
        let threads: Vec<Snowflake> = self
            .channels
            .values()
            .filter(|c| c.is_thread() && c.parent_id == Some(id))
            .map(|c| c.id)
            .collect();
        for gone in threads.into_iter().chain([id]) {
            if let Some(channel) = self.channels.remove(&gone) {
                for attachment in channel.messages.values().flat_map(|message| &message.attachments) {
                    self.files.remove(&attachment.id);
                }
            }
            if let Some(guild) = guild.and_then(|id| self.guilds.get_mut(&id)) {
                guild.channels.retain(|other| *other != gone);
                guild.threads.retain(|other| *other != gone);
                for setting in [
                    &mut guild.system_channel_id,
                    &mut guild.afk_channel_id,
                    &mut guild.rules_channel_id,
                    &mut guild.public_updates_channel_id,
                ] {
                    if *setting == Some(gone) {
                        *setting = None;
                    }
                }
            }
        }
        if let Some(guild) = guild {
            self.end_call(guild, id);
        }
        for child in self.channels.values_mut().filter(|channel| channel.parent_id == Some(id)) {
            child.parent_id = None;
        }
        self.webhooks.retain(|_, webhook| webhook.channel_id != id);
        self.invites.retain(|_, invite| invite.channel_id != id);
        Ok(shown)
    }

    /// Opens a thread, from a message or by itself. A thread from a message has the message's id.
    pub fn open_thread(
        &mut self,
        parent_id: Snowflake,
        from: Option<Snowflake>,
        kind: u8,
        owner: Snowflake,
        settings: ThreadBody,
    ) -> ApiResult<Snowflake> {
        let parent = self.channel(parent_id)?;
        let guild = parent.guild_id.ok_or_else(ApiError::wrong_channel_type)?;
        let default_duration = parent.default_auto_archive_duration.unwrap_or(4320);
        let kind = if parent.kind == kind::ANNOUNCEMENT { kind::ANNOUNCEMENT_THREAD } else { kind };
        let forum = matches!(parent.kind, kind::FORUM | kind::MEDIA);
        let id = from.unwrap_or_else(|| self.next_id());
        if self.channels.contains_key(&id) {
            return Err(ApiError::new(
                axum::http::StatusCode::BAD_REQUEST,
                160_004,
                "A thread has already been created for this message",
            ));
        }
        let now = self.now();
        let name = settings.name.unwrap_or_default();
        let mut channel = Channel::new(id, kind, Some(guild), &name);
        channel.parent_id = Some(parent_id);
        channel.rate_limit_per_user = settings.rate_limit_per_user.value().map_or(0, u64::from);
        channel.thread = Some(Thread {
            owner_id: owner,
            archived: false,
            auto_archive_duration: settings.auto_archive_duration.value().map_or(default_duration, u64::from),
            archive_timestamp: now.clone(),
            locked: false,
            invitable: settings.invitable.value().unwrap_or(true),
            create_timestamp: now.clone(),
            members: [(owner, now)].into_iter().collect(),
            total_sent: 0,
        });
        self.channels.insert(id, channel);
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.threads.push(id);
        }
        if let Some(message) = from.and_then(|id| self.any_message_mut(parent_id, id)) {
            message.flags |= flag::HAS_THREAD;
        }
        self.tell_thread_created(id);
        if let Some(message) = from {
            self.announce_edit(parent_id, message);
            let mut starter = Message::new(self.next_id(), id, Author::User(owner));
            starter.kind = 21;
            starter.reference =
                Some(Reference { kind: 0, channel_id: parent_id, message_id: from, guild_id: Some(guild) });
            self.publish(starter);
        } else if kind != kind::PRIVATE_THREAD && !forum {
            let mut notice = Message::new(self.next_id(), parent_id, Author::User(owner));
            notice.kind = 18;
            notice.content = name;
            notice.reference =
                Some(Reference { kind: 0, channel_id: id, message_id: None, guild_id: Some(guild) });
            self.publish(notice);
        }
        Ok(id)
    }

    fn tell_thread_created(&self, id: Snowflake) {
        let Some(channel) = self.channels.get(&id) else { return };
        for bot in self.bots_seeing(channel) {
            let mut event = self.channel_json(channel, Some(bot));
            event["newly_created"] = true.into();
            let guild = channel.guild_id;
            self.dispatch(Some(bot), "THREAD_CREATE", guild, crate::gateway::Intents::GUILDS, event);
        }
    }

    /// Adds someone to a thread.
    pub fn join_thread(&mut self, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let now = self.now();
        let channel = self.channel_mut(id)?;
        let Some(thread) = &mut channel.thread else { return Err(ApiError::wrong_channel_type()) };
        if thread.members.contains_key(&user) {
            return Ok(());
        }
        thread.members.insert(user, now);
        self.tell_thread_members(id, Some(user), None);
        Ok(())
    }

    /// Takes someone out of a thread.
    pub fn leave_thread(&mut self, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let channel = self.channel_mut(id)?;
        let Some(thread) = &mut channel.thread else { return Err(ApiError::wrong_channel_type()) };
        if thread.members.shift_remove(&user).is_some() {
            self.tell_thread_members(id, None, Some(user));
        }
        Ok(())
    }

    fn tell_thread_members(&self, id: Snowflake, added: Option<Snowflake>, removed: Option<Snowflake>) {
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(guild) = channel.guild_id else { return };
        let count = channel.thread.as_ref().map_or(0, |thread| thread.members.len());
        let mut event = json!({ "id": id, "guild_id": guild, "member_count": count.min(50) });
        if let Some(user) = added {
            let mut member = channel.thread_member(user).unwrap_or_default();
            member["member"] = self.member_json(guild, user).unwrap_or_default();
            member["presence"] = Value::Null;
            event["added_members"] = json!([member]);
        }
        if let Some(user) = removed {
            event["removed_member_ids"] = json!([user]);
        }
        self.tell_channel(id, "THREAD_MEMBERS_UPDATE", event);
    }

    /// Whether `user` may do `needed` in this channel, as Discord's answer.
    pub fn require(&self, channel: Snowflake, user: Snowflake, needed: Permissions) -> ApiResult<()> {
        self.channel_for(channel, user, needed).map(|_| ())
    }
}
