//! Webhooks beyond ordinary ones: those of Slack's and GitHub's clients, and those that follow an announcement channel.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

async fn webhook(bot: &Bot) -> String {
    let body = json!({ "name": "w", "avatar": crate::api::expressions::dot() });
    let made = bot.post(&format!("{}/webhooks", bot.channel("general")), body).await;
    assert!(made["avatar"].is_string());
    format!("/webhooks/{}/{}", text(&made["id"]), text(&made["token"]))
}

#[tokio::test]
async fn slacks_clients_post_to_a_webhook() {
    let mut bot = Bot::start().await;
    let path = format!("{}/slack", webhook(&bot).await);
    let body = json!({ "text": "see <https://a.example|this>", "username": "CI", "icon_url": "https://a.example/i.png",
        "attachments": [{ "title": "T", "text": "t", "color": "#36a64f" }] });
    assert_eq!(bot.post(&path, body).await, "ok");
    let sent = bot.event("MESSAGE_CREATE").await;
    assert_eq!(
        (&sent["content"], &sent["author"]["username"]),
        (&json!("see [this](https://a.example)"), &json!("CI"))
    );
    assert_eq!(
        (&sent["embeds"][0]["title"], &sent["embeds"][0]["color"]),
        (&json!("T"), &json!(0x0036_a64f))
    );
    // Old clients send a form with JSON in it.
    let form = [("payload", r#"{"text":"from a form"}"#)];
    let url = format!("{}{path}", bot.sandbox.api_url());
    assert_eq!(reqwest::Client::new().post(url).form(&form).send().await.unwrap().status(), 200);
    assert_eq!(bot.event("MESSAGE_CREATE").await["content"], "from a form");
    assert_eq!(bot.call(Method::POST, &path, &json!({})).await.1["code"], 50006);
    assert_eq!(bot.call(Method::POST, &path, &json!({ "icon_url": "x" })).await.1["code"], 50035);
    assert_eq!(bot.call(Method::POST, "/webhooks/1/x/slack", &json!({ "text": "a" })).await.1["code"], 10015);
    assert_eq!(bot.call(Method::POST, &format!("{path}?wait=false"), &json!({})).await.0, 200);
}

#[tokio::test]
async fn githubs_events_are_posted_by_a_webhook() {
    let mut bot = Bot::start().await;
    let path = format!("{}/github", webhook(&bot).await);
    let url = format!("{}{path}", bot.sandbox.api_url());
    let sender = json!({ "id": 1, "login": "octo", "html_url": "https://g.example/octo", "avatar_url": "https://g.example/a.png" });
    let body = json!({ "action": "opened", "sender": sender,
        "issue": { "id": 1, "number": 7, "title": "Broken", "html_url": "https://g.example/7", "user": sender, "body": "B" },
        "repository": { "id": 1, "html_url": "https://g.example/o/r", "name": "r", "full_name": "o/r" } });
    let http = reqwest::Client::new();
    let post = async |event: &str, body: &Value| {
        http.post(&url).header("x-github-event", event).json(body).send().await.unwrap()
    };
    // An event that is not shown is no error.
    assert_eq!(post("ping", &body).await.status(), 204);
    assert_eq!(post("issues", &body).await.status(), 204);
    let sent = bot.event("MESSAGE_CREATE").await;
    let embed = &sent["embeds"][0];
    assert_eq!(
        (&embed["title"], &embed["description"]),
        (&json!("[o/r] Issue opened: #7: Broken"), &json!("B"))
    );
    assert_eq!((&embed["author"]["name"], &sent["author"]["username"]), (&json!("octo"), &json!("GitHub")));
    let error: Value = post("issues", &json!({})).await.json().await.unwrap();
    assert_eq!(error["errors"]["sender"]["_errors"][0]["code"], "BASE_TYPE_REQUIRED");
    // A forum needs a thread.
    let forum = bot
        .expect(201, Method::POST, &format!("{}/channels", bot.guild()), &json!({ "name": "f", "type": 15 }))
        .await;
    let made = bot.post(&format!("/channels/{}/webhooks", text(&forum["id"])), json!({ "name": "w" })).await;
    let slack = format!("/webhooks/{}/{}/slack", text(&made["id"]), text(&made["token"]));
    assert_eq!(bot.call(Method::POST, &slack, &json!({ "text": "a" })).await.1["code"], 220_004);
}

#[tokio::test]
async fn what_becomes_of_webhooks_is_written_down() {
    let mut bot = Bot::start().await;
    let general = bot.channel("general");
    let made = bot.post(&format!("{general}/webhooks"), json!({ "name": "w" })).await;
    assert_eq!(bot.names_until("GUILD_AUDIT_LOG_ENTRY_CREATE").await, ["WEBHOOKS_UPDATE"]);
    let one = format!("/webhooks/{}", text(&made["id"]));
    let other = bot.sandbox.channel_id("bot-test").unwrap();
    bot.expect(200, Method::PATCH, &one, &json!({ "name": "v", "channel_id": other })).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let changes = json!([{ "key": "name", "old_value": "w", "new_value": "v" },
        { "key": "channel_id", "old_value": made["channel_id"], "new_value": other }]);
    assert_eq!((&entry["action_type"], &entry["changes"]), (&json!(51), &changes));
    for (body, key) in [(json!({ "name": "My Discord" }), "name"), (json!({ "avatar": "x" }), "avatar")] {
        let (status, error) = bot.call(Method::PATCH, &one, &body).await;
        assert_eq!((status, error["errors"][key].is_object()), (400, true), "{error}");
    }
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 52);
}

/// Returns an announcement channel of the guild.
async fn news(bot: &Bot) -> Value {
    bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &json!({ "name": "news", "type": 5 }))
        .await
}

