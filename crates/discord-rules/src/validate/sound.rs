//! Sounds of the soundboard: bodies of creations, modifications and of playing one.

use serde_json::Value;

use super::form::{Change, Form};
use super::reaction::is_unicode;
use crate::error::{ApiError, ApiResult};
use crate::media::DataUri;
use crate::snowflake::Snowflake;

/// Fields of a sound, in a creation or a modification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoundBody {
    /// Name.
    pub name: Option<String>,
    /// Volume, from 0 to 1.
    pub volume: Change<f64>,
    /// The guild's emoji that it shows.
    pub emoji_id: Change<Snowflake>,
    /// The Unicode emoji that it shows.
    pub emoji_name: Change<String>,
}

/// Reads the body of a creation. Returns the bytes of the sound, too.
pub fn create(body: &Value) -> ApiResult<(SoundBody, Vec<u8>)> {
    let (sound, file) = Form::read_object(body, |form, body| {
        let file = form.required(body, "sound", Form::any_text);
        form.required(body, "name", Form::any_text)?;
        Some((read(form, body)?, file?))
    })?;
    check_emoji(&sound)?;
    let file = DataUri::parse(&file).ok_or_else(ApiError::damaged_file)?;
    Ok((sound, file.bytes))
}

/// Reads the body of a modification.
pub fn modify(body: &Value) -> ApiResult<SoundBody> {
    let sound = Form::read_object(body, read)?;
    check_emoji(&sound)?;
    Ok(sound)
}

fn read(form: &mut Form, body: &super::form::Object) -> Option<SoundBody> {
    let name = match body.get("name") {
        Some(_) => Some(form.required(body, "name", |form, value| form.trimmed(value, 2..=32))?),
        None => None,
    };
    Some(SoundBody {
        name,
        volume: form.field(body, "volume", |form, value| form.float(value, 0.0..=1.0)),
        emoji_id: form.field(body, "emoji_id", Form::snowflake),
        emoji_name: form.field(body, "emoji_name", |form, value| form.text(value, 1..=32)),
    })
}

fn check_emoji(sound: &SoundBody) -> ApiResult<()> {
    match sound.emoji_name.as_ref() {
        Some(name) if !is_unicode(name) => Err(ApiError::invalid_emoji()),
        _ => Ok(()),
    }
}

/// Reads the body of playing a sound. Returns it, and the guild that it is from.
pub fn send(body: &Value) -> ApiResult<(Snowflake, Option<Snowflake>)> {
    Form::read_object(body, |form, body| {
        let sound = form.required(body, "sound_id", Form::snowflake);
        let source = form.optional(body, "source_guild_id", Form::snowflake);
        Some((sound?, source))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::FieldError;

    #[test]
    fn limits_hold_at_their_edges() {
        let file = "data:audio/ogg;base64,aGk=";
        let (sound, bytes) = create(&json!({ "name": "ab", "sound": file, "volume": null })).unwrap();
        assert_eq!((sound.volume, bytes.as_slice()), (Change::Clear, &b"hi"[..]));
        for good in [
            json!({}),
            json!({ "volume": 0 }),
            json!({ "volume": 1, "emoji_name": "\u{1f986}", "emoji_id": null }),
        ] {
            assert!(modify(&good).is_ok(), "{good}");
        }
        for (body, key) in [
            (json!({ "name": "a" }), "name"),
            (json!({ "name": "n".repeat(33) }), "name"),
            (json!({ "name": null }), "name"),
            (json!({ "volume": 1.01 }), "volume"),
            (json!({ "volume": -0.01 }), "volume"),
            (json!({ "emoji_id": "x" }), "emoji_id"),
            (json!({ "emoji_name": "" }), "emoji_name"),
        ] {
            let error = modify(&body).unwrap_err();
            assert_eq!(error.errors().unwrap().at(&[key]).len(), 1, "{body}");
        }
        assert_eq!(modify(&json!({ "emoji_name": "duck" })).unwrap_err().code(), 50151);
        assert_eq!(create(&json!({ "name": "ab", "sound": "aGk=" })).unwrap_err().code(), 50110);
        for key in ["name", "sound"] {
            let mut body = json!({ "name": "ab", "sound": file });
            body.as_object_mut().unwrap().remove(key);
            assert_eq!(create(&body).unwrap_err().errors().unwrap().at(&[key])[0], FieldError::required());
        }
        assert!(send(&json!({ "source_guild_id": "1" })).is_err());
        assert_eq!(send(&json!({ "sound_id": 1 })).unwrap(), (Snowflake(1), None));
    }
}
