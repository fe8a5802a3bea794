//! Auto moderation: rules, and how they are carried out.

use reqwest::Method;
use sandbox::Client;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

fn rules(bot: &Bot) -> String {
    format!("{}/auto-moderation/rules", bot.guild())
}

fn keywords(words: &[&str], actions: &Value) -> Value {
    json!({ "name": "Words", "event_type": 1, "trigger_type": 1, "enabled": true, "actions": actions,
        "trigger_metadata": { "keyword_filter": words, "regex_patterns": ["^\\d{4}$"], "allow_list": ["location"] } })
}

async fn send(user: &Client, name: &str, content: &str) -> Result<Value, String> {
    user.send(name, "general", content).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_rule_is_created_changed_and_deleted() {
    let mut bot = Bot::start().await;
    let made = bot.post(&rules(&bot), keywords(&["*cat*"], &json!([{ "type": 1 }]))).await;
    assert_eq!(made["creator_id"], bot.sandbox.bot_id().to_string());
    assert_eq!(made["actions"], json!([{ "type": 1, "metadata": {} }]));
    assert_eq!(made["exempt_roles"], json!([]));
    assert_eq!(bot.event("AUTO_MODERATION_RULE_CREATE").await, made);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(140), &made["id"]));
    assert!(entry["changes"].as_array().unwrap().contains(&json!({ "key": "name", "new_value": "Words" })));
    let has_feature =
        |guild: &Value| guild["features"].as_array().unwrap().contains(&json!("AUTO_MODERATION"));
    assert!(has_feature(&bot.event("GUILD_UPDATE").await));
    let one = format!("{}/{}", rules(&bot), text(&made["id"]));
    assert_eq!(bot.get(&one).await, made);
    assert_eq!(bot.get(&rules(&bot)).await, json!([made]));
    let changed = bot.expect(200, Method::PATCH, &one, &json!({ "name": "Cats", "enabled": false })).await;
    assert_eq!((&changed["name"], &changed["trigger_metadata"]), (&json!("Cats"), &made["trigger_metadata"]));
    assert_eq!(bot.event("AUTO_MODERATION_RULE_UPDATE").await, changed);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let changes = entry["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(changes.contains(&json!({ "key": "name", "old_value": "Words", "new_value": "Cats" })));
    assert!(changes.contains(&json!({ "key": "enabled", "old_value": true, "new_value": false })));
    bot.expect(200, Method::PATCH, &one, &json!({ "name": "Cats" })).await;
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    let before = bot.names_until("AUTO_MODERATION_RULE_DELETE").await;
    assert_eq!(before, Vec::<String>::new(), "what does not change is not reported");
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 142);
    assert_eq!(bot.call(Method::GET, &one, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_blocked_message_is_not_posted_and_all_actions_are_reported() {
    let mut bot = Bot::start().await;
    let log = bot.sandbox.channel_id("mod-log").unwrap();
    let actions = json!([
        { "type": 1, "metadata": { "custom_message": "No cats here" } },
        { "type": 2, "metadata": { "channel_id": log } },
        { "type": 3, "metadata": { "duration_seconds": 60 } },
    ]);
    let rule = bot.post(&rules(&bot), keywords(&["*cat*"], &actions)).await;
    bot.event("GUILD_UPDATE").await;
    let why = send(&bot.user, "carol", "my Cat").await.unwrap_err();
    assert_eq!(why, "Message was blocked by automatic moderation: No cats here");
    let carol = bot.sandbox.user_id("carol").unwrap();
    let general = bot.sandbox.channel_id("general").unwrap();
    let executed = |action: &Value| {
        json!({ "guild_id": bot.sandbox.guild_id(), "action": action, "rule_id": rule["id"],
            "rule_trigger_type": 1, "user_id": carol, "channel_id": general, "content": "my Cat",
            "matched_keyword": "*cat*", "matched_content": "Cat" })
    };
    let [block, mut alert, timeout] = [0, 1, 2].map(|index| executed(&rule["actions"][index]));
    let logged = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let options = json!({ "auto_moderation_rule_name": "Words", "auto_moderation_rule_trigger_type": "1",
        "channel_id": general });
    assert_eq!((&logged["action_type"], &logged["options"]), (&json!(143), &options));
    assert_eq!(bot.event("AUTO_MODERATION_ACTION_EXECUTION").await, block);
    let message = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&message["type"], &message["channel_id"]), (&json!(24), &json!(log)));
    assert_eq!((&message["author"]["username"], &message["content"]), (&json!("carol"), &json!("")));
    let embed = &message["embeds"][0];
    assert_eq!(
        (&embed["type"], &embed["description"]),
        (&json!("auto_moderation_message"), &json!("my Cat"))
    );
    let value = |name: &str| {
        let fields = embed["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).map(|field| text(&field["value"]).to_owned())
    };
    assert_eq!(value("rule_name").as_deref(), Some("Words"));
    assert_eq!(value("channel_id"), Some(general.to_string()));
    assert_eq!(value("keyword").as_deref(), Some("*cat*"));
    assert_eq!(value("keyword_matched_content").as_deref(), Some("Cat"));
    assert_eq!(value("timeout_duration").as_deref(), Some("60"));
    assert_eq!(value("decision_outcome").as_deref(), Some("blocked"));
    assert_eq!(value("flagged_message_id"), None);
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 144);
    alert["alert_system_message_id"] = message["id"].clone();
    assert_eq!(bot.event("AUTO_MODERATION_ACTION_EXECUTION").await, alert);
    let member = bot.event("GUILD_MEMBER_UPDATE").await;
    assert!(member["communication_disabled_until"].is_string());
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 145);
    assert_eq!(bot.event("AUTO_MODERATION_ACTION_EXECUTION").await, timeout);
    assert_eq!(bot.pending(), Vec::<String>::new(), "the message itself was not posted");
    assert!(send(&bot.user, "carol", "harmless").await.unwrap_err().contains("Missing Permissions"));
}

