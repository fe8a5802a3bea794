//! A world in which everything was done, and all that a bot can read of it.

use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use sandbox::state::clock;
use serde_json::{Value, json};

use crate::api::bot::{ALL_INTENTS, Bot, Events, PNG, text};
use crate::api::expressions::{DOT, dot};

/// Calls REST and returns the body of an answer that is no error.
async fn did(bot: &Bot, method: Method, path: &str, body: Value) -> Value {
    let (status, answer) = bot.call(method.clone(), path, &body).await;
    assert!(status < 400, "{method} {path}: {status} {answer}");
    answer
}

fn picture() -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(DOT).unwrap()
}

/// Does everything that leaves something in a world.
pub(crate) async fn fill(bot: &mut Bot) {
    let guild = bot.guild();
    let name = bot.sandbox.guild_id().to_string();
    let features =
        json!({ "boosts": 14, "add_features": ["COMMUNITY", "ROLE_ICONS"], "vanity_url_code": "sand" });
    bot.user.edit_guild(&name, &features).await.unwrap();
    members_and_roles(bot, &guild).await;
    channels(bot, &guild).await;
    messages(bot).await;
    expressions(bot, &guild).await;
    settings(bot, &guild).await;
    applications(bot, &guild).await;
    interaction(bot).await;
    bot.user.advance_clock(Duration::from_mins(7)).await.unwrap();
}

async fn members_and_roles(bot: &Bot, guild: &str) {
    let bob = bot.sandbox.user_id("bob").unwrap();
    let carol = bot.sandbox.user_id("carol").unwrap();
    let role = json!({ "name": "painters", "color": 0x00ff_8800, "hoist": true, "unicode_emoji": "\u{1f3a8}",
        "permissions": "2048", "mentionable": true });
    let role = did(bot, Method::POST, &format!("{guild}/roles"), role).await;
    did(bot, Method::PUT, &format!("{guild}/members/{bob}/roles/{}", text(&role["id"])), Value::Null).await;
    let until = clock::iso(time::OffsetDateTime::now_utc() + Duration::from_hours(3));
    let edit = json!({ "nick": "Bobby", "communication_disabled_until": until });
    did(bot, Method::PATCH, &format!("{guild}/members/{bob}"), edit).await;
    for user in ["dave", "erin"] {
        bot.user.create_user(user).await.unwrap();
        bot.user.join(&bot.sandbox.guild_id().to_string(), user).await.unwrap();
    }
    let erin = bot.sandbox.user_id("erin").unwrap();
    did(bot, Method::PUT, &format!("{guild}/bans/{erin}"), json!({})).await;
    bot.user.create_bot("Second").await.unwrap();
    let presence = json!({ "status": "idle", "activities": [{ "name": "chess", "type": 0 }] });
    let sent = bot.control(Method::PUT, &format!("/presences/{carol}")).json(&presence).send().await.unwrap();
    assert!(sent.status().is_success());
    let dm = did(bot, Method::POST, "/users/@me/channels", json!({ "recipient_id": carol })).await;
    let to = format!("/channels/{}/messages", text(&dm["id"]));
    did(bot, Method::POST, &to, json!({ "content": "psst" })).await;
}

async fn channels(bot: &Bot, guild: &str) {
    let everyone = json!({ "id": bot.sandbox.guild_id(), "type": 0, "allow": "0", "deny": "1024" });
    let category = json!({ "name": "Club", "type": 4, "permission_overwrites": [everyone] });
    let category = did(bot, Method::POST, &format!("{guild}/channels"), category).await;
    for kind in [0, 2, 5, 13, 15] {
        let channel = json!({ "name": format!("kind-{kind}"), "type": kind, "parent_id": category["id"] });
        did(bot, Method::POST, &format!("{guild}/channels"), channel).await;
    }
    let forum = bot.sandbox.channel_id("kind-15").unwrap();
    let tags = json!({ "available_tags": [{ "name": "help", "emoji_name": "\u{1f44b}", "moderated": true }],
        "default_reaction_emoji": { "emoji_name": "\u{1f44d}" }, "topic": "Ask here", "default_sort_order": 1 });
    let forum_now = did(bot, Method::PATCH, &format!("/channels/{forum}"), tags).await;
    let post = json!({ "name": "How?", "message": { "content": "So?" },
        "applied_tags": [forum_now["available_tags"][0]["id"]] });
    did(bot, Method::POST, &format!("/channels/{forum}/threads"), post).await;
    let general = bot.channel("general");
    for (name, kind) in [("open", 11), ("closed", 12)] {
        let thread = json!({ "name": name, "type": kind, "auto_archive_duration": 60 });
        let thread = did(bot, Method::POST, &format!("{general}/threads"), thread).await;
        let path = format!("/channels/{}", text(&thread["id"]));
        let alice = bot.sandbox.user_id("alice").unwrap();
        did(bot, Method::PUT, &format!("{path}/thread-members/{alice}"), Value::Null).await;
        did(bot, Method::POST, &format!("{path}/messages"), json!({ "content": name })).await;
    }
    bot.user
        .edit_channel(&bot.sandbox.guild_id().to_string(), "general", &json!({ "topic": "Talk" }))
        .await
        .unwrap();
}

