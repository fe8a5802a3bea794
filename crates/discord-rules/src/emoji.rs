//! Emojis that a body or an object names.

use crate::snowflake::Snowflake;

/// Reference to an emoji: one of a guild, or a character.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EmojiRef {
    /// Id of a guild's emoji.
    pub id: Option<Snowflake>,
    /// Character of any other emoji.
    pub name: Option<String>,
}
