//! What is in a guild of a seed file.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::is_false;
use crate::seed::Name;

/// A message.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    /// User or bot.
    pub(crate) author: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// When it was sent: `-2h` before the start, or a moment in ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Name>,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Spanned<String>>,
    /// Embeds, as bots send them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) embeds: Vec<Spanned<Value>>,
    /// Components, as bots send them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) components: Vec<Spanned<Value>>,
    /// Reactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reactions: Vec<Reaction>,
    /// Whether it is pinned.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) pinned: bool,
}

/// Reactions with one emoji.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reaction {
    /// Character, or name of an emoji of the guild.
    pub(crate) emoji: Name,
    /// Users who reacted.
    pub(crate) users: Vec<Name>,
}

/// A thread.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thread {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// User who started it.
    pub(crate) owner: Name,
    /// Whether it is by invitation.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) private: bool,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) archived: bool,
    /// Whether only moderators may reopen it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) locked: bool,
    /// Minutes of inactivity until it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) archive_after: Option<u64>,
    /// Seconds a member waits between messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slowmode: Option<u64>,
    /// Tags, in a forum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<Name>,
    /// Members besides its owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<Name>,
    /// Messages, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) messages: Vec<Message>,
}

/// A webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Token; a random one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Name>,
    /// User who made it; the owner by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) creator: Option<Name>,
}

/// An invite.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    /// Code.
    pub(crate) code: Name,
    /// User who made it; the owner by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inviter: Option<Name>,
    /// Seconds until it expires; 0, the default, is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age: Option<u64>,
    /// Joins until it expires; 0 is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_uses: Option<u64>,
    /// Whether members are removed when they go offline.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) temporary: bool,
}

/// An emoji of the guild, with a picture of the sandbox's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emoji {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Whether it is animated.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) animated: bool,
    /// Roles that may use it; all by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<Name>,
}

/// A sticker of the guild, with a picture of the sandbox's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sticker {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Words by which it is suggested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<String>,
}