async fn messages(bot: &Bot) {
    let general = bot.channel("general");
    let sent = format!("{general}/messages");
    let embed = json!({ "content": "see <@1> @everyone", "embeds": [{ "title": "t", "fields": [{ "name": "n", "value": "v" }] }],
        "components": [{ "type": 1, "components": [{ "type": 2, "style": 1, "label": "Go", "custom_id": "go" }] }],
        "nonce": "n" });
    let first = did(bot, Method::POST, &sent, embed).await;
    let id = text(&first["id"]).to_owned();
    let file = Form::new()
        .text(
            "payload_json",
            json!({ "content": "file", "embeds": [{ "image": { "url": "attachment://a.png" } }] })
                .to_string(),
        )
        .part("files[0]", Part::bytes(picture()).file_name("a.png"))
        .part("files[1]", Part::bytes(b"hello".to_vec()).file_name("b.txt"));
    let (status, answer) = bot.upload(Method::POST, &sent, file).await;
    assert_eq!(status, 200, "{answer}");
    did(bot, Method::PUT, &format!("{general}/messages/{id}/reactions/\u{1f44d}/@me"), Value::Null).await;
    did(bot, Method::PUT, &format!("{general}/messages/pins/{id}"), Value::Null).await;
    did(bot, Method::PATCH, &format!("{sent}/{id}"), json!({ "content": "edited" })).await;
    let reply = json!({ "content": "re", "message_reference": { "message_id": id } });
    did(bot, Method::POST, &sent, reply).await;
    let forward =
        json!({ "message_reference": { "type": 1, "message_id": id, "channel_id": first["channel_id"] } });
    // Its description has no forwards.
    assert!(bot.unjudged(Method::POST, &sent, &forward).await["message_snapshots"].is_array());
    let poll = json!({ "poll": { "question": { "text": "Drink?" }, "duration": 5,
        "answers": [{ "poll_media": { "text": "tea" } }, { "poll_media": { "text": "milk" } }] } });
    let poll = did(bot, Method::POST, &sent, poll).await;
    let votes = format!("/messages/{}/votes", text(&poll["id"]));
    let vote = json!({ "as": "alice", "answers": ["tea"] });
    assert!(bot.control(Method::PUT, &votes).json(&vote).send().await.unwrap().status().is_success());
    let webhook = did(bot, Method::POST, &format!("{general}/webhooks"), json!({ "name": "Hook" })).await;
    let execute = format!("/webhooks/{}/{}?wait=true", text(&webhook["id"]), text(&webhook["token"]));
    did(bot, Method::POST, &execute, json!({ "content": "hooked", "username": "Captain" })).await;
    let invite = json!({ "max_age": 0, "max_uses": 3, "unique": true });
    did(bot, Method::POST, &format!("{general}/invites"), invite).await;
    let news = bot.channel("kind-5");
    let follow = json!({ "webhook_channel_id": bot.sandbox.channel_id("general") });
    did(bot, Method::POST, &format!("{news}/followers"), follow).await;
    let published = did(bot, Method::POST, &format!("{news}/messages"), json!({ "content": "extra" })).await;
    let crosspost = format!("{news}/messages/{}/crosspost", text(&published["id"]));
    did(bot, Method::POST, &crosspost, Value::Null).await;
}

