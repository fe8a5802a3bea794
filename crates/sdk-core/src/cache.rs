//! Keeps serenity's cache equal to Discord for the events that serenity 0.12.5 does not apply.
//!
//! # Theory of operation
//!
//! serenity applies an event to its cache in the shard's task and then dispatches it in tasks that run concurrently. An
//! update in a handler would therefore come too late for the other handlers and for those of the next event. Collectors
//! are called in the shard's task, before serenity's own update. One of ours runs in each shard and applies what
//! serenity does not:
//!
//! - `GUILD_UPDATE` and `CHANNEL_PINS_UPDATE`, for which serenity has the update but does not call it;
//! - a member's flags and avatar decoration, stage instances, scheduled events, threads' members and pins, synchronised
//!   thread lists, threads of a deleted channel, positions of roles beside a created or deleted one, members and
//!   overwrites of a deleted role, settings that name a deleted channel, presences of members who left, reactions to
//!   cached messages, and guilds that were left while the bot was away.
//!
//! The updates go through serenity's own [`CacheUpdate`](serenity::cache::CacheUpdate)s, which hold the entry's lock;
//! all events of a guild arrive in one shard's task, so nothing happens between reading and writing. A guild's fields
//! without such an update are replaced with the whole guild, which copies it; the events that need this are rare.
//!
//! Not handled are deleted messages, which serenity keeps so that their last text can be read, and polls of messages.
//!
//! serenity reads the state before an event from the cache. If our update has been applied by then, [`complete`]
//! inserts the earlier state into the event that is dispatched.
//!
//! [`complete`]: CacheKeeper::complete

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use serde::Serialize;
use serenity::all::{
    AvatarDecorationData, Cache, ChannelId, Event, FullEvent, Guild, GuildChannel, GuildId, GuildMemberFlags,
    GuildMemberUpdateEvent, PartialGuild, PermissionOverwriteType, Ready, Role, RoleId, ShardId,
    ShardManager, ShardMessenger, ThreadListSyncEvent,
};
use serenity::gateway::CollectorCallback;

use self::reactions::Change;
use self::updates::Updates;

mod reactions;
mod updates;

/// Maximum number of earlier states kept for events that have not been dispatched yet.
const REMEMBERED: usize = 64;

/// Keeps the cache of one client up to date.
#[derive(Default)]
pub(crate) struct CacheKeeper {
    cache: ArcSwapOption<Cache>,
    sessions: Mutex<HashMap<ShardId, Arc<Session>>>,
    before: Mutex<VecDeque<Before>>,
}

/// A collector in one shard's task.
#[derive(Default)]
struct Session {
    /// Whether another collector has replaced this one.
    is_over: AtomicBool,
    has_seen_ready: AtomicBool,
}

/// What an event has replaced, found by the event's content.
struct Before {
    event: serde_json::Value,
    was: Was,
}

enum Was {
    Guild(Box<Guild>),
    Member(GuildMemberFlags, Option<AvatarDecorationData>),
}

impl CacheKeeper {
    pub(crate) fn set_cache(&self, cache: Arc<Cache>) {
        self.cache.store(Some(cache));
    }

    /// Starts collecting on a shard that is about to handle its `READY`. Called in the shard's task.
    pub(crate) async fn session_begins(self: &Arc<Self>, shard: u32, manager: &ShardManager) {
        let shard = ShardId(shard);
        if let Some(runner) = manager.runners.lock().await.get(&shard) {
            self.collect(shard, &runner.runner_tx);
        }
    }

    /// Starts collecting on a shard whose `READY` has been dispatched, if the shard was not known by its number at that
    /// time.
    pub(super) fn session_has_begun(self: &Arc<Self>, shard: ShardId, messenger: &ShardMessenger) {
        let sessions = self.sessions.lock();
        let is_kept =
            sessions.get(&shard).is_some_and(|session| session.has_seen_ready.load(Ordering::Acquire));
        drop(sessions);
        if !is_kept {
            tracing::debug!(shard = shard.0, "the shard's cache is kept from now on only");
            self.collect(shard, messenger);
        }
    }

    fn collect(self: &Arc<Self>, shard: ShardId, messenger: &ShardMessenger) {
        let session = Arc::new(Session::default());
        if let Some(old) = self.sessions.lock().insert(shard, session.clone()) {
            old.is_over.store(true, Ordering::Release);
        }
        let keeper = self.clone();
        messenger.add_collector(CollectorCallback(Box::new(move |event| {
            if session.is_over.load(Ordering::Acquire) {
                return false;
            }
            if matches!(event, Event::Ready(_)) {
                session.has_seen_ready.store(true, Ordering::Release);
            }
            if let Some(cache) = keeper.cache.load_full() {
                keeper.apply(&cache, event);
            }
            true
        })));
    }

