//! The control API beyond interactions: bots, guilds, voice, presence, faults, the log.

use sandbox::fault::{On, RequestEffect, RequestRule, Rule};
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

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

/// Bodies of bots in all languages: pretty-printed JSON, separators that some readers take for line breaks, and invalid
/// JSON.
#[tokio::test]
async fn the_record_is_json_lines_whatever_a_body_holds() {
    let bot = Bot::start().await;
    let url = format!("{}{}/messages", bot.sandbox.api_url(), bot.channel("general"));
    let http = reqwest::Client::new();
    let long = format!("{{\"content\": \"x\",\n\"pad\": \"{}\"}}", "y".repeat(100_000));
    let bodies: [(&[u8], u16, Value); 6] = [
        (
            b"{\n  \"content\": \"pretty\",\r\n  \"tts\": false\n}\n",
            200,
            json!({ "content": "pretty", "tts": false }),
        ),
        (
            "{\"content\": \"\u{2028}a\u{2029}b\u{85}c\\nd\"}".as_bytes(),
            200,
            json!({ "content": "\u{2028}a\u{2029}b\u{85}c\nd" }),
        ),
        (b"{\"content\": \"\xff\"}", 400, json!({ "omitted": "application/json", "bytes": 16 })),
        (b"{\"content\":\n", 400, json!({ "omitted": "application/json", "bytes": 12 })),
        (br#"{"content": "\ud800"}"#, 400, json!({ "omitted": "application/json", "bytes": 21 })),
        (long.as_bytes(), 200, json!({ "omitted": "application/json", "bytes": long.len() })),
    ];
    for (body, status, _) in &bodies {
        let answer = http
            .post(&url)
            .header("authorization", format!("Bot {}", bot.sandbox.token()))
            .header("content-type", "application/json")
            .body(body.to_vec())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), *status, "{}", String::from_utf8_lossy(body));
    }
    bot.user.send("alice", "general", "one\ntwo\u{2028}three").await.unwrap();
    let log = bot.user.log(0, false).await.unwrap().text().await.unwrap();
    // The line breaks of Python's `str.splitlines`.
    let breaks =
        ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let lines: Vec<Value> = log
        .trim_end_matches('\n')
        .split(breaks)
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
        .collect();
    let requests: Vec<&Value> = lines
        .iter()
        .filter(|line| line["kind"] == "request" && line["method"] == "POST")
        .map(|line| &line["request"])
        .collect();
    assert_eq!(requests, bodies.iter().map(|(_, _, recorded)| recorded).collect::<Vec<_>>());
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
    let mut begun = Vec::new();
    for (status, activities) in [
        ("dnd", json!([{ "name": "chess", "type": 0 }])),
        ("idle", json!([{ "name": "chess", "type": 0 }])),
        ("online", Value::Null),
    ] {
        let presence = json!({ "status": status, "activities": activities });
        let sent = bot.control(reqwest::Method::PUT, "/presences/bob").json(&presence).send().await;
        sent.unwrap().error_for_status().unwrap();
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
    // The bot's own role is an administrator's at first, to whom overwrites do not apply.
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

/// Every field of a member that can be empty is cleared by null, stays if it is absent, and is set by a value, as in
/// Discord's own `PATCH /guilds/{guild.id}/members/{user.id}`.
#[tokio::test]
async fn null_takes_a_members_fields_away() {
    let bot = Bot::start().await;
    let user = bot.user.clone();
    let guild = bot.sandbox.guild_id().to_string();
    user.create_role(&guild, &json!({ "name": "mods" })).await.unwrap();
    let edit = async |change: Value| user.edit_member(&guild, "bob", &change).await;
    let all = json!({ "nick": "Bobby", "roles": ["mods"], "timeout_until": "2100-01-01T00:00:00Z",
        "mute": true, "deaf": true });
    let set = edit(all.clone()).await.unwrap();
    assert!(set["communication_disabled_until"].is_string(), "{set}");
    assert_eq!((&set["nick"], set["roles"].as_array().unwrap().len()), (&json!("Bobby"), 1));
    assert_eq!((&set["mute"], &set["deaf"]), (&json!(true), &json!(true)));
    assert_eq!(edit(json!({})).await.unwrap(), set, "what is not mentioned stays");
    for (field, shown, none) in [
        ("nick", "nick", Value::Null),
        ("roles", "roles", json!([])),
        ("timeout_until", "communication_disabled_until", Value::Null),
        ("mute", "mute", json!(false)),
        ("deaf", "deaf", json!(false)),
    ] {
        let mut expected = edit(all.clone()).await.unwrap();
        let after = edit(json!({ field: null })).await.unwrap();
        expected[shown] = none;
        assert_eq!(after, expected, "{field}: null");
    }
    // An empty text clears a field as well, and an unknown field is an error.
    edit(all).await.unwrap();
    let after = edit(json!({ "nick": "", "timeout_until": "" })).await.unwrap();
    assert_eq!((&after["nick"], &after["communication_disabled_until"]), (&Value::Null, &Value::Null));
    let refused = edit(json!({ "timeout": null })).await.unwrap_err().to_string();
    assert!(refused.contains("timeout_until"), "{refused}");
}

#[tokio::test]
async fn a_user_has_the_language_that_is_set() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let french = json!({ "preferred_locale": "fr" });
    bot.expect(200, reqwest::Method::PATCH, &bot.guild(), &french).await;
    let user = bot.user.clone();
    for (change, locale) in [
        (json!({}), "en-US"),
        (json!({ "locale": "DE" }), "de"),
        (json!({}), "de"),
        (json!({ "locale": null }), "en-US"),
    ] {
        assert_eq!(user.edit_user("bob", &change).await.unwrap()["locale"], locale, "{change}");
        let run = sandbox::client::Run::typed("/ping").by("bob");
        let (interaction, _) =
            bot.answers(user.run(run), json!({ "type": 4, "data": { "content": "pong" } })).await;
        assert_eq!(interaction["locale"], locale);
        assert_eq!(
            (&interaction["guild_locale"], &interaction["guild"]["locale"]),
            (&json!("fr"), &json!("fr"))
        );
        // Bots see a user's language only in the interaction itself.
        assert_eq!(interaction["member"]["user"].get("locale"), None);
    }
    let refused = user.edit_user("bob", &json!({ "locale": "xx" })).await.unwrap_err().to_string();
    assert!(refused.starts_with("There is no locale \"xx\"; there are ar, bg,"), "{refused}");
    assert!(user.edit_user("Sandbot", &json!({ "locale": "de" })).await.is_err());
    let made = bot
        .control(reqwest::Method::POST, "/users")
        .json(&json!({ "username": "dora", "locale": "pt-BR" }))
        .send()
        .await
        .unwrap();
    assert_eq!(made.json::<Value>().await.unwrap()["locale"], "pt-BR");
}

