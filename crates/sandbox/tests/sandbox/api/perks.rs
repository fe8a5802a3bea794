//! What a guild may have by its features and boosts: pictures, role icons, gradients, announcements, bitrates, emojis.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, GIF, PNG, text};

#[tokio::test]
async fn a_guilds_pictures_need_their_features() {
    let mut bot = Bot::start().await;
    let edit = async |body: Value| bot.call(Method::PATCH, &bot.guild(), &body).await;
    let (_, guild) = edit(json!({ "icon": GIF })).await;
    let icon = text(&guild["icon"]).to_owned();
    assert!(!icon.starts_with("a_"), "it is not animated without the feature");
    for key in ["splash", "banner", "discovery_splash"] {
        assert_eq!(edit(json!({ key: PNG })).await.1["code"], 50101, "{key}");
        assert_eq!(edit(json!({ key: null })).await.0, 200, "{key}");
        assert_eq!(edit(json!({ key: "data:image/png;base64,AAAA" })).await.1["code"], 50035, "{key}");
    }
    let perks = json!({ "boosts": 14, "add_features": ["DISCOVERABLE"] });
    bot.user.edit_guild("Sandbox", &perks).await.unwrap();
    let all = json!({ "icon": GIF, "splash": PNG, "banner": GIF, "discovery_splash": PNG });
    let (status, guild) = edit(all).await;
    assert_eq!(status, 200, "{guild}");
    assert_eq!(guild["icon"], format!("a_{icon}"));
    assert!(text(&guild["banner"]).starts_with("a_") && guild["splash"] == guild["discovery_splash"]);
    for _ in 0..2 {
        bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    }
    let changes = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["changes"].clone();
    assert_eq!(changes[0], json!({ "key": "icon_hash", "old_value": icon, "new_value": guild["icon"] }));
    assert_eq!(bot.get("/users/@me/guilds").await[0]["banner"], guild["banner"]);
}

#[tokio::test]
async fn features_are_switched_by_those_who_may() {
    let bot = Bot::start().await;
    let edit =
        async |body: Value| bot.expect(200, Method::PATCH, &bot.guild(), &body).await["features"].clone();
    assert_eq!(edit(json!({ "features": ["COMMUNITY", "VERIFIED"] })).await, json!(["COMMUNITY", "NEWS"]));
    let closed = json!({ "features": ["COMMUNITY", "INVITES_DISABLED", "RAID_ALERTS_DISABLED"] });
    assert_eq!(edit(closed).await, json!(["COMMUNITY", "INVITES_DISABLED", "NEWS", "RAID_ALERTS_DISABLED"]));
    let invite = bot.post(&format!("{}/invites", bot.channel("general")), json!({})).await;
    bot.user.create_user("dave").await.unwrap();
    assert!(bot.user.accept_invite(text(&invite["code"]), "dave").await.is_err());

    // A Community guild keeps its channels.
    let general = json!(bot.sandbox.channel_id("general").unwrap());
    let body = json!({ "rules_channel_id": general, "public_updates_channel_id": general, "safety_alerts_channel_id": general,
        "premium_progress_bar_enabled": true });
    let guild = bot.expect(200, Method::PATCH, &bot.guild(), &body).await;
    assert_eq!(
        (&guild["safety_alerts_channel_id"], &guild["premium_progress_bar_enabled"]),
        (&general, &json!(true))
    );
    assert_eq!(bot.call(Method::DELETE, &bot.channel("general"), &Value::Null).await.1["code"], 50074);
    let voice = json!(bot.sandbox.channel_id("Lounge").unwrap());
    assert_eq!(
        bot.call(Method::PATCH, &bot.guild(), &json!({ "rules_channel_id": voice })).await.1["code"],
        50086
    );
    assert_eq!(
        bot.call(Method::PATCH, &bot.guild(), &json!({ "afk_channel_id": general })).await.1["code"],
        50035
    );
    bot.expect(200, Method::PATCH, &bot.guild(), &json!({ "afk_channel_id": voice })).await;

    bot.weaken(&["MANAGE_GUILD"]).await;
    let (_, error) = bot.call(Method::PATCH, &bot.guild(), &json!({ "features": [] })).await;
    assert_eq!(error["code"], 50013, "COMMUNITY needs ADMINISTRATOR");
    assert_eq!(edit(json!({ "features": ["COMMUNITY"] })).await, json!(["COMMUNITY", "NEWS"]));
}

