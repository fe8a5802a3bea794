//! The additional fields of forums: tags, and how their posts are displayed.

use std::borrow::Cow;

pub use discord_rules::emoji::EmojiRef;
use serde_json::{Map, Value, json};

use crate::snowflake::Snowflake;

/// Flag of a forum whose posts need a tag.
pub const REQUIRE_TAG: u64 = 1 << 4;

/// A tag that posts of a forum can have.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// Its id.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// Whether only members with MANAGE_THREADS may add and remove it.
    pub moderated: bool,
    /// Emoji before its name.
    pub emoji: EmojiRef,
}

impl Tag {
    /// Returns the forum-tag object.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "moderated": self.moderated,
            "emoji_id": self.emoji.id,
            "emoji_name": self.emoji.name,
        })
    }
}

/// The additional fields of a forum.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Forum {
    /// Tags that its posts can have.
    pub available_tags: Vec<Tag>,
    /// Suggested first reaction to a post.
    pub default_reaction: Option<EmojiRef>,
    /// Order of posts: 0 by activity, 1 by creation.
    pub default_sort_order: Option<u8>,
    /// Whether a search of posts needs all tags (`match_all`), or any (`match_some`).
    pub default_tag_setting: Option<Cow<'static, str>>,
    /// View: 0 unset, 1 list, 2 gallery.
    pub default_layout: u8,
}

impl Forum {
    /// Returns the fields of a channel that is no forum.
    pub const fn none() -> Self {
        Self {
            available_tags: Vec::new(),
            default_reaction: None,
            default_sort_order: None,
            default_tag_setting: None,
            default_layout: 0,
        }
    }

    /// Writes the fields of a forum's channel object.
    pub fn write(&self, o: &mut Map<String, Value>) {
        o.insert("available_tags".into(), self.available_tags.iter().map(Tag::json).collect());
        let reaction = self.default_reaction.as_ref();
        o.insert(
            "default_reaction_emoji".into(),
            reaction.map(|emoji| json!({ "emoji_id": emoji.id, "emoji_name": emoji.name })).into(),
        );
        o.insert("default_sort_order".into(), self.default_sort_order.into());
        o.insert("default_forum_layout".into(), self.default_layout.into());
    }
}
