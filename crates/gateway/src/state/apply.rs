//! How each event changes the state (Discord's documentation: "Gateway Events").

use serde_json::value::RawValue;

use super::State;
use super::guild::{Fields, Guild, List};
use crate::frame::{Id, Ids};

impl State {
    /// Applies an event. Events that concern no state are skipped unread.
    pub(crate) fn apply(&mut self, name: &str, data: &str) {
        match name {
            "GUILD_CREATE" => self.guild_create(data),
            "GUILD_DELETE" => self.guild_delete(data),
            "GUILD_UPDATE" => self.guild_update(data),
            "USER_UPDATE" => {
                if let (Some(ready), Ok(user)) = (&mut self.ready, raw(data)) {
                    ready.insert("user".to_owned(), user);
                }
            }
            "CHANNEL_CREATE" | "CHANNEL_UPDATE" => self.put(List::Channels, data, &[]),
            "CHANNEL_DELETE" => self.channel_delete(data),
            "CHANNEL_PINS_UPDATE" => self.pins(data),
            "THREAD_CREATE" | "THREAD_UPDATE" => self.thread(data),
            "THREAD_DELETE" => self.take(List::Threads, data),
            "THREAD_LIST_SYNC" => self.thread_sync(data),
            "THREAD_MEMBER_UPDATE" => self.own_thread_member(data),
            "THREAD_MEMBERS_UPDATE" => self.thread_members(data),
            "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => self.nested(List::Roles, data, "role"),
            "GUILD_ROLE_DELETE" => {
                let ids = Ids::of(data);
                if let (Some(guild), Some(Id(role))) = (self.guild_of(&ids), ids.role_id) {
                    guild.remove(List::Roles, role);
                }
            }
            "GUILD_MEMBER_ADD" => {
                self.member(data);
                if let Some(guild) = self.guild_of(&Ids::of(data)) {
                    guild.add_to("member_count", 1);
                }
            }
            "GUILD_MEMBER_UPDATE" => self.member(data),
            "GUILD_MEMBER_REMOVE" => {
                let ids = Ids::of(data);
                if let (Some(guild), Some(user)) = (self.guild_of(&ids), &ids.user) {
                    guild.remove(List::Members, user.id.0);
                    guild.remove(List::Presences, user.id.0);
                    guild.add_to("member_count", -1);
                }
            }
            "GUILD_MEMBERS_CHUNK" => self.chunk(data),
            "PRESENCE_UPDATE" => self.presence(data),
            "VOICE_STATE_UPDATE" => self.voice_state(data),
            "STAGE_INSTANCE_CREATE" | "STAGE_INSTANCE_UPDATE" => self.put(List::Stages, data, &[]),
            "STAGE_INSTANCE_DELETE" => self.take(List::Stages, data),
            "GUILD_SCHEDULED_EVENT_CREATE" | "GUILD_SCHEDULED_EVENT_UPDATE" => self.scheduled_event(data),
            "GUILD_SCHEDULED_EVENT_DELETE" => self.take(List::ScheduledEvents, data),
            "GUILD_SOUNDBOARD_SOUND_CREATE" | "GUILD_SOUNDBOARD_SOUND_UPDATE" => {
                self.put(List::Sounds, data, &[]);
            }
            "GUILD_SOUNDBOARD_SOUND_DELETE" => {
                let ids = Ids::of(data);
                if let (Some(guild), Some(Id(sound))) = (self.guild_of(&ids), ids.sound_id) {
                    guild.remove(List::Sounds, sound);
                }
            }
            "GUILD_SOUNDBOARD_SOUNDS_UPDATE" | "SOUNDBOARD_SOUNDS" => self.whole(List::Sounds, data),
            "GUILD_EMOJIS_UPDATE" => self.whole(List::Emojis, data),
            "GUILD_STICKERS_UPDATE" => self.whole(List::Stickers, data),
            _ => {}
        }
    }

    fn guild_of(&mut self, ids: &Ids) -> Option<&mut Guild> {
        self.guilds.get_mut(&ids.guild_id?.0)
    }

