//! Channels and threads: creating, changing, deleting, joining and leaving.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::permissions::{Overwrite, OverwriteKind, Permissions};
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, Thread, kind};
use crate::state::forum::{REQUIRE_TAG, Tag};
use crate::state::guild::Guild;
use crate::state::message::{Author, Message, Reference, flag};
use crate::validate::Change;
use crate::validate::channel::{ChannelBody, Position, ThreadBody};
use crate::validate::forum::{self, TagBody};

impl Channel {
    /// Applies the fields that a body names. `next_id` creates the ids of new tags.
    pub fn apply(&mut self, body: ChannelBody, mut next_id: impl FnMut() -> Snowflake) {
        body.kind.apply_or(&mut self.kind, kind::TEXT);
        if let Some(name) = body.name {
            self.name = name;
        }
        body.position.map(i64::from).apply_or(&mut self.position, 0);
        body.topic.apply(&mut self.topic);
        body.bitrate.map(u64::from).apply_or(&mut self.bitrate, 64_000);
        body.user_limit.map(u64::from).apply_or(&mut self.user_limit, 0);
        body.nsfw.apply_or(&mut self.nsfw, false);
        body.rate_limit_per_user.map(u64::from).apply_or(&mut self.rate_limit_per_user, 0);
        body.parent_id.apply(&mut self.parent_id);
        body.permission_overwrites.apply_or(&mut self.overwrites, Vec::new());
        body.rtc_region.apply(&mut self.rtc_region);
        body.default_auto_archive_duration.map(u64::from).apply(&mut self.default_auto_archive_duration);
        body.default_thread_rate_limit_per_user
            .map(u64::from)
            .apply_or(&mut self.default_thread_rate_limit_per_user, 0);
        body.video_quality_mode.apply_or(&mut self.video_quality_mode, 1);
        body.flags.map(u64::from).apply_or(&mut self.flags, 0);
        let Some(forum) = self.forum_mut() else { return };
        let tags = body.available_tags.map(|tags| {
            let tag = |tag: TagBody| {
                let known = tag.id.filter(|id| forum.available_tags.iter().any(|old| old.id == *id));
                let id = known.unwrap_or_else(&mut next_id);
                Tag { id, name: tag.name, moderated: tag.moderated, emoji: tag.emoji }
            };
            tags.into_iter().map(tag).collect()
        });
        tags.apply_or(&mut forum.available_tags, Vec::new());
        body.default_reaction_emoji.apply(&mut forum.default_reaction);
        body.default_sort_order.apply(&mut forum.default_sort_order);
        body.default_tag_setting.map(Into::into).apply(&mut forum.default_tag_setting);
        body.default_forum_layout.apply_or(&mut forum.default_layout, 0);
    }
}

