//! Channels: text, voice, categories, threads and direct messages, with the messages in them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::clock;
use super::forum::Forum;
use super::group::Group;
use super::message::Message;
use crate::permissions::{Overwrite, Permissions};
use crate::snowflake::Snowflake;

/// Discord's numbers of channel types.
pub mod kind {
    /// Text channel of a guild.
    pub const TEXT: u8 = 0;
    /// Direct messages with one user.
    pub const DM: u8 = 1;
    /// Direct messages of several users.
    pub const GROUP_DM: u8 = 3;
    /// Voice channel of a guild.
    pub const VOICE: u8 = 2;
    /// Category that groups channels.
    pub const CATEGORY: u8 = 4;
    /// Announcement channel.
    pub const ANNOUNCEMENT: u8 = 5;
    /// Thread in an announcement channel.
    pub const ANNOUNCEMENT_THREAD: u8 = 10;
    /// Thread that any member may join.
    pub const PUBLIC_THREAD: u8 = 11;
    /// Thread by invitation.
    pub const PRIVATE_THREAD: u8 = 12;
    /// Stage channel.
    pub const STAGE: u8 = 13;
    /// Forum, in which only threads can be created.
    pub const FORUM: u8 = 15;
    /// Media forum.
    pub const MEDIA: u8 = 16;
}

/// Flag of a thread that is pinned in its forum.
pub const PINNED: u64 = 1 << 1;

/// Most messages of one channel. Above it the oldest are dropped, so that a long load test does not use up the memory.
pub const HISTORY_LIMIT: usize = 10_000;

/// The additional fields of a thread.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Thread {
    /// User who started it.
    pub owner_id: Snowflake,
    /// Whether it is archived and hidden.
    pub archived: bool,
    /// Minutes of inactivity until it is archived.
    pub auto_archive_duration: u64,
    /// When it was started, archived or unarchived, or its `auto_archive_duration` changed.
    pub archive_timestamp: String,
    /// Whether only moderators may reopen it.
    pub locked: bool,
    /// Whether members may invite others into a private thread.
    pub invitable: bool,
    /// When it was started.
    pub create_timestamp: String,
    /// Its members, each with the time of joining.
    pub members: IndexMap<Snowflake, String>,
    /// Number of messages sent in it so far, including deleted ones.
    pub total_sent: u64,
    /// Tags that it has as a post of a forum.
    pub applied_tags: Vec<Snowflake>,
}

impl Thread {
    /// Returns the thread-metadata object.
    pub fn metadata(&self, private: bool) -> Value {
        let mut value = json!({
            "archived": self.archived,
            "auto_archive_duration": self.auto_archive_duration,
            "archive_timestamp": self.archive_timestamp,
            "locked": self.locked,
            "create_timestamp": self.create_timestamp,
        });
        if private {
            value["invitable"] = self.invitable.into();
        }
        value
    }
}

/// A channel of any type.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Channel {
    /// Its id.
    pub id: Snowflake,
    /// See [`kind`].
    pub kind: u8,
    /// Guild it is in; `None` for direct messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guild_id: Option<Snowflake>,
    /// Its name; empty for direct messages.
    pub name: String,
    /// Its topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Position in the list.
    pub position: i64,
    /// Category, or the parent channel of a thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Snowflake>,
    /// Whether it is for adults.
    pub nsfw: bool,
    /// Seconds a member waits between messages.
    pub rate_limit_per_user: u64,
    /// Permissions that differ from the guild's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overwrites: Vec<Overwrite>,
    /// Voice: bits per second.
    pub bitrate: u64,
    /// Voice: most users at once, 0 for no limit.
    pub user_limit: u64,
    /// Voice: fixed region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtc_region: Option<String>,
    /// Voice: quality of cameras, 1 automatic and 2 full.
    pub video_quality_mode: u8,
    /// Voice: status, which is no part of the channel object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Voice: since when someone is in it, which is no part of the channel object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_start: Option<OffsetDateTime>,
    /// Voice: since when nobody is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_since: Option<OffsetDateTime>,
    /// Stage: since when it is live without a speaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<OffsetDateTime>,
    /// Minutes after which new threads are archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_auto_archive_duration: Option<u64>,
    /// Seconds a member waits between messages in new threads.
    pub default_thread_rate_limit_per_user: u64,
    /// Fields of forums. Boxed, as those of threads are, since most channels have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    forum: Option<Box<Forum>>,
    /// Channel flags.
    pub flags: u64,
    /// Newest message ever sent, even if it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_id: Option<Snowflake>,
    /// Newest pin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_pin_timestamp: Option<String>,
    /// Direct messages: the users in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Snowflake>,
    /// Present for groups of direct messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Box<Group>>,
    /// Present for threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<Box<Thread>>,
    /// Messages by id, oldest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<Snowflake, Message>,
    /// Pinned messages, newest first, with the time of pinning.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub pins: VecDeque<(Snowflake, String)>,
}

