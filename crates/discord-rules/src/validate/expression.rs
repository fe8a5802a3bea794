//! Emojis, stickers and sounds: bodies of creations and modifications.

use serde_json::Value;

use super::form::{Change, Form};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::media::data_uri;
use crate::media::picture;
use crate::snowflake::Snowflake;

/// Largest picture of an emoji, in bytes.
const MAX_EMOJI_BYTES: usize = 256 << 10;

/// An emoji to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmojiCreate {
    /// Name.
    pub name: String,
    /// Bytes of its picture.
    pub image: Vec<u8>,
    /// Media type of its picture.
    pub kind: &'static str,
    /// Whether the picture moves.
    pub animated: bool,
    /// Roles that may use it.
    pub roles: Vec<Snowflake>,
}

/// Fields of an emoji in a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmojiEdit {
    /// Name.
    pub name: Option<String>,
    /// Roles that may use it.
    pub roles: Change<Vec<Snowflake>>,
}

/// Reads the body of an emoji's creation. An application's emoji has no roles, and the field is not read there.
pub fn emoji_create(body: &Value, with_roles: bool) -> ApiResult<EmojiCreate> {
    let emoji = Form::read_object(body, |form, body| {
        let name = form.required(body, "name", emoji_name);
        let image = form.required(body, "image", data_uri::picture);
        let roles = if with_roles { form.optional(body, "roles", emoji_roles) } else { None };
        let (image, kind) = image?;
        let animated = picture::is_animated(kind, &image.bytes);
        Some(EmojiCreate {
            name: name?,
            animated,
            image: image.bytes,
            kind,
            roles: roles.unwrap_or_default(),
        })
    })?;
    if emoji.image.len() > MAX_EMOJI_BYTES { Err(ApiError::asset_too_large()) } else { Ok(emoji) }
}

/// Reads the body of an emoji's modification.
pub fn emoji_edit(body: &Value, with_roles: bool) -> ApiResult<EmojiEdit> {
    Form::read_object(body, |form, body| {
        Some(EmojiEdit {
            name: form.present(body, "name", emoji_name),
            roles: if with_roles { form.field(body, "roles", emoji_roles) } else { Change::Keep },
        })
    })
}

fn emoji_name(form: &mut Form, value: &Value) -> Option<String> {
    let name = form.text(value, 2..=32)?;
    if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Some(name);
    }
    form.complain(FieldError::regex());
    None
}

fn emoji_roles(form: &mut Form, value: &Value) -> Option<Vec<Snowflake>> {
    form.id_set(value, 0..=1521)
}

/// Texts of a sticker to be created, whose file is apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StickerCreate {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Words by which it is suggested.
    pub tags: String,
}

/// Fields of a sticker in a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StickerEdit {
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Change<String>,
    /// Words by which it is suggested.
    pub tags: Option<String>,
}

/// Reads the fields of a form that creates a sticker; `file` is whether it has one.
pub fn sticker_create(body: &Value, file: bool) -> ApiResult<StickerCreate> {
    Form::read_object(body, |form, body| {
        let name = form.required(body, "name", sticker_name);
        let tags = form.required(body, "tags", sticker_tags);
        let description = form.optional(body, "description", sticker_description);
        if !file {
            form.complain_at("file", FieldError::required());
        }
        Some(StickerCreate {
            name: name?,
            description: description.filter(|text| !text.is_empty()),
            tags: tags?,
        })
    })
}

/// Reads the body of a sticker's modification.
pub fn sticker_edit(body: &Value) -> ApiResult<StickerEdit> {
    Form::read_object(body, |form, body| {
        let description = form.field(body, "description", sticker_description);
        Some(StickerEdit {
            name: form.present(body, "name", sticker_name),
            description: match description {
                Change::Set(text) if text.is_empty() => Change::Clear,
                description => description,
            },
            tags: form.present(body, "tags", sticker_tags),
        })
    })
}

fn sticker_name(form: &mut Form, value: &Value) -> Option<String> {
    form.trimmed(value, 2..=30)
}

fn sticker_tags(form: &mut Form, value: &Value) -> Option<String> {
    form.trimmed(value, 1..=200)
}

/// Reads a description, which is empty or has 2 to 100 characters.
fn sticker_description(form: &mut Form, value: &Value) -> Option<String> {
    let text = form.trimmed(value, 0..=100)?;
    if text.chars().count() == 1 {
        form.complain(FieldError::bad_length(2, 100));
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;

    fn image(bytes: &[u8]) -> String {
        format!("data:image/gif;base64,{}", STANDARD.encode(bytes))
    }

    #[test]
    fn an_emoji_has_a_name_and_a_picture() {
        let body = json!({ "name": "ab", "image": image(b"GIF89a"), "roles": ["1"] });
        let emoji = emoji_create(&body, true).unwrap();
        assert_eq!((emoji.animated, emoji.kind, emoji.roles), (true, "image/gif", vec![Snowflake(1)]));
        assert_eq!(emoji_create(&body, false).unwrap().roles, []);
        for (key, value, code) in [
            ("name", json!("a"), "BASE_TYPE_BAD_LENGTH"),
            ("name", json!("n".repeat(33)), "BASE_TYPE_BAD_LENGTH"),
            ("name", json!("a b"), "STRING_TYPE_REGEX"),
            ("name", Value::Null, "BASE_TYPE_REQUIRED"),
            ("image", json!("data:image/png;base64,aGk="), "IMAGE_INVALID"),
            ("image", json!("https://example.com/a.png"), "IMAGE_INVALID"),
            ("roles", json!("1"), "LIST_TYPE_CONVERT"),
        ] {
            let mut body = body.clone();
            body[key] = value;
            let error = emoji_create(&body, true).unwrap_err();
            assert_eq!(error.errors().unwrap().at(&[key])[0].code, code, "{body}");
        }
        let mut large = b"GIF89a".to_vec();
        large.resize(MAX_EMOJI_BYTES, 0);
        assert!(emoji_create(&json!({ "name": "ab", "image": image(&large) }), true).is_ok());
        large.push(0);
        let error = emoji_create(&json!({ "name": "ab", "image": image(&large) }), true).unwrap_err();
        assert_eq!(error.code(), 50138);
        assert_eq!(emoji_edit(&json!({}), true).unwrap(), EmojiEdit::default());
        assert!(emoji_edit(&json!({ "name": null }), true).is_err());
    }

    #[test]
    fn a_stickers_limits_hold_at_their_edges() {
        let body = json!({ "name": "n".repeat(30), "tags": "t".repeat(200), "description": "d".repeat(100) });
        assert!(sticker_create(&body, true).is_ok());
        let error = sticker_create(&body, false).unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["file"])[0].code, "BASE_TYPE_REQUIRED");
        for (key, value) in [
            ("name", json!("n")),
            ("name", json!("n".repeat(31))),
            ("tags", json!("")),
            ("tags", json!("t".repeat(201))),
            ("description", json!("d")),
            ("description", json!("d".repeat(101))),
        ] {
            let mut wrong = body.clone();
            wrong[key] = value;
            for error in [sticker_create(&wrong, true).unwrap_err(), sticker_edit(&wrong).unwrap_err()] {
                assert_eq!(error.errors().unwrap().at(&[key]).len(), 1, "{wrong}");
            }
        }
        let edit = sticker_edit(&json!({ "description": "" })).unwrap();
        assert_eq!(edit, StickerEdit { description: Change::Clear, ..StickerEdit::default() });
        assert_eq!(
            sticker_create(&json!({ "name": "ab", "tags": "t", "description": "" }), true)
                .unwrap()
                .description,
            None
        );
    }
}
