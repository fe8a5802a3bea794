//! Threads: what an archived one refuses, and what bots get when one is active again or when they gain access.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

async fn thread(bot: &Bot, parent: &str) -> (String, Value) {
    let body = json!({ "name": "t", "type": 11 });
    let made = bot.expect(201, Method::POST, &format!("{parent}/threads"), &body).await;
    (format!("/channels/{}", text(&made["id"])), made)
}

#[tokio::test]
async fn an_archived_thread_changes_only_by_becoming_active() {
    let mut bot = Bot::start().await;
    let (path, made) = thread(&bot, &bot.channel("general")).await;
    let message = bot.post(&format!("{path}/messages"), json!({ "content": "a" })).await;
    assert_eq!(message["position"], 0);
    assert_eq!(bot.post(&format!("{path}/messages"), json!({ "content": "b" })).await["position"], 1);
    let message = format!("{path}/messages/{}", text(&message["id"]));
    bot.expect(200, Method::PATCH, &path, &json!({ "archived": true, "name": "u" })).await;

    let member = format!("{path}/thread-members/{}", bot.sandbox.user_id("bob").unwrap());
    for (method, path, body) in [
        (Method::PATCH, path.clone(), json!({ "name": "v" })),
        (Method::PATCH, path.clone(), json!({ "rate_limit_per_user": 5 })),
        (Method::PATCH, path.clone(), json!({ "auto_archive_duration": 60, "archived": true })),
        (Method::PATCH, message.clone(), json!({ "content": "b" })),
        (Method::PUT, format!("{message}/reactions/%F0%9F%91%8D/@me"), Value::Null),
        (Method::PUT, member.clone(), Value::Null),
        (Method::DELETE, format!("{path}/thread-members/@me"), Value::Null),
    ] {
        let (status, answer) = bot.call(method.clone(), &path, &body).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50083)), "{method} {path} {body}");
    }
    assert_eq!(bot.get(&path).await["name"], "u");
    bot.expect(200, Method::PATCH, &path, &json!({ "locked": true })).await;

    let active = json!({ "archived": false, "locked": false, "name": "w" });
    bot.expect(200, Method::PATCH, &path, &active).await;
    bot.pending();
    bot.expect(200, Method::PATCH, &path, &json!({ "archived": true })).await;
    assert_eq!(bot.event("THREAD_UPDATE").await["thread_metadata"]["archived"], true);
    bot.expect(200, Method::PATCH, &path, &json!({ "archived": false })).await;
    assert_eq!(bot.event("THREAD_UPDATE").await["thread_metadata"]["archived"], false);
    let own = bot.event("THREAD_MEMBER_UPDATE").await;
    assert_eq!(own["id"], made["id"]);
    assert_eq!(own["user_id"], bot.sandbox.bot_id().to_string());
    assert_eq!(own["guild_id"], bot.sandbox.guild_id().to_string());
    bot.expect(204, Method::PUT, &member, &Value::Null).await;
}

#[tokio::test]
async fn who_leaves_the_guild_leaves_its_threads() {
    let mut bot = Bot::start().await;
    let (path, made) = thread(&bot, &bot.channel("general")).await;
    for (user, method, way) in [("bob", Method::DELETE, "members"), ("carol", Method::PUT, "bans")] {
        let user = bot.sandbox.user_id(user).unwrap();
        bot.expect(204, Method::PUT, &format!("{path}/thread-members/{user}"), &Value::Null).await;
        bot.event("THREAD_MEMBERS_UPDATE").await;
        bot.expect(204, method, &format!("{}/{way}/{user}", bot.guild()), &json!({})).await;
        let event = bot.event("THREAD_MEMBERS_UPDATE").await;
        assert_eq!((&event["id"], &event["removed_member_ids"]), (&made["id"], &json!([user])));
        assert_eq!(event["member_count"], 1);
        assert_eq!(bot.event("GUILD_MEMBER_REMOVE").await["user"]["id"], user.to_string());
        let members = bot.get(&format!("{path}/thread-members")).await;
        assert_eq!(members.as_array().unwrap().len(), 1, "{members}");
    }
}

#[tokio::test]
async fn a_message_makes_an_archived_thread_active_and_its_author_a_member() {
    let mut bot = Bot::start().await;
    let (path, made) = thread(&bot, &bot.channel("general")).await;
    bot.expect(200, Method::PATCH, &path, &json!({ "archived": true })).await;
    assert_eq!(bot.event("THREAD_UPDATE").await["thread_metadata"]["archived"], true);
    bot.user.send("bob", text(&made["id"]), "hi").await.unwrap();
    assert_eq!(
        bot.names_until("MESSAGE_CREATE").await,
        ["GUILD_AUDIT_LOG_ENTRY_CREATE", "THREAD_UPDATE", "THREAD_MEMBER_UPDATE", "THREAD_MEMBERS_UPDATE"]
    );
    let members = bot.get(&format!("{path}/thread-members")).await;
    assert_eq!(members.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bot_that_gains_access_gets_the_active_threads() {
    let mut bot = Bot::start().await;
    let channel = bot.channel("general");
    let (_, made) = thread(&bot, &channel).await;
    let (archived, _) = thread(&bot, &channel).await;
    bot.expect(200, Method::PATCH, &archived, &json!({ "archived": true })).await;

    let role = format!("/guilds/{}/roles/Sandbot/permissions", bot.sandbox.guild_id());
    let overwrite = format!("/guilds/{}/channels/general/permissions/Sandbot", bot.sandbox.guild_id());
    let set = async |bot: &Bot, path: &str, change: Value| {
        let answer = bot.control(Method::PATCH, path).json(&change).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} {change}");
    };
    // Without being an administrator, then without seeing the channel, then again with.
    set(&bot, &role, json!({ "deny": ["ADMINISTRATOR"] })).await;
    set(&bot, &overwrite, json!({ "deny": ["VIEW_CHANNEL"] })).await;
    set(&bot, &overwrite, json!({ "allow": ["VIEW_CHANNEL"] })).await;
    let names = bot.names_until("THREAD_LIST_SYNC").await;
    assert_eq!(names.last().map(String::as_str), Some("CHANNEL_UPDATE"), "{names:?}");

    set(&bot, &overwrite, json!({ "deny": ["VIEW_CHANNEL"] })).await;
    set(&bot, &role, json!({ "allow": ["ADMINISTRATOR"] })).await;
    let sync = bot.event("THREAD_LIST_SYNC").await;
    let general = json!(bot.sandbox.channel_id("general").unwrap());
    assert!(sync["channel_ids"].as_array().unwrap().contains(&general), "{sync}");
    assert_eq!(sync["threads"].as_array().unwrap().len(), 1);
    assert_eq!(sync["threads"][0]["id"], made["id"]);
    assert_eq!(sync["members"][0]["user_id"], bot.sandbox.bot_id().to_string());
}
