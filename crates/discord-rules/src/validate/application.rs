//! Applications: bodies of their settings, of the metadata of linked roles, and of users' role connections.

use serde_json::{Map, Value, json};

use super::command::LOCALES;
use super::form::{Change, Form, Object, parse_moment};
use crate::error::{ApiResult, FieldError};
use crate::media::data_uri;

/// Types of webhook events (Webhook Events, "Event Types").
pub const WEBHOOK_EVENTS: &[&str] = &[
    "APPLICATION_AUTHORIZED",
    "APPLICATION_DEAUTHORIZED",
    "ENTITLEMENT_CREATE",
    "ENTITLEMENT_DELETE",
    "ENTITLEMENT_UPDATE",
    "GAME_DIRECT_MESSAGE_CREATE",
    "GAME_DIRECT_MESSAGE_DELETE",
    "GAME_DIRECT_MESSAGE_UPDATE",
    "LOBBY_MESSAGE_CREATE",
    "LOBBY_MESSAGE_DELETE",
    "LOBBY_MESSAGE_UPDATE",
    "QUEST_USER_ENROLLMENT",
];

/// Settings of an application in a modification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationBody {
    /// Description.
    pub description: Change<String>,
    /// Whether there is an icon, or none any more.
    pub icon: Change<()>,
    /// Whether there is a cover image, or none any more.
    pub cover_image: Change<()>,
    /// Tags.
    pub tags: Change<Vec<String>>,
    /// Flags.
    pub flags: Option<u32>,
    /// Fields that are stored as they are: addresses, installation, events.
    pub stored: Vec<(&'static str, Change<Value>)>,
}

/// Reads the body of an application's modification. `schemes` are those of addresses for interactions and events; Discord
/// takes `https` alone.
pub fn modify(body: &Value, schemes: &[&str]) -> ApiResult<ApplicationBody> {
    Form::read_object(body, |form, body| {
        let picture = |form: &mut Form, value: &Value| data_uri::picture(form, value).map(|_| ());
        let url = |form: &mut Form, value: &Value| form.url(value, 2048, &["http", "https"]).map(Value::from);
        let endpoint = |form: &mut Form, value: &Value| form.url(value, 2048, schemes).map(Value::from);
        // Fields of the description of the API that the documentation lacks.
        form.check(body, "team_id", Form::snowflake);
        form.check(body, "max_participants", |form, value| form.int(value, -1..=i64::from(i32::MAX)));
        form.check(body, "type", |form, value| form.one_of(value, &[4]));
        Some(ApplicationBody {
            description: form.field(body, "description", description),
            icon: form.field(body, "icon", picture),
            cover_image: form.field(body, "cover_image", picture),
            tags: form.field(body, "tags", tags),
            flags: form.optional(body, "flags", |form, value| form.uint(value, i32::MAX.unsigned_abs())),
            stored: vec![
                ("custom_install_url", form.field(body, "custom_install_url", url)),
                ("interactions_endpoint_url", form.field(body, "interactions_endpoint_url", endpoint)),
                (
                    "role_connections_verification_url",
                    form.field(body, "role_connections_verification_url", url),
                ),
                ("install_params", form.field(body, "install_params", install)),
                ("integration_types_config", form.field(body, "integration_types_config", contexts)),
                (
                    "explicit_content_filter",
                    form.field(body, "explicit_content_filter", |form, value| {
                        form.one_of(value, &[0, 1]).map(Value::from)
                    }),
                ),
                ("event_webhooks_url", form.field(body, "event_webhooks_url", endpoint)),
                (
                    "event_webhooks_status",
                    form.field(body, "event_webhooks_status", |form, value| {
                        form.one_of(value, &[1, 2]).map(Value::from)
                    }),
                ),
                ("event_webhooks_types", form.field(body, "event_webhooks_types", events)),
            ],
        })
    })
}

/// Reads a description: a text, or an object with one and its translations.
fn description(form: &mut Form, value: &Value) -> Option<String> {
    match value.as_object() {
        None => form.trimmed(value, 0..=400),
        Some(_) => {
            let object = form.object(value)?;
            translations(form, object, "localizations", 400);
            form.required(object, "default", |form, value| form.trimmed(value, 0..=400))
        }
    }
}

fn tags(form: &mut Form, value: &Value) -> Option<Vec<String>> {
    let mut seen = Vec::new();
    form.list(value, 0..=5, |form, item| {
        let tag = form.trimmed(item, 1..=20)?;
        if seen.contains(&tag) {
            form.complain(FieldError::repeated());
            return None;
        }
        seen.push(tag.clone());
        Some(tag)
    })
}

