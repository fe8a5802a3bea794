//! Scheduled events: their life, who subscribed, and their recurrence.

use std::time::Duration;

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::ratelimit::Config;
use sandbox::snowflake::Snowflake;
use sandbox::state::clock;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::api::bot::{Bot, id, text};

fn events(bot: &Bot) -> String {
    format!("{}/scheduled-events", bot.guild())
}

fn within(time: Duration) -> String {
    clock::iso(OffsetDateTime::now_utc() + time)
}

const HOUR: Duration = Duration::from_hours(1);

fn external(start: Duration, end: Duration) -> Value {
    json!({ "name": "Party", "description": "Tea", "privacy_level": 2, "entity_type": 3,
        "entity_metadata": { "location": "The garden" }, "scheduled_start_time": within(start),
        "scheduled_end_time": within(end) })
}

fn in_voice(bot: &Bot) -> Value {
    json!({ "name": "Talk", "privacy_level": 2, "entity_type": 2, "scheduled_start_time": within(HOUR),
        "channel_id": bot.sandbox.channel_id("Lounge") })
}

async fn refused(bot: &Bot, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let (status, answer) = bot.call(method, path, body).await;
    (status, answer["code"].clone())
}

#[tokio::test]
async fn an_event_is_created_changed_and_deleted() {
    let mut bot = Bot::start().await;
    let made = bot.post(&events(&bot), external(HOUR, 2 * HOUR)).await;
    assert_eq!(made["creator"]["id"], bot.sandbox.bot_id().to_string());
    assert_eq!(
        (&made["status"], &made["entity_id"], &made["channel_id"]),
        (&json!(1), &Value::Null, &Value::Null)
    );
    assert_eq!(made["entity_metadata"], json!({ "location": "The garden" }));
    let event = bot.event("GUILD_SCHEDULED_EVENT_CREATE").await;
    assert_eq!((&event["id"], event.get("creator")), (&made["id"], None));
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(100), &made["id"]));
    assert!(entry["changes"].as_array().unwrap().contains(&json!({ "key": "name", "new_value": "Party" })));
    let one = format!("{}/{}", events(&bot), text(&made["id"]));
    assert_eq!(bot.get(&one).await, made);
    let counted = bot.get(&format!("{}?with_user_count=true", events(&bot))).await;
    assert_eq!(counted[0]["user_count"], 0);
    let changed = bot.expect(200, Method::PATCH, &one, &json!({ "name": "Ball", "description": null })).await;
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Ball"), &Value::Null));
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await["name"], "Ball");
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(entry["action_type"], 101);
    let changes = entry["changes"].as_array().unwrap();
    assert!(changes.contains(&json!({ "key": "description", "old_value": "Tea" })), "{changes:?}");
    bot.expect(200, Method::PATCH, &one, &json!({ "name": "Ball" })).await;
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.names_until("GUILD_SCHEDULED_EVENT_DELETE").await, Vec::<String>::new());
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 102);
    assert_eq!(refused(&bot, Method::GET, &one, &Value::Null).await, (404, json!(10070)));
}

#[tokio::test]
async fn a_status_changes_only_as_discord_allows() {
    let bot = Bot::start().await;
    let made = bot.post(&events(&bot), in_voice(&bot)).await;
    let one = format!("{}/{}", events(&bot), text(&made["id"]));
    assert_eq!(refused(&bot, Method::PATCH, &one, &json!({ "status": 3 })).await, (400, json!(50035)));
    let active = bot.expect(200, Method::PATCH, &one, &json!({ "status": 2 })).await;
    assert_eq!(active["status"], 2);
    assert_eq!(refused(&bot, Method::PATCH, &one, &json!({ "status": 4 })).await, (400, json!(50035)));
    bot.expect(200, Method::PATCH, &one, &json!({ "status": 3 })).await;
    assert_eq!(refused(&bot, Method::PATCH, &one, &json!({ "name": "x" })).await, (400, json!(180_000)));
    assert_eq!(bot.get(&events(&bot)).await, json!([]), "what is over is not listed");
    // A type and its fields change together.
    let made = bot.post(&events(&bot), in_voice(&bot)).await;
    let one = format!("{}/{}", events(&bot), text(&made["id"]));
    assert_eq!(refused(&bot, Method::PATCH, &one, &json!({ "entity_type": 3 })).await, (400, json!(50035)));
    let outside = json!({ "entity_type": 3, "channel_id": null, "entity_metadata": { "location": "Here" },
        "scheduled_end_time": within(3 * HOUR) });
    let moved = bot.expect(200, Method::PATCH, &one, &outside).await;
    assert_eq!((&moved["channel_id"], &moved["entity_type"]), (&Value::Null, &json!(3)));
    let general = json!({ "entity_type": 2, "channel_id": bot.sandbox.channel_id("general") });
    assert_eq!(refused(&bot, Method::PATCH, &one, &general).await, (400, json!(50024)));
}

