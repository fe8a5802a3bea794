//! Templates of guilds: name and description.

use serde_json::Value;

use super::form::{Change, Form};
use crate::error::ApiResult;

/// Fields of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateBody {
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Change<String>,
}

/// Reads the body of a creation, which needs a name.
pub fn create(body: &Value) -> ApiResult<TemplateBody> {
    read(body, true)
}

/// Reads the body of a modification.
pub fn modify(body: &Value) -> ApiResult<TemplateBody> {
    read(body, false)
}

fn read(body: &Value, is_new: bool) -> ApiResult<TemplateBody> {
    Form::read_object(body, |form, body| {
        let name = match body.get("name") {
            None if !is_new => None,
            _ => form.required(body, "name", |form, value| form.trimmed(value, 1..=100)),
        };
        let description = form.field(body, "description", |form, value| form.trimmed(value, 0..=120));
        Some(TemplateBody { name, description })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_new_template_needs_a_name() {
        assert!(create(&json!({ "name": "n".repeat(100), "description": "d".repeat(120) })).is_ok());
        assert_eq!(modify(&json!({})).unwrap(), TemplateBody::default());
        assert_eq!(modify(&json!({ "description": null })).unwrap().description, Change::Clear);
        for bad in [json!({ "name": "" }), json!({ "name": null }), json!({ "description": "d".repeat(121) })]
        {
            assert_eq!(modify(&bad).unwrap_err().code(), 50035, "{bad}");
        }
        let error = create(&json!({})).unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["name"])[0].code, "BASE_TYPE_REQUIRED");
    }
}