#[tokio::test]
async fn a_message_that_is_only_reported_is_posted_first() {
    let mut bot = Bot::start().await;
    let log = bot.sandbox.channel_id("mod-log").unwrap();
    let actions = json!([{ "type": 2, "metadata": { "channel_id": log } }]);
    bot.post(&rules(&bot), keywords(&["*cat*"], &actions)).await;
    let sent = send(&bot.user, "carol", "a cat").await.unwrap();
    let posted = bot.event("MESSAGE_CREATE").await;
    let alert = bot.event("MESSAGE_CREATE").await;
    let event = bot.event("AUTO_MODERATION_ACTION_EXECUTION").await;
    assert_eq!((&posted["id"], &alert["type"]), (&sent["id"], &json!(24)));
    assert_eq!((&event["message_id"], &event["alert_system_message_id"]), (&sent["id"], &alert["id"]));
}

#[tokio::test]
async fn what_a_rule_matches_and_whom_it_spares() {
    let bot = Bot::start().await;
    let mut rule = keywords(&["cat*", "*dog"], &json!([{ "type": 1 }]));
    rule["exempt_channels"] = json!([bot.sandbox.channel_id("bot-test")]);
    let made = bot.post(&rules(&bot), rule).await;
    for (content, blocked) in [
        ("catch", true),
        ("hotdog", true),
        ("1234", true),
        ("location", false),
        ("12345", false),
        ("doge", false),
    ] {
        assert_eq!(send(&bot.user, "carol", content).await.is_err(), blocked, "{content}");
    }
    send(&bot.user, "alice", "catch").await.expect("the owner is exempt");
    bot.user.send("carol", "bot-test", "catch").await.expect("the channel is exempt");
    bot.post(&format!("{}/messages", bot.channel("general")), json!({ "content": "catch" })).await;
    let sent = send(&bot.user, "carol", "harmless").await.unwrap();
    let edit = json!({ "as": "carol", "content": "catch" });
    let path = format!("/messages/{}", text(&sent["id"]));
    let edited = bot.control(Method::PATCH, &path).json(&edit).send().await.unwrap();
    assert_eq!(edited.status(), 400, "an edit is judged too");
    let one = format!("{}/{}", rules(&bot), text(&made["id"]));
    bot.expect(200, Method::PATCH, &one, &json!({ "enabled": false })).await;
    send(&bot.user, "carol", "catch").await.expect("the rule is off");
    let roles = bot.get(&format!("{}/roles", bot.guild())).await;
    let member = roles.as_array().unwrap().iter().find(|role| role["name"] == "Member").unwrap();
    let change = json!({ "enabled": true, "exempt_roles": [member["id"]] });
    bot.expect(200, Method::PATCH, &one, &change).await;
    send(&bot.user, "carol", "catch").await.expect_err("the rule is on again");
    let carol = bot.sandbox.user_id("carol").unwrap();
    let give = format!("{}/members/{carol}/roles/{}", bot.guild(), text(&member["id"]));
    bot.expect(204, Method::PUT, &give, &Value::Null).await;
    send(&bot.user, "carol", "catch").await.expect("the role is exempt");
}

