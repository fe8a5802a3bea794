//! The control API beyond interactions: bots, guilds, voice, presence, faults, the record.

use sandbox::fault::{On, RequestEffect, RequestRule, Rule};
use serde_json::{Value, json};

use crate::bot::{Bot, text};

#[tokio::test]
async fn a_new_guild_is_told_with_everything_in_it() {
    let mut bot = Bot::start().await;
    bot.user.create_guild("Second", "bob").await.unwrap();
    let guild = bot.event("GUILD_CREATE").await;
    assert_eq!((&guild["name"], &guild["member_count"]), (&json!("Second"), &json!(2)));
    assert!(guild.get("unavailable").is_none(), "a joined guild is not one that is available again");
    for list in ["channels", "members", "roles", "threads", "voice_states", "presences", "emojis"] {
        assert!(guild[list].is_array(), "{list}");
    }
    bot.user.leave("Second", "Sandbot").await.unwrap();
    assert_eq!(bot.event("GUILD_DELETE").await["id"], guild["id"]);
    assert_eq!(bot.get("/users/@me/guilds").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn people_enter_and_leave_voice() {
    let mut bot = Bot::start().await;
    bot.user.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    let state = bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!(state["channel_id"], bot.sandbox.channel_id("Lounge").unwrap().to_string());
    assert_eq!(state["member"]["user"]["username"], "bob");
    bot.user.leave_voice("Sandbox", "bob").await.unwrap();
    assert!(bot.event("VOICE_STATE_UPDATE").await["channel_id"].is_null());
    assert!(bot.user.enter_voice("Sandbox", "bob", "general").await.is_err());
}

#[tokio::test]
async fn direct_messages_go_both_ways() {
    let mut bot = Bot::start().await;
    let dm = bot.post("/users/@me/channels", json!({ "recipient_id": bot.sandbox.user_id("bob") })).await;
    assert_eq!(dm["recipients"][0]["username"], "bob");
    bot.post(&format!("/channels/{}/messages", text(&dm["id"])), json!({ "content": "hi" })).await;
    let seen = bot.user.messages("bob", "@Sandbot", 5).await.unwrap();
    assert_eq!(seen[0]["content"], "hi");
    bot.user.send("bob", "@Sandbot", "hello").await.unwrap();
    bot.event("MESSAGE_CREATE").await;
    let event = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&event["content"], event.get("guild_id")), (&json!("hello"), None));
    assert!(bot.user.messages("carol", text(&dm["id"]), 5).await.is_err());
}

#[tokio::test]
async fn an_injected_fault_strikes_and_is_over() {
    let bot = Bot::start().await;
    let effect = RequestEffect::Respond { status: 503, body: sandbox::fault::ErrorBody::Discord };
    let rule = Rule::new(On::Request(RequestRule { method: None, path: Some("/users/@me".into()), effect }))
        .times(1);
    bot.user.add_fault(&rule).await.unwrap();
    assert_eq!(bot.call(reqwest::Method::GET, "/users/@me", &Value::Null).await.0, 503);
    bot.get("/users/@me").await;
}

#[tokio::test]
async fn the_record_has_every_request_and_event_and_no_token() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let user = bot.user.clone();
    let (interaction, _) =
        bot.answers(user.say("/ping"), json!({ "type": 4, "data": { "content": "pong" } })).await;
    let log = user.log(0, false).await.unwrap().text().await.unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(count("identified"), 1);
    assert!(lines.iter().any(|line| line["event"] == "INTERACTION_CREATE"));
    assert!(
        lines
            .iter()
            .any(|line| line["route"] == "/interactions/{interaction.id}/{interaction.token}/callback")
    );
    assert!(!log.contains(bot.sandbox.token()) && !log.contains(text(&interaction["token"])));
}

#[tokio::test]
async fn the_overview_names_everything_and_no_token() {
    let bot = Bot::start().await;
    let all = bot.user.overview().await.unwrap();
    assert_eq!((&all["bots"][0]["name"], &all["bots"][0]["online"]), (&json!("Sandbot"), &json!(true)));
    assert!(!all.to_string().contains(bot.sandbox.token()));
}

#[tokio::test]
async fn a_sandbox_that_is_shut_down_answers_nobody() {
    let bot = Bot::start().await;
    let (client, url) = (reqwest::Client::new(), bot.sandbox.url().to_owned());
    assert!(client.get(format!("{url}/api/gateway")).send().await.is_ok());
    bot.sandbox.shutdown().await;
    assert!(client.get(format!("{url}/api/gateway")).send().await.is_err());
}

