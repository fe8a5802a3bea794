//! Allowed mentions: whom a message may notify, of those that its text names.

use serde_json::Value;

use super::form::{Form, Object};
use crate::error::FieldError;
use crate::snowflake::Snowflake;

/// Mentions that the author of a message allows its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five independent permissions, as documented")]
pub struct AllowedMentions {
    /// Whether every named user is notified.
    pub all_users: bool,
    /// Whether every named role is notified.
    pub all_roles: bool,
    /// Whether `@everyone` and `@here` notify.
    pub everyone: bool,
    /// Users who are notified if named.
    pub users: Vec<Snowflake>,
    /// Roles that are notified if named.
    pub roles: Vec<Snowflake>,
    /// Whether the author of the message that is replied to is notified.
    pub replied_user: bool,
}

impl AllowedMentions {
    /// Returns the default where a body has no such field: everything is allowed.
    pub fn unrestricted() -> Self {
        Self { all_users: true, all_roles: true, everyone: true, replied_user: true, ..Self::default() }
    }

    /// Returns whether this user may be notified.
    pub fn user(&self, id: Snowflake) -> bool {
        self.all_users || self.users.contains(&id)
    }

    /// Returns whether this role may be notified.
    pub fn role(&self, id: Snowflake) -> bool {
        self.all_roles || self.roles.contains(&id)
    }
}

/// Reads the field `allowed_mentions` of a message; absent means unrestricted.
pub(super) fn read(form: &mut Form, body: &Object) -> Option<AllowedMentions> {
    form.optional(body, "allowed_mentions", |form, value| {
        let object = form.object(value)?;
        let mut parsed = Vec::new();
        form.optional(object, "parse", |form, value| {
            form.list(value, 0..=3, |form, item| {
                let word = form.word(item, &["roles", "users", "everyone"])?;
                if parsed.contains(&word) {
                    form.complain(FieldError::repeated());
                }
                parsed.push(word);
                Some(())
            })
        });
        let ids = |form: &mut Form, value: &Value| form.id_set(value, 0..=100);
        let users = form.optional(object, "users", ids).unwrap_or_default();
        let roles = form.optional(object, "roles", ids).unwrap_or_default();
        for (word, ids) in [("users", &users), ("roles", &roles)] {
            if parsed.contains(&word) && !ids.is_empty() {
                form.complain(FieldError::new(
                    "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                    format!("parse:[\"{word}\"] and {word}: [ids...] are mutually exclusive."),
                ));
            }
        }
        Some(AllowedMentions {
            all_users: parsed.contains(&"users"),
            all_roles: parsed.contains(&"roles"),
            everyone: parsed.contains(&"everyone"),
            users,
            roles,
            replied_user: form.optional(object, "replied_user", Form::boolean).unwrap_or(false),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::ApiResult;

    fn mentions(value: &Value) -> ApiResult<Option<AllowedMentions>> {
        Form::read_object(&json!({ "allowed_mentions": value }), |form, body| Some(read(form, body)))
    }

    #[test]
    fn an_empty_object_allows_nothing_and_absence_allows_all() {
        assert_eq!(mentions(&json!({})).unwrap(), Some(AllowedMentions::default()));
        assert_eq!(mentions(&Value::Null).unwrap(), None);
        assert!(AllowedMentions::unrestricted().user(Snowflake(1)));
        assert!(AllowedMentions::unrestricted().role(Snowflake(1)));
    }

    #[test]
    fn listed_ids_are_allowed_and_others_are_not() {
        let allowed = mentions(&json!({ "parse": ["everyone"], "users": ["1"] })).unwrap().unwrap();
        assert!(allowed.everyone && allowed.user(Snowflake(1)) && !allowed.user(Snowflake(2)));
        assert!(!allowed.replied_user);
    }

    #[test]
    fn a_kind_may_be_parsed_or_listed_but_not_both() {
        assert!(mentions(&json!({ "parse": ["users"], "users": [] })).is_ok());
        let error = mentions(&json!({ "parse": ["users"], "users": ["1"] })).unwrap_err();
        let complaint = &error.errors().unwrap().at(&["allowed_mentions"])[0];
        assert_eq!(complaint.code, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE");
        assert_eq!(complaint.message, "parse:[\"users\"] and users: [ids...] are mutually exclusive.");
    }

    #[test]
    fn more_than_a_hundred_ids_and_unknown_words_are_refused() {
        let ids = |n: usize| (1..=n).map(|id| id.to_string()).collect::<Vec<_>>();
        assert!(mentions(&json!({ "users": ids(100) })).is_ok());
        assert!(mentions(&json!({ "users": ids(101) })).is_err());
        assert!(mentions(&json!({ "parse": ["here"] })).is_err());
    }
}
