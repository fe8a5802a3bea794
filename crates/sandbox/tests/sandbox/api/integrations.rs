//! Integrations of guilds, and groups of direct messages.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

#[tokio::test]
async fn a_bots_integration_comes_and_goes_with_it() {
    let mut bot = Bot::start().await;
    let path = format!("{}/integrations", bot.guild());
    let own = bot.get(&path).await[0].clone();
    assert_eq!((&own["type"], &own["application"]["id"]), (&json!("discord"), &json!(bot.sandbox.bot_id())));
    // discord.py reads it, though no document has it.
    assert_eq!(own["application"]["summary"], "");
    let other = bot.user.create_bot("Other").await.unwrap();
    let created = bot.event("INTEGRATION_CREATE").await;
    assert_eq!(
        (&created["account"]["id"], &created["guild_id"]),
        (&other["id"], &json!(bot.sandbox.guild_id()))
    );
    assert_eq!(created.get("user"), None);
    assert_eq!(bot.event("GUILD_INTEGRATIONS_UPDATE").await, json!({ "guild_id": bot.sandbox.guild_id() }));
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 80);
    let log = bot.get(&format!("{}/audit-logs?action_type=80", bot.guild())).await;
    assert_eq!(log["integrations"][0]["application_id"], other["id"]);
    bot.user.leave("Sandbox", text(&other["id"])).await.unwrap();
    let gone = bot.event("INTEGRATION_DELETE").await;
    let expected =
        json!({ "id": created["id"], "guild_id": bot.sandbox.guild_id(), "application_id": other["id"] });
    assert_eq!(gone, expected);
    assert_eq!(bot.get(&path).await, json!([own]));
}

#[tokio::test]
async fn deleting_a_bots_integration_removes_the_bot_and_its_webhooks() {
    let mut bot = Bot::start().await;
    let other = bot.user.create_bot("Other").await.unwrap();
    let created = bot.event("INTEGRATION_CREATE").await;
    let url = format!("{}{}/webhooks", bot.sandbox.api_url(), bot.channel("general"));
    let http = reqwest::Client::new();
    let made = http.post(url).header("authorization", format!("Bot {}", text(&other["token"])));
    assert_eq!(made.json(&json!({ "name": "w" })).send().await.unwrap().status(), 200);
    bot.event("WEBHOOKS_UPDATE").await;
    let one = format!("{}/integrations/{}", bot.guild(), text(&created["id"]));
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    bot.event("WEBHOOKS_UPDATE").await;
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 82);
    assert_eq!(bot.event("GUILD_MEMBER_REMOVE").await["user"]["id"], other["id"]);
    assert_eq!(bot.event("INTEGRATION_DELETE").await["id"], created["id"]);
    assert_eq!(bot.get(&format!("{}/webhooks", bot.guild())).await, json!([]));
    assert_eq!(bot.call(Method::DELETE, &one, &Value::Null).await.1["code"], 10005);
}