#[tokio::test]
async fn a_role_has_an_icon_and_a_gradient_where_the_guild_may() {
    let mut bot = Bot::start().await;
    let path = format!("{}/roles", bot.guild());
    let gradient = json!({ "primary_color": 1, "secondary_color": 2 });
    let holographic =
        json!({ "primary_color": 11_127_295, "secondary_color": 16_759_788, "tertiary_color": 16_761_760 });
    for body in
        [json!({ "icon": PNG }), json!({ "unicode_emoji": "\u{1f600}" }), json!({ "colors": gradient })]
    {
        assert_eq!(bot.call(Method::POST, &path, &body).await.1["code"], 50101, "{body}");
    }
    let plain = json!({ "icon": null, "unicode_emoji": null, "colors": { "primary_color": 5, "secondary_color": null } });
    let role = bot.post(&path, plain).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(
        (&entry["action_type"], &entry["changes"][0]),
        (&json!(30), &json!({ "key": "name", "new_value": "new role" }))
    );
    let perks = json!({ "add_features": ["ROLE_ICONS", "ENHANCED_ROLE_COLORS"] });
    bot.user.edit_guild("Sandbox", &perks).await.unwrap();
    bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let one = format!("{path}/{}", text(&role["id"]));
    let body = json!({ "icon": PNG, "unicode_emoji": "\u{1f600}", "colors": holographic });
    let edited = bot.expect(200, Method::PATCH, &one, &body).await;
    assert_eq!((&edited["unicode_emoji"], &edited["colors"]), (&json!("\u{1f600}"), &holographic));
    assert_eq!(edited["icon"].as_str().map(str::len), Some(32));
    let keys: Vec<Value> = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["key"].clone())
        .collect();
    assert_eq!(keys, ["color", "colors", "icon_hash", "unicode_emoji"]);
    let wrong = json!({ "colors": { "primary_color": 1, "secondary_color": 2, "tertiary_color": 3 } });
    let error = bot.expect(400, Method::PATCH, &one, &wrong).await;
    assert!(error["errors"]["colors"]["tertiary_color"].is_object(), "{error}");
    assert_eq!(bot.expect(200, Method::PATCH, &one, &json!({ "icon": null })).await["icon"], Value::Null);
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(
        (&entry["action_type"], &entry["changes"][0]),
        (&json!(32), &json!({ "key": "name", "old_value": "new role" }))
    );
}

#[tokio::test]
async fn channels_have_what_features_and_boosts_allow() {
    let bot = Bot::start().await;
    let path = format!("{}/channels", bot.guild());
    let create = async |body: Value| bot.call(Method::POST, &path, &body).await;
    assert_eq!(create(json!({ "name": "news", "type": 5 })).await.0, 201);
    bot.user.edit_guild("Sandbox", &json!({ "remove_features": ["NEWS"] })).await.unwrap();
    for (method, path, body) in [
        (Method::POST, path.clone(), json!({ "name": "news", "type": 5 })),
        (Method::PATCH, bot.channel("general"), json!({ "type": 5 })),
    ] {
        let error = bot.expect(400, method, &path, &body).await;
        assert_eq!(error["errors"]["type"]["_errors"][0]["code"], "BASE_TYPE_CHOICES");
    }
    let voice = |bitrate: u32| json!({ "name": "v", "type": 2, "bitrate": bitrate });
    for (boosts, most) in [(0, 96_000), (2, 128_000), (7, 256_000), (14, 384_000)] {
        bot.user.edit_guild("Sandbox", &json!({ "boosts": boosts })).await.unwrap();
        assert_eq!(create(voice(most)).await.1["bitrate"], most, "{boosts} boosts");
        let (_, error) = create(voice(most + 1)).await;
        assert_eq!(error["errors"]["bitrate"]["_errors"][0]["code"], "NUMBER_TYPE_MAX", "{boosts} boosts");
    }
    let category = create(json!({ "name": "full", "type": 4 })).await.1["id"].clone();
    for _ in 0..50 {
        assert_eq!(create(json!({ "name": "c", "parent_id": category })).await.0, 201);
    }
    let (_, error) = create(json!({ "name": "c", "parent_id": category })).await;
    assert_eq!(error["errors"]["parent_id"]["_errors"][0]["code"], "CHANNEL_PARENT_MAX_CHANNELS");
    // A reordering moves one channel to another category at most.
    let move_two = json!([
        { "id": bot.sandbox.channel_id("general"), "parent_id": null },
        { "id": bot.sandbox.channel_id("bot-test"), "parent_id": null },
    ]);
    assert_eq!(bot.call(Method::PATCH, &path, &move_two).await.1["code"], 40009);
}

