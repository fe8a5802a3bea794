//! Lobbies (Lobby Resource).

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Change, Form, Object};
use super::message::flag;
use crate::error::{ApiResult, FieldError};
use crate::snowflake::Snowflake;

/// Pairs of texts that a game sets.
pub type Metadata = BTreeMap<String, String>;

/// Most characters of metadata, keys and values together.
const MAX_METADATA: usize = 1000;
/// Most pairs of metadata.
const MAX_PAIRS: usize = 25;
/// Most members in one request.
const MAX_MEMBERS: usize = 25;
/// Flags of messages that a game may set.
const MESSAGE_FLAGS: u64 = flag::SUPPRESS_EMBEDS | flag::SUPPRESS_NOTIFICATIONS;

/// Fields of a lobby that an application creates or changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LobbyBody {
    /// Metadata.
    pub metadata: Change<Metadata>,
    /// Its members, which replace those that it has.
    pub members: Option<Vec<MemberBody>>,
    /// Seconds for which it may be idle.
    pub idle_timeout_seconds: Change<u32>,
    /// Flags.
    pub flags: Change<u8>,
    /// Address for its events in place of the application's.
    pub override_event_webhooks_url: Change<String>,
}

/// Fields of a lobby that a user creates or joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinBody {
    /// Secret by which it is found.
    pub secret: String,
    /// Seconds for which it may be idle.
    pub idle_timeout_seconds: Change<u32>,
    /// Metadata of the lobby.
    pub lobby_metadata: Change<Metadata>,
    /// Metadata of the user in it.
    pub member_metadata: Change<Metadata>,
    /// Flags.
    pub flags: Change<u8>,
}

/// Fields of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberBody {
    /// The user.
    pub id: Snowflake,
    /// Metadata.
    pub metadata: Change<Metadata>,
    /// Flags.
    pub flags: Change<u8>,
    /// Name beside the user's own.
    pub additional_name: Change<String>,
    /// Whether the user is removed.
    pub remove: bool,
}

/// A message to a lobby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageBody {
    /// Text.
    pub content: String,
    /// Metadata for those who are there.
    pub metadata: Option<Metadata>,
    /// Flags that may be set and are.
    pub flags: u64,
}

/// Reads the body of a creation or modification by an application.
pub fn lobby(body: &Value) -> ApiResult<LobbyBody> {
    Form::read_object(body, |form, body| {
        Some(LobbyBody {
            metadata: form.field(body, "metadata", metadata),
            members: form.optional(body, "members", |form, value| {
                form.list(value, 0..=MAX_MEMBERS, |form, value| {
                    let body = form.object(value)?;
                    let id = form.required(body, "id", Form::snowflake);
                    Some(MemberBody { id: id?, ..state(form, body) })
                })
            }),
            idle_timeout_seconds: idle(form, body),
            flags: form.field(body, "flags", one_flag),
            override_event_webhooks_url: form.field(body, "override_event_webhooks_url", |form, value| {
                form.url(value, 512, &["https", "http"])
            }),
        })
    })
}

/// Reads the body with which a user creates or joins a lobby.
pub fn join(body: &Value) -> ApiResult<JoinBody> {
    Form::read_object(body, |form, body| {
        let secret = form.required(body, "secret", |form, value| form.text(value, 1..=250));
        let joined = JoinBody {
            secret: String::new(),
            idle_timeout_seconds: idle(form, body),
            lobby_metadata: form.field(body, "lobby_metadata", metadata),
            member_metadata: form.field(body, "member_metadata", metadata),
            flags: form.field(body, "flags", one_flag),
        };
        Some(JoinBody { secret: secret?, ..joined })
    })
}

/// Reads the body for one member, whose id is in the path.
pub fn member(body: &Value, id: Snowflake) -> ApiResult<MemberBody> {
    Form::read_object(body, |form, body| Some(MemberBody { id, ..named(form, body) }))
}

/// Reads a list of members to add, change or remove.
pub fn bulk(body: &Value) -> ApiResult<Vec<MemberBody>> {
    Form::read_body(body, |form| {
        form.list(body, 1..=MAX_MEMBERS, |form, value| {
            let body = form.object(value)?;
            let id = form.required(body, "id", Form::snowflake);
            let remove = form.optional(body, "remove_member", Form::boolean).unwrap_or(false);
            let member = named(form, body);
            Some(MemberBody { id: id?, remove, ..member })
        })
    })
}

