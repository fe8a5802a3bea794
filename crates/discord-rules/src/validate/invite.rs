//! Invites: the body of a creation, and the file of those who may accept one.

use indexmap::IndexSet;
use serde_json::Value;

use super::form::{Form, Object};
use crate::error::{ApiResult, FieldError};
use crate::snowflake::Snowflake;

/// What an invite to a voice channel leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// The stream of a user.
    Stream(Snowflake),
    /// The Activity of an application.
    Activity(Snowflake),
}

/// Fields of an invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteBody {
    /// Seconds until it expires, 0 for never.
    pub max_age: u32,
    /// Joins until it expires, 0 for no limit.
    pub max_uses: u32,
    /// Whether members are removed when they go offline.
    pub temporary: bool,
    /// Whether no similar invite is used again.
    pub unique: bool,
    /// What it leads to.
    pub target: Option<Target>,
    /// Roles for those who accept it.
    pub role_ids: Vec<Snowflake>,
}

/// Reads the body of a creation. Fields of a form are text.
pub fn create(body: &Value) -> ApiResult<InviteBody> {
    Form::read_object(body, |form, body| {
        let max_age = form.optional(body, "max_age", |form, value| form.uint(value, 604_800));
        let max_uses = form.optional(body, "max_uses", |form, value| form.uint(value, 100));
        let role_ids = form.optional(body, "role_ids", |form, value| match value.as_str() {
            Some(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from);
                form.id_set(&items.collect(), 0..=250)
            }
            None => form.id_set(value, 0..=250),
        });
        Some(InviteBody {
            max_age: max_age.unwrap_or(86_400),
            max_uses: max_uses.unwrap_or(0),
            temporary: flag(form, body, "temporary"),
            unique: flag(form, body, "unique"),
            target: target(form, body),
            role_ids: role_ids.unwrap_or_default(),
        })
    })
}

fn flag(form: &mut Form, body: &Object, key: &str) -> bool {
    let read = |form: &mut Form, value: &Value| match value.as_str() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => form.boolean(value),
    };
    form.optional(body, key, read).unwrap_or(false)
}

fn target(form: &mut Form, body: &Object) -> Option<Target> {
    let kind = form.optional(body, "target_type", |form, value| form.one_of(value, &[1, 2]));
    let user = form.optional(body, "target_user_id", Form::snowflake);
    let application = form.optional(body, "target_application_id", Form::snowflake);
    match (kind?, user, application) {
        (1, Some(user), _) => Some(Target::Stream(user)),
        (2, _, Some(application)) => Some(Target::Activity(application)),
        (kind, ..) => {
            let key = if kind == 1 { "target_user_id" } else { "target_application_id" };
            form.complain_at(key, FieldError::required());
            None
        }
    }
}

/// Reads the ids of users from a file with one on each line, below a header or not. Repeated ones count once. Invalid
/// lines are described, in Discord's words.
pub fn target_users(file: &[u8]) -> Result<Vec<Snowflake>, Vec<String>> {
    /// Ids below are of no moment in Discord's time.
    const SMALLEST: u64 = 1 << 22;
    let text = String::from_utf8_lossy(file);
    let mut users = IndexSet::new();
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim().trim_matches('"');
        let is_header = number == 1 && !line.starts_with(|c: char| c.is_ascii_digit());
        if line.is_empty() || is_header {
            continue;
        }
        if !line.bytes().all(|byte| byte.is_ascii_digit()) {
            wrong.push(format!("Line {number}: invalid user ID format"));
        } else if let Some(id) = line.parse().ok().filter(|id| *id >= SMALLEST) {
            users.insert(Snowflake(id));
        } else {
            wrong.push(format!("Line {number}: invalid user ID - must be a valid Discord snowflake"));
        }
    }
    if wrong.is_empty() { Ok(users.into_iter().collect()) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_invites_limits_hold_at_their_edges() {
        let body =
            create(&json!({ "max_age": 604_800, "max_uses": "100", "temporary": "true", "role_ids": "1,2" }));
        let expected = InviteBody {
            max_age: 604_800,
            max_uses: 100,
            temporary: true,
            unique: false,
            target: None,
            role_ids: vec![Snowflake(1), Snowflake(2)],
        };
        assert_eq!(body.unwrap(), expected);
        assert_eq!(create(&json!({})).unwrap().max_age, 86_400);
        for (bad, path) in [
            (json!({ "max_age": 604_801 }), "max_age"),
            (json!({ "max_age": -1 }), "max_age"),
            (json!({ "max_uses": 101 }), "max_uses"),
            (json!({ "temporary": 1 }), "temporary"),
            (json!({ "target_type": 3 }), "target_type"),
            (json!({ "target_type": 1 }), "target_user_id"),
            (json!({ "target_type": 2, "target_user_id": "1" }), "target_application_id"),
        ] {
            assert_eq!(create(&bad).unwrap_err().errors().unwrap().at(&[path]).len(), 1, "{bad}");
        }
        assert_eq!(create(&json!({ "role_ids": ["1", "1"] })).unwrap_err().code(), 50035);
    }

    #[test]
    fn a_file_of_users_is_read_with_its_header_and_its_faults() {
        let ids = |file: &str| target_users(file.as_bytes());
        let expected = Ok(vec![Snowflake(80_351_110_224_678_912), Snowflake(80_351_110_224_678_913)]);
        for file in [
            "user_id\n80351110224678912\n80351110224678913\n",
            "80351110224678912\r\n80351110224678913\r\n80351110224678912",
            "\u{feff}\"id\"\n\"80351110224678912\"\n\n80351110224678913",
        ] {
            assert_eq!(ids(file), expected, "{file:?}");
        }
        assert_eq!(
            ids("user_id\n80351110224678912\n12\nbob"),
            Err(vec![
                "Line 3: invalid user ID - must be a valid Discord snowflake".to_owned(),
                "Line 4: invalid user ID format".to_owned(),
            ])
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ids: Vec<u64>) {
            let mut expected: Vec<Snowflake> = Vec::new();
            for id in ids.iter().map(|id| Snowflake(id | 1 << 40)) {
                if !expected.contains(&id) {
                    expected.push(id);
                }
            }
            let lines: Vec<String> = ids.iter().map(|id| (id | 1 << 40).to_string()).collect();
            let file = format!("user_id\n{}", lines.join("\n"));
            prop_assert_eq!(target_users(file.as_bytes()), Ok(expected));
        }

        #[test]
        fn any_file_is_read_without_a_panic(file: Vec<u8>) {
            let _ = target_users(&file);
        }
    }
}
