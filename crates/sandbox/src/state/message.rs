//! Messages: text, attachments, reactions and sender.

use std::sync::Arc;

use indexmap::IndexSet;
use serde_json::{Map, Value, json};

use super::World;
use super::clock;
use super::poll::Poll;
use crate::error::{ApiError, ApiResult};
use crate::live::Source;
use crate::snowflake::Snowflake;
use crate::validate::reaction::Emoji;

/// Message flags used by the sandbox.
pub mod flag {
    /// Crossposted to channels that follow.
    pub const CROSSPOSTED: u64 = 1 << 0;
    /// Published from another channel.
    pub const IS_CROSSPOST: u64 = 1 << 1;
    /// Embeds are hidden.
    pub const SUPPRESS_EMBEDS: u64 = 1 << 2;
    /// The message that was published is deleted.
    pub const SOURCE_MESSAGE_DELETED: u64 = 1 << 3;
    /// A thread belongs to this message.
    pub const HAS_THREAD: u64 = 1 << 5;
    /// Only the user who ran the interaction sees it.
    pub const EPHEMERAL: u64 = 1 << 6;
    /// A deferred answer that is still awaited.
    pub const LOADING: u64 = 1 << 7;
    /// Sent without a notification.
    pub const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
    /// It forwards another message.
    pub const HAS_SNAPSHOT: u64 = 1 << 14;
    /// Made of components only.
    pub const IS_COMPONENTS_V2: u64 = 1 << 15;
}

/// The author of a message.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Author {
    /// An account.
    User(Snowflake),
    /// A webhook, with the name and picture of this message.
    Webhook {
        /// Displayed name.
        name: String,
        /// Hash of the displayed picture.
        avatar: Option<String>,
    },
}

/// A file of a message. Its bytes are in [`World::files`](super::World::files).
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Attachment {
    /// Its id.
    pub id: Snowflake,
    /// Channel in its address.
    pub channel_id: Snowflake,
    /// Name, safe for a path.
    pub filename: String,
    /// Title: the name before it was made safe.
    pub title: Option<String>,
    /// Alt text.
    pub description: Option<String>,
    /// Media type.
    pub content_type: String,
    /// Bytes.
    pub size: usize,
    /// Width and height of a picture.
    pub dimensions: Option<(u32, u32)>,
    /// Whether it disappears with an ephemeral message.
    pub ephemeral: bool,
    /// Whether it is a spoiler.
    pub spoiler: bool,
    /// For a recording: its length in seconds, and its waveform in base64.
    pub recording: Option<(f64, String)>,
}

impl Attachment {
    /// Returns the address at which the sandbox serves it.
    pub fn url(&self, base: &str) -> String {
        format!("{base}/attachments/{}/{}/{}", self.channel_id, self.id, self.filename)
    }

    /// Returns the attachment object.
    pub fn json(&self, base: &str) -> Value {
        let url = self.url(base);
        let mut value = json!({
            "id": self.id,
            "filename": self.filename,
            "size": self.size,
            "url": url,
            "proxy_url": url,
            "content_type": self.content_type,
            "flags": if self.spoiler { 1 << 3 } else { 0 },
        });
        if let Some((seconds, waveform)) = &self.recording {
            value["duration_secs"] = json!(seconds);
            value["waveform"] = json!(waveform);
        }
        if let Some((width, height)) = self.dimensions {
            value["width"] = width.into();
            value["height"] = height.into();
        }
        if let Some(title) = &self.title {
            value["title"] = title.clone().into();
        }
        if let Some(description) = &self.description {
            value["description"] = description.clone().into();
        }
        if self.ephemeral {
            value["ephemeral"] = true.into();
        }
        value
    }
}

/// One emoji of a message's reactions, and the users who added it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Reaction {
    /// The emoji.
    pub emoji: Emoji,
    /// Users who reacted, first to last.
    pub users: IndexSet<Snowflake>,
}

/// A reference to another message.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Reference {
    /// 0 for a reply, 1 for a forward.
    pub kind: u8,
    /// Channel of the other message.
    pub channel_id: Snowflake,
    /// The other message.
    pub message_id: Option<Snowflake>,
    /// Guild of the other message.
    pub guild_id: Option<Snowflake>,
}

