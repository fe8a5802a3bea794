//! The widget of a guild: settings for bots, data and picture for web pages.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, DISCORD, text};

/// Requests a page of a guild as a web page does, without a token, and returns status and response.
async fn page(bot: &Bot, end: &str) -> (u16, reqwest::Response) {
    let url = format!("{}{}/widget.{end}", bot.sandbox.api_url(), bot.guild());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(url).header("origin", "https://blog.example").send().await.unwrap();
    (response.status().as_u16(), response)
}

#[tokio::test]
async fn a_widget_shows_who_is_online_and_invites() {
    let mut bot = Bot::start().await;
    let path = format!("{}/widget", bot.guild());
    assert_eq!(bot.get(&path).await, json!({ "enabled": false, "channel_id": null }));
    let (status, response) = page(&bot, "json").await;
    assert_eq!((status, &response.json::<Value>().await.unwrap()["code"]), (403, &json!(50004)));

    let general = json!(bot.sandbox.channel_id("general").unwrap());
    let body = json!({ "enabled": true, "channel_id": general });
    assert_eq!(bot.expect(200, Method::PATCH, &path, &body).await, body);
    let event = bot.event("GUILD_UPDATE").await;
    assert_eq!((&event["widget_enabled"], &event["widget_channel_id"]), (&json!(true), &general));
    assert_eq!(
        bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["changes"],
        json!([
            { "key": "widget_enabled", "old_value": false, "new_value": true },
            { "key": "widget_channel_id", "new_value": general },
        ])
    );

    let presence = json!({ "status": "idle", "activities": [{ "name": "Chess", "type": 0 }] });
    bot.control(Method::PUT, "/presences/bob").json(&presence).send().await.unwrap();
    bot.user.edit_member("Sandbox", "bob", &json!({ "nick": "Bobby" })).await.unwrap();
    bot.user.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    let (status, response) = page(&bot, "json").await;
    assert_eq!((status, &response.headers()["access-control-allow-origin"]), (200, &"*".parse().unwrap()));
    let widget: Value = response.json().await.unwrap();
    if let Some(api) = &*DISCORD {
        api.response("GET", &format!("{}/widget.json", bot.guild()), 200, &widget).unwrap();
    }
    let lounge = json!(bot.sandbox.channel_id("Lounge").unwrap());
    assert_eq!((&widget["channels"][0]["id"], &widget["channels"][0]["name"]), (&lounge, &json!("Lounge")));
    let members = widget["members"].as_array().unwrap();
    assert_eq!(widget["presence_count"], members.len());
    let bobby = members.iter().find(|member| member["username"] == "Bobby").unwrap();
    assert_eq!((&bobby["status"], &bobby["activity"]["name"]), (&json!("idle"), &json!("Chess")));
    assert_eq!((&bobby["channel_id"], &bobby["avatar"]), (&lounge, &Value::Null));
    assert_ne!(bobby["id"], json!(bot.sandbox.user_id("bob")), "ids are anonymous");
    let avatar = reqwest::get(text(&bobby["avatar_url"])).await.unwrap();
    assert_eq!(
        (avatar.status().as_u16(), &avatar.headers()["content-type"]),
        (200, &"image/png".parse().unwrap())
    );

    // The invite is made once, and works.
    let code = text(&widget["instant_invite"]).rsplit('/').next().unwrap().to_owned();
    assert_eq!(bot.event("INVITE_CREATE").await["code"], code);
    let again: Value = page(&bot, "json").await.1.json().await.unwrap();
    assert_eq!(again["instant_invite"], widget["instant_invite"]);
    assert_eq!(bot.get(&format!("/invites/{code}")).await.get("inviter"), None);
    bot.user.create_user("dave").await.unwrap();
    bot.user.accept_invite(&code, "dave").await.unwrap();

    bot.expect(200, Method::PATCH, &path, &json!({ "channel_id": null })).await;
    let without: Value = page(&bot, "json").await.1.json().await.unwrap();
    assert_eq!(without["instant_invite"], Value::Null);
    assert_eq!(bot.call(Method::PATCH, &path, &json!({ "channel_id": "1" })).await.1["code"], 10003);
    assert_eq!(bot.call(Method::PATCH, &path, &json!({ "enabled": "yes" })).await.1["code"], 50035);
    bot.weaken(&["KICK_MEMBERS"]).await;
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 50013);
}

#[tokio::test]
async fn a_widget_is_a_picture_in_every_style() {
    let bot = Bot::start().await;
    assert_eq!(page(&bot, "png").await.0, 403);
    bot.expect(200, Method::PATCH, &format!("{}/widget", bot.guild()), &json!({ "enabled": true })).await;
    let mut pictures = Vec::new();
    for query in ["png", "png?style=banner1", "png?style=banner2", "png?style=banner3", "png?style=banner4"] {
        let (status, response) = page(&bot, query).await;
        assert_eq!((status, &response.headers()["content-type"]), (200, &"image/png".parse().unwrap()));
        let bytes = response.bytes().await.unwrap();
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && !pictures.contains(&bytes), "{query}");
        pictures.push(bytes);
    }
    let shield = page(&bot, "png?style=shield").await.1.bytes().await.unwrap();
    assert_eq!(shield, pictures[0], "the default");
    bot.control(Method::PUT, "/presences/bob").json(&json!({ "status": "online" })).send().await.unwrap();
    assert_ne!(page(&bot, "png").await.1.bytes().await.unwrap(), shield, "one more is online");
    let (status, response) = page(&bot, "png?style=banner9").await;
    let error: Value = response.json().await.unwrap();
    assert_eq!((status, &error["errors"]["style"]["_errors"][0]["code"]), (400, &json!("BASE_TYPE_CHOICES")));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let unknown = client.get(format!("{}/guilds/1/widget.json", bot.sandbox.api_url())).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
}