impl Live<'_> {
    /// Changes a channel that is no thread and sends the event. With another region, a call moves there.
    pub fn edit_channel(&mut self, id: Snowflake, body: ChannelBody) -> ApiResult<()> {
        if let Some(guild) = self.channel(id)?.guild_id {
            self.check_body(guild, self.channel(id)?.kind, &body)?;
        }
        forum::unique(body.available_tags.as_ref().map_or(&[], Vec::as_slice))?;
        let ids: Vec<_> =
            (0..body.available_tags.as_ref().map_or(0, Vec::len)).map(|_| self.next_id()).collect();
        let mut ids = ids.into_iter();
        let guild = self.channel(id)?.guild_id;
        let before = guild.map(|guild| (guild, self.access(guild)));
        let channel = self.channel_mut(id)?;
        let region = channel.rtc_region.clone();
        channel.apply(body, || ids.next().unwrap_or_default());
        let moves_call = channel.rtc_region != region;
        self.channel_changed(id);
        if moves_call {
            self.change_server(id);
        }
        if let Some((guild, before)) = before {
            self.access_changed(guild, &before, Some(id));
        }
        Ok(())
    }

    /// Changes the status of a voice channel, which is for 500 characters at most. If it differs, sends the event and
    /// writes the audit log.
    ///
    /// # Errors
    /// If it is no voice channel.
    pub fn set_voice_status(
        &mut self,
        id: Snowflake,
        status: Change<String>,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let channel = self.channel_mut(id)?;
        let (Some(guild), kind::VOICE) = (channel.guild_id, channel.kind) else {
            return Err(ApiError::wrong_channel_type());
        };
        if !status.apply(&mut channel.status) {
            return Ok(());
        }
        let event = json!({ "id": id, "guild_id": guild, "status": channel.status });
        let (action, options) = match &channel.status {
            Some(status) => (192, json!({ "channel_id": id, "status": status })),
            None => (193, json!({ "channel_id": id })),
        };
        self.dispatch_channel(id, "VOICE_CHANNEL_STATUS_UPDATE", event);
        self.audit_with_options(guild, action, by, Some(id), reason, &options);
        Ok(())
    }

    /// Moves a channel to its position in a reordering and sends the event.
    pub fn place_channel(&mut self, place: Position) -> ApiResult<()> {
        let of_category = place
            .parent_id
            .as_ref()
            .filter(|_| place.lock_permissions)
            .and_then(|parent| self.channels.get(parent))
            .map(|parent| parent.overwrites.clone());
        let guild = self.channel(place.id)?.guild_id;
        let before = guild.map(|guild| (guild, self.access(guild)));
        let channel = self.channel_mut(place.id)?;
        channel.position = place.position.map_or(channel.position, i64::from);
        place.parent_id.apply(&mut channel.parent_id);
        if let Some(overwrites) = of_category {
            channel.overwrites = overwrites;
        }
        self.channel_changed(place.id);
        if let Some((guild, before)) = before {
            self.access_changed(guild, &before, Some(place.id));
        }
        Ok(())
    }

    /// Sets a channel's overwrite for a role or member and sends the events.
    pub fn set_overwrite(&mut self, id: Snowflake, overwrite: Overwrite) -> ApiResult<()> {
        let channel = self.channel(id)?;
        let Some(guild) = channel.guild_id.filter(|_| !channel.is_thread()) else {
            return Err(ApiError::wrong_channel_type());
        };
        // A role as a member and a member as a role are unknown too (discord-api-docs#101).
        let is_known = self.guilds.get(&guild).is_some_and(|guild| match overwrite.kind {
            OverwriteKind::Role => guild.roles.contains_key(&overwrite.id),
            OverwriteKind::Member => guild.members.contains_key(&overwrite.id),
        });
        if !is_known {
            return Err(ApiError::unknown_overwrite());
        }
        let before = self.access(guild);
        let channel = self.channel_mut(id)?;
        channel.overwrites.retain(|other| other.id != overwrite.id);
        channel.overwrites.push(overwrite);
        self.channel_changed(id);
        self.access_changed(guild, &before, Some(id));
        Ok(())
    }

    /// Removes a channel's overwrite for a role or member and sends the events.
    pub fn remove_overwrite(&mut self, id: Snowflake, target: Snowflake) -> ApiResult<()> {
        let channel = self.channel(id)?;
        if !channel.overwrites.iter().any(|overwrite| overwrite.id == target) {
            return Err(ApiError::unknown_overwrite());
        }
        let before = channel.guild_id.map(|guild| (guild, self.access(guild)));
        self.channel_mut(id)?.overwrites.retain(|other| other.id != target);
        self.channel_changed(id);
        if let Some((guild, before)) = before {
            self.access_changed(guild, &before, Some(id));
        }
        Ok(())
    }

    /// Adds a channel to a guild and sends the event.
    pub fn add_channel(&mut self, channel: Channel) {
        let (id, guild) = (channel.id, channel.guild_id);
        let before = guild.map(|guild| (guild, self.access(guild)));
        if let Some(guild) = guild.and_then(|id| self.guilds.get_mut(&id)) {
            guild.channels.push(id);
        }
        self.channels.insert(id, channel);
        if let Some(channel) = self.channels.get(&id) {
            self.dispatch_shown("CHANNEL_CREATE", channel);
        }
        if let Some((guild, before)) = before {
            self.access_changed(guild, &before, Some(id));
        }
    }

    /// Sends the event of a changed channel or thread: for channels to all bots in the guild, for threads to those that
    /// see them.
    pub fn channel_changed(&self, id: Snowflake) {
        let Some(channel) = self.channels.get(&id) else { return };
        match channel.guild_id {
            Some(_) if !channel.is_thread() => self.dispatch_shown("CHANNEL_UPDATE", channel),
            _ => self.dispatch_channel(id, "THREAD_UPDATE", channel.json()),
        }
    }

    /// Deletes a channel with its threads, or a single thread, and sends the events.
    pub fn delete_channel(&mut self, id: Snowflake) -> ApiResult<Value> {
        let channel = self.channel(id)?;
        let shown = channel.json();
        let guild = channel.guild_id;
        if let Some(guild) = guild {
            self.cancel_events_in(guild, id);
            self.close_stage_in(id);
        }
        let channel = self.channel(id)?;
        if channel.is_thread() {
            let event =
                json!({ "id": id, "guild_id": guild, "parent_id": channel.parent_id, "type": channel.kind });
            self.dispatch_channel(id, "THREAD_DELETE", event);
        } else {
            self.dispatch_shown("CHANNEL_DELETE", channel);
        }
        let access = guild.map(|guild| self.access(guild));
        let has_parent =
            |inside: &Snowflake| self.channels.get(inside).is_some_and(|inside| inside.parent_id == Some(id));
        let found = guild.and_then(|id| self.guilds.get(&id));
        let of_guild = |ids: fn(&Guild) -> &[Snowflake]| -> Vec<Snowflake> {
            found.map_or(&[][..], ids).iter().copied().filter(has_parent).collect()
        };
        let (threads, children) = (of_guild(|guild| &guild.threads), of_guild(|guild| &guild.channels));
        for gone in threads.into_iter().chain([id]) {
            if let Some(channel) = self.channels.swap_remove(&gone) {
                for attachment in channel.messages.values().flat_map(Message::files) {
                    self.files.remove(&attachment.id);
                }
            }
            if let Some(guild) = guild.and_then(|id| self.guilds.get_mut(&id)) {
                guild.channels.retain(|other| *other != gone);
                guild.threads.retain(|other| *other != gone);
                guild.community.forget_channel(gone);
                for setting in [
                    &mut guild.system_channel_id,
                    &mut guild.afk_channel_id,
                    &mut guild.rules_channel_id,
                    &mut guild.public_updates_channel_id,
                    &mut guild.safety_alerts_channel_id,
                    &mut guild.widget.channel_id,
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
        for child in children {
            if let Some(child) = self.channels.get_mut(&child) {
                child.parent_id = None;
            }
        }
        self.webhooks.retain(|_, webhook| webhook.channel_id != id);
        self.invites.retain(|_, invite| invite.channel_id != id);
        if let Some((guild, access)) = guild.zip(access) {
            self.access_changed(guild, &access, None);
        }
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
        let forum = parent.is_forum();
        let slowmode = parent.default_thread_rate_limit_per_user;
        let applied_tags = settings.applied_tags.value().unwrap_or_default();
        if forum {
            self.check_tags(parent_id, owner, &[], &applied_tags)?;
        }
        let id = from.unwrap_or_else(|| self.next_id());
        if self.channels.contains_key(&id) {
            return Err(ApiError::new(
                axum::http::StatusCode::BAD_REQUEST,
                160_004,
                "A thread has already been created for this message",
            ));
        }
        let now = self.now();
        // A webhook that opens a post of a forum is no member.
        let owner_joins = self.guilds.get(&guild).is_some_and(|guild| guild.members.contains_key(&owner));
        let name = settings.name.unwrap_or_default();
        let mut channel = Channel::new(id, kind, Some(guild), &name, self.clock.now());
        channel.parent_id = Some(parent_id);
        channel.rate_limit_per_user = settings.rate_limit_per_user.value().map_or(slowmode, u64::from);
        channel.thread = Some(Box::new(Thread {
            owner_id: owner,
            archived: false,
            auto_archive_duration: settings.auto_archive_duration.value().map_or(default_duration, u64::from),
            archive_timestamp: now.clone(),
            locked: false,
            invitable: settings.invitable.value().unwrap_or(true),
            create_timestamp: now.clone(),
            members: if owner_joins { [(owner, now)].into_iter().collect() } else { IndexMap::new() },
            total_sent: 0,
            applied_tags: if forum { applied_tags } else { Vec::new() },
        }));
        self.channels.insert(id, channel);
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.threads.push(id);
        }
        if let Some(message) = from.and_then(|id| self.any_message_mut(parent_id, id)) {
            message.flags |= flag::HAS_THREAD;
        }
        self.dispatch_thread_created(id);
        self.watch_activity(id);
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
        if owner_joins {
            self.audit_thread(id, owner);
        }
        Ok(id)
    }

    /// Checks that a post of a forum may get the tags `after` in place of `before`.
    pub fn check_tags(
        &self,
        forum: Snowflake,
        user: Snowflake,
        before: &[Snowflake],
        after: &[Snowflake],
    ) -> ApiResult<()> {
        let channel = self.channel(forum)?;
        let available = &channel.forum().available_tags;
        let moderates = self.permissions_in(user, channel).contains(Permissions::MANAGE_THREADS);
        if channel.flags & REQUIRE_TAG != 0 && after.is_empty() {
            let for_members = available.iter().any(|tag| moderates || !tag.moderated);
            return Err(if for_members { ApiError::tag_required() } else { ApiError::no_tag_for_members() });
        }
        for id in before.iter().chain(after).filter(|id| before.contains(id) != after.contains(id)) {
            match available.iter().find(|tag| tag.id == *id) {
                Some(tag) if tag.moderated && !moderates => return Err(ApiError::missing_permissions()),
                None if after.contains(id) => return Err(ApiError::unknown_tag()),
                _ => {}
            }
        }
        Ok(())
    }

    fn dispatch_thread_created(&self, id: Snowflake) {
        let Some(channel) = self.channels.get(&id) else { return };
        let event = |bot| {
            let mut event = self.channel_json(channel, Some(bot));
            event["newly_created"] = true.into();
            Some(event)
        };
        let intents = crate::gateway::Intents::GUILDS;
        self.dispatch_each(self.bots_seeing(channel), "THREAD_CREATE", channel.guild_id, intents, event);
    }

    /// Checks that `user` has the permissions `needed` in this channel. The error is Discord's.
    pub fn require(&self, channel: Snowflake, user: Snowflake, needed: Permissions) -> ApiResult<()> {
        self.channel_for(channel, user, needed).map(|_| ())
    }
}
