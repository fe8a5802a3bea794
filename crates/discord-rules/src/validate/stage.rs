//! Stage instances (Stage Instance Resource).

use serde_json::Value;

use super::form::Form;
use crate::error::ApiResult;
use crate::snowflake::Snowflake;

/// Only members of the guild see the stage.
pub const GUILD_ONLY: u8 = 2;

/// Fields of a stage instance that is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageCreate {
    /// Stage channel.
    pub channel_id: Snowflake,
    /// Topic.
    pub topic: String,
    /// 1 public, 2 for members only.
    pub privacy_level: u8,
    /// Whether @everyone is notified.
    pub send_start_notification: bool,
    /// Event that it belongs to.
    pub guild_scheduled_event_id: Option<Snowflake>,
}

/// Reads the body of a creation.
pub fn create(body: &Value) -> ApiResult<StageCreate> {
    Form::read_object(body, |form, body| {
        let channel_id = form.required(body, "channel_id", Form::snowflake);
        let topic = form.required(body, "topic", topic);
        let privacy = form.optional(body, "privacy_level", privacy);
        let notify = form.optional(body, "send_start_notification", Form::boolean);
        let event = form.optional(body, "guild_scheduled_event_id", Form::snowflake);
        Some(StageCreate {
            channel_id: channel_id?,
            topic: topic?,
            privacy_level: privacy.unwrap_or(GUILD_ONLY),
            send_start_notification: notify.unwrap_or(false),
            guild_scheduled_event_id: event,
        })
    })
}

/// Reads the body of a modification and returns topic and privacy level.
pub fn modify(body: &Value) -> ApiResult<(Option<String>, Option<u8>)> {
    Form::read_object(body, |form, body| {
        Some((form.present(body, "topic", topic), form.present(body, "privacy_level", privacy)))
    })
}

fn topic(form: &mut Form, value: &Value) -> Option<String> {
    form.trimmed(value, 1..=120)
}

fn privacy(form: &mut Form, value: &Value) -> Option<u8> {
    form.one_of(value, &[1, 2])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stage_is_for_members_unless_it_says_otherwise() {
        let made = create(&json!({ "channel_id": "1", "topic": "t".repeat(120) })).unwrap();
        assert_eq!((made.privacy_level, made.send_start_notification), (GUILD_ONLY, false));
        for wrong in [
            json!({ "topic": "t" }),
            json!({ "channel_id": "1" }),
            json!({ "channel_id": "1", "topic": "" }),
            json!({ "channel_id": "1", "topic": "t".repeat(121) }),
            json!({ "channel_id": "1", "topic": "t", "privacy_level": 3 }),
        ] {
            assert_eq!(create(&wrong).unwrap_err().code(), 50035, "{wrong}");
        }
        assert!(modify(&json!({ "topic": "" })).is_err());
        assert_eq!(modify(&json!({})).unwrap(), (None, None));
    }
}
