//! Emojis of a guild: bodies of their creation and modification.

use serde_json::Value;

use super::form::{Change, Form};
use crate::error::{ApiResult, FieldError};
use crate::snowflake::Snowflake;

/// Fields of a new emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEmoji {
    /// Name.
    pub name: String,
    /// Picture, as a `data:` URI.
    pub image: String,
    /// Roles that may use it; empty for all.
    pub roles: Vec<Snowflake>,
}

/// Fields of a modified emoji.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmojiBody {
    /// Name.
    pub name: Option<String>,
    /// Roles that may use it.
    pub roles: Change<Vec<Snowflake>>,
}

fn name(form: &mut Form, value: &Value) -> Option<String> {
    let name = form.text(value, 2..=32)?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        form.complain(FieldError::regex());
        return None;
    }
    Some(name)
}

fn roles(form: &mut Form, value: &Value) -> Option<Vec<Snowflake>> {
    form.id_set(value, 0..=250)
}

/// Reads the body of a creation.
pub fn create(body: &Value) -> ApiResult<NewEmoji> {
    Form::read_object(body, |form, body| {
        let name = form.required(body, "name", name);
        let image = form.required(body, "image", Form::any_text);
        let roles = form.optional(body, "roles", roles).unwrap_or_default();
        Some(NewEmoji { name: name?, image: image?, roles })
    })
}

/// Reads the body of a modification.
pub fn modify(body: &Value) -> ApiResult<EmojiBody> {
    Form::read_object(body, |form, body| {
        Some(EmojiBody { name: form.optional(body, "name", name), roles: form.field(body, "roles", roles) })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_emojis_limits_hold_at_their_edges() {
        let new = |name: &str| create(&json!({ "name": name, "image": "data:" }));
        assert!(new("ab").is_ok() && new(&"n".repeat(32)).is_ok());
        for bad in ["", "a", "a b", &"n".repeat(33)] {
            assert_eq!(new(bad).unwrap_err().errors().unwrap().at(&["name"]).len(), 1, "{bad}");
        }
        assert!(create(&json!({ "name": "ab" })).is_err());
        assert_eq!(modify(&json!({ "roles": null })).unwrap().roles, Change::Clear);
        assert!(modify(&json!({ "roles": ["1", "1"] })).is_err());
    }
}