    /// Returns how many entries of a list are kept.
    fn bound(members: usize, list: List) -> usize {
        if matches!(list, List::Members | List::Presences) { members } else { usize::MAX }
    }

    fn guild_create(&mut self, data: &str) {
        let ids = Ids::of(data);
        let Some(Id(id)) = ids.id else { return };
        if ids.unavailable == Some(true) {
            self.guilds.remove(&id);
            self.unavailable.insert(id);
            return;
        }
        let members = self.members;
        if let Some(guild) = Guild::read(data, |list| Self::bound(members, list), self.me) {
            self.unavailable.remove(&id);
            self.guilds.insert(id, guild);
        }
    }

    /// A guild that is deleted with `unavailable` has an outage; else the bot is no longer in it.
    fn guild_delete(&mut self, data: &str) {
        let ids = Ids::of(data);
        let Some(Id(id)) = ids.id else { return };
        self.guilds.remove(&id);
        if ids.unavailable == Some(true) {
            self.unavailable.insert(id);
        } else {
            self.unavailable.remove(&id);
        }
    }

    fn guild_update(&mut self, data: &str) {
        let Some(guild) = Ids::of(data).id.and_then(|Id(id)| self.guilds.get_mut(&id)) else { return };
        for (name, value) in fields(data) {
            match List::ALL.into_iter().find(|list| list.name() == name) {
                Some(list @ (List::Roles | List::Emojis | List::Stickers)) => {
                    guild.replace(list, value.get(), usize::MAX, None);
                }
                // It has no others.
                Some(_) => {}
                None => guild.set_field(&name, value),
            }
        }
    }

    /// Sets an entry that is the whole data, without these fields and `guild_id` if the list has none.
    fn put(&mut self, list: List, data: &str, without: &[&str]) {
        let members = self.members;
        let Some(guild) = self.guild_of(&Ids::of(data)) else { return };
        let Some(key) = list.key(data) else { return };
        let mut entry = fields(data);
        for name in without {
            entry.shift_remove(*name);
        }
        if let Some(entry) = object(&entry) {
            guild.set(list, key, entry, Self::bound(members, list));
        }
    }

    /// Removes the entry that the data names by `id`.
    fn take(&mut self, list: List, data: &str) {
        let ids = Ids::of(data);
        if let (Some(guild), Some(Id(id))) = (self.guild_of(&ids), ids.id) {
            guild.remove(list, id);
        }
    }

    /// Sets an entry that is a field of the data.
    fn nested(&mut self, list: List, data: &str, field: &str) {
        let Some(guild) = self.guild_of(&Ids::of(data)) else { return };
        let Some(entry) = fields(data).shift_remove(field) else { return };
        if let Some(key) = list.key(entry.get()) {
            guild.set(list, key, entry, usize::MAX);
        }
    }

    /// Replaces a list by the field of the same name.
    fn whole(&mut self, list: List, data: &str) {
        let Some(guild) = self.guild_of(&Ids::of(data)) else { return };
        if let Some(entries) = fields(data).shift_remove(list.name()) {
            guild.replace(list, entries.get(), usize::MAX, None);
        }
    }

    /// No THREAD_DELETE follows for the threads of a deleted channel.
    fn channel_delete(&mut self, data: &str) {
        let ids = Ids::of(data);
        let (Some(guild), Some(Id(id))) = (self.guild_of(&ids), ids.id) else { return };
        guild.remove(List::Channels, id);
        remove_threads(guild, |parent| parent == Some(id));
    }

    fn pins(&mut self, data: &str) {
        let ids = Ids::of(data);
        let (Some(guild), Some(Id(channel))) = (self.guild_of(&ids), ids.channel_id) else { return };
        let Some(at) = fields(data).shift_remove("last_pin_timestamp") else { return };
        for list in [List::Channels, List::Threads] {
            edit(guild, list, channel, |entry| {
                entry.insert("last_pin_timestamp".to_owned(), at.clone());
            });
        }
    }

