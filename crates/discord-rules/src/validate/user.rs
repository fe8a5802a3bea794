//! Users: the bot's own account, and the people of direct messages.

use serde_json::Value;

use super::form::{Change, Form};
use crate::error::{ApiError, ApiResult};
use crate::media::data_uri;
use crate::snowflake::Snowflake;

/// Longest access token, in characters.
const MAX_TOKEN: usize = 10_240;
/// Longest nickname in a group, in characters.
const MAX_NICK: usize = 32;

/// Fields of an account in a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserBody {
    /// Name.
    pub username: Option<String>,
    /// The bytes of its picture.
    pub avatar: Change<Vec<u8>>,
    /// Whether there is a banner, or none any more.
    pub banner: Change<()>,
}

/// Reads the body of the modification of one's own account.
pub fn modify(body: &Value) -> ApiResult<UserBody> {
    Form::read_object(body, |form, body| {
        let picture = |form: &mut Form, value: &Value| data_uri::picture(form, value).map(|_| ());
        Some(UserBody {
            username: form.present(body, "username", |form, value| form.trimmed(value, 2..=32)),
            avatar: form.field(body, "avatar", data_uri::picture).map(|(picture, _)| picture.bytes),
            banner: form.field(body, "banner", picture),
        })
    })
}

/// Whom a new channel of direct messages is with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// One user.
    User(Snowflake),
    /// A group of the users of these access tokens.
    Group(Vec<String>),
}

/// Reads the body of a new channel of direct messages.
pub fn open(body: &Value) -> ApiResult<Recipients> {
    let recipients = Form::read_object(body, |form, body| {
        if body.contains_key("access_tokens") {
            // Nicknames are seen by the group's people only, and no route returns them.
            form.optional(body, "nicks", nicks);
            let tokens = form.required(body, "access_tokens", |form, value| form.list(value, 1..=100, token));
            return Some(Some(Recipients::Group(tokens?)));
        }
        form.check(body, "nicks", nicks);
        Some(form.optional(body, "recipient_id", Form::snowflake).map(Recipients::User))
    })?;
    recipients.ok_or_else(ApiError::invalid_recipients)
}

/// Reads the body with which a user is added to a group, and returns the user's access token.
pub fn add_recipient(body: &Value) -> ApiResult<String> {
    Form::read_object(body, |form, body| {
        // As in `open`.
        form.optional(body, "nick", |form, value| form.text(value, 0..=MAX_NICK));
        form.required(body, "access_token", token)
    })
}

fn token(form: &mut Form, value: &Value) -> Option<String> {
    form.text(value, 0..=MAX_TOKEN)
}

fn nicks(form: &mut Form, value: &Value) -> Option<()> {
    let nicks = form.dict(value)?;
    for (user, nick) in nicks.iter().filter(|(_, nick)| !nick.is_null()) {
        form.within(user.as_str(), |form| form.text(nick, 0..=MAX_NICK));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_has_a_name_and_pictures() {
        let body = modify(&json!({ "username": "ab", "avatar": null })).unwrap();
        let expected = UserBody { username: Some("ab".into()), avatar: Change::Clear, ..UserBody::default() };
        assert_eq!(body, expected);
        for (bad, key) in [
            (json!({ "username": "a" }), "username"),
            (json!({ "username": null }), "username"),
            (json!({ "avatar": {} }), "avatar"),
            (json!({ "banner": "data:image/png;base64,aGk=" }), "banner"),
        ] {
            assert_eq!(modify(&bad).unwrap_err().errors().unwrap().at(&[key]).len(), 1, "{bad}");
        }
    }

    #[test]
    fn direct_messages_are_with_one_user_or_a_group() {
        assert_eq!(open(&json!({ "recipient_id": "1" })).unwrap(), Recipients::User(Snowflake(1)));
        let group = json!({ "access_tokens": ["a"], "nicks": { "1": "b" } });
        assert_eq!(open(&group).unwrap(), Recipients::Group(vec!["a".to_owned()]));
        assert_eq!(open(&json!({})).unwrap_err().code(), 50033);
        for bad in [
            json!({ "recipient_id": "x" }),
            json!({ "access_tokens": [] }),
            json!({ "access_tokens": null }),
            json!({ "access_tokens": ["a"], "nicks": { "1": "n".repeat(33) } }),
            json!({ "recipient_id": "1", "nicks": [] }),
        ] {
            assert_eq!(open(&bad).unwrap_err().code(), 50035, "{bad}");
        }
        assert_eq!(add_recipient(&json!({})).unwrap_err().code(), 50035);
    }
}