async fn expressions(bot: &Bot, guild: &str) {
    did(bot, Method::POST, &format!("{guild}/emojis"), json!({ "name": "dot", "image": PNG })).await;
    let own = format!("/applications/{}/emojis", bot.sandbox.bot_id());
    did(bot, Method::POST, &own, json!({ "name": "own", "image": dot() })).await;
    let sticker = Form::new()
        .text("name", "stick")
        .text("tags", "wave")
        .text("description", "")
        .part("file", Part::bytes(picture()).file_name("s.png"));
    let (status, sticker) = bot.upload(Method::POST, &format!("{guild}/stickers"), sticker).await;
    assert_eq!(status, 201, "{sticker}");
    let stuck = json!({ "sticker_ids": [sticker["id"]] });
    did(bot, Method::POST, &format!("{}/messages", bot.channel("general")), stuck).await;
}

async fn settings(bot: &Bot, guild: &str) {
    let rule = json!({ "name": "No cats", "event_type": 1, "trigger_type": 1, "enabled": true,
        "trigger_metadata": { "keyword_filter": ["cat*"], "regex_patterns": ["c[aä]t"], "allow_list": ["catalog"] },
        "actions": [{ "type": 1, "metadata": { "custom_message": "No" } }, { "type": 3, "metadata": { "duration_seconds": 60 } }] });
    did(bot, Method::POST, &format!("{guild}/auto-moderation/rules"), rule).await;
    let soon = clock::iso(time::OffsetDateTime::now_utc() + Duration::from_hours(2));
    let later = clock::iso(time::OffsetDateTime::now_utc() + Duration::from_hours(4));
    let event = json!({ "name": "Party", "privacy_level": 2, "entity_type": 3, "entity_metadata": { "location": "Roof" },
        "scheduled_start_time": soon, "scheduled_end_time": later });
    did(bot, Method::POST, &format!("{guild}/scheduled-events"), event).await;
    let stage = json!({ "channel_id": bot.sandbox.channel_id("kind-13"), "topic": "Hear" });
    did(bot, Method::POST, "/stage-instances", stage).await;
    let welcome = json!({ "enabled": true, "description": "Hi", "welcome_channels": [
        { "channel_id": bot.sandbox.channel_id("general"), "description": "Talk", "emoji_name": "\u{1f44b}" }] });
    did(bot, Method::PATCH, &format!("{guild}/welcome-screen"), welcome).await;
    did(bot, Method::POST, &format!("{guild}/templates"), json!({ "name": "Copy" })).await;
    did(bot, Method::PATCH, &format!("{guild}/widget"), json!({ "enabled": true })).await;
    let incident = json!({ "invites_disabled_until": soon, "dms_disabled_until": null });
    did(bot, Method::PUT, &format!("{guild}/incident-actions"), incident).await;
}

async fn applications(bot: &Bot, guild: &str) {
    let application = format!("/applications/{}", bot.sandbox.bot_id());
    let command = json!({ "name": "paint", "description": "Paints", "options": [
        { "type": 4, "name": "size", "description": "d", "min_value": 1, "choices": [{ "name": "one", "value": 1 }] }] });
    did(bot, Method::POST, &format!("{application}/commands"), command).await;
    let command = bot.register(json!({ "name": "ping", "description": "d" })).await;
    let permissions =
        format!("/guilds/{}/commands/{}/permissions", bot.sandbox.guild_id(), text(&command["id"]));
    let rule = json!([{ "id": bot.sandbox.guild_id(), "type": 1, "permission": true }]);
    assert!(bot.control(Method::PUT, &permissions).json(&rule).send().await.unwrap().status().is_success());
    did(bot, Method::PATCH, "/applications/@me", json!({ "description": "Helps", "tags": ["help"] })).await;
    for (kind, name) in [("durable", "Sword"), ("user_subscription", "Club")] {
        let sku = json!({ "name": name, "type": kind, "price": 499 });
        let sku = bot.user.create_sku(&bot.sandbox.bot_id().to_string(), &sku).await.unwrap();
        bot.user.buy(&json!({ "as": "bob", "sku": sku["id"] })).await.unwrap();
    }
    let metadata = json!([{ "type": 1, "key": "level", "name": "Level", "description": "d" }]);
    did(bot, Method::PUT, &format!("{application}/role-connections/metadata"), metadata).await;
    bot.user.install_app("bob", "Sandbot").await.unwrap();
    let lobby =
        json!({ "metadata": { "map": "north" }, "members": [{ "id": bot.sandbox.user_id("alice") }] });
    did(bot, Method::POST, "/lobbies", lobby).await;
    let integration = json!({ "type": "twitch", "name": "stream" });
    let path = format!("/guilds/{}/integrations", bot.sandbox.guild_id());
    assert!(bot.control(Method::POST, &path).json(&integration).send().await.unwrap().status().is_success());
    assert!(guild.ends_with(&bot.sandbox.guild_id().to_string()));
}

