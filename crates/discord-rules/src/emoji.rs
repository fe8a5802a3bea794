//! Emojis that a body or an object names.

use crate::snowflake::Snowflake;

/// An emoji that is named somewhere: one of a guild, or a character.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmojiRef {
    /// Of a guild's emoji.
    pub id: Option<Snowflake>,
    /// The character of any other.
    pub name: Option<String>,
}