#[tokio::test]
async fn a_bot_is_online_as_long_as_it_has_a_session() {
    let mut bot = Bot::start().await;
    let made =
        bot.control(reqwest::Method::POST, "/bots").json(&json!({ "name": "Other", "guilds": ["Sandbox"] }));
    let other: Value = made.send().await.unwrap().json().await.unwrap();
    let mut gateway =
        crate::gateway::client::Client::connect(&format!("{}/?v=10", bot.sandbox.gateway_url())).await;
    gateway.op(10).await;
    let identify = json!({ "token": other["token"], "intents": 1, "properties": {} });
    gateway.send(2, identify).await;
    gateway.event("READY").await;
    let of = async |bot: &mut Bot, status: &str| {
        let presence = bot.event("PRESENCE_UPDATE").await;
        assert_eq!((&presence["user"]["id"], &presence["status"]), (&other["id"], &json!(status)));
    };
    of(&mut bot, "online").await;
    gateway.send(3, json!({ "since": null, "activities": [], "status": "dnd", "afk": false })).await;
    of(&mut bot, "dnd").await;
    gateway.close(1000).await;
    of(&mut bot, "offline").await;
}

#[tokio::test]
async fn the_control_api_takes_booleans_known_fields_and_large_bodies_and_nothing_else() {
    let bot = Bot::start().await;
    let guild = bot.sandbox.guild_id();
    let call = async |method: reqwest::Method, path: &str, body: Value| {
        let answer = bot.control(method, path).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let bob = format!("/guilds/{guild}/members/bob");
    let channels = format!("/guilds/{guild}/channels");
    let roles = format!("/guilds/{guild}/roles");
    let (post, patch, put) = (reqwest::Method::POST, reqwest::Method::PATCH, reqwest::Method::PUT);
    for (method, path, body) in [
        (&patch, bob.as_str(), json!({ "mute": "true" })),
        (&patch, bob.as_str(), json!({ "deaf": 1 })),
        (&post, channels.as_str(), json!({ "name": "a", "nsfw": "yes" })),
        (&post, roles.as_str(), json!({ "name": "a", "mentionable": 0 })),
        (&put, &format!("/guilds/{guild}/voice/bob"), json!({ "channel": "Lounge", "self_mute": "false" })),
        (
            &put,
            &format!("/guilds/{guild}/commands/1/permissions"),
            json!([{ "id": "1", "type": 1, "permission": "true" }]),
        ),
        (
            &put,
            &format!("/guilds/{guild}/commands/1/permissions"),
            json!([{ "id": "1", "type": 4, "permission": true }]),
        ),
        // A field that nothing reads is a mistake, too.
        (&post, channels.as_str(), json!({ "name": "a", "nfsw": true })),
        (&post, "/users", json!({ "username": "dora", "name": "Dora" })),
        (&post, "/messages", json!({ "as": "bob", "channel": "general", "text": "a" })),
        (
            &post,
            "/interactions/command",
            json!({ "as": "bob", "channel": "general", "text": "/a", "deadline": 5 }),
        ),
        (&post, "/interactions/modal", json!({ "interaction": "1", "settle": 5 })),
    ] {
        let (status, answer) = call(method.clone(), path, body.clone()).await;
        assert!(
            (400..500).contains(&status) && answer["error"].is_string(),
            "{path} {body}: {status} {answer}"
        );
    }
    let (status, answer) = call(post.clone(), "/notes", json!({ "text": "n".repeat(3 << 20) })).await;
    assert_eq!(status, 200, "{answer}");
}