#[tokio::test]
async fn hidden_embeds_come_back_when_they_are_shown_again() {
    let bot = Bot::start().await;
    let path = format!("{}/messages", bot.channel("general"));
    let message = bot.post(&path, json!({ "content": "x", "embeds": [{ "title": "t" }] })).await;
    let one = format!("{path}/{}", text(&message["id"]));
    for (flags, embeds) in [(4, 0), (0, 1)] {
        let seen = bot.expect(200, reqwest::Method::PATCH, &one, &json!({ "flags": flags })).await;
        assert_eq!(seen["embeds"].as_array().unwrap().len(), embeds);
    }
}

#[tokio::test]
async fn a_guild_that_was_there_says_that_it_is_available_and_one_that_is_joined_does_not() {
    let mut bot = Bot::start().await;
    let text = bot.user.log(0, false).await.unwrap().text().await.unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let first = lines.into_iter().find(|line| line["event"] == "GUILD_CREATE").unwrap();
    assert_eq!(first["data"]["unavailable"], false);
    bot.user.create_guild("Second", "bob").await.unwrap();
    assert_eq!(bot.event("GUILD_CREATE").await.get("unavailable"), None);
}

#[tokio::test]
async fn activities_carry_the_moment_they_began_for_as_long_as_they_go_on() {
    let mut bot = Bot::start().await;
    let http = reqwest::Client::new();
    let url = format!("{}/sandbox/presences/bob", bot.sandbox.url());
    let mut begun = Vec::new();
    for (status, activities) in [
        ("dnd", json!([{ "name": "chess", "type": 0 }])),
        ("idle", json!([{ "name": "chess", "type": 0 }])),
        ("online", Value::Null),
    ] {
        let presence = json!({ "status": status, "activities": activities });
        http.put(&url).json(&presence).send().await.unwrap().error_for_status().unwrap();
        let update = bot.event("PRESENCE_UPDATE").await;
        assert_eq!(update["status"], status);
        begun.push(
            update["activities"].as_array().unwrap().first().map(|a| a["created_at"].as_u64().unwrap()),
        );
    }
    assert!(begun[0].unwrap() > 1_700_000_000_000, "milliseconds of Unix time");
    assert_eq!((begun[1], begun[2]), (begun[0], None));
}

#[tokio::test]
async fn an_admin_changes_a_channel_and_who_may_do_what_there() {
    let mut bot = Bot::start().await;
    let guild = bot.sandbox.guild_id().to_string();
    let user = bot.user.clone();
    user.edit_channel(&guild, "Lounge", &json!({ "user_limit": 3 })).await.unwrap();
    let told = bot.event("CHANNEL_UPDATE").await;
    assert_eq!((&told["name"], &told["user_limit"]), (&json!("Lounge"), &json!(3)));
    // The bot's own role is an administrator's at first, whom no overwrite concerns.
    let role = json!({ "deny": ["ADMINISTRATOR"], "allow": ["View Channel", "connect"] });
    let set = user.edit_role(&guild, "Sandbot", &role).await.unwrap();
    assert_eq!(set["allow"], json!(["VIEW_CHANNEL", "CONNECT"]));
    assert_eq!(bot.event("GUILD_ROLE_UPDATE").await["role"]["permissions"], (1 << 10 | 1 << 20).to_string());
    let change = async |who: &str, change: Value| user.edit_overwrite(&guild, "Lounge", who, &change).await;
    let set = change("Sandbot", json!({ "deny": ["SPEAK", "CONNECT"] })).await.unwrap();
    assert_eq!((&set["type"], &set["deny"]), (&json!(0), &json!(["CONNECT", "SPEAK"])));
    let set = change("Sandbot", json!({ "allow": ["SPEAK"], "inherit": ["CONNECT"] })).await.unwrap();
    assert_eq!((&set["allow"], &set["deny"]), (&json!(["SPEAK"]), &json!([])));
    let set = change("@bob", json!({ "deny": ["SPEAK"] })).await.unwrap();
    assert_eq!(set["type"], 1);
    for _ in 0..3 {
        bot.event("CHANNEL_UPDATE").await;
    }
    for (who, what, words) in [
        ("Sandbot", "FLY", "There is no permission \"FLY\""),
        ("@nobody", "SPEAK", "There is no user \"nobody\""),
    ] {
        let refused = change(who, json!({ "deny": [what] })).await.unwrap_err().to_string();
        assert!(refused.starts_with(words), "{refused}");
    }
    let refused = user.edit_channel(&guild, "Lounge", &json!({ "user_limit": 100 })).await.unwrap_err();
    assert!(refused.to_string().contains("user_limit"), "{refused}");
}
