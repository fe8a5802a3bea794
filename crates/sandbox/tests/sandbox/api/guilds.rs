//! Guilds, channels, members, roles, bans: changed through REST, published by the gateway, within permissions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

#[tokio::test]
async fn a_guild_is_changed_and_everyone_hears() {
    let mut bot = Bot::start().await;
    let guild = bot.get(&format!("{}?with_counts=true", bot.guild())).await;
    assert_eq!((&guild["name"], &guild["approximate_member_count"]), (&json!("Sandbox"), &json!(4)));
    bot.expect(200, Method::PATCH, &bot.guild(), &json!({ "name": "Renamed" })).await;
    assert_eq!(bot.event("GUILD_UPDATE").await["name"], "Renamed");
    assert_eq!(bot.get("/users/@me/guilds").await[0]["name"], "Renamed");
}

#[tokio::test]
async fn channels_are_made_changed_and_deleted() {
    let mut bot = Bot::start().await;
    let path = format!("{}/channels", bot.guild());
    let channel = bot.expect(201, Method::POST, &path, &json!({ "name": "New Channel", "topic": "t" })).await;
    assert_eq!((&channel["name"], &channel["type"]), (&json!("new-channel"), &json!(0)));
    assert_eq!(bot.event("CHANNEL_CREATE").await["id"], channel["id"]);
    let one = format!("/channels/{}", text(&channel["id"]));
    let everyone = bot.sandbox.guild_id();
    let deny = json!({ "type": 0, "deny": "1024" });
    bot.expect(204, Method::PUT, &format!("{one}/permissions/{everyone}"), &deny).await;
    assert_eq!(bot.event("CHANNEL_UPDATE").await["permission_overwrites"][0]["deny"], "1024");
    assert!(bot.user.send("carol", "new-channel", "hm").await.is_err());
    bot.expect(200, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.event("CHANNEL_DELETE").await["id"], channel["id"]);
    assert_eq!(bot.call(Method::GET, &one, &Value::Null).await.1["code"], 10003);
    assert_eq!(bot.call(Method::POST, &path, &json!({})).await.1["code"], 50035);
}

#[tokio::test]
async fn the_status_of_a_voice_channel_is_set_and_removed() {
    let mut bot = Bot::start().await;
    let channel = bot.sandbox.channel_id("Lounge").unwrap();
    let path = format!("/channels/{channel}/voice-status");
    for (body, status, action, options) in [
        (json!({ "status": "tea" }), json!("tea"), 192, json!({ "channel_id": channel, "status": "tea" })),
        (json!({ "status": null }), Value::Null, 193, json!({ "channel_id": channel })),
    ] {
        // What changes nothing has no event.
        for body in [&json!({}), &body, &body, &json!({})] {
            assert_eq!(bot.expect(204, Method::PUT, &path, body).await, Value::Null);
        }
        let event = bot.event("VOICE_CHANNEL_STATUS_UPDATE").await;
        assert_eq!(event, json!({ "id": channel, "guild_id": bot.sandbox.guild_id(), "status": status }));
        let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
        assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(action), &json!(channel)));
        assert_eq!((&entry["options"], &entry["user_id"]), (&options, &json!(bot.sandbox.bot_id())));
        bot.post(&format!("{}/messages", bot.channel("general")), json!({ "content": "now" })).await;
        assert_eq!(bot.names_until("MESSAGE_CREATE").await, [""; 0]);
    }
    assert_eq!(bot.get(&bot.channel("Lounge")).await.get("status"), None);
    let long = json!({ "status": "s".repeat(501) });
    let (status, error) = bot.call(Method::PUT, &path, &long).await;
    assert_eq!((status, &error["code"]), (400, &json!(50035)));
    assert_eq!(error["errors"]["status"]["_errors"][0]["code"], "BASE_TYPE_MAX_LENGTH");
    for (channel, code) in [(bot.channel("general"), 50024), ("/channels/1".to_owned(), 10003)] {
        let (_, error) = bot.call(Method::PUT, &format!("{channel}/voice-status"), &json!({})).await;
        assert_eq!(error["code"], code);
    }
}

