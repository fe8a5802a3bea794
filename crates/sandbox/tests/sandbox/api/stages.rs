//! Stage instances, and since when voice channels are in use.

use std::time::Duration;

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::ratelimit::Config;
use sandbox::state::clock;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::api::bot::{Bot, text};

async fn stage(bot: &mut Bot) -> Value {
    let body = json!({ "name": "Stage", "type": 13 });
    let made = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &body).await;
    bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    made["id"].clone()
}

#[tokio::test]
async fn a_stage_is_opened_changed_and_closed() {
    let mut bot = Bot::start().await;
    let channel = stage(&mut bot).await;
    let body = json!({ "channel_id": channel, "topic": "Tea", "send_start_notification": true });
    let made = bot.post("/stage-instances", body.clone()).await;
    assert_eq!((&made["topic"], &made["privacy_level"]), (&json!("Tea"), &json!(2)));
    assert_eq!(bot.event("STAGE_INSTANCE_CREATE").await, made);
    let notice = bot.event("MESSAGE_CREATE").await;
    assert_eq!(
        (&notice["type"], &notice["content"], &notice["mention_everyone"]),
        (&json!(27), &json!("Tea"), &json!(true))
    );
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(83), &made["id"]));
    assert_eq!(entry["options"], json!({ "channel_id": channel }));
    assert!(entry["changes"].as_array().unwrap().contains(&json!({ "key": "topic", "new_value": "Tea" })));
    let again = bot.call(Method::POST, "/stage-instances", &body).await;
    assert_eq!((again.0, &again.1["code"]), (400, &json!(150_006)));
    let one = format!("/stage-instances/{}", text(&channel));
    assert_eq!(bot.get(&one).await, made);
    let changed = bot.expect(200, Method::PATCH, &one, &json!({ "topic": "Coffee" })).await;
    assert_eq!(bot.event("STAGE_INSTANCE_UPDATE").await, changed);
    assert_eq!(bot.event("MESSAGE_CREATE").await["type"], 31);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(entry["changes"], json!([{ "key": "topic", "old_value": "Tea", "new_value": "Coffee" }]));
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.event("STAGE_INSTANCE_DELETE").await, changed);
    assert_eq!(bot.event("MESSAGE_CREATE").await["type"], 28);
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 85);
    let gone = bot.call(Method::GET, &one, &Value::Null).await;
    assert_eq!((gone.0, &gone.1["code"]), (404, &json!(10067)));
}

#[tokio::test]
async fn only_moderators_open_a_stage_and_only_in_a_stage_channel() {
    let mut bot = Bot::start().await;
    let channel = stage(&mut bot).await;
    let open = async |channel: &Value| {
        let body = json!({ "channel_id": channel, "topic": "Tea" });
        let (status, answer) = bot.call(Method::POST, "/stage-instances", &body).await;
        (status, answer["code"].clone())
    };
    let lounge = json!(bot.sandbox.channel_id("Lounge"));
    assert_eq!(open(&lounge).await, (400, json!(50024)));
    assert_eq!(open(&json!("1")).await, (404, json!(10003)));
    bot.user.edit_role("Sandbox", "Sandbot", &json!({ "deny": ["ADMINISTRATOR"] })).await.unwrap();
    bot.user
        .edit_role("Sandbox", "Sandbot", &json!({ "allow": ["MANAGE_CHANNELS", "MUTE_MEMBERS"] }))
        .await
        .unwrap();
    assert_eq!(open(&channel).await, (403, json!(50013)));
    bot.user.edit_role("Sandbox", "Sandbot", &json!({ "allow": ["MOVE_MEMBERS"] })).await.unwrap();
    let everyone = bot.sandbox.guild_id().to_string();
    bot.user.edit_role("Sandbox", &everyone, &json!({ "deny": ["MENTION_EVERYONE"] })).await.unwrap();
    let body = json!({ "channel_id": channel, "topic": "Tea", "send_start_notification": true });
    bot.post("/stage-instances", body).await;
    let notice = bot.event("MESSAGE_CREATE").await;
    assert_eq!(notice["mention_everyone"], false, "the permission to notify is missing");
}

#[tokio::test]
async fn a_stage_without_speakers_closes_by_itself() {
    let builder = Sandbox::builder().rate_limits(Config::off());
    let mut bot = Bot::start_with(builder.empty_channel_timeout(Duration::from_millis(300))).await;
    let channel = stage(&mut bot).await;
    bot.user.open_stage("alice", "Stage", "Tea").await.unwrap();
    assert_eq!(bot.event("STAGE_INSTANCE_DELETE").await["topic"], "Tea", "nobody came");
    bot.user.enter_voice("Sandbox", "alice", "Stage").await.unwrap();
    let speak = json!({ "channel_id": channel, "suppress": false });
    let alice = bot.sandbox.user_id("alice").unwrap();
    bot.expect(204, Method::PATCH, &format!("{}/voice-states/{alice}", bot.guild()), &speak).await;
    // A moderator invites alice to speak; she accepts.
    {
        let mut live = bot.sandbox.discord().lock();
        let guild = bot.sandbox.guild_id();
        let mut state = live.guilds[&guild].voice_states[&alice].clone();
        state.request_to_speak = None;
        live.set_voice(guild, alice, Some(state));
    }
    bot.user.open_stage("alice", "Stage", "Coffee").await.unwrap();
    bot.event("STAGE_INSTANCE_CREATE").await;
    bot.user.leave_voice("Sandbox", "alice").await.unwrap();
    let before = bot.names_until("STAGE_INSTANCE_DELETE").await;
    assert!(
        before.contains(&"VOICE_STATE_UPDATE".to_owned()),
        "it lasted as long as alice spoke: {before:?}"
    );
}

