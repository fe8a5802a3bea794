//! serenity's updates of its cache, called with our own values.
//!
//! Outside of serenity its events can only be created by deserialising them. So each is read from the minimal JSON, and
//! then its fields are set.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serenity::all::{
    Cache, ChannelDeleteEvent, ChannelId, ChannelUpdateEvent, Guild, GuildChannel, GuildCreateEvent,
    GuildDeleteEvent, GuildId, GuildMembersChunkEvent, GuildRoleUpdateEvent, GuildUpdateEvent, Member,
    MessageUpdateEvent, PartialGuild, PresenceUpdateEvent, Role, ThreadDeleteEvent, ThreadUpdateEvent,
    UserId,
};
use serenity::cache::CacheUpdate;

/// Writes to a cache.
pub(super) struct Updates<'a>(pub(super) &'a Cache);

impl Updates<'_> {
    fn update<E: CacheUpdate + DeserializeOwned>(&self, least: Value, set: impl FnOnce(&mut E)) {
        match serde_json::from_value::<E>(least) {
            Ok(mut event) => {
                set(&mut event);
                self.0.update(&mut event);
            }
            // The tests create one of each kind.
            Err(error) => tracing::error!(%error, "the cache is not up to date"),
        }
    }

    pub(super) fn guild_update(&self, new: &PartialGuild) {
        match serde_json::to_value(new) {
            Ok(least) => self.update::<GuildUpdateEvent>(least, |event| event.guild = new.clone()),
            Err(error) => tracing::error!(%error, "the cache is not up to date"),
        }
    }

    /// Replaces a guild, or adds it.
    pub(super) fn guild(&self, guild: Guild) {
        let least = serde_json::to_value(Guild::default()).unwrap_or_default();
        self.update::<GuildCreateEvent>(least, |event| event.guild = guild);
    }

    /// Removes a guild that the bot is no longer in.
    pub(super) fn guild_left(&self, guild: GuildId) {
        self.update::<GuildDeleteEvent>(json!({ "id": guild, "unavailable": false }), |_| {});
    }

    /// Replaces members, or adds them, without counting them.
    pub(super) fn members(&self, guild: GuildId, members: impl IntoIterator<Item = Member>) {
        let members: HashMap<_, _> = members.into_iter().map(|member| (member.user.id, member)).collect();
        if !members.is_empty() {
            let least = json!({ "guild_id": guild, "members": [], "chunk_index": 0, "chunk_count": 1 });
            self.update::<GuildMembersChunkEvent>(least, |event| event.members = members);
        }
    }

    pub(super) fn role(&self, role: Role) {
        match serde_json::to_value(&role) {
            Ok(json) => {
                let least = json!({ "guild_id": role.guild_id, "role": json });
                self.update::<GuildRoleUpdateEvent>(least, |event| event.role = role);
            }
            Err(error) => tracing::error!(%error, "the cache is not up to date"),
        }
    }

    /// Removes a user's presence.
    pub(super) fn offline(&self, guild: GuildId, user: UserId) {
        let least = json!({ "user": { "id": user }, "guild_id": guild, "status": "offline" });
        self.update::<PresenceUpdateEvent>(least, |_| {});
    }

    /// Replaces a channel, or adds it.
    pub(super) fn channel(&self, channel: GuildChannel) {
        self.update::<ChannelUpdateEvent>(least_thread(channel.guild_id, channel.id), |event| {
            event.channel = channel;
        });
    }

    /// Replaces a thread, or adds it.
    pub(super) fn thread(&self, thread: GuildChannel) {
        self.update::<ThreadUpdateEvent>(least_thread(thread.guild_id, thread.id), |event| {
            event.thread = thread;
        });
    }

    pub(super) fn thread_gone(&self, guild: GuildId, thread: ChannelId) {
        self.update::<ThreadDeleteEvent>(least_thread(guild, thread), |_| {});
    }

    /// Removes the messages of a deleted thread.
    pub(super) fn forget_messages(&self, guild: GuildId, thread: ChannelId) {
        self.update::<ChannelDeleteEvent>(least_thread(guild, thread), |_| {});
    }

    /// Changes a cached message.
    pub(super) fn message(&self, least: Value, set: impl FnOnce(&mut MessageUpdateEvent)) {
        self.update(least, set);
    }
}

fn least_thread(guild: GuildId, thread: ChannelId) -> Value {
    json!({ "id": thread, "guild_id": guild, "parent_id": thread, "type": 11, "name": "" })
}