/// Reads the channel to link a lobby to; none unlinks it.
pub fn link(body: &Value) -> ApiResult<Option<Snowflake>> {
    Form::read_object(body, |form, body| Some(form.optional(body, "channel_id", Form::snowflake)))
}

/// Reads a message to a lobby.
pub fn message(body: &Value) -> ApiResult<MessageBody> {
    Form::read_object(body, |form, body| {
        let content = form.required(body, "content", |form, value| form.trimmed(value, 1..=4000));
        let metadata = form.optional(body, "metadata", metadata);
        let flags = form.optional(body, "flags", |form, value| form.int(value, 0..=i64::MAX));
        let flags = flags.and_then(|flags| u64::try_from(flags).ok()).unwrap_or(0) & MESSAGE_FLAGS;
        Some(MessageBody { content: content?, metadata, flags })
    })
}

/// Reads the moderation metadata of a message.
pub fn moderation(body: &Value) -> ApiResult<Metadata> {
    Form::read_body(body, |form| {
        let found = pairs(form, body, 5, 2000)?;
        for key in found.keys().filter(|key| key.chars().count() > 1024) {
            form.complain_at(key.as_str(), FieldError::max_length(1024));
        }
        Some(found)
    })
}

fn idle(form: &mut Form, body: &Object) -> Change<u32> {
    form.field(body, "idle_timeout_seconds", |form, value| u32::try_from(form.int(value, 5..=604_800)?).ok())
}

/// Reads flags of which there is one. Discord's description lacks 0, which its documentation implies.
fn one_flag(form: &mut Form, value: &Value) -> Option<u8> {
    form.one_of(value, &[0, 1])
}

fn state(form: &mut Form, body: &Object) -> MemberBody {
    MemberBody {
        metadata: form.field(body, "metadata", metadata),
        flags: form.field(body, "flags", one_flag),
        ..MemberBody::default()
    }
}

fn named(form: &mut Form, body: &Object) -> MemberBody {
    let additional_name = form.field(body, "additional_name", |form, value| form.text(value, 1..=80));
    MemberBody { additional_name, ..state(form, body) }
}

fn metadata(form: &mut Form, value: &Value) -> Option<Metadata> {
    let found = pairs(form, value, MAX_PAIRS, 1024)?;
    let length: usize = found.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum();
    form.length(length, &(0..=MAX_METADATA)).then_some(found)
}