#[tokio::test]
async fn members_join_change_and_leave() {
    let mut bot = Bot::start().await;
    bot.user.create_user("dave").await.unwrap();
    bot.user.join("Sandbox", "dave").await.unwrap();
    let joined = bot.event("GUILD_MEMBER_ADD").await;
    assert_eq!(joined["user"]["username"], "dave");
    assert_eq!(bot.event("MESSAGE_CREATE").await["type"], 7);
    let path = format!("{}/members/{}", bot.guild(), text(&joined["user"]["id"]));
    let changed = bot.expect(200, Method::PATCH, &path, &json!({ "nick": "D" })).await;
    assert_eq!(changed["nick"], "D");
    assert_eq!(bot.event("GUILD_MEMBER_UPDATE").await["nick"], "D");
    assert_eq!(bot.get(&format!("{}/members/search?query=d&limit=5", bot.guild())).await[0]["nick"], "D");
    let page = bot.get(&format!("{}/members?limit=3", bot.guild())).await;
    assert_eq!(page.as_array().unwrap().len(), 3);
    let after = text(&page[2]["user"]["id"]);
    assert_eq!(
        bot.get(&format!("{}/members?limit=3&after={after}", bot.guild())).await.as_array().unwrap().len(),
        2
    );
    bot.expect(204, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(bot.event("GUILD_MEMBER_REMOVE").await["user"]["username"], "dave");
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10007);
}

#[tokio::test]
async fn roles_are_made_given_and_deleted() {
    let mut bot = Bot::start().await;
    let roles = format!("{}/roles", bot.guild());
    let role = bot.post(&roles, json!({ "name": "Gold", "color": 0x00ff_d700 })).await;
    assert_eq!(bot.event("GUILD_ROLE_CREATE").await["role"]["name"], "Gold");
    // All others are one higher now, and a library that does not count itself has to learn it.
    let all = bot.get(&roles).await;
    let others: Vec<_> =
        all.as_array().unwrap().iter().filter(|other| other["position"].as_u64() > Some(1)).collect();
    assert!(others.len() >= 3, "{all}");
    for other in others {
        let event = bot.event("GUILD_ROLE_UPDATE").await;
        assert_eq!((&event["guild_id"], &event["role"]), (&json!(bot.sandbox.guild_id()), other));
    }
    let carol = bot.sandbox.user_id("carol").unwrap();
    let give = format!("{}/members/{carol}/roles/{}", bot.guild(), text(&role["id"]));
    bot.expect(204, Method::PUT, &give, &Value::Null).await;
    assert_eq!(bot.event("GUILD_MEMBER_UPDATE").await["roles"], json!([role["id"]]));
    let one = format!("{roles}/{}", text(&role["id"]));
    bot.expect(200, Method::PATCH, &one, &json!({ "hoist": true })).await;
    assert_eq!(bot.event("GUILD_ROLE_UPDATE").await["role"]["hoist"], true);
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    bot.event("GUILD_ROLE_DELETE").await;
    assert_eq!(bot.get(&format!("{}/members/{carol}", bot.guild())).await["roles"], json!([]));
    let log = bot.get(&format!("{}/audit-logs", bot.guild())).await;
    assert_eq!(log["audit_log_entries"][0]["action_type"], 32);
}

#[tokio::test]
async fn the_hierarchy_holds() {
    let bot = Bot::start().await;
    let alice = bot.sandbox.user_id("alice").unwrap();
    let owner = format!("{}/members/{alice}", bot.guild());
    assert_eq!(bot.call(Method::DELETE, &owner, &Value::Null).await.1["code"], 50013);
    assert_eq!(bot.call(Method::PATCH, &owner, &json!({ "nick": "x" })).await.1["code"], 50013);
    let me = text(&bot.get("/users/@me").await["id"]).to_owned();
    let (own, own_ban) = (format!("{}/members/{me}", bot.guild()), format!("{}/bans/{me}", bot.guild()));
    let soon = json!({ "communication_disabled_until": "1999-01-01T00:00:00Z" });
    for (method, path, body) in [
        (Method::DELETE, &own, &Value::Null),
        (Method::PATCH, &own, &soon),
        (Method::PUT, &own_ban, &json!({})),
    ] {
        let (status, answer) = bot.call(method.clone(), path, body).await;
        assert_eq!((status, &answer["code"]), (403, &json!(50013)), "{method} {path}: {answer}");
    }
    let bulk = format!("{}/bulk-ban", bot.guild());
    let answer = bot.expect(400, Method::POST, &bulk, &json!({ "user_ids": [me] })).await;
    assert_eq!(answer["code"], 500_000);
    bot.expect(200, Method::PATCH, &own, &json!({ "nick": "mine" })).await;
    let roles = bot.get(&format!("{}/roles", bot.guild())).await;
    let own = roles.as_array().unwrap().iter().find(|role| role["managed"] == true).unwrap();
    let member = roles.as_array().unwrap().iter().find(|role| role["name"] == "Member").unwrap();
    let own_position = own["position"].as_u64().unwrap();
    for (position, status) in [(own_position + 1, 403), (own_position, 403), (own_position - 1, 200)] {
        let moves = json!([{ "id": member["id"], "position": position }]);
        bot.expect(status, Method::PATCH, &format!("{}/roles", bot.guild()), &moves).await;
        let now = bot.get(&format!("{}/roles/{}", bot.guild(), text(&member["id"]))).await;
        let expected = if status == 200 { position.into() } else { member["position"].clone() };
        assert_eq!(now["position"], expected);
    }
    let (status, _) =
        bot.call(Method::DELETE, &format!("{}/roles/{}", bot.guild(), text(&own["id"])), &Value::Null).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_ban_removes_keeps_out_and_is_lifted() {
    let mut bot = Bot::start().await;
    bot.user.send("bob", "general", "spam").await.unwrap();
    let bob = bot.sandbox.user_id("bob").unwrap();
    let path = format!("{}/bans/{bob}", bot.guild());
    bot.expect(204, Method::PUT, &path, &json!({ "delete_message_seconds": 60 })).await;
    bot.event("MESSAGE_DELETE").await;
    bot.event("GUILD_MEMBER_REMOVE").await;
    assert_eq!(bot.event("GUILD_BAN_ADD").await["user"]["username"], "bob");
    assert!(bot.user.join("Sandbox", "bob").await.unwrap_err().to_string().contains("banned"));
    assert_eq!(bot.get(&format!("{}/bans", bot.guild())).await.as_array().unwrap().len(), 1);
    bot.expect(204, Method::DELETE, &path, &Value::Null).await;
    bot.event("GUILD_BAN_REMOVE").await;
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10026);
}

