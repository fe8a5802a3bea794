//! Pages for new members of Community guilds: welcome screen, onboarding, Server Guide, requests to join.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

/// Starts a bot in a guild with the feature COMMUNITY.
async fn in_a_community() -> Bot {
    let mut bot = Bot::start().await;
    bot.user.edit_guild("Sandbox", &json!({ "add_features": ["COMMUNITY"] })).await.unwrap();
    bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    bot
}

/// Returns the id of a role of the default guild.
async fn role(bot: &Bot, name: &str) -> Value {
    let roles = bot.get(&format!("{}/roles", bot.guild())).await;
    roles.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap()["id"].clone()
}

#[tokio::test]
async fn a_welcome_screen_is_shown_when_it_is_on() {
    let mut bot = in_a_community().await;
    let path = format!("{}/welcome-screen", bot.guild());
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10069);
    let general = bot.sandbox.channel_id("general").unwrap();
    let channels = json!([{ "channel_id": general, "description": "talk", "emoji_name": "\u{1f4e1}" }]);
    let expected = json!({ "description": "hi", "welcome_channels": [
        { "channel_id": general, "description": "talk", "emoji_id": null, "emoji_name": "\u{1f4e1}" }] });
    let body = json!({ "description": "hi", "welcome_channels": channels });
    assert_eq!(bot.expect(200, Method::PATCH, &path, &body).await, expected);
    let invite = bot.post(&format!("{}/invites", bot.channel("general")), json!({})).await;
    let invite = format!("/invites/{}", text(&invite["code"]));
    assert_eq!(bot.get(&invite).await["guild"].get("welcome_screen"), None);

    bot.expect(200, Method::PATCH, &path, &json!({ "enabled": true })).await;
    let event = bot.event("GUILD_UPDATE").await;
    assert_eq!(event["features"], json!(["COMMUNITY", "NEWS", "WELCOME_SCREEN_ENABLED"]));
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["changes"][0]["key"], "features");
    assert_eq!(bot.get(&invite).await["guild"]["welcome_screen"], expected);
    assert_eq!(bot.get(&path).await, expected);

    let elsewhere = json!({ "welcome_channels": [{ "channel_id": "1", "description": "x" }] });
    assert_eq!(bot.call(Method::PATCH, &path, &elsewhere).await.1["code"], 10003);
    bot.expect(200, Method::PATCH, &path, &json!({ "enabled": false, "welcome_channels": null })).await;
    bot.weaken(&["KICK_MEMBERS"]).await;
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 50013, "it is off");
    assert_eq!(bot.call(Method::PATCH, &path, &json!({})).await.1["code"], 50013);
}

#[tokio::test]
async fn a_guild_without_community_has_no_welcome_screen() {
    let bot = Bot::start().await;
    let path = format!("{}/welcome-screen", bot.guild());
    assert_eq!(bot.call(Method::PATCH, &path, &json!({ "enabled": true })).await.1["code"], 10069);
}

