//! Webhooks: bodies of creations and modifications.

use serde_json::Value;

use super::form::{Change, Form, Object};
use crate::error::{ApiResult, FieldError};
use crate::media::data_uri;
use crate::snowflake::Snowflake;

/// Fields of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookBody {
    /// Default name.
    pub name: Option<String>,
    /// Bytes of the default picture.
    pub avatar: Change<Vec<u8>>,
    /// Channel to move to.
    pub channel_id: Option<Snowflake>,
}

/// Reads the body of a creation, which has a name.
pub fn create(body: &Value) -> ApiResult<WebhookBody> {
    Form::read_object(body, |form, body| {
        let name = form.required(body, "name", name);
        Some(WebhookBody { name: Some(name?), avatar: avatar(form, body), channel_id: None })
    })
}

/// Reads the body of a modification; `moving` is whether it may name another channel.
pub fn modify(body: &Value, moving: bool) -> ApiResult<WebhookBody> {
    Form::read_object(body, |form, body| {
        Some(WebhookBody {
            name: form.present(body, "name", name),
            avatar: avatar(form, body),
            channel_id: if moving { form.optional(body, "channel_id", Form::snowflake) } else { None },
        })
    })
}

fn avatar(form: &mut Form, body: &Object) -> Change<Vec<u8>> {
    form.field(body, "avatar", data_uri::picture).map(|(picture, _)| picture.bytes)
}

/// Reads a webhook's name; Discord reserves its own names.
pub(super) fn name(form: &mut Form, value: &Value) -> Option<String> {
    let name = form.trimmed(value, 1..=80)?;
    let lower = name.to_lowercase();
    if let Some(word) = ["clyde", "discord"].into_iter().find(|word| lower.contains(word)) {
        form.complain(FieldError::new(
            "USERNAME_INVALID_CONTAINS",
            format!("Username cannot contain \"{word}\""),
        ));
        return None;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_webhook_has_a_name_that_is_not_discords() {
        assert_eq!(create(&json!({ "name": "n".repeat(80) })).unwrap().name.unwrap().len(), 80);
        let picture = json!({ "name": "a", "avatar": "data:image/gif;base64,R0lGODlh" });
        assert_eq!(create(&picture).unwrap().avatar, Change::Set(b"GIF89a".to_vec()));
        for (body, key) in [
            (json!({}), "name"),
            (json!({ "name": "n".repeat(81) }), "name"),
            (json!({ "name": "My Discord" }), "name"),
            (json!({ "name": "a", "avatar": "x" }), "avatar"),
        ] {
            assert_eq!(create(&body).unwrap_err().errors().unwrap().at(&[key]).len(), 1, "{body}");
        }
        assert_eq!(modify(&json!({ "avatar": null }), true).unwrap().avatar, Change::Clear);
        assert_eq!(modify(&json!({ "channel_id": "1" }), true).unwrap().channel_id, Some(Snowflake(1)));
        assert_eq!(modify(&json!({ "channel_id": "1" }), false).unwrap().channel_id, None);
    }
}