    /// Applies the part of an event that serenity leaves out, just before serenity applies the rest.
    fn apply(&self, cache: &Cache, event: &Event) {
        match event {
            Event::Ready(event) => forget_left_guilds(cache, &event.ready),
            Event::GuildUpdate(event) => self.update_guild(cache, &event.guild),
            Event::GuildMemberUpdate(event) => self.update_member(cache, event),
            Event::GuildMemberRemove(event) => Updates(cache).offline(event.guild_id, event.user.id),
            Event::GuildRoleCreate(event) => make_place(cache, &event.role),
            Event::GuildRoleDelete(event) => {
                close_place(cache, event.guild_id, event.role_id);
                take_role(cache, event.guild_id, event.role_id);
                remove_overwrites(cache, event.guild_id, event.role_id);
            }
            Event::ChannelPinsUpdate(event) => {
                cache.update(&mut event.clone());
                if let Some(guild) = event.guild_id {
                    let pinned_at = event.last_pin_timestamp;
                    update_thread(cache, guild, event.channel_id, |thread| {
                        thread.last_pin_timestamp = pinned_at;
                    });
                }
            }
            Event::ChannelDelete(event) => {
                let (guild, gone) = (event.channel.guild_id, event.channel.id);
                remove_threads(cache, guild, |thread| thread.parent_id == Some(gone));
                forget_channel(cache, guild, gone);
            }
            Event::ThreadDelete(event) => {
                Updates(cache).forget_messages(event.thread.guild_id, event.thread.id);
            }
            Event::ThreadListSync(event) => sync_threads(cache, event),
            Event::ThreadMemberUpdate(event) => {
                if let Some(guild) = event.member.guild_id {
                    let member = event.member.inner.clone();
                    update_thread(cache, guild, event.member.id, |thread| thread.member = Some(member));
                }
            }
            Event::ThreadMembersUpdate(event) => {
                let own = cache.current_user().id;
                let added = event.added_members.iter().find(|member| member.user_id == own);
                update_thread(cache, event.guild_id, event.id, |thread| {
                    // serenity stores it in a byte; Discord counts to 50.
                    thread.member_count = u8::try_from(event.member_count).ok().or(thread.member_count);
                    if event.removed_member_ids.contains(&own) {
                        thread.member = None;
                    } else if let Some(added) = added {
                        thread.member = Some(added.inner.clone());
                    }
                });
            }
            Event::StageInstanceCreate(event) => put_stage(cache, &event.stage_instance),
            Event::StageInstanceUpdate(event) => put_stage(cache, &event.stage_instance),
            Event::StageInstanceDelete(event) => {
                let stage = &event.stage_instance;
                replace(cache, stage.guild_id, |guild| {
                    guild.stage_instances.retain(|one| one.id != stage.id);
                });
            }
            Event::GuildScheduledEventCreate(event) => put_scheduled(cache, &event.event),
            Event::GuildScheduledEventUpdate(event) => put_scheduled(cache, &event.event),
            Event::GuildScheduledEventDelete(event) => {
                let gone = &event.event;
                replace(cache, gone.guild_id, |guild| guild.scheduled_events.retain(|one| one.id != gone.id));
            }
            Event::ReactionAdd(event) => reactions::apply(cache, &Change::Add(&event.reaction)),
            Event::ReactionRemove(event) => reactions::apply(cache, &Change::Remove(&event.reaction)),
            Event::ReactionRemoveAll(event) => {
                reactions::apply(cache, &Change::Clear(event.channel_id, event.message_id));
            }
            Event::ReactionRemoveEmoji(event) => {
                reactions::apply(cache, &Change::RemoveEmoji(&event.reaction));
            }
            _ => {}
        }
    }

    fn update_guild(&self, cache: &Cache, new: &PartialGuild) {
        let Some(old) = cache.guild(new.id).map(|guild| guild.clone()) else { return };
        Updates(cache).guild_update(new);
        // serenity's update leaves these two out.
        let alerts = (&old.safety_alerts_channel_id, key(&old.incidents_data));
        if alerts != (&new.safety_alerts_channel_id, key(&new.incidents_data)) {
            replace(cache, new.id, |guild| {
                guild.safety_alerts_channel_id = new.safety_alerts_channel_id;
                guild.incidents_data.clone_from(&new.incidents_data);
            });
        }
        self.remember(new, Was::Guild(Box::new(old)));
    }