#[tokio::test]
async fn a_published_message_reaches_those_who_follow() {
    let mut bot = Bot::start().await;
    let news = news(&bot).await;
    let second = bot.user.create_guild("Second", "bob").await.unwrap();
    let target = second["system_channel_id"].clone();
    let source = format!("/channels/{}", text(&news["id"]));
    let followed = bot.post(&format!("{source}/followers"), json!({ "webhook_channel_id": target })).await;
    assert_eq!(followed["channel_id"], news["id"]);
    assert_eq!(bot.event("WEBHOOKS_UPDATE").await["channel_id"], target);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(50), &followed["webhook_id"]));
    let notice = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&notice["type"], &notice["content"]), (&json!(12), &json!("Sandbox #news")));
    assert_eq!(
        notice["message_reference"],
        json!({ "type": 0, "channel_id": news["id"], "guild_id": bot.sandbox.guild_id() })
    );
    let shown = bot.get(&format!("/webhooks/{}", text(&followed["webhook_id"]))).await;
    assert_eq!((&shown["type"], &shown["source_channel"]["name"]), (&json!(2), &json!("news")));
    assert!(shown.get("token").is_none());

    let messages = format!("{source}/messages");
    let sent = bot.post(&messages, json!({ "content": "big news", "embeds": [{ "title": "E" }] })).await;
    bot.event("MESSAGE_CREATE").await;
    let one = format!("{messages}/{}", text(&sent["id"]));
    let published = bot.post(&format!("{one}/crosspost"), Value::Null).await;
    assert_eq!(published["flags"], 1);
    let copy = bot.event("MESSAGE_CREATE").await;
    assert_eq!(
        (&copy["channel_id"], &copy["flags"], &copy["content"]),
        (&target, &json!(2), &json!("big news"))
    );
    assert_eq!((&copy["webhook_id"], &copy["embeds"][0]["title"]), (&followed["webhook_id"], &json!("E")));
    let reference = json!({ "type": 0, "channel_id": news["id"], "guild_id": bot.sandbox.guild_id(), "message_id": sent["id"] });
    assert_eq!(copy["message_reference"], reference);
    assert_eq!(bot.event("MESSAGE_UPDATE").await["flags"], 1);
    assert_eq!(bot.call(Method::POST, &format!("{one}/crosspost"), &Value::Null).await.1["code"], 40033);

    bot.expect(200, Method::PATCH, &one, &json!({ "content": "corrected" })).await;
    assert_eq!(bot.event("MESSAGE_UPDATE").await["id"], sent["id"]);
    let edited = bot.event("MESSAGE_UPDATE").await;
    assert_eq!((&edited["id"], &edited["content"]), (&copy["id"], &json!("corrected")));
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    let emptied = bot.event("MESSAGE_UPDATE").await;
    assert_eq!(
        (&emptied["id"], &emptied["flags"], &emptied["embeds"]),
        (&copy["id"], &json!(2 | 8), &json!([]))
    );
    // A deleted webhook follows no more.
    bot.expect(204, Method::DELETE, &format!("/webhooks/{}", text(&followed["webhook_id"])), &Value::Null)
        .await;
    let sent = bot.post(&messages, json!({ "content": "unheard" })).await;
    bot.post(&format!("{messages}/{}/crosspost", text(&sent["id"])), Value::Null).await;
    let seen = bot.user.messages("bob", text(&target), 10).await.unwrap();
    assert!(seen.iter().all(|message| message["content"] != "unheard"));
}