#[tokio::test]
async fn users_subscribe_and_are_listed_and_counted() {
    let mut bot = Bot::start().await;
    let made = bot.post(&events(&bot), external(HOUR, 2 * HOUR)).await;
    let one = format!("{}/{}", events(&bot), text(&made["id"]));
    for user in ["bob", "alice", "carol"] {
        bot.user.subscribe("Sandbox", "Party", user, None, true).await.unwrap();
        let event = bot.event("GUILD_SCHEDULED_EVENT_USER_ADD").await;
        let expected = json!({ "guild_scheduled_event_id": made["id"], "guild_id": bot.sandbox.guild_id(),
            "user_id": bot.sandbox.user_id(user) });
        assert_eq!(event, expected);
    }
    let mut ids: Vec<Snowflake> =
        ["alice", "bob", "carol"].map(|name| bot.sandbox.user_id(name).unwrap()).into();
    ids.sort();
    let list = async |query: String| {
        let page = bot.get(&format!("{one}/users{query}")).await;
        page.as_array().unwrap().iter().map(|user| id(&user["user"]["id"])).collect::<Vec<_>>()
    };
    assert_eq!(list(String::new()).await, ids);
    assert_eq!(list(format!("?after={}&limit=1", ids[0])).await, ids[1..2]);
    assert_eq!(
        list(format!("?before={}&limit=1", ids[2])).await,
        ids[1..2],
        "the nearest, in ascending order"
    );
    let with = bot.get(&format!("{one}/users?with_member=true&limit=1")).await;
    assert!(with[0]["member"]["joined_at"].is_string() && with[0]["response"] == 1);
    assert_eq!(bot.get(&format!("{one}/users/counts")).await["guild_scheduled_event_count"], 3);
    bot.user.subscribe("Sandbox", "Party", "bob", None, false).await.unwrap();
    bot.event("GUILD_SCHEDULED_EVENT_USER_REMOVE").await;
    bot.user.subscribe("Sandbox", "Party", "bob", None, false).await.unwrap();
    assert_eq!(bot.pending(), Vec::<String>::new());
    assert_eq!(bot.get(&format!("{one}?with_user_count=true")).await["user_count"], 2);
    let limit = format!("{one}/users?limit=101");
    assert_eq!(refused(&bot, Method::GET, &limit, &Value::Null).await, (400, json!(50035)));
}

#[tokio::test]
async fn an_external_event_starts_and_ends_by_itself() {
    let mut bot = Bot::start().await;
    let soon = Duration::from_millis(300);
    bot.post(&events(&bot), external(soon, 2 * soon)).await;
    for status in [2, 3] {
        assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await["status"], status);
    }
}

#[tokio::test]
async fn an_event_that_does_not_begin_is_canceled_and_one_in_an_empty_channel_ends() {
    let short = Duration::from_millis(300);
    let builder =
        Sandbox::builder().rate_limits(Config::off()).event_overdue(short).empty_channel_timeout(short);
    let mut bot = Bot::start_with(builder).await;
    let mut talk = in_voice(&bot);
    talk["scheduled_start_time"] = json!(within(short));
    bot.post(&events(&bot), talk).await;
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await["status"], 4, "nobody started it");
    let made = bot.post(&events(&bot), in_voice(&bot)).await;
    bot.user.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    let one = format!("{}/{}", events(&bot), text(&made["id"]));
    bot.expect(200, Method::PATCH, &one, &json!({ "status": 2 })).await;
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await["status"], 2);
    bot.user.leave_voice("Sandbox", "bob").await.unwrap();
    assert!(bot.event("VOICE_CHANNEL_START_TIME_UPDATE").await["voice_start_time"].is_null());
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await["status"], 3, "everybody has left");
}