    fn update_member(&self, cache: &Cache, new: &GuildMemberUpdateEvent) {
        let member = cache.guild(new.guild_id).and_then(|guild| guild.members.get(&new.user.id).cloned());
        let Some(mut member) = member else { return };
        let flags = new.flags.unwrap_or(member.flags);
        if flags == member.flags && key(&member.avatar_decoration_data) == key(&new.avatar_decoration_data) {
            return;
        }
        let was = Was::Member(member.flags, member.avatar_decoration_data);
        (member.flags, member.avatar_decoration_data) = (flags, new.avatar_decoration_data);
        Updates(cache).members(new.guild_id, [member]);
        self.remember(new, was);
    }

    fn remember(&self, event: &impl Serialize, was: Was) {
        let mut before = self.before.lock();
        if before.len() == REMEMBERED {
            before.pop_front();
        }
        before.push_back(Before { event: key(event), was });
    }

    fn recall(&self, event: &impl Serialize) -> Option<Was> {
        let mut before = self.before.lock();
        if before.is_empty() {
            return None;
        }
        let event = key(event);
        let place = before.iter().position(|one| one.event == event)?;
        before.remove(place).map(|found| found.was)
    }

    /// Inserts the state before an event into the event, where serenity has read the cache too late.
    pub(super) fn complete(&self, event: &mut FullEvent) {
        match event {
            FullEvent::GuildUpdate { old_data_if_available, new_data } => {
                if let Some(Was::Guild(old)) = self.recall(new_data) {
                    *old_data_if_available = Some(*old);
                }
            }
            FullEvent::GuildMemberUpdate { old_if_available, event, .. } => {
                if let Some(Was::Member(flags, decoration)) = self.recall(event)
                    && let Some(old) = old_if_available
                {
                    (old.flags, old.avatar_decoration_data) = (flags, decoration);
                }
            }
            _ => {}
        }
    }
}

/// Returns a value that distinguishes an event from others of its kind.
fn key(event: &impl Serialize) -> serde_json::Value {
    // Whatever serenity has read it can write.
    serde_json::to_value(event).unwrap_or_default()
}

/// Removes guilds that a new session does not list: the bot was removed from them while it had no session.
fn forget_left_guilds(cache: &Cache, ready: &Ready) {
    let (shard, total) =
        ready.shard.map_or((0, 1), |info| (u64::from(info.id.0), u64::from(info.total.max(1))));
    // Source: "Sharding" in Discord's documentation.
    let is_ours = |guild: &GuildId| (guild.get() >> 22) % total == shard;
    let named = |guild: &GuildId| ready.guilds.iter().any(|one| one.id == *guild);
    for guild in cache.guilds().into_iter().filter(|guild| is_ours(guild) && !named(guild)) {
        Updates(cache).guild_left(guild);
    }
}

/// Moves up the roles above a new one, for which Discord sends no events. discord.py does the same (`Guild._add_role`).
fn make_place(cache: &Cache, new: &Role) {
    let Some(roles) = cache.guild(new.guild_id).map(|guild| guild.roles.clone()) else { return };
    let others = || roles.values().filter(|role| role.id != new.id && role.id.get() != new.guild_id.get());
    if !roles.contains_key(&new.id) && others().any(|role| role.position == new.position) {
        for role in others().filter(|role| role.position >= new.position) {
            let mut role = role.clone();
            role.position += 1;
            Updates(cache).role(role);
        }
    }
}

/// Moves down the roles above a deleted one, as `Guild._remove_role` of discord.py does.
fn close_place(cache: &Cache, guild: GuildId, gone: RoleId) {
    let Some(roles) = cache.guild(guild).map(|guild| guild.roles.clone()) else { return };
    let Some(place) = roles.get(&gone).map(|role| role.position) else { return };
    for mut role in roles.into_values().filter(|role| role.position > place) {
        role.position -= 1;
        Updates(cache).role(role);
    }
}

/// Removes a deleted role from the members who still have it.
fn take_role(cache: &Cache, guild: GuildId, role: RoleId) {
    let wearers: Vec<_> = cache.guild(guild).map_or_else(Vec::new, |guild| {
        guild.members.values().filter(|member| member.roles.contains(&role)).cloned().collect()
    });
    let without = wearers.into_iter().map(|mut member| {
        member.roles.retain(|one| *one != role);
        member
    });
    Updates(cache).members(guild, without);
}

