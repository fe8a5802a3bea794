//! Channels of a seed file.

use serde::{Deserialize, Serialize};

use super::{Invite, Message, Thread, Webhook, is_false};
use crate::seed::{Name, name};

/// A channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channel {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Type: `text`, `voice`, `category`, `announcement`, `stage`, `forum`, `media`.
    #[serde(rename = "type")]
    pub(crate) kind: Name,
    /// Topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    /// Whether it is for adults.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) nsfw: bool,
    /// Seconds a member waits between messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slowmode: Option<u64>,
    /// Voice: most users at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_limit: Option<u64>,
    /// Voice: bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bitrate: Option<u64>,
    /// Position, if not that in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<i64>,
    /// Minutes after which new threads are archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) archive_after: Option<u64>,
    /// Permissions that differ from the guild's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) overwrites: Vec<Overwrite>,
    /// Category: the channels in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<Channel>,
    /// Forum: its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<Tag>,
    /// Forum: emoji under each post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default_reaction: Option<Name>,
    /// Forum: 0 by activity, 1 by creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sort_order: Option<u8>,
    /// Forum: 1 list, 2 gallery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) layout: Option<u8>,
    /// Forum: whether posts need a tag.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) require_tag: bool,
    /// Messages, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) messages: Vec<Message>,
    /// Threads, or posts of a forum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) threads: Vec<Thread>,
    /// Webhooks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) webhooks: Vec<Webhook>,
    /// Invites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) invites: Vec<Invite>,
}

/// Permissions of a role or member in a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overwrite {
    /// The role, or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Name>,
    /// the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) member: Option<Name>,
    /// Permissions given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allow: Vec<Name>,
    /// Permissions removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) deny: Vec<Name>,
}

/// A tag of a forum.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tag {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) emoji: Option<Name>,
    /// Whether only moderators can set it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) moderated: bool,
}

impl Channel {
    /// Returns a channel with a type and a name alone.
    pub(crate) fn new(kind: &str, channel: &str) -> Self {
        Self {
            name: name(channel),
            id: None,
            kind: name(kind),
            topic: None,
            nsfw: false,
            slowmode: None,
            user_limit: None,
            bitrate: None,
            position: None,
            archive_after: None,
            overwrites: Vec::new(),
            channels: Vec::new(),
            tags: Vec::new(),
            default_reaction: None,
            sort_order: None,
            layout: None,
            require_tag: false,
            messages: Vec::new(),
            threads: Vec::new(),
            webhooks: Vec::new(),
            invites: Vec::new(),
        }
    }
}