#[tokio::test]
async fn emojis_are_counted_and_belong_to_who_made_them() {
    let mut bot = Bot::start().await;
    let path = format!("{}/emojis", bot.guild());
    let create =
        async |image: &str| bot.call(Method::POST, &path, &json!({ "name": "a1", "image": image })).await;
    for _ in 0..50 {
        assert_eq!(create(PNG).await.0, 201);
    }
    assert_eq!(create(PNG).await.1["code"], 30008);
    let (status, animated) = create(GIF).await;
    assert_eq!((status, &animated["animated"]), (201, &json!(true)), "these are counted apart");
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 2 })).await.unwrap();
    assert_eq!(create(PNG).await.0, 201);
    let huge = format!("data:image/png;base64,iVBORw0KGgoA{}", "AAAA".repeat(90_000));
    assert_eq!(create(&huge).await.1["code"], 50138);
    let roles = json!({ "name": "a1", "image": PNG, "roles": ["1"] });
    assert_eq!(bot.call(Method::POST, &path, &roles).await.1["code"], 10011);

    let one = format!("{path}/{}", text(&animated["id"]));
    let entries = async |bot: &mut Bot, action: u64| loop {
        let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
        if entry["action_type"] == action {
            break entry["changes"].clone();
        }
    };
    assert_eq!(entries(&mut bot, 60).await, json!([{ "key": "name", "new_value": "a1" }]));
    bot.weaken(&["CREATE_GUILD_EXPRESSIONS"]).await;
    let everyone = json!([bot.sandbox.guild_id()]);
    bot.expect(200, Method::PATCH, &one, &json!({ "name": "b2", "roles": everyone })).await;
    let changes = json!([{ "key": "name", "old_value": "a1", "new_value": "b2" }, { "key": "roles", "new_value": everyone }]);
    assert_eq!(entries(&mut bot, 61).await, changes);
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(entries(&mut bot, 62).await[0], json!({ "key": "name", "old_value": "b2" }));
    assert_eq!(bot.get(&path).await[0]["user"]["username"], "Sandbot");
    bot.weaken(&["KICK_MEMBERS"]).await;
    assert_eq!(bot.get(&path).await[0].get("user"), None);
    let other = bot.get(&path).await[0]["id"].clone();
    assert_eq!(
        bot.call(Method::DELETE, &format!("{path}/{}", text(&other)), &Value::Null).await.1["code"],
        50013
    );
}

#[tokio::test]
async fn a_locked_thread_is_for_moderators() {
    let mut bot = Bot::start().await;
    let threads = format!("{}/threads", bot.channel("general"));
    let thread = bot.expect(201, Method::POST, &threads, &json!({ "name": "t", "type": 11 })).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(110), &thread["id"]));
    let log = bot.get(&format!("{}/audit-logs?action_type=110", bot.guild())).await;
    assert_eq!(log["threads"][0]["id"], thread["id"]);
    let id = text(&thread["id"]).to_owned();
    let one = format!("/channels/{id}");
    bot.user.send("carol", &id, "before").await.unwrap();
    let own = bot.post(&format!("{one}/messages"), json!({ "content": "mine" })).await;
    bot.expect(200, Method::PATCH, &one, &json!({ "locked": true })).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(entry["action_type"], 111);
    assert_eq!(entry["changes"], json!([{ "key": "locked", "old_value": false, "new_value": true }]));
    let error = bot.user.send("carol", &id, "after").await.unwrap_err().to_string();
    assert!(error.contains("Thread is locked"), "{error}");
    bot.post(&format!("{one}/messages"), json!({ "content": "a moderator" })).await;

    bot.weaken(&["VIEW_CHANNEL", "SEND_MESSAGES_IN_THREADS", "READ_MESSAGE_HISTORY"]).await;
    let message = format!("{one}/messages/{}", text(&own["id"]));
    for (method, path, body) in [
        (Method::POST, format!("{one}/messages"), json!({ "content": "x" })),
        (Method::PATCH, message.clone(), json!({ "content": "x" })),
        (Method::PATCH, one.clone(), json!({ "name": "x" })),
    ] {
        assert_eq!(bot.call(method, &path, &body).await.1["code"], 160_005, "{path}");
    }
    bot.expect(204, Method::DELETE, &message, &Value::Null).await;
}