#[tokio::test]
async fn what_cannot_be_followed_or_published_is_refused() {
    let bot = Bot::start().await;
    let news = news(&bot).await;
    let source = format!("/channels/{}", text(&news["id"]));
    let general = bot.sandbox.channel_id("general").unwrap();
    let lounge = bot.sandbox.channel_id("Lounge").unwrap();
    for (path, target, code) in [
        (bot.channel("general"), json!(general), 50024),
        (source.clone(), json!(lounge), 50024),
        (source.clone(), json!("1"), 10003),
        (source.clone(), Value::Null, 50035),
    ] {
        let (_, error) = bot
            .call(Method::POST, &format!("{path}/followers"), &json!({ "webhook_channel_id": target }))
            .await;
        assert_eq!(error["code"], code, "{path} {target}");
    }
    for _ in 0..15 {
        bot.post(&format!("{source}/followers"), json!({ "webhook_channel_id": general })).await;
    }
    let body = json!({ "webhook_channel_id": general });
    assert_eq!(bot.call(Method::POST, &format!("{source}/followers"), &body).await.1["code"], 30007);
    let there = bot.user.send("alice", "general", "x").await.unwrap();
    let path = format!("{}/messages/{}/crosspost", bot.channel("general"), text(&there["id"]));
    assert_eq!(bot.call(Method::POST, &path, &Value::Null).await.1["code"], 50024);
    assert_eq!(
        bot.call(Method::POST, &format!("{source}/messages/1/crosspost"), &Value::Null).await.1["code"],
        10008
    );
}

#[tokio::test]
async fn people_follow_and_publish_from_the_command_line() {
    let mut bot = Bot::start().await;
    news(&bot).await;
    let run = async |bot: &Bot, arguments: &[&str]| {
        let output = crate::api::cli::command_for(bot).args(arguments).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&bot, &["follow", "news", "general"]).await;
    assert_eq!(bot.event("MESSAGE_CREATE").await["type"], 12);
    let sent = bot.user.send("alice", "news", "hear").await.unwrap();
    bot.event("MESSAGE_CREATE").await;
    run(&bot, &["publish", text(&sent["id"])]).await;
    assert_eq!(bot.event("MESSAGE_CREATE").await["flags"], 2);
    // Another's message needs a permission that carol lacks.
    let other = bot.user.send("alice", "news", "mine").await.unwrap();
    assert!(bot.user.crosspost("carol", id(&other["id"])).await.is_err());
}