#[tokio::test]
async fn spam_presets_and_mentions_are_recognised() {
    let bot = Bot::start().await;
    let rule = |kind: u8, metadata: Value| {
        json!({ "name": "r", "event_type": 1, "trigger_type": kind, "trigger_metadata": metadata,
            "actions": [{ "type": 1 }], "enabled": true })
    };
    bot.post(&rules(&bot), rule(3, json!({}))).await;
    bot.post(&rules(&bot), rule(4, json!({ "presets": [1, 3] }))).await;
    bot.post(&rules(&bot), rule(5, json!({ "mention_total_limit": 2 }))).await;
    for (content, blocked) in [
        ("free nitro: https://example.com", true),
        ("sandbox-slur", true),
        ("sandbox-sexual-content", false),
        ("<@1> <@2> <@3>", true),
        ("<@1> <@1> <@&2>", false),
    ] {
        assert_eq!(send(&bot.user, "carol", content).await.is_err(), blocked, "{content}");
    }
    for _ in 0..4 {
        send(&bot.user, "carol", "buy my thing").await.unwrap();
    }
    send(&bot.user, "carol", "buy my thing").await.expect_err("the fifth time is spam");
    send(&bot.user, "bob", "buy my thing").await.expect("somebody else says it once");
}

#[tokio::test]
async fn a_member_with_a_blocked_name_is_quarantined_until_it_changes() {
    let mut bot = Bot::start().await;
    let rule = json!({ "name": "Names", "event_type": 2, "trigger_type": 6, "enabled": true,
        "trigger_metadata": { "keyword_filter": ["*evil*"] }, "actions": [{ "type": 4 }] });
    bot.post(&rules(&bot), rule).await;
    let nick = async |nick: Option<&str>| {
        let path = "/guilds/Sandbox/members/carol";
        let answer = bot.control(Method::PATCH, path).json(&json!({ "nick": nick })).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()
    };
    assert_eq!(nick(Some("Evil Carol")).await["flags"], 1 << 7);
    assert!(send(&bot.user, "carol", "hello").await.is_err());
    assert_eq!(nick(None).await["flags"], 0);
    send(&bot.user, "carol", "hello").await.unwrap();
    let event = bot.event("AUTO_MODERATION_ACTION_EXECUTION").await;
    assert_eq!((&event["action"]["type"], &event["content"]), (&json!(4), &json!("Evil Carol")));
    assert!(event.get("channel_id").is_none() && event.get("message_id").is_none());
    bot.user.create_user("evilmind").await.unwrap();
    let joined = bot.user.join("Sandbox", "evilmind").await.unwrap();
    assert_eq!(joined["flags"], 1 << 7);
}

