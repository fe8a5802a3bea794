//! Threads: their members, and what happens when they are archived or active again.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::gateway::Intents;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::channel::Channel;
use crate::state::clock;

impl Live<'_> {
    /// Refuses an operation on a thread that is archived (Threads, "Active & Archived Threads").
    pub fn refuse_if_archived(&self, id: Snowflake) -> ApiResult<()> {
        let archived = |channel: &Channel| channel.thread.as_ref().is_some_and(|thread| thread.archived);
        if self.channels.get(&id).is_some_and(archived) { Err(ApiError::archived_thread()) } else { Ok(()) }
    }

    /// Checks that a user may write in a thread that may be locked, and change it (Threads, "Locked Threads").
    pub fn refuse_if_locked(&self, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let Some(channel) = self.channels.get(&id) else { return Ok(()) };
        let locked = channel.thread.as_ref().is_some_and(|thread| thread.locked);
        if locked && !self.permissions_in(user, channel).contains(Permissions::MANAGE_THREADS) {
            return Err(ApiError::locked_thread());
        }
        Ok(())
    }

    /// Adds a user to a thread.
    pub fn join_thread(&mut self, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let now = self.now();
        let channel = self.channel_mut(id)?;
        let Some(thread) = &mut channel.thread else { return Err(ApiError::wrong_channel_type()) };
        if thread.members.contains_key(&user) {
            return Ok(());
        }
        thread.members.insert(user, now);
        // A bot that is added may not know the thread yet (Threads, "Gaining Access to Private Threads").
        if self.applications.contains_key(&user)
            && let Some(channel) = self.channels.get(&id)
        {
            let event = self.channel_json(channel, Some(user));
            self.dispatch(Some(user), "THREAD_CREATE", channel.guild_id, Intents::GUILDS, event);
        }
        self.dispatch_thread_members(id, Some(user), None);
        Ok(())
    }

    /// Removes a user from a thread.
    pub fn leave_thread(&mut self, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let channel = self.channel_mut(id)?;
        let Some(thread) = &mut channel.thread else { return Err(ApiError::wrong_channel_type()) };
        if thread.members.shift_remove(&user).is_some() {
            self.dispatch_thread_members(id, None, Some(user));
        }
        Ok(())
    }

    pub(super) fn dispatch_thread_members(
        &self,
        id: Snowflake,
        added: Option<Snowflake>,
        removed: Option<Snowflake>,
    ) {
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
        // A bot that is removed is told so, whether it still sees the thread or not (Threads, "Losing Access to Channels").
        let gone = removed.filter(|user| self.applications.contains_key(user));
        if let Some(bot) = gone.filter(|bot| !self.bots_seeing(channel).contains(bot)) {
            let intents = Intents::for_event("THREAD_MEMBERS_UPDATE", true);
            self.dispatch(Some(bot), "THREAD_MEMBERS_UPDATE", Some(guild), intents, event.clone());
        }
        self.dispatch_channel(id, "THREAD_MEMBERS_UPDATE", event);
    }

    /// Puts the end of a thread's activity on the agenda.
    pub fn watch_activity(&mut self, thread: Snowflake) {
        if let Some(at) = self.channels.get(&thread).and_then(Channel::archives_at) {
            self.schedule(at, Due::QuietThread { thread });
        }
    }

    /// Archives a thread that was without activity for too long (Threads, "Active & Archived Threads").
    pub(super) fn thread_is_due(&mut self, id: Snowflake, now: OffsetDateTime) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Some(at) = channel.archives_at() else { return };
        if at > now {
            self.schedule(at, Due::QuietThread { thread: id });
        } else if let Some(thread) = &mut channel.thread {
            thread.archived = true;
            thread.archive_timestamp = clock::iso(now);
            self.channel_changed(id);
        }
    }

    /// Sends the events of a thread that is active again: THREAD_UPDATE, then THREAD_MEMBER_UPDATE to each member.
    pub fn unarchived(&self, id: Snowflake) {
        self.channel_changed(id);
        let Some(channel) = self.channels.get(&id) else { return };
        let (guild, name) = (channel.guild_id, "THREAD_MEMBER_UPDATE");
        self.dispatch_each(self.bots_seeing(channel), name, guild, Intents::GUILDS, |bot| {
            let mut event = channel.thread_member(bot)?;
            event["guild_id"] = json!(guild);
            Some(event)
        });
    }
}