#[tokio::test]
async fn a_recurring_event_is_scheduled_again_and_its_exceptions_hold() {
    let mut bot = Bot::start().await;
    let start = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap() + HOUR;
    let day = |days: i64| start + time::Duration::days(days);
    let mut event = in_voice(&bot);
    event["scheduled_start_time"] = json!(clock::iso(start));
    event["scheduled_end_time"] = json!(clock::iso(start + HOUR));
    event["recurrence_rule"] = json!({ "start": clock::iso(start), "frequency": 3, "interval": 1 });
    let made = bot.post(&events(&bot), event).await;
    assert_eq!(made["recurrence_rule"]["frequency"], 3);
    let one = format!("{}/{}", events(&bot), text(&made["id"]));
    let exceptions = format!("{one}/exceptions");
    let canceled = json!({ "original_scheduled_start_time": clock::iso(day(1)), "is_canceled": true });
    let exception = bot.post(&exceptions, canceled.clone()).await;
    assert_eq!((&exception["event_id"], &exception["is_canceled"]), (&made["id"], &json!(true)));
    assert_eq!(id(&exception["event_exception_id"]).created_at(), day(1), "its id is the original start");
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_EXCEPTION_CREATE").await, exception);
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 200);
    let never = json!({ "original_scheduled_start_time": clock::iso(day(1) + HOUR), "is_canceled": true });
    assert_eq!(refused(&bot, Method::POST, &exceptions, &never).await, (400, json!(50035)));
    assert_eq!(bot.get(&one).await["guild_scheduled_event_exceptions"], json!([exception]));
    bot.expect(200, Method::PATCH, &one, &json!({ "status": 2 })).await;
    let again = bot.expect(200, Method::PATCH, &one, &json!({ "status": 3 })).await;
    assert_eq!(again["status"], 1, "a recurring event is never completed");
    assert_eq!(again["scheduled_start_time"], clock::iso(day(2)), "the day between is canceled");
    assert_eq!(again["scheduled_end_time"], clock::iso(day(2) + HOUR));
    // Who answered for one occurrence.
    let moved = json!({ "original_scheduled_start_time": clock::iso(day(3)), "scheduled_start_time": clock::iso(day(3) + HOUR) });
    let moved = bot.post(&exceptions, moved).await;
    let exception_id = id(&moved["event_exception_id"]);
    bot.user.subscribe("Sandbox", "Talk", "bob", Some(exception_id), true).await.unwrap();
    let told = bot.event("GUILD_SCHEDULED_EVENT_USER_ADD").await;
    assert_eq!(told["guild_scheduled_event_exception_id"], moved["event_exception_id"]);
    let users = bot.get(&format!("{one}/{exception_id}/users")).await;
    assert_eq!((&users[0]["user"]["username"], &users[0]["response"]), (&json!("bob"), &json!(1)));
    let counts = format!("{one}/users/counts?guild_scheduled_event_exception_ids={exception_id}");
    let counts = bot.get(&counts).await;
    assert_eq!(counts["guild_scheduled_event_exception_counts"], json!({ exception_id.to_string(): 1 }));
    let path = format!("{exceptions}/{exception_id}");
    let changed = bot.expect(200, Method::PATCH, &path, &json!({ "is_canceled": true })).await;
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_EXCEPTION_UPDATE").await, changed);
    bot.expect(204, Method::DELETE, &path, &Value::Null).await;
    bot.event("GUILD_SCHEDULED_EVENT_EXCEPTION_DELETE").await;
    assert_eq!(refused(&bot, Method::DELETE, &path, &Value::Null).await, (404, json!(10070)));
    let rule = json!({ "recurrence_rule": { "start": clock::iso(day(9)), "frequency": 3, "interval": 1 } });
    let changed = bot.expect(200, Method::PATCH, &one, &rule).await;
    assert_eq!(changed["guild_scheduled_event_exceptions"], json!([]), "they were of the old rule");
}