#[tokio::test]
async fn a_stage_and_its_event_begin_and_end_together() {
    let mut bot = Bot::start().await;
    let channel = stage(&mut bot).await;
    let start = clock::iso(OffsetDateTime::now_utc() + Duration::from_hours(1));
    let event = json!({ "name": "Talk", "privacy_level": 2, "entity_type": 1, "channel_id": channel,
        "scheduled_start_time": start });
    let events = format!("{}/scheduled-events", bot.guild());
    let one = |event: &Value| format!("{events}/{}", text(&event["id"]));
    // The event is started: its stage opens.
    let made = bot.post(&events, event.clone()).await;
    let active = bot.expect(200, Method::PATCH, &one(&made), &json!({ "status": 2 })).await;
    let opened = bot.event("STAGE_INSTANCE_CREATE").await;
    assert_eq!((&opened["topic"], &opened["guild_scheduled_event_id"]), (&json!("Talk"), &made["id"]));
    assert_eq!((&active["status"], &active["entity_id"]), (&json!(2), &opened["id"]));
    bot.expect(200, Method::PATCH, &one(&made), &json!({ "status": 3 })).await;
    assert_eq!(bot.event("STAGE_INSTANCE_DELETE").await["id"], opened["id"]);
    // The stage is opened for an event: it is active.
    let made = bot.post(&events, event).await;
    let body = json!({ "channel_id": channel, "topic": "Tea", "guild_scheduled_event_id": made["id"] });
    let opened = bot.post("/stage-instances", body).await;
    let updated = bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await;
    let updated =
        if updated["id"] == made["id"] { updated } else { bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await };
    assert_eq!((&updated["status"], &updated["entity_id"]), (&json!(2), &opened["id"]));
    let close = format!("/stage-instances/{}", text(&channel));
    bot.expect(204, Method::DELETE, &close, &Value::Null).await;
    let ended = bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await;
    assert_eq!((&ended["status"], &ended["entity_id"]), (&json!(3), &Value::Null));
    // Another channel's event does not fit.
    let lounge = json!({ "name": "Talk", "privacy_level": 2, "entity_type": 2, "scheduled_start_time": start,
        "channel_id": bot.sandbox.channel_id("Lounge") });
    let other = bot.post(&events, lounge).await;
    let body = json!({ "channel_id": channel, "topic": "Tea", "guild_scheduled_event_id": other["id"] });
    let (status, answer) = bot.call(Method::POST, "/stage-instances", &body).await;
    assert_eq!((status, &answer["code"]), (400, &json!(50091)));
}

#[tokio::test]
async fn a_stage_is_in_the_guild_and_goes_with_its_channel() {
    let mut bot = Bot::start().await;
    let channel = stage(&mut bot).await;
    bot.post("/stage-instances", json!({ "channel_id": channel, "topic": "Tea" })).await;
    bot.user.leave("Sandbox", "Sandbot").await.unwrap();
    bot.user.join("Sandbox", "Sandbot").await.unwrap();
    let guild = bot.event("GUILD_CREATE").await;
    assert_eq!(guild["stage_instances"][0]["topic"], "Tea");
    bot.expect(200, Method::DELETE, &format!("/channels/{}", text(&channel)), &Value::Null).await;
    assert!(bot.names_until("CHANNEL_DELETE").await.contains(&"STAGE_INSTANCE_DELETE".to_owned()));
}

#[tokio::test]
async fn a_voice_session_starts_with_the_first_and_ends_with_the_last() {
    let mut bot = Bot::start().await;
    let lounge = bot.sandbox.channel_id("Lounge").unwrap();
    bot.user.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    let started = bot.event("VOICE_CHANNEL_START_TIME_UPDATE").await;
    assert_eq!((&started["id"], &started["guild_id"]), (&json!(lounge), &json!(bot.sandbox.guild_id())));
    let seconds = started["voice_start_time"].as_i64().unwrap();
    assert!((OffsetDateTime::now_utc().unix_timestamp() - seconds).abs() < 60);
    bot.user.enter_voice("Sandbox", "carol", "Lounge").await.unwrap();
    bot.user.leave_voice("Sandbox", "bob").await.unwrap();
    bot.user.leave_voice("Sandbox", "carol").await.unwrap();
    let before = bot.names_until("VOICE_CHANNEL_START_TIME_UPDATE").await;
    assert_eq!(before, ["VOICE_STATE_UPDATE"; 3], "only the last who leaves ends it");
}
