//! Settings of a guild's widget.

use serde_json::Value;

use super::form::{Change, Form};
use crate::error::ApiResult;
use crate::snowflake::Snowflake;

/// Fields of a widget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WidgetBody {
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// Channel that it invites to.
    pub channel_id: Change<Snowflake>,
}

/// Reads the body of a modification.
pub fn modify(body: &Value) -> ApiResult<WidgetBody> {
    Form::read_object(body, |form, body| {
        Some(WidgetBody {
            enabled: form.optional(body, "enabled", Form::boolean),
            channel_id: form.field(body, "channel_id", Form::snowflake),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_widget_is_switched_and_invites_somewhere() {
        let body = modify(&json!({ "enabled": true, "channel_id": null })).unwrap();
        assert_eq!(body, WidgetBody { enabled: Some(true), channel_id: Change::Clear });
        for bad in [json!({ "enabled": 1 }), json!({ "channel_id": "x" }), json!([])] {
            assert_eq!(modify(&bad).unwrap_err().code(), 50035, "{bad}");
        }
    }
}