    /// A guild's list has the active threads alone.
    fn thread(&mut self, data: &str) {
        #[derive(serde::Deserialize)]
        struct Thread {
            thread_metadata: Option<Metadata>,
        }
        #[derive(serde::Deserialize)]
        struct Metadata {
            #[serde(default)]
            archived: bool,
        }
        let thread: Option<Thread> = serde_json::from_str(data).ok();
        if thread.and_then(|thread| thread.thread_metadata).is_some_and(|metadata| metadata.archived) {
            return self.take(List::Threads, data);
        }
        let ids = Ids::of(data);
        let (Some(guild), Some(Id(id))) = (self.guild_of(&ids), ids.id) else { return };
        let mut entry = fields(data);
        // THREAD_UPDATE leaves out the bot's own membership.
        if !entry.contains_key("member")
            && let Some(member) =
                guild.get(List::Threads, id).and_then(|old| fields(old.get()).shift_remove("member"))
        {
            entry.insert("member".to_owned(), member);
        }
        entry.shift_remove("newly_created");
        if let Some(entry) = object(&entry) {
            guild.set(List::Threads, id, entry, usize::MAX);
        }
    }

    fn thread_sync(&mut self, data: &str) {
        let Some(guild) = self.guild_of(&Ids::of(data)) else { return };
        let mut sync = fields(data);
        let channels: Option<Vec<Id>> =
            sync.get("channel_ids").and_then(|ids| serde_json::from_str(ids.get()).ok());
        remove_threads(guild, |parent| {
            channels.as_ref().is_none_or(|channels| parent.is_some_and(|id| channels.contains(&Id(id))))
        });
        for thread in list(sync.shift_remove("threads")) {
            if let Some(key) = List::Threads.key(thread.get()) {
                guild.set(List::Threads, key, thread, usize::MAX);
            }
        }
        for member in list(sync.shift_remove("members")) {
            if let Some(Id(id)) = Ids::of(member.get()).id {
                edit(guild, List::Threads, id, |entry| {
                    entry.insert("member".to_owned(), member);
                });
            }
        }
    }

    fn own_thread_member(&mut self, data: &str) {
        let ids = Ids::of(data);
        let (Some(guild), Some(Id(id))) = (self.guild_of(&ids), ids.id) else { return };
        let mut member = fields(data);
        member.shift_remove("guild_id");
        if let Some(member) = object(&member) {
            edit(guild, List::Threads, id, |entry| {
                entry.insert("member".to_owned(), member);
            });
        }
    }

    fn thread_members(&mut self, data: &str) {
        let me = self.me;
        let ids = Ids::of(data);
        let (Some(guild), Some(Id(id))) = (self.guild_of(&ids), ids.id) else { return };
        let mut change = fields(data);
        let removed = change.shift_remove("removed_member_ids");
        let removed: Vec<Id> =
            removed.and_then(|ids| serde_json::from_str(ids.get()).ok()).unwrap_or_default();
        let added = list(change.shift_remove("added_members"));
        let added = added.into_iter().find(|member| Ids::of(member.get()).user_id.map(|Id(id)| id) == me);
        edit(guild, List::Threads, id, |entry| {
            if let Some(count) = change.shift_remove("member_count") {
                entry.insert("member_count".to_owned(), count);
            }
            if let Some(member) = added {
                let mut member = fields(member.get());
                member.shift_remove("member");
                member.shift_remove("presence");
                if let Some(member) = object(&member) {
                    entry.insert("member".to_owned(), member);
                }
            }
            if removed.iter().any(|Id(id)| Some(*id) == me) {
                entry.shift_remove("member");
            }
        });
    }

    /// Sets or changes a member. One that is not known is kept only if it is complete.
    fn member(&mut self, data: &str) {
        let (members, me) = (self.members, self.me);
        let ids = Ids::of(data);
        let (Some(guild), Some(user)) = (self.guild_of(&ids), &ids.user) else { return };
        merge_member(guild, user.id.0, fields(data), members, me);
    }