#[tokio::test]
async fn a_member_of_a_thread_wakes_it_and_changes_nothing_else() {
    let bot = Bot::start().await;
    let threads = format!("{}/threads", bot.channel("general"));
    let thread = bot.expect(201, Method::POST, &threads, &json!({ "name": "t", "type": 11 })).await;
    let one = format!("/channels/{}", text(&thread["id"]));
    let other = bot.user.create_bot("Other").await.unwrap();
    bot.weaken(&["VIEW_CHANNEL", "SEND_MESSAGES_IN_THREADS"]).await;
    bot.expect(200, Method::PATCH, &one, &json!({ "archived": true })).await;
    bot.expect(200, Method::PATCH, &one, &json!({ "archived": false })).await;
    assert!(other["token"].is_string());
}

#[tokio::test]
async fn speech_and_polls_need_their_permissions() {
    let bot = Bot::start().await;
    let path = format!("{}/messages", bot.channel("general"));
    let poll = json!({ "question": { "text": "q" }, "answers": [{ "poll_media": { "text": "a" } }] });
    bot.weaken(&["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY"]).await;
    bot.post(&path, json!({ "content": "a", "tts": false })).await;
    for body in [json!({ "content": "a", "tts": true }), json!({ "poll": poll })] {
        assert_eq!(bot.call(Method::POST, &path, &body).await.1["code"], 50013, "{body}");
    }
    bot.weaken(&["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "SEND_TTS_MESSAGES", "SEND_POLLS"])
        .await;
    assert_eq!(bot.post(&path, json!({ "content": "a", "tts": true })).await["tts"], true);
    bot.post(&path, json!({ "poll": poll })).await;
}

#[tokio::test]
async fn overwrites_and_members_are_in_the_audit_log_with_their_changes() {
    let mut bot = Bot::start().await;
    let (channel, everyone) =
        (json!(bot.sandbox.channel_id("general").unwrap()), json!(bot.sandbox.guild_id()));
    let path = format!("{}/permissions/{}", bot.channel("general"), text(&everyone));
    let options = json!({ "id": everyone, "type": "0", "role_name": "@everyone" });
    for (method, body, action, change) in [
        (
            Method::PUT,
            json!({ "type": 0, "deny": "2048" }),
            13,
            json!({ "key": "deny", "new_value": "2048" }),
        ),
        (
            Method::PUT,
            json!({ "type": 0, "deny": "1024" }),
            14,
            json!({ "key": "deny", "old_value": "2048", "new_value": "1024" }),
        ),
        (Method::DELETE, Value::Null, 15, json!({ "key": "deny", "old_value": "1024" })),
    ] {
        bot.expect(204, method, &path, &body).await;
        let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
        assert_eq!(
            (&entry["action_type"], &entry["target_id"], &entry["options"]),
            (&json!(action), &channel, &options)
        );
        assert!(entry["changes"].as_array().unwrap().contains(&change), "{entry}");
    }
    let carol = format!("{}/members/{}", bot.guild(), bot.sandbox.user_id("carol").unwrap());
    bot.expect(200, Method::PATCH, &carol, &json!({ "nick": "C" })).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(
        (&entry["action_type"], &entry["changes"]),
        (&json!(24), &json!([{ "key": "nick", "new_value": "C" }]))
    );
    bot.expect(200, Method::PATCH, &bot.channel("general"), &json!({ "topic": "t" })).await;
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(
        (&entry["action_type"], &entry["changes"]),
        (&json!(11), &json!([{ "key": "topic", "new_value": "t" }]))
    );
}

#[tokio::test]
async fn every_field_of_a_guild_and_its_parts_is_read() {
    let bot = Bot::start().await;
    let perks = json!({ "boosts": 14, "add_features": ["DISCOVERABLE"] });
    bot.user.edit_guild("Sandbox", &perks).await.unwrap();
    let (general, lounge) =
        (json!(bot.sandbox.channel_id("general").unwrap()), json!(bot.sandbox.channel_id("Lounge").unwrap()));
    let guild = json!({
        "name": "Sandbox", "description": "d", "region": null, "icon": PNG, "verification_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "preferred_locale": "de", "afk_timeout": 60,
        "afk_channel_id": lounge, "system_channel_id": general, "splash": PNG, "banner": PNG, "system_channel_flags": 0,
        "features": [], "discovery_splash": null, "rules_channel_id": general, "safety_alerts_channel_id": general,
        "public_updates_channel_id": general, "premium_progress_bar_enabled": true,
    });
    bot.expect(200, Method::PATCH, &bot.guild(), &guild).await;
    // Discord's description does not know this feature yet.
    let perks = json!({ "add_features": ["ENHANCED_ROLE_COLORS"] });
    bot.user.edit_guild("Sandbox", &perks).await.unwrap();
    let role = json!({ "name": "r", "permissions": "0", "color": 1, "colors": { "primary_color": 1, "secondary_color": 2,
        "tertiary_color": null }, "hoist": true, "mentionable": true, "icon": PNG, "unicode_emoji": "\u{1f600}" });
    bot.post(&format!("{}/roles", bot.guild()), role).await;
    let perks = json!({ "remove_features": ["ENHANCED_ROLE_COLORS"] });
    bot.user.edit_guild("Sandbox", &perks).await.unwrap();
    let forum = json!({
        "type": 15, "name": "f", "position": 1, "topic": "t", "nsfw": false, "rate_limit_per_user": 1, "parent_id": null,
        "permission_overwrites": [], "default_auto_archive_duration": 60, "default_thread_rate_limit_per_user": 1,
        "default_reaction_emoji": { "emoji_name": "\u{1f600}" }, "default_sort_order": 1, "default_forum_layout": 1,
        "default_tag_setting": "match_all", "available_tags": [{ "name": "a", "emoji_name": null, "moderated": false }],
    });
    let channels = format!("{}/channels", bot.guild());
    let forum = bot.expect(201, Method::POST, &channels, &forum).await;
    let voice = json!({ "type": 2, "name": "v", "bitrate": 8000, "user_limit": 1, "rtc_region": null,
        "video_quality_mode": 2 });
    bot.expect(201, Method::POST, &channels, &voice).await;
    let post = json!({ "name": "p", "auto_archive_duration": 60, "rate_limit_per_user": 1,
        "applied_tags": [forum["available_tags"][0]["id"]], "message": { "content": "c" } });
    let threads = format!("/channels/{}/threads", text(&forum["id"]));
    let post = bot.expect(201, Method::POST, &threads, &post).await;
    let edit = json!({ "name": "q", "archived": false, "locked": false, "auto_archive_duration": 60,
        "rate_limit_per_user": 2, "flags": 0, "applied_tags": [] });
    bot.expect(200, Method::PATCH, &format!("/channels/{}", text(&post["id"])), &edit).await;
    let invite = json!({ "max_age": 60, "temporary": true, "max_uses": 1, "unique": true, "target_type": 2,
        "target_user_id": null, "target_application_id": bot.sandbox.bot_id(), "role_ids": [] });
    bot.post(&format!("{}/invites", bot.channel("Lounge")), invite).await;
    let member = json!({ "nick": "n", "roles": [], "communication_disabled_until": null, "flags": 4 });
    let carol = format!("{}/members/{}", bot.guild(), bot.sandbox.user_id("carol").unwrap());
    bot.expect(200, Method::PATCH, &carol, &member).await;
    let emoji = json!({ "name": "a1", "image": PNG, "roles": [] });
    bot.expect(201, Method::POST, &format!("{}/emojis", bot.guild()), &emoji).await;
    bot.post(
        &format!("{}/prune", bot.guild()),
        json!({ "days": 1, "compute_prune_count": true, "include_roles": [] }),
    )
    .await;
    assert_eq!(bot.user.stats().await.unwrap()["unread_fields"], json!([]));
}