/// A message.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// Its id.
    pub id: Snowflake,
    /// Its channel.
    pub channel_id: Snowflake,
    /// Its author.
    pub author: Author,
    /// 0 default, 1 and 2 recipient of a group added and removed, 4 group renamed, 6 pin notice, 7 join, 12 channel
    /// followed, 18 thread created, 19 reply, 20 slash command, 21 beginning of a thread, 23 context menu command, 46
    /// result of a poll.
    pub kind: u8,
    /// Its text.
    pub content: String,
    /// Embeds in the form of Discord's answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embeds: Vec<Value>,
    /// Components with their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Value>,
    /// Files that are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Files that its embeds and components show, which are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Attachment>,
    /// Users it mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Snowflake>,
    /// Roles it mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mention_roles: Vec<Snowflake>,
    /// Whether it mentions everyone.
    pub mention_everyone: bool,
    /// See [`flag`].
    pub flags: u64,
    /// Read aloud.
    pub tts: bool,
    /// Whether it is pinned.
    pub pinned: bool,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<String>,
    /// Reactions, first to last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Stickers, as messages have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stickers: Vec<Value>,
    /// Copies of it in channels that follow its own: channel and message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossposts: Vec<(Snowflake, Snowflake)>,
    /// The message that it refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Webhook or application that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<Snowflake>,
    /// Application that sent it with an interaction or webhook of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Snowflake>,
    /// The interaction it answers: `interaction_metadata`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction_metadata: Option<Arc<Value>>,
    /// The command it answers, in the older form `interaction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Arc<Value>>,
    /// Number of messages in its thread before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// The sender's nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Value>,
    /// Poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// Theme of the client that it shares.
    pub theme: Option<Value>,
    /// The forwarded message: `message_snapshots`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Value>,
    /// The part of its bot that wrote it.
    pub source: Option<Source>,
    /// The only user who sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_for: Option<Snowflake>,
}

impl Message {
    /// Checks that it is of a type that can be deleted. Source: "Message Types" in Discord's documentation.
    pub fn check_deletable(&self) -> ApiResult<()> {
        match self.kind {
            1..=5 | 21 => Err(ApiError::system_message()),
            _ => Ok(()),
        }
    }

    /// Returns all its files, listed or not.
    pub fn files(&self) -> impl Iterator<Item = &Attachment> {
        self.attachments.iter().chain(&self.shown)
    }

    /// Creates an empty message.
    pub fn new(id: Snowflake, channel_id: Snowflake, author: Author) -> Self {
        Self {
            id,
            channel_id,
            author,
            kind: 0,
            content: String::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            attachments: Vec::new(),
            shown: Vec::new(),
            position: None,
            mentions: Vec::new(),
            mention_roles: Vec::new(),
            mention_everyone: false,
            flags: 0,
            tts: false,
            pinned: false,
            edited: None,
            reactions: Vec::new(),
            stickers: Vec::new(),
            crossposts: Vec::new(),
            reference: None,
            webhook_id: None,
            application_id: None,
            interaction_metadata: None,
            interaction: None,
            nonce: None,
            poll: None,
            theme: None,
            forwarded: None,
            source: None,
            ephemeral_for: None,
        }
    }

    /// Returns the account of its author; `None` for a webhook.
    pub fn author_id(&self) -> Option<Snowflake> {
        match self.author {
            Author::User(id) => Some(id),
            Author::Webhook { .. } => None,
        }
    }

    /// Returns the message object as `viewer` sees it.
    pub fn json(&self, world: &World, viewer: Option<Snowflake>) -> Value {
        let mut value = self.own_json(world, viewer);
        if let Some(reference) = self.reference
            && self.kind == 19
        {
            let referenced = reference
                .message_id
                .and_then(|id| world.message(reference.channel_id, id))
                .map(|message| message.own_json(world, viewer));
            value["referenced_message"] = referenced.into();
        }
        value
    }

