//! Message content that is hidden from a session without the MESSAGE_CONTENT intent.

use serde_json::{Value, json};

use super::Intents;
use super::viewer::{Viewer, is_user};
use crate::snowflake::Snowflake;

/// Returns whether anything in this event is hidden from this viewer (Gateway, "Message Content Intent").
pub(super) fn hides_any(event: &str, data: &Value, viewer: &Viewer) -> bool {
    if viewer.intents.contains(Intents::MESSAGE_CONTENT) {
        return false;
    }
    match event {
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" => {
            let in_guild = data.get("guild_id").is_some_and(|guild| !guild.is_null());
            in_guild
                && (!is_open(data, viewer.bot)
                    || referenced(data).is_some_and(|message| !is_open(message, viewer.bot)))
        }
        "AUTO_MODERATION_ACTION_EXECUTION" => true,
        _ => false,
    }
}

/// Removes from an event what is hidden from this viewer.
pub(super) fn hide(event: &str, data: &mut Value, viewer: &Viewer) {
    if event == "AUTO_MODERATION_ACTION_EXECUTION" {
        for field in ["content", "matched_content"] {
            if data.get(field).is_some() {
                data[field] = json!("");
            }
        }
    } else {
        hide_message(data, viewer.bot);
    }
}

/// Returns whether the bot sees a message without the intent: its own, or one that mentions it.
pub(crate) fn is_open(message: &Value, bot: Snowflake) -> bool {
    // The author of an answer to an interaction is the bot; a followup through a webhook names the application.
    let mentions = message["mentions"].as_array();
    is_user(&message["author"], bot)
        || message["application_id"].as_str().is_some_and(|id| id.parse() == Ok(bot))
        || mentions.is_some_and(|users| users.iter().any(|user| is_user(user, bot)))
}

/// Returns the message that a message answers. What it forwards is part of itself.
fn referenced(message: &Value) -> Option<&Value> {
    message.get("referenced_message").filter(|referenced| referenced.is_object())
}

/// Removes from a message what a bot without the intent does not get.
pub(crate) fn hide_message(message: &mut Value, bot: Snowflake) {
    let open = is_open(message, bot);
    let Some(fields) = message.as_object_mut() else { return };
    if !open {
        // An update contains only what changed: an absent field stays absent.
        for (field, empty) in [
            ("content", json!("")),
            ("embeds", json!([])),
            ("attachments", json!([])),
            ("components", json!([])),
        ] {
            if let Some(value) = fields.get_mut(field) {
                *value = empty;
            }
        }
        fields.remove("poll");
    }
    if let Some(referenced) = fields.get_mut("referenced_message") {
        hide_message(referenced, bot);
    }
    if !open {
        let snapshots = fields.get_mut("message_snapshots").and_then(Value::as_array_mut);
        for snapshot in snapshots.into_iter().flatten() {
            hide_message(&mut snapshot["message"], bot);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{hide, hides_any};
    use crate::gateway::Intents;
    use crate::gateway::viewer::Viewer;
    use crate::snowflake::Snowflake;

    const BOT: Viewer =
        Viewer { bot: Snowflake(7), shard: [0, 1], intents: Intents::GUILD_MESSAGES, large_threshold: 50 };

    fn message() -> Value {
        json!({
            "id": "1", "guild_id": "2", "author": {"id": "3"}, "mentions": [], "content": "secret plan",
            "embeds": [{"title": "secret"}], "attachments": [{"id": "4"}], "components": [{"type": 1}],
            "poll": {"question": {"text": "secret"}}, "referenced_message": {"content": "secret"},
            "message_snapshots": [{"message": {"content": "secret"}}],
        })
    }

    #[test]
    fn a_stranger_s_message_arrives_without_what_it_says() {
        let mut message = message();
        assert!(hides_any("MESSAGE_CREATE", &message, &BOT));
        hide("MESSAGE_CREATE", &mut message, &BOT);
        assert!(!message.to_string().contains("secret"), "{message}");
        assert_eq!((&message["content"], &message["embeds"]), (&json!(""), &json!([])));
        assert!(message.get("poll").is_none());
    }

    #[test]
    fn own_messages_mentions_direct_messages_and_the_intent_are_exceptions() {
        let change = |field: &str, value: Value| {
            let mut message = message();
            message["referenced_message"] = Value::Null;
            message["message_snapshots"] = json!([]);
            message[field] = value;
            message
        };
        for (message, viewer) in [
            (change("author", json!({"id": "7"})), BOT),
            (change("mentions", json!([{"id": "9"}, {"id": "7"}])), BOT),
            (change("guild_id", Value::Null), BOT),
            (message(), Viewer { intents: BOT.intents | Intents::MESSAGE_CONTENT, ..BOT }),
        ] {
            assert!(!hides_any("MESSAGE_CREATE", &message, &viewer), "{message}");
        }
    }

    #[test]
    fn each_message_inside_another_is_judged_by_itself() {
        let mut message = message();
        message["referenced_message"] = json!({"author": {"id": "7"}, "content": "what the bot said"});
        hide("MESSAGE_CREATE", &mut message, &BOT);
        assert_eq!(message["content"], "");
        assert_eq!(message["referenced_message"]["content"], "what the bot said");
    }

    #[test]
    fn an_update_gains_no_fields_by_hiding() {
        let mut update = json!({"id": "1", "guild_id": "2", "embeds": [{"title": "x"}]});
        hide("MESSAGE_UPDATE", &mut update, &BOT);
        assert_eq!(update, json!({"id": "1", "guild_id": "2", "embeds": []}));
    }
}
