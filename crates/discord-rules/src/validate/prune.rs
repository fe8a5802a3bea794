//! Pruning of a guild: the body, and the roles in the query.

use serde_json::Value;

use super::form::Form;
use crate::error::ApiResult;
use crate::snowflake::Snowflake;

/// Most roles whose members a prune may remove.
const MOST_ROLES: usize = 100;

/// Fields of a prune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneBody {
    /// Days without activity.
    pub days: u8,
    /// Whether the answer has the number of removed members.
    pub compute_prune_count: bool,
    /// Roles that removed members may have.
    pub include_roles: Vec<Snowflake>,
    /// Reason for the audit log, where the header has none.
    pub reason: Option<String>,
}

/// Reads the body of a prune.
pub fn begin(body: &Value) -> ApiResult<PruneBody> {
    Form::read_object(body, |form, body| {
        let days = form.optional(body, "days", |form, value| form.int(value, 1..=30));
        Some(PruneBody {
            days: days.and_then(|days| u8::try_from(days).ok()).unwrap_or(7),
            compute_prune_count: form.optional(body, "compute_prune_count", Form::boolean).unwrap_or(true),
            include_roles: form.optional(body, "include_roles", roles).unwrap_or_default(),
            reason: form.optional(body, "reason", Form::any_text),
        })
    })
}

/// Reads the roles of a preview, which are separated by commas.
pub fn query_roles(text: &str) -> ApiResult<Vec<Snowflake>> {
    Form::read(|form| form.within("include_roles", |form| roles(form, &Value::from(text))))
}

/// Reads a list of roles, or a text of them that are separated by commas.
fn roles(form: &mut Form, value: &Value) -> Option<Vec<Snowflake>> {
    match value.as_str() {
        Some(text) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from);
            form.id_set(&items.collect(), 0..=MOST_ROLES)
        }
        None => form.id_set(value, 0..=MOST_ROLES),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_prune_has_its_defaults_and_limits() {
        let body = begin(&json!({})).unwrap();
        let expected =
            PruneBody { days: 7, compute_prune_count: true, include_roles: Vec::new(), reason: None };
        assert_eq!(body, expected);
        for roles in [json!("1, 2"), json!(["1", "2"])] {
            let body = begin(&json!({ "days": 30, "include_roles": roles })).unwrap();
            assert_eq!((body.days, body.include_roles), (30, vec![Snowflake(1), Snowflake(2)]));
        }
        for bad in [json!({ "days": 0 }), json!({ "days": 31 }), json!({ "include_roles": "a" }), json!([])] {
            assert_eq!(begin(&bad).unwrap_err().code(), 50035, "{bad}");
        }
        let error = query_roles("1,x").unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["include_roles", "1"]).len(), 1);
        assert_eq!(query_roles("").unwrap(), []);
    }
}