async fn interaction(bot: &mut Bot) {
    let user = bot.user.clone();
    for flags in [0, 64] {
        let body = json!({ "type": 4, "data": { "content": "pong", "flags": flags } });
        bot.answers(user.say("/ping"), body).await;
    }
}

/// Returns all that a bot reads of the world, REST by path and its GUILD_CREATEs.
pub(crate) async fn seen(bot: &Bot) -> Vec<(String, Value)> {
    let (guild, application) = (bot.guild(), format!("/applications/{}", bot.sandbox.bot_id()));
    let mut paths =
        vec!["/users/@me".to_owned(), "/users/@me/guilds".to_owned(), "/applications/@me".to_owned()];
    for part in ["commands", "emojis", "entitlements", "role-connections/metadata"] {
        paths.push(format!("{application}/{part}"));
    }
    paths.extend([
        bot.commands(),
        format!("{}/permissions", bot.commands()),
        format!("{guild}?with_counts=true"),
    ]);
    for part in [
        "channels",
        "members?limit=100",
        "roles",
        "bans",
        "emojis",
        "stickers",
        "invites",
        "webhooks",
        "integrations",
        "scheduled-events?with_user_count=true",
        "soundboard-sounds",
        "auto-moderation/rules",
        "audit-logs?limit=100",
        "threads/active",
        "preview",
        "widget",
        "widget.json",
        "templates",
        "welcome-screen",
        "onboarding",
        "vanity-url",
    ] {
        paths.push(format!("{guild}/{part}"));
    }
    let channels = bot.get(&format!("{guild}/channels")).await;
    for channel in channels.as_array().unwrap() {
        let path = format!("/channels/{}", text(&channel["id"]));
        if matches!(channel["type"].as_u64(), Some(0 | 5)) {
            paths.push(format!("{path}/messages?limit=100"));
            paths.push(format!("{path}/messages/pins"));
            paths.push(format!("{path}/webhooks"));
            paths.push(format!("{path}/threads/archived/public"));
        }
        paths.push(path);
    }
    let threads = bot.get(&format!("{guild}/threads/active")).await;
    for thread in threads["threads"].as_array().unwrap() {
        paths.push(format!("/channels/{}/messages", text(&thread["id"])));
        paths.push(format!("/channels/{}/thread-members", text(&thread["id"])));
    }
    // With a session the bot is online, before as after.
    let mut session = Events::connect(&bot.sandbox, ALL_INTENTS).await;
    let mut guild_create = session.event("GUILD_CREATE").await;
    // Who came online first is no part of the world.
    guild_create["presences"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(|presence| presence["user"]["id"].to_string());
    let mut all = vec![("GUILD_CREATE".to_owned(), guild_create)];
    for path in paths {
        let body = bot.unjudged(Method::GET, &path, &Value::Null).await;
        assert!(body["code"].is_null() || path.contains("vanity"), "{path}: {body}");
        all.push((path, body));
    }
    let overview = bot.user.overview().await.unwrap();
    all.push(("overview".to_owned(), overview["guilds"].clone()));
    all.push((
        "store".to_owned(),
        bot.control(Method::GET, "/store").send().await.unwrap().json().await.unwrap(),
    ));
    all
}

/// Checks that two readings are the same, each value to the byte.
pub(crate) fn same(before: &[(String, Value)], after: &[(String, Value)]) {
    assert_eq!(before.len(), after.len());
    for ((path, was), (now_path, is)) in before.iter().zip(after) {
        assert_eq!(path, now_path);
        assert_eq!(was.to_string(), is.to_string(), "{path}");
    }
}