#[tokio::test]
async fn onboarding_asks_and_gives_roles() {
    let mut bot = in_a_community().await;
    let path = format!("{}/onboarding", bot.guild());
    let empty = json!({ "guild_id": bot.sandbox.guild_id(), "prompts": [], "default_channel_ids": [],
        "enabled": false, "mode": 0 });
    assert_eq!(bot.get(&path).await, empty);
    let mut defaults = Vec::new();
    for number in 0..7 {
        let channel = json!({ "name": format!("c{number}") });
        let channel = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &channel).await;
        bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
        defaults.push(channel["id"].clone());
    }
    let member = role(&bot, "Member").await;
    let option =
        |title: &str, roles: Value| json!({ "title": title, "role_ids": roles, "emoji_name": "\u{1f600}" });
    let prompts = json!([{ "id": "1", "title": "Why?", "required": true, "in_onboarding": true, "single_select": true,
        "options": [option("Chat", json!([member])), { "title": "Look", "channel_ids": [defaults[0]] }] }]);
    let body = json!({ "prompts": prompts, "default_channel_ids": defaults[..6], "enabled": true });
    assert_eq!(bot.call(Method::PUT, &path, &body).await.1["code"], 350_000, "six channels are too few");
    // In the other mode, channels of options count too, but not twice.
    let mut body =
        json!({ "prompts": prompts, "default_channel_ids": defaults[1..], "enabled": true, "mode": 1 });
    let set = bot.expect(200, Method::PUT, &path, &body).await;
    assert_eq!(set, bot.get(&path).await);
    let prompt = &set["prompts"][0];
    assert_ne!(prompt["id"], "1", "a new prompt gets an id");
    assert_eq!(prompt["options"][0]["emoji"], json!({ "id": null, "name": "\u{1f600}", "animated": false }));
    assert_eq!(bot.event("GUILD_ROLE_UPDATE").await["role"]["flags"], 1, "IN_PROMPT");
    let entries =
        [bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await, bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await];
    assert_eq!(entries.each_ref().map(|entry| entry["action_type"].clone()), [json!(163), json!(166)]);
    assert_eq!(entries[0]["target_id"], prompt["id"]);
    assert_eq!(entries[0]["changes"][0], json!({ "key": "title", "new_value": "Why?" }));

    let few = json!({ "default_channel_ids": [] });
    assert_eq!(bot.call(Method::PUT, &path, &few).await.1["code"], 350_001);
    // What is sent back keeps its ids.
    body["prompts"][0]["id"] = prompt["id"].clone();
    body["prompts"][0]["options"][0]["id"] = prompt["options"][0]["id"].clone();
    body["prompts"][0]["title"] = json!("What?");
    let again = bot.expect(200, Method::PUT, &path, &body).await;
    assert_eq!(again["prompts"][0]["options"][0]["id"], prompt["options"][0]["id"]);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(entry["changes"][0], json!({ "key": "title", "old_value": "Why?", "new_value": "What?" }));

    let answer = async |answers: Value| bot.user.answer_onboarding("Sandbox", "carol", &answers).await;
    for (wrong, said) in [
        (json!({}), "needs an answer"),
        (json!({ "What?": ["Chat", "Look"] }), "one answer only"),
        (json!({ "What?": ["Sing"] }), "no option"),
        (json!({ "Who?": ["Chat"] }), "no prompt"),
    ] {
        let error = answer(wrong).await.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(answer(Value::Null).await.unwrap()["member"]["flags"], 8, "only begun");
    let chosen = answer(json!({ "what?": ["chat"] })).await.unwrap();
    assert_eq!((&chosen["member"]["flags"], &chosen["member"]["roles"]), (&json!(10), &json!([member])));
    assert_eq!(chosen["channels"].as_array().unwrap().len(), 6);
    bot.event("GUILD_MEMBER_UPDATE").await;
    assert_eq!(bot.event("GUILD_MEMBER_UPDATE").await["roles"], json!([member]));
    // Another choice takes the role of the first.
    let answers = json!({ "What?": ["Look"] });
    let chosen = bot.user.answer_onboarding("Sandbox", "carol", &answers).await.unwrap();
    assert_eq!((&chosen["member"]["roles"], chosen["channels"].as_array().unwrap().len()), (&json!([]), 7));

    bot.expect(200, Method::PUT, &path, &json!({ "prompts": [], "default_channel_ids": defaults })).await;
    assert_eq!(bot.event("GUILD_ROLE_UPDATE").await["role"]["flags"], 0);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let deleted =
        if entry["action_type"] == 165 { entry } else { bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await };
    assert_eq!((&deleted["action_type"], &deleted["target_id"]), (&json!(165), &prompt["id"]));
}

#[tokio::test]
async fn onboarding_names_only_what_the_guild_has() {
    let bot = in_a_community().await;
    let path = format!("{}/onboarding", bot.guild());
    let with = |option: Value| json!({ "prompts": [{ "id": "1", "title": "t", "options": [option] }] });
    let own = role(&bot, "Sandbot").await;
    for (option, code) in [
        (json!({ "title": "a", "role_ids": ["1"] }), 10011),
        (json!({ "title": "a", "role_ids": [own] }), 50028),
        (json!({ "title": "a", "channel_ids": ["1"] }), 10003),
        (json!({ "title": "a", "emoji_id": "1" }), 10014),
        (json!({ "title": "" }), 50035),
    ] {
        assert_eq!(bot.call(Method::PUT, &path, &with(option)).await.1["code"], code);
    }
    bot.weaken(&["MANAGE_GUILD"]).await;
    assert_eq!(bot.call(Method::PUT, &path, &json!({})).await.1["code"], 50013);
}