#[tokio::test]
async fn channels_elsewhere_are_added_changed_and_removed_by_admins() {
    let mut bot = Bot::start().await;
    let run = async |bot: &Bot, arguments: &[&str]| {
        let output = crate::api::cli::command_for(bot).args(arguments).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let added = run(&bot, &["integration", "add", "twitch", "Streamer"]).await;
    let created = bot.event("INTEGRATION_CREATE").await;
    assert_eq!(added, format!("{}  twitch  Streamer\n", text(&created["id"])));
    let id = text(&created["id"]);
    assert!(text(&created["account"]["id"]).parse::<u64>().is_ok(), "as at Twitch: {}", created["account"]);
    let tube =
        bot.user.add_integration("Sandbox", &json!({ "type": "youtube", "name": "Tube" })).await.unwrap();
    let account = text(&tube["account"]["id"]);
    assert!(account.len() == 24 && account.starts_with("UC"), "as at YouTube: {account}");
    bot.event("INTEGRATION_CREATE").await;
    bot.user.remove_integration("Sandbox", text(&tube["id"])).await.unwrap();
    bot.event("INTEGRATION_DELETE").await;
    let path = format!("{}/integrations", bot.guild());
    let listed = bot.get(&path).await[1].clone();
    assert_eq!((&listed["id"], &listed["user"]["username"]), (&created["id"], &json!("alice")));
    run(&bot, &["integration", "enable", id, "false"]).await;
    assert_eq!(bot.event("INTEGRATION_UPDATE").await["enabled"], false);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let changes = json!([{ "key": "enabled", "old_value": true, "new_value": false }]);
    assert_eq!((&entry["action_type"], &entry["changes"]), (&json!(81), &changes));
    let change = json!({ "role": "Moderator", "expire_grace_period": 7 });
    let changed = bot.user.edit_integration("Sandbox", id, &change).await.unwrap();
    assert!(changed["role_id"].is_string());
    assert!(bot.user.edit_integration("Sandbox", id, &json!({ "expire_grace_period": 2 })).await.is_err());
    assert!(run(&bot, &["integration", "list"]).await.ends_with("Streamer  off\n"));
    run(&bot, &["integration", "remove", id]).await;
    assert_eq!(bot.event("INTEGRATION_DELETE").await.get("application_id"), None);
    let shop = json!({ "type": "guild_subscription", "name": "Shop" });
    let shop = bot.user.add_integration("Sandbox", &shop).await.unwrap();
    let one = format!("{path}/{}", text(&shop["id"]));
    assert_eq!(bot.call(Method::DELETE, &one, &Value::Null).await.1["code"], 50163);
}

#[tokio::test]
async fn a_group_is_made_of_those_who_allow_it() {
    let mut bot = Bot::start().await;
    let token = async |bot: &Bot, user: &str, scope: &str| {
        let made = bot.user.authorize(user, &bot.sandbox.bot_id().to_string(), &[scope]).await.unwrap();
        text(&made["access_token"]).to_owned()
    };
    let (alice, bob) = (token(&bot, "alice", "gdm.join").await, token(&bot, "bob", "gdm.join").await);
    let weak = token(&bot, "carol", "identify").await;
    let group = bot.post("/users/@me/channels", json!({ "access_tokens": [alice, bob], "nicks": {} })).await;
    assert_eq!((&group["type"], &group["owner_id"]), (&json!(3), &json!(bot.sandbox.bot_id())));
    assert_eq!(group["recipients"].as_array().unwrap().len(), 2);
    assert_eq!(bot.event("CHANNEL_CREATE").await["id"], group["id"]);
    let path = format!("/channels/{}", text(&group["id"]));
    bot.post(&format!("{path}/messages"), json!({ "content": "hi all" })).await;
    assert_eq!(bot.user.messages("bob", text(&group["id"]), 5).await.unwrap()[0]["content"], "hi all");
    assert!(bot.user.messages("carol", text(&group["id"]), 5).await.is_err());

    let carol = bot.sandbox.user_id("carol").unwrap();
    let one = format!("{path}/recipients/{carol}");
    let add =
        async |bot: &Bot, token: &str| bot.call(Method::PUT, &one, &json!({ "access_token": token })).await;
    assert_eq!(add(&bot, &weak).await.1["code"], 50026);
    assert_eq!(add(&bot, &alice).await.1["code"], 50025);
    assert_eq!(bot.call(Method::PUT, &one, &json!({})).await.1["code"], 50035);
    let good = token(&bot, "carol", "gdm.join").await;
    let (status, channel) = add(&bot, &good).await;
    assert_eq!((status, channel["recipients"].as_array().unwrap().len()), (201, 3));
    bot.event("MESSAGE_CREATE").await;
    let notice = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&notice["type"], &notice["mentions"][0]["username"]), (&json!(1), &json!("carol")));
    assert_eq!(add(&bot, &good).await.0, 204);
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.event("MESSAGE_CREATE").await["type"], 2);
    assert_eq!(bot.call(Method::DELETE, &one, &Value::Null).await.1["code"], 10013);
    let renamed = bot.expect(200, Method::PATCH, &path, &json!({ "name": "We" })).await;
    assert_eq!(renamed["name"], "We");
    assert_eq!(bot.event("CHANNEL_UPDATE").await["name"], "We");
    let notice = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&notice["type"], &notice["content"]), (&json!(4), &json!("We")));
    // Only groups have recipients that come and go.
    let general = format!("{}/recipients/{carol}", bot.channel("general"));
    assert!(bot.call(Method::PUT, &general, &json!({ "access_token": good })).await.0 >= 400);
    for _ in 1..10 {
        bot.post("/users/@me/channels", json!({ "access_tokens": [alice] })).await;
    }
    let (_, error) =
        bot.call(Method::POST, "/users/@me/channels", &json!({ "access_tokens": [alice] })).await;
    assert_eq!(error["code"], 30011);
    let log = bot.user.log(0, false).await.unwrap().text().await.unwrap();
    assert!([alice, bob, weak, good].iter().all(|token| !log.contains(token)), "tokens are in the log");
}