    fn chunk(&mut self, data: &str) {
        let (members, me) = (self.members, self.me);
        let Some(guild) = self.guild_of(&Ids::of(data)) else { return };
        let mut chunk = fields(data);
        for member in list(chunk.shift_remove("members")) {
            if let Some(key) = List::Members.key(member.get()) {
                merge_member(guild, key, fields(member.get()), members, me);
            }
        }
        for presence in list(chunk.shift_remove("presences")) {
            if let Some(key) = List::Presences.key(presence.get()) {
                guild.set(List::Presences, key, presence, members);
            }
        }
    }

    fn presence(&mut self, data: &str) {
        #[derive(serde::Deserialize)]
        struct Presence<'a> {
            #[serde(borrow)]
            status: Option<&'a str>,
        }
        let presence: Option<Presence<'_>> = serde_json::from_str(data).ok();
        if presence.and_then(|presence| presence.status) != Some("offline") {
            return self.put(List::Presences, data, &["guild_id"]);
        }
        let ids = Ids::of(data);
        if let (Some(guild), Some(user)) = (self.guild_of(&ids), &ids.user) {
            guild.remove(List::Presences, user.id.0);
        }
    }

    fn voice_state(&mut self, data: &str) {
        let (members, me) = (self.members, self.me);
        let ids = Ids::of(data);
        let (Some(guild), Some(Id(user))) = (self.guild_of(&ids), ids.user_id) else { return };
        let member = fields(data).shift_remove("member");
        if let Some(member) = member {
            merge_member(guild, user, fields(member.get()), members, me);
        }
        if ids.channel_id.is_some() {
            self.put(List::VoiceStates, data, &["guild_id", "member"]);
        } else {
            guild.remove(List::VoiceStates, user);
        }
    }

    /// Completed and cancelled events are no longer listed.
    fn scheduled_event(&mut self, data: &str) {
        #[derive(serde::Deserialize)]
        struct Event {
            status: Option<u8>,
        }
        let event: Option<Event> = serde_json::from_str(data).ok();
        match event.and_then(|event| event.status) {
            Some(3 | 4) => self.take(List::ScheduledEvents, data),
            _ => self.put(List::ScheduledEvents, data, &[]),
        }
    }
}

fn merge_member(guild: &mut Guild, key: u64, mut change: Fields, bound: usize, me: Option<u64>) {
    change.shift_remove("guild_id");
    let bound = if Some(key) == me { usize::MAX } else { bound };
    let entry = match guild.get(List::Members, key) {
        Some(known) => {
            let mut member = fields(known.get());
            member.extend(change);
            object(&member)
        }
        None if ["user", "roles", "deaf", "mute"].iter().all(|name| change.contains_key(*name)) => {
            object(&change)
        }
        None => None,
    };
    if let Some(entry) = entry {
        guild.set(List::Members, key, entry, bound);
    }
}

fn remove_threads(guild: &mut Guild, is_meant: impl Fn(Option<u64>) -> bool) {
    let threads = guild.list(List::Threads);
    let meant =
        threads.iter().filter(|(_, thread)| is_meant(Ids::of(thread.get()).parent_id.map(|Id(id)| id)));
    let meant: Vec<u64> = meant.map(|(id, _)| *id).collect();
    for id in meant {
        guild.remove(List::Threads, id);
    }
}

/// Changes an entry that is known.
fn edit(guild: &mut Guild, list: List, key: u64, change: impl FnOnce(&mut Fields)) {
    let Some(mut entry) = guild.get(list, key).map(|entry| fields(entry.get())) else { return };
    change(&mut entry);
    if let Some(entry) = object(&entry) {
        guild.set(list, key, entry, usize::MAX);
    }
}

fn raw(text: &str) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(text.to_owned())
}

fn fields(data: &str) -> Fields {
    serde_json::from_str(data).unwrap_or_default()
}

fn object(fields: &Fields) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(fields).ok()
}

fn list(entries: Option<Box<RawValue>>) -> Vec<Box<RawValue>> {
    entries.and_then(|entries| serde_json::from_str(entries.get()).ok()).unwrap_or_default()
}
