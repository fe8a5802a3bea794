//! Fields of forums in bodies: their tags, and how posts are shown.

use std::collections::HashSet;

use serde_json::Value;

use super::form::{Form, Object};
use crate::emoji::EmojiRef;
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;

const MAX_TAGS: usize = 20;

/// Tag in a body; without an id it is a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagBody {
    /// Id of an existing tag.
    pub id: Option<Snowflake>,
    /// Name.
    pub name: String,
    /// Whether only moderators may set it.
    pub moderated: bool,
    /// Emoji before its name.
    pub emoji: EmojiRef,
}

pub(super) fn tags(form: &mut Form, value: &Value) -> Option<Vec<TagBody>> {
    form.objects(value, 0..=MAX_TAGS, |form, body| {
        let name = form.required(body, "name", |form, value| form.trimmed(value, 1..=20));
        Some(TagBody {
            id: form.optional(body, "id", Form::snowflake),
            moderated: form.optional(body, "moderated", Form::boolean).unwrap_or(false),
            emoji: emoji_fields(form, body),
            name: name?,
        })
    })
}

pub(super) fn emoji(form: &mut Form, value: &Value) -> Option<EmojiRef> {
    let body = form.object(value)?;
    Some(emoji_fields(form, body))
}

fn emoji_fields(form: &mut Form, body: &Object) -> EmojiRef {
    EmojiRef {
        id: form.optional(body, "emoji_id", Form::snowflake),
        name: form.optional(body, "emoji_name", |form, value| form.text(value, 0..=100)),
    }
}

/// Checks that no two tags have the same name.
pub fn unique(tags: &[TagBody]) -> ApiResult<()> {
    let mut names = HashSet::new();
    if tags.iter().all(|tag| names.insert(tag.name.to_lowercase())) {
        Ok(())
    } else {
        Err(ApiError::tag_names())
    }
}