#[tokio::test]
async fn what_is_deleted_is_named_nowhere() {
    let bot = in_a_community().await;
    let role = bot.post(&format!("{}/roles", bot.guild()), json!({ "name": "r" })).await;
    let channel = json!({ "name": "c" });
    let channel = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &channel).await;
    let option = json!({ "title": "a", "role_ids": [role["id"]], "channel_ids": [channel["id"]] });
    let body = json!({ "default_channel_ids": [channel["id"]],
        "prompts": [{ "id": "1", "title": "t", "options": [option] }] });
    bot.expect(200, Method::PUT, &format!("{}/onboarding", bot.guild()), &body).await;
    let shown = json!({ "welcome_channels": [{ "channel_id": channel["id"], "description": "d" }] });
    bot.expect(200, Method::PATCH, &format!("{}/welcome-screen", bot.guild()), &shown).await;
    let guide =
        json!({ "enabled": true, "new_member_actions": [{ "channel_id": channel["id"], "title": "t" }] });
    bot.user.set_guide("Sandbox", &guide).await.unwrap();
    bot.expect(200, Method::DELETE, &format!("/channels/{}", text(&channel["id"])), &Value::Null).await;
    bot.expect(204, Method::DELETE, &format!("{}/roles/{}", bot.guild(), text(&role["id"])), &Value::Null)
        .await;
    let onboarding = bot.get(&format!("{}/onboarding", bot.guild())).await;
    assert_eq!(onboarding["default_channel_ids"], json!([]));
    let option = &onboarding["prompts"][0]["options"][0];
    assert_eq!((&option["role_ids"], &option["channel_ids"]), (&json!([]), &json!([])));
    assert_eq!(bot.get(&format!("{}/welcome-screen", bot.guild())).await["welcome_channels"], json!([]));
    assert_eq!(
        bot.get(&format!("{}/new-member-welcome", bot.guild())).await["new_member_actions"],
        json!([])
    );
}

#[tokio::test]
async fn the_server_guide_is_followed() {
    let mut bot = Bot::start().await;
    let path = format!("{}/new-member-welcome", bot.guild());
    assert_eq!(bot.expect(204, Method::GET, &path, &Value::Null).await, Value::Null);
    let channel = |name: &str| json!(bot.sandbox.channel_id(name).unwrap());
    let action = |name: &str| json!({ "channel_id": channel(name), "action_type": 1, "title": "say hello" });
    let guide = json!({
        "enabled": true,
        "welcome_message": { "author_ids": [bot.sandbox.user_id("alice")], "message": "welcome" },
        "new_member_actions": [action("general"), action("bot-test")],
        "resource_channels": [{ "channel_id": channel("general"), "title": "rules" }],
    });
    bot.user.set_guide("Sandbox", &guide).await.unwrap();
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 190);
    let shown = bot.get(&path).await;
    assert_eq!(shown["new_member_actions"][0]["title"], "say hello");
    assert_eq!(shown["resource_channels"][0].get("action_type"), None);
    for (name, flags) in [("general", 32), ("bot-test", 96)] {
        let member = bot.user.complete_action("Sandbox", "carol", name).await.unwrap();
        assert_eq!(member["flags"], flags);
        assert_eq!(bot.event("GUILD_MEMBER_UPDATE").await["flags"], flags);
    }
    assert!(bot.user.complete_action("Sandbox", "carol", "mod-log").await.is_err());
}