#[tokio::test]
async fn permissions_depend_on_place_and_creator() {
    let mut bot = Bot::start().await;
    let by_alice = bot.user.create_event("Sandbox", "alice", &external(HOUR, 2 * HOUR)).await.unwrap();
    let one = format!("{}/{}", events(&bot), text(&by_alice["id"]));
    let allow = async |names: &[&str]| {
        bot.user.edit_role("Sandbox", "Sandbot", &json!({ "allow": names })).await.unwrap();
    };
    let everyone = bot.sandbox.guild_id().to_string();
    bot.user.edit_role("Sandbox", "Sandbot", &json!({ "deny": ["ADMINISTRATOR"] })).await.unwrap();
    bot.user.edit_role("Sandbox", &everyone, &json!({ "deny": ["CREATE_EVENTS", "CONNECT"] })).await.unwrap();
    let denied = (403, json!(50013));
    assert_eq!(refused(&bot, Method::POST, &events(&bot), &external(HOUR, 2 * HOUR)).await, denied);
    allow(&["CREATE_EVENTS"]).await;
    let own = bot.post(&events(&bot), external(HOUR, 2 * HOUR)).await;
    assert_eq!(
        refused(&bot, Method::POST, &events(&bot), &in_voice(&bot)).await,
        denied,
        "CONNECT is missing"
    );
    assert_eq!(refused(&bot, Method::PATCH, &one, &json!({ "name": "x" })).await, denied, "it is alice's");
    let own = format!("{}/{}", events(&bot), text(&own["id"]));
    bot.expect(200, Method::PATCH, &own, &json!({ "name": "x" })).await;
    allow(&["MANAGE_EVENTS"]).await;
    bot.expect(200, Method::PATCH, &one, &json!({ "name": "x" })).await;
    // An event in a channel that is not seen.
    bot.user
        .edit_overwrite("Sandbox", "Lounge", &everyone, &json!({ "deny": ["VIEW_CHANNEL"] }))
        .await
        .unwrap();
    let hidden = bot.user.create_event("Sandbox", "alice", &in_voice(&bot)).await.unwrap();
    let hidden = format!("{}/{}", events(&bot), text(&hidden["id"]));
    assert_eq!(refused(&bot, Method::GET, &hidden, &Value::Null).await, (403, json!(50001)));
    assert_eq!(bot.get(&events(&bot)).await.as_array().unwrap().len(), 2);
    bot.user.create_event("Sandbox", "alice", &external(HOUR, 2 * HOUR)).await.unwrap();
    let told = async |bot: &mut Bot| bot.event("GUILD_SCHEDULED_EVENT_CREATE").await["name"].clone();
    assert_eq!([told(&mut bot).await, told(&mut bot).await, told(&mut bot).await], ["Party"; 3], "no Talk");
}

#[tokio::test]
async fn an_event_at_the_end_of_time_is_an_event() {
    let bot = Bot::start().await;
    let mut last = in_voice(&bot);
    last["scheduled_start_time"] = json!("9999-12-31T23:59:58Z");
    last["scheduled_end_time"] = json!("9999-12-31T23:59:59Z");
    last["recurrence_rule"] = json!({ "start": "9999-12-31T23:59:58Z", "frequency": 3 });
    let made = bot.post(&events(&bot), last.clone()).await;
    let one = format!("{}/{}", events(&bot), text(&made["id"]));
    bot.expect(200, Method::PATCH, &one, &json!({ "status": 2 })).await;
    let over = bot.expect(200, Method::PATCH, &one, &json!({ "status": 3 })).await;
    assert_eq!(over["status"], 3, "there is no day after it");
    last["scheduled_start_time"] = json!("9999-12-31T23:59:59-23:00");
    assert_eq!(refused(&bot, Method::POST, &events(&bot), &last).await, (400, json!(50035)));
}

#[tokio::test]
async fn a_guild_has_at_most_a_hundred_open_events() {
    let bot = Bot::start().await;
    for _ in 0..100 {
        bot.post(&events(&bot), external(HOUR, 2 * HOUR)).await;
    }
    assert_eq!(
        refused(&bot, Method::POST, &events(&bot), &external(HOUR, 2 * HOUR)).await,
        (400, json!(30038))
    );
}

#[tokio::test]
async fn an_event_is_in_the_guild_and_with_an_invite() {
    let mut bot = Bot::start().await;
    let made = bot.post(&events(&bot), external(HOUR, 2 * HOUR)).await;
    let invite = bot.post(&format!("{}/invites", bot.channel("general")), json!({})).await;
    let path = format!("/invites/{}", text(&invite["code"]));
    let plain = bot.get(&path).await;
    assert!(plain.get("guild_scheduled_event").is_none());
    let with = bot.get(&format!("{path}?guild_scheduled_event_id={}", text(&made["id"]))).await;
    assert_eq!(with["guild_scheduled_event"]["name"], "Party");
    bot.user.leave("Sandbox", "Sandbot").await.unwrap();
    bot.user.join("Sandbox", "Sandbot").await.unwrap();
    let guild = bot.event("GUILD_CREATE").await;
    assert_eq!(guild["guild_scheduled_events"][0]["id"], made["id"]);
}