#[tokio::test]
async fn a_timeout_silences_for_its_time() {
    let bot = Bot::start().await;
    let carol = bot.sandbox.user_id("carol").unwrap();
    let path = format!("{}/members/{carol}", bot.guild());
    let until = json!({ "communication_disabled_until": "2199-01-01T00:00:00Z" });
    assert_eq!(bot.call(Method::PATCH, &path, &until).await.1["code"], 50035);
    let soon = sandbox::state::clock::iso(time::OffsetDateTime::now_utc() + time::Duration::hours(1));
    bot.expect(200, Method::PATCH, &path, &json!({ "communication_disabled_until": soon })).await;
    assert!(bot.user.send("carol", "general", "hm").await.is_err());
    bot.expect(200, Method::PATCH, &path, &json!({ "communication_disabled_until": null })).await;
    assert!(bot.user.send("carol", "general", "hm").await.is_ok());
}

#[tokio::test]
async fn an_administrator_cannot_be_timed_out_but_a_timeout_can_be_taken_away() {
    let bot = Bot::start().await;
    let carol = bot.sandbox.user_id("carol").unwrap();
    let path = format!("{}/members/{carol}", bot.guild());
    let soon = sandbox::state::clock::iso(time::OffsetDateTime::now_utc() + time::Duration::hours(1));
    let until = json!({ "communication_disabled_until": soon });
    bot.expect(200, Method::PATCH, &path, &until).await;
    let role = json!({ "name": "admins", "permissions": "8" });
    let role = bot.expect(200, Method::POST, &format!("{}/roles", bot.guild()), &role).await;
    bot.expect(204, Method::PUT, &format!("{path}/roles/{}", text(&role["id"])), &Value::Null).await;
    assert!(bot.user.send("carol", "general", "hm").await.is_ok(), "permissions of administrators stay");
    let (status, error) = bot.call(Method::PATCH, &path, &until).await;
    assert_eq!((status, &error["code"]), (403, &json!(50013)));
    bot.expect(200, Method::PATCH, &path, &json!({ "communication_disabled_until": null })).await;
}