impl Channel {
    /// Creates an empty channel of this type.
    pub fn new(
        id: Snowflake,
        kind: u8,
        guild_id: Option<Snowflake>,
        name: &str,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            id,
            kind,
            guild_id,
            name: name.to_owned(),
            topic: None,
            position: 0,
            parent_id: None,
            nsfw: false,
            rate_limit_per_user: 0,
            overwrites: Vec::new(),
            bitrate: 64_000,
            user_limit: 0,
            rtc_region: None,
            video_quality_mode: 1,
            status: None,
            voice_start: None,
            empty_since: Some(now),
            silent_since: None,
            default_auto_archive_duration: None,
            default_thread_rate_limit_per_user: 0,
            forum: None,
            flags: 0,
            last_message_id: None,
            last_pin_timestamp: None,
            recipients: Vec::new(),
            group: None,
            thread: None,
            messages: BTreeMap::new(),
            pins: VecDeque::new(),
        }
    }

    /// Returns the fields of a forum.
    pub fn forum(&self) -> &Forum {
        static NONE: Forum = Forum::none();
        self.forum.as_deref().unwrap_or(&NONE)
    }

    /// Returns the fields of a forum, to change them; `None` if it is none, which has no memory for them.
    pub fn forum_mut(&mut self) -> Option<&mut Forum> {
        if self.is_forum() { Some(self.forum.get_or_insert_default()) } else { None }
    }

    /// Returns when a thread is archived unless there is activity before; `None` if it is archived, or pinned in its forum.
    pub fn archives_at(&self) -> Option<OffsetDateTime> {
        let thread = self.thread.as_ref().filter(|thread| !thread.archived && self.flags & PINNED == 0)?;
        let quiet = Duration::from_mins(thread.auto_archive_duration);
        let sent = self.last_message_id.map(Snowflake::created_at);
        clock::parse(&thread.archive_timestamp).max(sent).map(|active| clock::later(active, quiet))
    }

    /// Returns whether it is a thread of any kind.
    pub fn is_thread(&self) -> bool {
        self.thread.is_some()
    }

    /// Returns whether it is a direct-message channel.
    pub fn is_dm(&self) -> bool {
        matches!(self.kind, kind::DM | kind::GROUP_DM)
    }

    /// Returns whether messages can be sent in it.
    pub fn is_text(&self) -> bool {
        !matches!(self.kind, kind::CATEGORY | kind::FORUM | kind::MEDIA)
    }

    /// Returns whether it has posts in place of messages.
    pub fn is_forum(&self) -> bool {
        matches!(self.kind, kind::FORUM | kind::MEDIA)
    }

    /// Returns whether threads can be opened in it.
    pub fn has_threads(&self) -> bool {
        self.is_forum() || matches!(self.kind, kind::TEXT | kind::ANNOUNCEMENT)
    }

    /// Returns whether users can talk in it.
    pub fn is_voice(&self) -> bool {
        matches!(self.kind, kind::VOICE | kind::STAGE)
    }

    /// Returns the channel object of a guild channel or thread. Direct messages need their recipients and are returned
    /// by [`World::channel_json`](super::World::channel_json).
    pub fn json(&self) -> Value {
        let mut o = Map::new();
        o.insert("id".into(), self.id.to_string().into());
        o.insert("type".into(), self.kind.into());
        o.insert("flags".into(), self.flags.into());
        if let Some(guild) = self.guild_id {
            o.insert("guild_id".into(), guild.to_string().into());
            o.insert("name".into(), self.name.clone().into());
            o.insert("parent_id".into(), self.parent_id.map(|id| id.to_string()).into());
        }
        if self.kind != kind::CATEGORY {
            o.insert("last_message_id".into(), self.last_message_id.map(|id| id.to_string()).into());
            o.insert("rate_limit_per_user".into(), self.rate_limit_per_user.into());
            if self.last_pin_timestamp.is_some() {
                o.insert("last_pin_timestamp".into(), self.last_pin_timestamp.clone().into());
            }
        }
        if let Some(group) = &self.group {
            group.write(&self.name, &mut o);
        }
        if let Some(thread) = &self.thread {
            o.insert("owner_id".into(), thread.owner_id.to_string().into());
            o.insert("thread_metadata".into(), thread.metadata(self.kind == kind::PRIVATE_THREAD));
            o.insert("message_count".into(), self.messages.len().into());
            o.insert("member_count".into(), thread.members.len().min(50).into());
            o.insert("total_message_sent".into(), thread.total_sent.into());
            o.insert("applied_tags".into(), json!(thread.applied_tags));
        } else if self.guild_id.is_some() {
            o.insert("topic".into(), self.topic.clone().into());
            o.insert("position".into(), self.position.into());
            o.insert("nsfw".into(), self.nsfw.into());
            o.insert(
                "permission_overwrites".into(),
                self.overwrites.iter().map(|overwrite| json!(overwrite)).collect(),
            );
            if let Some(minutes) = self.default_auto_archive_duration {
                o.insert("default_auto_archive_duration".into(), minutes.into());
            }
            if self.default_thread_rate_limit_per_user > 0 || self.is_forum() {
                let seconds = self.default_thread_rate_limit_per_user;
                o.insert("default_thread_rate_limit_per_user".into(), seconds.into());
            }
            if self.is_forum() {
                self.forum().write(&mut o);
            }
        }
        if self.is_voice() {
            o.insert("bitrate".into(), self.bitrate.into());
            o.insert("user_limit".into(), self.user_limit.into());
            o.insert("rtc_region".into(), self.rtc_region.clone().into());
            o.insert("video_quality_mode".into(), self.video_quality_mode.into());
        }
        Value::Object(o)
    }

    /// Returns the channel info object with these fields; `None` if the channel has a value for none of them.
    pub fn info_json(&self, fields: &[String]) -> Option<Value> {
        let start = self.voice_start.map(OffsetDateTime::unix_timestamp);
        let values = [("status", json!(self.status)), ("voice_start_time", json!(start))];
        let asked = |name: &str| fields.iter().any(|field| field == name);
        let known = values.into_iter().filter(|(name, value)| asked(name) && !value.is_null());
        let mut info: Map<String, Value> = known.map(|(name, value)| (name.to_owned(), value)).collect();
        if info.is_empty() {
            return None;
        }
        info.insert("id".to_owned(), json!(self.id));
        Some(Value::Object(info))
    }

    /// Returns the fields of a channel that an interaction resolves, with `permissions`.
    pub fn partial_json(&self, permissions: Permissions) -> Value {
        let mut value = self.json();
        if let Some(object) = value.as_object_mut() {
            object.remove("permission_overwrites");
            object.insert("permissions".into(), permissions.to_string().into());
        }
        value
    }

    /// Returns the thread-member object of one member.
    pub fn thread_member(&self, user: Snowflake) -> Option<Value> {
        let joined = self.thread.as_ref()?.members.get(&user)?;
        Some(json!({ "id": self.id, "user_id": user, "join_timestamp": joined, "flags": 1 }))
    }

    /// Adds a message at the end, and drops the oldest above [`HISTORY_LIMIT`]. Returns the dropped message.
    pub fn push(&mut self, mut message: Message) -> Option<Message> {
        self.last_message_id = Some(message.id);
        if let Some(thread) = &mut self.thread {
            message.position = Some(thread.total_sent);
            thread.total_sent += 1;
        }
        self.messages.insert(message.id, message);
        if self.messages.len() > HISTORY_LIMIT { self.messages.pop_first().map(|(_, old)| old) } else { None }
    }

    /// Marks a message as pinned at this time.
    pub fn pin(&mut self, message: Snowflake, at: OffsetDateTime) {
        let at = clock::iso(at);
        self.pins.push_front((message, at.clone()));
        self.last_pin_timestamp = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::channel::create;

    #[test]
    fn only_a_forum_has_memory_for_its_fields() {
        let body = json!({ "name": "a", "available_tags": [{ "name": "b" }], "default_sort_order": 1 });
        for (kind, expected) in
            [(kind::TEXT, false), (kind::VOICE, false), (kind::FORUM, true), (kind::MEDIA, true)]
        {
            let mut channel =
                Channel::new(Snowflake(1), kind, Some(Snowflake(2)), "a", OffsetDateTime::now_utc());
            channel.apply(create(&body).unwrap(), || Snowflake(3));
            assert_eq!(
                (channel.forum.is_some(), channel.forum().available_tags.len()),
                (expected, usize::from(expected))
            );
        }
    }
}