/// Reads scopes and permissions of an installation.
fn install(form: &mut Form, value: &Value) -> Option<Value> {
    let body = form.object(value)?;
    let scopes = form.optional(body, "scopes", |form, value| {
        form.list(value, 1..=2, |form, item| form.word(item, &["applications.commands", "bot"]))
    });
    let permissions = form.optional(body, "permissions", Form::permissions);
    Some(json!({ "scopes": scopes.unwrap_or_default(), "permissions": permissions.unwrap_or_default() }))
}

/// Reads the ways of installation: `0` in guilds, `1` for users.
fn contexts(form: &mut Form, value: &Value) -> Option<Value> {
    let body = form.object(value)?;
    if !form.length(body.len(), &(1..=2)) {
        return None;
    }
    let mut contexts = Map::new();
    for key in body.keys() {
        if key != "0" && key != "1" {
            form.complain_at(key.as_str(), FieldError::choices(["'0'", "'1'"]));
            continue;
        }
        let config = form.optional(body, key, |form, value| {
            let body = form.object(value)?;
            let params = form.optional(body, "oauth2_install_params", install);
            Some(params.map_or_else(|| json!({}), |params| json!({ "oauth2_install_params": params })))
        });
        contexts.insert(key.clone(), config.unwrap_or_else(|| json!({})));
    }
    Some(contexts.into())
}

fn events(form: &mut Form, value: &Value) -> Option<Value> {
    form.list(value, 0..=WEBHOOK_EVENTS.len(), |form, item| form.word(item, WEBHOOK_EVENTS)).map(Value::from)
}

/// Reads the body of the metadata of linked roles: at most five, each with a key of its own.
pub fn role_metadata(body: &Value) -> ApiResult<Vec<Value>> {
    let mut keys = Vec::new();
    Form::read_body(body, |form| {
        form.list(body, 0..=5, |form, item| {
            let item = form.object(item)?;
            let kind =
                form.required(item, "type", |form, value| form.one_of(value, &[1, 2, 3, 4, 5, 6, 7, 8]));
            let key = form.required(item, "key", |form, value| metadata_key(form, value, &mut keys));
            let name = form.required(item, "name", |form, value| form.text(value, 1..=100));
            let names = translations(form, item, "name_localizations", 100);
            let description = form.required(item, "description", |form, value| form.text(value, 1..=200));
            let descriptions = translations(form, item, "description_localizations", 200);
            let mut record =
                json!({ "type": kind?, "key": key?, "name": name?, "description": description? });
            for (key, value) in [("name_localizations", names), ("description_localizations", descriptions)] {
                if let Some(value) = value {
                    record[key] = value;
                }
            }
            Some(record)
        })
    })
}

fn metadata_key(form: &mut Form, value: &Value, keys: &mut Vec<String>) -> Option<String> {
    let key = form.text(value, 1..=50)?;
    if !key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        form.complain(FieldError::regex());
        return None;
    }
    if keys.contains(&key) {
        form.complain(FieldError::repeated());
        return None;
    }
    keys.push(key.clone());
    Some(key)
}

/// Reads texts by locale.
fn translations(form: &mut Form, item: &Object, key: &str, max: usize) -> Option<Value> {
    form.optional(item, key, |form, value| {
        let texts = form.dict(value)?;
        let mut read = Map::new();
        for (locale, text) in texts.iter().filter(|(_, text)| !text.is_null()) {
            if !LOCALES.contains(&locale.as_str()) {
                form.complain_at(locale.as_str(), FieldError::words(LOCALES));
            }
            if let Some(text) = form.within(locale.as_str(), |form| form.text(text, 1..=max)) {
                read.insert(locale.clone(), text.into());
            }
        }
        Some(read.into())
    })
}

/// Reads the body of a user's role connection, whose values are of the kinds that the application's records say.
pub fn role_connection(body: &Value, records: &[Value]) -> ApiResult<Value> {
    Form::read_object(body, |form, body| {
        let mut connection = json!({});
        for (key, max) in [("platform_name", 50), ("platform_username", 100)] {
            if let Some(text) = form.optional(body, key, |form, value| form.text(value, 0..=max)) {
                connection[key] = text.into();
            }
        }
        let metadata = form.optional(body, "metadata", |form, value| {
            let values = form.dict(value)?;
            let read = |form: &mut Form, key: &str, value: &Value| {
                let record = records.iter().find(|record| record["key"] == *key);
                form.within(key, |form| metadata_value(form, value, record))
            };
            Some(
                values
                    .iter()
                    .filter_map(|(key, value)| Some((key.clone(), read(form, key, value)?)))
                    .collect::<Map<_, _>>(),
            )
        });
        connection["metadata"] = metadata.unwrap_or_default().into();
        Some(connection)
    })
}

