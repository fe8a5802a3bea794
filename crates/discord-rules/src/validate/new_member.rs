//! A user whom a bot adds to a guild.

use serde_json::Value;

use super::form::Form;
use crate::error::ApiResult;
use crate::snowflake::Snowflake;

/// Fields of a new member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMember {
    /// Token with which the user lets the application add them.
    pub access_token: String,
    /// Nickname.
    pub nick: Option<String>,
    /// Roles.
    pub roles: Vec<Snowflake>,
    /// Whether the member is muted in voice.
    pub mute: bool,
    /// Whether the member is deafened in voice.
    pub deaf: bool,
    /// Flags.
    pub flags: u32,
}

/// Reads the body of an added member.
pub fn read(body: &Value) -> ApiResult<NewMember> {
    Form::read_object(body, |form, body| {
        let token = form.required(body, "access_token", |form, value| form.text(value, 1..=10_240));
        let nick = form.optional(body, "nick", |form, value| form.trimmed(value, 0..=32));
        let roles = form.optional(body, "roles", |form, value| form.id_set(value, 0..=250));
        let mute = form.optional(body, "mute", Form::boolean);
        let deaf = form.optional(body, "deaf", Form::boolean);
        let flags = form.optional(body, "flags", |form, value| form.uint(value, u32::MAX));
        Some(NewMember {
            access_token: token?,
            nick: nick.filter(|nick| !nick.is_empty()),
            roles: roles.unwrap_or_default(),
            mute: mute.unwrap_or_default(),
            deaf: deaf.unwrap_or_default(),
            flags: flags.unwrap_or_default(),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_token_is_required() {
        let body = read(&json!({ "access_token": "t", "nick": "", "roles": null })).unwrap();
        assert_eq!(body, NewMember { access_token: "t".to_owned(), ..NewMember::default() });
        for bad in [
            json!({}),
            json!({ "access_token": "t".repeat(10_241) }),
            json!({ "access_token": "t", "nick": "n".repeat(33) }),
            json!({ "access_token": "t", "roles": ["1", "1"] }),
            json!({ "access_token": "t", "mute": 1 }),
        ] {
            assert_eq!(read(&bad).unwrap_err().code(), 50035, "{bad}");
        }
    }
}