    fn own_json(&self, world: &World, viewer: Option<Snowflake>) -> Value {
        let mut o = Map::new();
        o.insert("id".into(), self.id.to_string().into());
        o.insert("channel_id".into(), self.channel_id.to_string().into());
        o.insert("type".into(), self.kind.into());
        o.insert("content".into(), self.content.clone().into());
        o.insert("author".into(), self.author_json(world));
        o.insert("timestamp".into(), clock::iso_of(self.id).into());
        o.insert("edited_timestamp".into(), self.edited.clone().into());
        o.insert("tts".into(), self.tts.into());
        o.insert("mention_everyone".into(), self.mention_everyone.into());
        o.insert(
            "mentions".into(),
            self.mentions.iter().filter_map(|id| world.users.get(id)).map(super::user::User::json).collect(),
        );
        o.insert(
            "mention_roles".into(),
            self.mention_roles.iter().map(|id| Value::from(id.to_string())).collect(),
        );
        o.insert(
            "attachments".into(),
            self.attachments.iter().map(|file| file.json(&world.files_url)).collect(),
        );
        let hidden = self.flags & flag::SUPPRESS_EMBEDS != 0;
        o.insert("embeds".into(), if hidden { Value::Array(Vec::new()) } else { self.embeds.clone().into() });
        o.insert("components".into(), self.components.clone().into());
        o.insert("pinned".into(), self.pinned.into());
        o.insert("flags".into(), self.flags.into());
        if !self.reactions.is_empty() {
            o.insert("reactions".into(), self.reactions.iter().map(|r| reaction_json(r, viewer)).collect());
        }
        if !self.stickers.is_empty() {
            o.insert("sticker_items".into(), self.stickers.clone().into());
        }
        if let Some(position) = self.position {
            o.insert("position".into(), position.into());
        }
        if let Some(nonce) = &self.nonce {
            o.insert("nonce".into(), nonce.clone());
        }
        if let Some(webhook) = self.webhook_id {
            o.insert("webhook_id".into(), webhook.to_string().into());
        }
        if let Some(application) = self.application_id {
            o.insert("application_id".into(), application.to_string().into());
        }
        if let Some(reference) = &self.reference {
            let mut r = json!({ "type": reference.kind, "channel_id": reference.channel_id });
            if let Some(id) = reference.message_id {
                r["message_id"] = json!(id);
            }
            if let Some(id) = reference.guild_id {
                r["guild_id"] = json!(id);
            }
            o.insert("message_reference".into(), r);
        }
        if let Some(metadata) = &self.interaction_metadata {
            o.insert("interaction_metadata".into(), Value::clone(metadata));
        }
        if let Some(interaction) = &self.interaction {
            o.insert("interaction".into(), Value::clone(interaction));
        }
        if let Some(snapshots) = &self.forwarded {
            o.insert("message_snapshots".into(), snapshots.clone());
        }
        let is_person = |id| world.users.get(&id).is_some_and(|user| !user.bot);
        if let Some(source) = self.source.as_ref().filter(|_| viewer.is_some_and(is_person)) {
            o.insert("source".into(), json!({ "name": *source.name, "at_ms": source.at_ms }));
        }
        if let Some(poll) = &self.poll {
            o.insert("poll".into(), poll.json(viewer));
        }
        if let Some(theme) = &self.theme {
            o.insert("shared_client_theme".into(), theme.clone());
        }
        if self.flags & flag::HAS_THREAD != 0
            && let Some(thread) = world.channels.get(&self.id)
        {
            o.insert("thread".into(), thread.json());
        }
        Value::Object(o)
    }

    fn author_json(&self, world: &World) -> Value {
        match &self.author {
            Author::User(id) => {
                world.users.get(id).map_or_else(|| deleted_user(*id), super::user::User::json)
            }
            Author::Webhook { name, avatar } => json!({
                "id": self.webhook_id,
                "username": name,
                "avatar": avatar,
                "discriminator": "0000",
                "public_flags": 0,
                "flags": 0,
                "bot": true,
                "global_name": null,
                "primary_guild": null,
            }),
        }
    }
}

/// Returns a placeholder for a deleted account.
fn deleted_user(id: Snowflake) -> Value {
    super::user::User::person(id, "deleted_user", None, id.created_at()).json()
}

fn reaction_json(reaction: &Reaction, viewer: Option<Snowflake>) -> Value {
    let count = reaction.users.len();
    json!({
        "emoji": reaction.emoji.to_json(),
        "count": count,
        "count_details": { "burst": 0, "normal": count },
        "burst_colors": [],
        "me_burst": false,
        "me": viewer.is_some_and(|id| reaction.users.contains(&id)),
    })
}