#[tokio::test]
async fn limits_and_permissions_hold() {
    let bot = Bot::start().await;
    let block = json!([{ "type": 1 }]);
    for _ in 0..6 {
        bot.post(&rules(&bot), keywords(&["x"], &block)).await;
    }
    let (status, body) = bot.call(Method::POST, &rules(&bot), &keywords(&["x"], &block)).await;
    assert_eq!((status, &body["code"]), (400, &json!(50035)));
    assert_eq!(body["errors"]["_errors"][0]["code"], "AUTO_MODERATION_MAX_RULES_OF_TYPE_EXCEEDED");
    let spam = json!({ "name": "s", "event_type": 1, "trigger_type": 3,
        "actions": [{ "type": 2, "metadata": { "channel_id": "1" } }] });
    let (status, body) = bot.call(Method::POST, &rules(&bot), &spam).await;
    assert_eq!(status, 400);
    assert!(body["errors"]["actions"]["0"]["metadata"]["channel_id"].is_object(), "{body}");
    let bot_role = "Sandbot";
    bot.user.edit_role("Sandbox", bot_role, &json!({ "deny": ["ADMINISTRATOR"] })).await.unwrap();
    assert_eq!(bot.call(Method::GET, &rules(&bot), &Value::Null).await.1["code"], 50013);
    bot.user.edit_role("Sandbox", bot_role, &json!({ "allow": ["MANAGE_GUILD"] })).await.unwrap();
    let first = bot.get(&rules(&bot)).await[0]["id"].clone();
    let timeout = json!({ "actions": [{ "type": 3, "metadata": { "duration_seconds": 5 } }] });
    let one = format!("{}/{}", rules(&bot), text(&first));
    assert_eq!(bot.call(Method::PATCH, &one, &timeout).await.1["code"], 50013);
    bot.user.edit_role("Sandbox", bot_role, &json!({ "allow": ["MODERATE_MEMBERS"] })).await.unwrap();
    bot.expect(200, Method::PATCH, &one, &timeout).await;
}

#[tokio::test]
async fn its_events_are_for_bots_that_manage_the_guild() {
    let mut bot = Bot::start().await;
    bot.user.edit_role("Sandbox", "Sandbot", &json!({ "deny": ["ADMINISTRATOR"] })).await.unwrap();
    bot.event("GUILD_ROLE_UPDATE").await;
    let rule = keywords(&["x"], &json!([{ "type": 1 }]));
    bot.user.create_auto_moderation_rule("Sandbox", &rule).await.unwrap();
    send(&bot.user, "carol", "x").await.unwrap_err();
    send(&bot.user, "carol", "y").await.unwrap();
    let before = bot.names_until("MESSAGE_CREATE").await;
    assert!(before.iter().all(|name| !name.starts_with("AUTO_MODERATION")), "{before:?}");
}

#[tokio::test]
async fn a_bot_does_not_lift_a_quarantine_with_other_flags() {
    let bot = Bot::start().await;
    let rule = json!({ "name": "Names", "event_type": 2, "trigger_type": 6, "enabled": true,
        "trigger_metadata": { "keyword_filter": ["*evil*"] }, "actions": [{ "type": 4 }] });
    bot.post(&rules(&bot), rule).await;
    let carol = format!("{}/members/{}", bot.guild(), bot.sandbox.user_id("carol").unwrap());
    let named = bot.expect(200, Method::PATCH, &carol, &json!({ "nick": "evil" })).await;
    assert_eq!(named["flags"], 1 << 7);
    let flagged = bot.expect(200, Method::PATCH, &carol, &json!({ "flags": 1 << 2 })).await;
    assert_eq!(flagged["flags"], 1 << 7 | 1 << 2);
    for none in [json!({ "flags": null }), json!({ "flags": 0 })] {
        let cleared = bot.expect(200, Method::PATCH, &carol, &none).await;
        assert_eq!(cleared["flags"], 1 << 7, "{none}");
    }
}

#[tokio::test]
async fn the_owner_sets_rules_too() {
    let mut bot = Bot::start().await;
    let rule = keywords(&["x"], &json!([{ "type": 1 }]));
    let made = bot.user.create_auto_moderation_rule("Sandbox", &rule).await.unwrap();
    assert_eq!(made["creator_id"], bot.sandbox.user_id("alice").unwrap().to_string());
    assert_eq!(bot.event("AUTO_MODERATION_RULE_CREATE").await, made);
    let changed =
        bot.user.edit_auto_moderation_rule("Sandbox", "words", &json!({ "name": "W" })).await.unwrap();
    assert_eq!((&changed["name"], id(&changed["id"])), (&json!("W"), id(&made["id"])));
    bot.user.delete_auto_moderation_rule("Sandbox", "W").await.unwrap();
    assert!(bot.user.auto_moderation_rules("Sandbox").await.unwrap().is_empty());
}