/// Reads a value of a role connection: a whole number, a moment, or 0 or 1, as text.
fn metadata_value(form: &mut Form, value: &Value, record: Option<&Value>) -> Option<Value> {
    let text = form.text(value, 1..=100)?;
    let kind = record.and_then(|record| record["type"].as_u64());
    let error = match kind {
        None => Some(FieldError::new("ROLE_CONNECTIONS_METADATA_UNKNOWN_KEY", "Unknown metadata key")),
        Some(1..=4) if text.parse::<i64>().is_err() => Some(FieldError::not_a("int", value)),
        Some(5..=6) if parse_moment(&text).is_none() => Some(FieldError::not_a_time(value)),
        Some(7..) if text != "0" && text != "1" => Some(FieldError::choices(["'0'", "'1'"])),
        Some(_) => None,
    };
    match error {
        Some(error) => {
            form.complain(error);
            None
        }
        None => Some(text.into()),
    }
}

/// Reads the permissions of a command: at most 100, for roles, users and channels.
pub fn command_permissions(body: &Value) -> ApiResult<Vec<Value>> {
    Form::read_object(body, |form, body| {
        form.required(body, "permissions", |form, value| {
            form.list(value, 0..=100, |form, item| {
                let item = form.object(item)?;
                let id = form.required(item, "id", Form::snowflake);
                let kind = form.required(item, "type", |form, value| form.one_of(value, &[1, 2, 3]));
                let permission = form.required(item, "permission", Form::boolean);
                Some(json!({ "id": id?, "type": kind?, "permission": permission? }))
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(error: &crate::error::ApiError, path: &[&str]) -> usize {
        error.errors().unwrap().at(path).len()
    }

    #[test]
    fn settings_are_limited() {
        let good = json!({ "description": { "default": "d" }, "tags": ["a", "b"], "flags": 1 << 13,
            "install_params": { "scopes": ["bot"], "permissions": "8" },
            "integration_types_config": { "0": { "oauth2_install_params": { "scopes": ["bot"] } }, "1": null } });
        let read = modify(&good, &["https"]).unwrap();
        assert_eq!((read.description, read.flags), (Change::Set("d".to_owned()), Some(1 << 13)));
        for (body, path) in [
            (json!({ "description": "d".repeat(401) }), vec!["description"]),
            (json!({ "tags": ["a", "a"] }), vec!["tags", "1"]),
            (json!({ "tags": ["t".repeat(21)] }), vec!["tags", "0"]),
            (json!({ "tags": ["a", "b", "c", "d", "e", "f"] }), vec!["tags"]),
            (json!({ "flags": -1 }), vec!["flags"]),
            (json!({ "icon": "x" }), vec!["icon"]),
            (json!({ "interactions_endpoint_url": "http://a.example" }), vec!["interactions_endpoint_url"]),
            (json!({ "install_params": { "scopes": ["email"] } }), vec!["install_params", "scopes", "0"]),
            (json!({ "integration_types_config": { "2": null } }), vec!["integration_types_config", "2"]),
            (json!({ "event_webhooks_status": 3 }), vec!["event_webhooks_status"]),
            (json!({ "event_webhooks_types": ["X"] }), vec!["event_webhooks_types", "0"]),
        ] {
            assert_eq!(path_of(&modify(&body, &["https"]).unwrap_err(), &path), 1, "{body}");
        }
    }

    #[test]
    fn records_have_keys_and_values_have_their_kinds() {
        let record = json!({ "type": 2, "key": "level", "name": "n", "description": "d", "name_localizations": { "de": "x" } });
        let records = role_metadata(&json!([record])).unwrap();
        assert_eq!(records, std::slice::from_ref(&record));
        for (key, value) in [
            ("type", json!(9)),
            ("key", json!("A")),
            ("key", json!("k".repeat(51))),
            ("name", json!("")),
            ("description", json!("d".repeat(201))),
        ] {
            let mut wrong = record.clone();
            wrong[key] = value;
            assert_eq!(path_of(&role_metadata(&json!([wrong])).unwrap_err(), &["0", key]), 1, "{key}");
        }
        assert_eq!(path_of(&role_metadata(&json!([record, record])).unwrap_err(), &["1", "key"]), 1);
        let kinds: Vec<Value> =
            [(3, "a"), (5, "b"), (7, "c")].map(|(kind, key)| json!({ "type": kind, "key": key })).to_vec();
        let good =
            json!({ "platform_name": "p", "metadata": { "a": "3", "b": "2026-01-01T00:00:00Z", "c": "1" } });
        assert_eq!(role_connection(&good, &kinds).unwrap(), good);
        for (key, value) in [("a", "x"), ("b", "x"), ("c", "2"), ("d", "1")] {
            let error = role_connection(&json!({ "metadata": { key: value } }), &kinds).unwrap_err();
            assert_eq!(path_of(&error, &["metadata", key]), 1, "{key}");
        }
    }
}