/// Reads an object with free keys and texts.
fn pairs(form: &mut Form, value: &Value, most: usize, longest: usize) -> Option<Metadata> {
    let object = form.dict(value)?;
    if !form.length(object.len(), &(0..=most)) {
        return None;
    }
    let mut found = Metadata::new();
    for (key, value) in object {
        if let Some(text) = form.within(key.as_str(), |form| form.text(value, 0..=longest)) {
            found.insert(key.clone(), text);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused<T: std::fmt::Debug>(result: ApiResult<T>, path: &[&str], code: &str) {
        let error = result.unwrap_err();
        assert_eq!(error.errors().unwrap().at(path)[0].code, code, "{}", error.to_json());
    }

    #[test]
    fn metadata_is_a_thousand_characters_of_texts_at_most() {
        let with = |value: Value| lobby(&json!({ "metadata": value }));
        let full = json!({ "k": "v".repeat(998), "é": "" });
        assert!(matches!(with(full).unwrap().metadata, Change::Set(pairs) if pairs.len() == 2));
        assert_eq!(with(Value::Null).unwrap().metadata, Change::Clear);
        assert_eq!(lobby(&json!({})).unwrap(), LobbyBody::default());
        refused(with(json!({ "k": "v".repeat(1000) })), &["metadata"], "BASE_TYPE_MAX_LENGTH");
        refused(with(json!({ "k": "v".repeat(1025) })), &["metadata", "k"], "BASE_TYPE_MAX_LENGTH");
        refused(with(json!({ "k": {} })), &["metadata", "k"], "STRING_TYPE_CONVERT");
        refused(with(json!([])), &["metadata"], "DICT_TYPE_CONVERT");
        let many: Value = (0..26).map(|n| (n.to_string(), Value::from("v"))).collect::<Object>().into();
        refused(with(many), &["metadata"], "BASE_TYPE_MAX_LENGTH");
    }

    #[test]
    fn numbers_and_lists_of_a_lobby_have_limits() {
        for seconds in [5, 604_800] {
            let read = lobby(&json!({ "idle_timeout_seconds": seconds })).unwrap();
            assert_eq!(read.idle_timeout_seconds, Change::Set(seconds));
        }
        let idle = |seconds: u32| lobby(&json!({ "idle_timeout_seconds": seconds }));
        refused(idle(4), &["idle_timeout_seconds"], "NUMBER_TYPE_MIN");
        refused(idle(604_801), &["idle_timeout_seconds"], "NUMBER_TYPE_MAX");
        refused(lobby(&json!({ "flags": 2 })), &["flags"], "BASE_TYPE_CHOICES");
        let members = |count: usize| lobby(&json!({ "members": vec![json!({ "id": "1" }); count] }));
        assert_eq!(members(25).unwrap().members.unwrap().len(), 25);
        refused(members(26), &["members"], "BASE_TYPE_MAX_LENGTH");
        refused(lobby(&json!({ "members": [{}] })), &["members", "0", "id"], "BASE_TYPE_REQUIRED");
        refused(
            lobby(&json!({ "override_event_webhooks_url": "frog" })),
            &["override_event_webhooks_url"],
            "URL_TYPE_INVALID_URL",
        );
    }

    #[test]
    fn a_secret_is_required_and_short() {
        let with = |secret: &str| join(&json!({ "secret": secret, "member_metadata": { "a": "b" } }));
        assert_eq!(with(&"s".repeat(250)).unwrap().secret.len(), 250);
        refused(with(&"s".repeat(251)), &["secret"], "BASE_TYPE_BAD_LENGTH");
        refused(join(&json!({})), &["secret"], "BASE_TYPE_REQUIRED");
    }

    #[test]
    fn a_member_is_named_removed_or_kept_as_they_are() {
        let one = member(&json!({ "additional_name": null, "flags": 1 }), Snowflake(7)).unwrap();
        assert_eq!((one.id, one.additional_name, one.flags), (Snowflake(7), Change::Clear, Change::Set(1)));
        assert_eq!((one.metadata, one.remove), (Change::Keep, false));
        let name = |name: String| member(&json!({ "additional_name": name }), Snowflake(7));
        assert!(name("n".repeat(80)).is_ok());
        refused(name("n".repeat(81)), &["additional_name"], "BASE_TYPE_BAD_LENGTH");
        assert!(bulk(&json!([{ "id": "1", "remove_member": true }])).unwrap()[0].remove);
        for wrong in [json!([]), json!({}), json!([{ "id": "x" }]), json!(vec![json!({ "id": "1" }); 26])] {
            assert_eq!(bulk(&wrong).unwrap_err().code(), 50035, "{wrong}");
        }
    }

    #[test]
    fn a_message_has_text_and_only_flags_that_a_game_sets() {
        let read = message(&json!({ "content": " hi ", "flags": 1 << 6 | 1 << 12, "metadata": {} })).unwrap();
        assert_eq!((read.content.as_str(), read.flags), ("hi", 1 << 12));
        refused(message(&json!({ "content": "  " })), &["content"], "BASE_TYPE_REQUIRED");
        refused(message(&json!({ "content": "c".repeat(4001) })), &["content"], "BASE_TYPE_BAD_LENGTH");
    }

    #[test]
    fn moderation_is_five_pairs_at_most() {
        let long = "k".repeat(1024);
        let read = moderation(&json!({ (long.as_str()): "v".repeat(2000) })).unwrap();
        assert_eq!(read[&long].len(), 2000);
        refused(moderation(&json!({ "k": "v".repeat(2001) })), &["k"], "BASE_TYPE_MAX_LENGTH");
        let longer = "k".repeat(1025);
        refused(moderation(&json!({ (longer.as_str()): "v" })), &[&longer], "BASE_TYPE_MAX_LENGTH");
        let six = json!({ "1": "", "2": "", "3": "", "4": "", "5": "", "6": "" });
        refused(moderation(&six), &[], "BASE_TYPE_MAX_LENGTH");
        refused(moderation(&json!([])), &[], "DICT_TYPE_CONVERT");
    }
}