/// Removes the channels' permission overwrites for a deleted role.
fn remove_overwrites(cache: &Cache, guild: GuildId, role: RoleId) {
    let kind = PermissionOverwriteType::Role(role);
    let concerned: Vec<_> = cache.guild(guild).map_or_else(Vec::new, |guild| {
        let concerned =
            |channel: &&GuildChannel| channel.permission_overwrites.iter().any(|one| one.kind == kind);
        guild.channels.values().filter(concerned).cloned().collect()
    });
    for mut channel in concerned {
        channel.permission_overwrites.retain(|one| one.kind != kind);
        Updates(cache).channel(channel);
    }
}

/// Removes a deleted channel from the guild's settings.
fn forget_channel(cache: &Cache, id: GuildId, gone: ChannelId) {
    let Some(guild) = cache.guild(id) else { return };
    let afk = guild.afk_metadata.as_ref().map(|afk| afk.afk_channel_id);
    let named = [
        guild.system_channel_id,
        guild.rules_channel_id,
        guild.public_updates_channel_id,
        guild.widget_channel_id,
        guild.safety_alerts_channel_id,
        afk,
    ];
    drop(guild);
    if named.contains(&Some(gone)) {
        replace(cache, id, |guild| {
            for channel in [
                &mut guild.system_channel_id,
                &mut guild.rules_channel_id,
                &mut guild.public_updates_channel_id,
                &mut guild.widget_channel_id,
                &mut guild.safety_alerts_channel_id,
            ] {
                channel.take_if(|channel| *channel == gone);
            }
            guild.afk_metadata.take_if(|afk| afk.afk_channel_id == gone);
        });
    }
}

fn thread(cache: &Cache, guild: GuildId, thread: ChannelId) -> Option<GuildChannel> {
    cache.guild(guild)?.threads.iter().find(|one| one.id == thread).cloned()
}

fn update_thread(cache: &Cache, guild: GuildId, id: ChannelId, change: impl FnOnce(&mut GuildChannel)) {
    if let Some(mut thread) = thread(cache, guild, id) {
        change(&mut thread);
        Updates(cache).thread(thread);
    }
}

/// Removes the guild's threads for which `goes` holds, with their messages.
fn remove_threads(cache: &Cache, guild: GuildId, goes: impl Fn(&GuildChannel) -> bool) {
    let gone: Vec<_> = cache.guild(guild).map_or_else(Vec::new, |guild| {
        guild.threads.iter().filter(|thread| goes(thread)).map(|thread| thread.id).collect()
    });
    for thread in gone {
        Updates(cache).thread_gone(guild, thread);
        Updates(cache).forget_messages(guild, thread);
    }
}

/// Replaces the active threads of the given channels, or of all. Source: "Thread List Sync" in Discord's documentation.
fn sync_threads(cache: &Cache, sync: &ThreadListSyncEvent) {
    let is_synced = |thread: &GuildChannel| {
        sync.channel_ids
            .as_ref()
            .is_none_or(|channels| thread.parent_id.is_some_and(|id| channels.contains(&id)))
    };
    let is_there = |thread: &GuildChannel| sync.threads.iter().any(|one| one.id == thread.id);
    remove_threads(cache, sync.guild_id, |thread| is_synced(thread) && !is_there(thread));
    for thread in &sync.threads {
        let mut thread = thread.clone();
        thread.guild_id = sync.guild_id;
        if let Some(member) = sync.members.iter().find(|member| member.id == thread.id) {
            thread.member = Some(member.inner.clone());
        }
        Updates(cache).thread(thread);
    }
}

fn put_stage(cache: &Cache, stage: &serenity::all::StageInstance) {
    replace(cache, stage.guild_id, |guild| {
        guild.stage_instances.retain(|one| one.id != stage.id);
        guild.stage_instances.push(stage.clone());
    });
}

fn put_scheduled(cache: &Cache, event: &serenity::all::ScheduledEvent) {
    replace(cache, event.guild_id, |guild| {
        guild.scheduled_events.retain(|one| one.id != event.id);
        guild.scheduled_events.push(event.clone());
    });
}

/// Replaces a guild by a changed copy, for fields that no update of serenity writes.
fn replace(cache: &Cache, id: GuildId, change: impl FnOnce(&mut Guild)) {
    if let Some(mut guild) = cache.guild(id).map(|guild| guild.clone()) {
        change(&mut guild);
        Updates(cache).guild(guild);
    }
}