#[tokio::test]
async fn requests_to_join_are_listed_and_reviewed() {
    let mut bot = Bot::start().await;
    let form = json!([
        { "field_type": "TERMS", "label": "Rules", "required": true, "values": ["be kind"] },
        { "field_type": "MULTIPLE_CHOICE", "label": "Drink", "choices": ["tea", "coffee"] },
        { "field_type": "PARAGRAPH", "label": "Why" },
    ]);
    bot.user.set_join_form("Sandbox", &form).await.unwrap();
    for user in ["dave", "erin", "frank"] {
        bot.user.create_user(user).await.unwrap();
    }
    let ask = async |user: &str, asked: Value| bot.user.request_join("Sandbox", user, &asked).await;
    for wrong in [
        json!({}),
        json!({ "Rules": false }),
        json!({ "Rules": true, "Drink": 2 }),
        json!({ "Rules": true, "X": 1 }),
    ] {
        assert!(ask("dave", json!({ "responses": wrong })).await.is_err());
    }
    let dave = ask("dave", json!({ "responses": { "Rules": true, "Drink": 1 } })).await.unwrap();
    let erin = ask("erin", json!({ "start": true })).await.unwrap();
    assert_eq!(erin["application_status"], "STARTED");
    let frank = ask("frank", json!({ "responses": { "Rules": true, "Why": "why not" } })).await.unwrap();
    assert!(ask("bob", json!({ "responses": { "Rules": true } })).await.is_err(), "a member");

    let path = format!("{}/requests", bot.guild());
    let ids = async |query: &str| {
        let answer = bot.get(&format!("{path}{query}")).await;
        let list = answer["guild_join_requests"].as_array().unwrap();
        (answer["total"].clone(), list.iter().map(|request| request["id"].clone()).collect::<Vec<_>>())
    };
    let id = |request: &Value| request["id"].clone();
    assert_eq!(ids("").await, (json!(3), vec![id(&frank), id(&erin), id(&dave)]));
    assert_eq!(ids("?status=SUBMITTED&limit=1").await, (json!(2), vec![id(&frank)]));
    assert_eq!(ids(&format!("?after={}&limit=1", text(&dave["id"]))).await.1, [id(&erin)]);
    assert_eq!(ids(&format!("?before={}", text(&erin["id"]))).await.1, [id(&dave)]);
    assert_eq!(bot.call(Method::GET, &format!("{path}?status=X"), &Value::Null).await.1["code"], 50035);

    let one = |request: &Value| format!("{path}/{}", text(&request["id"]));
    let rejected = json!({ "action": "REJECTED", "rejection_reason": "no" });
    let rejected = bot.expect(200, Method::PATCH, &one(&frank), &rejected).await;
    assert_eq!(
        (&rejected["application_status"], &rejected["rejection_reason"]),
        (&json!("REJECTED"), &json!("no"))
    );
    let approved = bot.expect(200, Method::PATCH, &one(&dave), &json!({ "action": "APPROVED" })).await;
    assert_eq!(approved["actioned_by_user"]["username"], "Sandbot");
    assert!(approved["reviewed_at"].is_string() && approved["form_responses"][1]["response"] == 1);
    assert_eq!(bot.call(Method::PATCH, &format!("{path}/1"), &json!({ "action": "APPROVED" })).await.0, 404);
    assert_eq!(bot.call(Method::PATCH, &one(&dave), &json!({ "action": "STARTED" })).await.1["code"], 50035);
    assert_eq!(bot.event("GUILD_MEMBER_ADD").await["user"]["username"], "dave");
    bot.user.withdraw_request("Sandbox", "erin").await.unwrap();
    assert!(bot.user.withdraw_request("Sandbox", "erin").await.is_err());
    bot.weaken(&["MANAGE_GUILD"]).await;
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 50013);
}

#[tokio::test]
async fn the_command_line_answers_forms() {
    let bot = in_a_community().await;
    let run = async |arguments: &[&str]| {
        let output = crate::api::cli::command_for(&bot).args(arguments).output().await.unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (fine, said) = run(&["onboard", "carol", "A=b"]).await;
    assert!(!fine && said.contains("Onboarding is off"), "{said}");
    let form = json!([{ "field_type": "TERMS", "label": "Rules", "required": true, "values": ["be kind"] }]);
    bot.user.set_join_form("Sandbox", &form).await.unwrap();
    bot.user.create_user("dave").await.unwrap();
    let (fine, said) = run(&["apply", "dave"]).await;
    assert!(!fine && said.contains("Rules"), "{said}");
    let (fine, id) = run(&["apply", "dave", "Rules=true"]).await;
    assert!(fine, "{id}");
    let path = format!("{}/requests/{}", bot.guild(), id.trim());
    bot.expect(200, Method::PATCH, &path, &json!({ "action": "APPROVED" })).await;
    assert!(run(&["screening", "dave"]).await.0);
}