#[tokio::test]
async fn a_bot_with_few_permissions_is_held_to_them() {
    let bot = Bot::start().await;
    let body = json!({ "name": "Weak", "permissions": "0" });
    let http = reqwest::Client::new();
    let made: Value =
        bot.control(Method::POST, "/bots").json(&body).send().await.unwrap().json().await.unwrap();
    let call = |method: Method, path: String, body: Value| {
        let request = http
            .request(method, format!("{}{path}", bot.sandbox.api_url()))
            .header("authorization", format!("Bot {}", text(&made["token"])))
            .json(&body);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let log = bot.channel("mod-log");
    assert_eq!(call(Method::GET, log.clone(), Value::Null).await["code"], 50001);
    assert_eq!(call(Method::POST, format!("{log}/messages"), json!({ "content": "x" })).await["code"], 50001);
    let general = bot.channel("general");
    assert!(
        call(Method::POST, format!("{general}/messages"), json!({ "content": "x" })).await["id"].is_string()
    );
    for (method, path, body) in [
        (Method::PATCH, general.clone(), json!({ "name": "mine" })),
        (Method::PATCH, bot.guild(), json!({ "name": "mine" })),
        (Method::POST, format!("{}/roles", bot.guild()), json!({})),
        (Method::GET, format!("{}/bans", bot.guild()), Value::Null),
        (Method::GET, format!("{}/audit-logs", bot.guild()), Value::Null),
    ] {
        assert_eq!(call(method, path.clone(), body).await["code"], 50013, "{path}");
    }
    let commands = format!("/applications/{}/commands", bot.sandbox.bot_id());
    assert_eq!(call(Method::GET, commands, Value::Null).await["code"], 20012);
}

#[tokio::test]
async fn a_bot_gives_and_takes_in_a_channel_only_what_it_has_itself() {
    let bot = Bot::start().await;
    // MANAGE_CHANNELS, VIEW_CHANNEL, SEND_MESSAGES, MANAGE_ROLES.
    let has = 1_u64 << 4 | 1 << 10 | 1 << 11 | 1 << 28;
    let body = json!({ "name": "Keeper", "permissions": has.to_string() });
    let made: Value =
        bot.control(Method::POST, "/bots").json(&body).send().await.unwrap().json().await.unwrap();
    let http = reqwest::Client::new();
    let call = async |method: Method, path: &str, body: &Value| {
        let request = http
            .request(method, format!("{}{path}", bot.sandbox.api_url()))
            .header("authorization", format!("Bot {}", text(&made["token"])));
        request.json(body).send().await.unwrap().status().as_u16()
    };
    let everyone = bot.sandbox.guild_id();
    let general = bot.channel("general");
    let one = format!("{general}/permissions/{everyone}");
    let channels = format!("{}/channels", bot.guild());
    let [send, ban, manage_roles] = [1_u64 << 11, 1 << 2, 1 << 28].map(|bit| bit.to_string());
    let list = |field: &str, bit: &str| json!({ "name": "new", "permission_overwrites": [{ "id": everyone.to_string(), "type": 0, field: bit }] });
    for field in ["allow", "deny"] {
        assert_eq!(call(Method::PUT, &one, &json!({ "type": 0, field: ban })).await, 403, "{field}");
        assert_eq!(call(Method::PATCH, &general, &list(field, &ban)).await, 403, "{field}");
        assert_eq!(call(Method::POST, &channels, &list(field, &ban)).await, 403, "{field}");
        assert_eq!(call(Method::PUT, &one, &json!({ "type": 0, field: send })).await, 204, "{field}");
        assert_eq!(call(Method::PATCH, &general, &list(field, &send)).await, 200, "{field}");
        assert_eq!(call(Method::POST, &channels, &list(field, &send)).await, 201, "{field}");
    }
    // Existing overwrites may stay.
    bot.expect(204, Method::PUT, &one, &json!({ "type": 0, "deny": ban })).await;
    assert_eq!(call(Method::PATCH, &general, &list("deny", &ban)).await, 200);
    assert_eq!(call(Method::PATCH, &general, &json!({ "permission_overwrites": [] })).await, 403);
    // Only administrators may allow managing roles in a new channel. A bot that was granted it there may allow
    // everything.
    assert_eq!(call(Method::POST, &channels, &list("allow", &manage_roles)).await, 403);
    let own = format!("{general}/permissions/{}", text(&made["id"]));
    bot.expect(204, Method::PUT, &own, &json!({ "type": 1, "allow": manage_roles })).await;
    assert_eq!(call(Method::PUT, &one, &json!({ "type": 0, "allow": ban })).await, 204);
}

#[tokio::test]
async fn invites_and_emojis_come_and_go() {
    let mut bot = Bot::start().await;
    let invite = bot.post(&format!("{}/invites", bot.channel("general")), json!({ "max_age": 60 })).await;
    assert_eq!(bot.event("INVITE_CREATE").await["code"], invite["code"]);
    let path = format!("/invites/{}", text(&invite["code"]));
    assert_eq!(bot.get(&path).await["guild"]["name"], "Sandbox");
    bot.expect(200, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10006);
    let emojis = format!("{}/emojis", bot.guild());
    let emoji = json!({ "name": "blob", "image": crate::api::expressions::dot() });
    let emoji = bot.expect(201, Method::POST, &emojis, &emoji).await;
    assert_eq!(bot.event("GUILD_EMOJIS_UPDATE").await["emojis"][0]["name"], "blob");
    let message = bot.post(&format!("{}/messages", bot.channel("general")), json!({ "content": "x" })).await;
    let reaction = format!(
        "{}/messages/{}/reactions/blob:{}/@me",
        bot.channel("general"),
        text(&message["id"]),
        text(&emoji["id"])
    );
    bot.expect(204, Method::PUT, &reaction, &Value::Null).await;
}
