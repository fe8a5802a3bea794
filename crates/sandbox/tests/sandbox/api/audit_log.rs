//! The audit log: the data of an entry besides the user and the action.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

#[tokio::test]
async fn entries_about_messages_say_which_and_where() {
    let mut bot = Bot::start().await;
    let channel = bot.sandbox.channel_id("general").unwrap();
    let messages = format!("/channels/{channel}/messages");
    let sent = bot.user.send("bob", "general", "look").await.unwrap();
    let pin = format!("/channels/{channel}/messages/pins/{}", text(&sent["id"]));
    for (method, action) in [(Method::PUT, 74), (Method::DELETE, 75)] {
        bot.expect(204, method, &pin, &Value::Null).await;
        let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
        assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(action), &sent["author"]["id"]));
        assert_eq!(entry["options"], json!({ "channel_id": channel, "message_id": sent["id"] }));
    }
    let one = format!("{messages}/{}", text(&sent["id"]));
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(entry["action_type"], 72);
    assert_eq!(entry["options"], json!({ "channel_id": channel, "count": "1" }));
    let mut ids = Vec::new();
    for content in ["a", "b"] {
        ids.push(bot.post(&messages, json!({ "content": content })).await["id"].clone());
    }
    bot.expect(204, Method::POST, &format!("{messages}/bulk-delete"), &json!({ "messages": ids })).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(73), &json!(channel)));
    assert_eq!(entry["options"], json!({ "count": "2" }));
}
