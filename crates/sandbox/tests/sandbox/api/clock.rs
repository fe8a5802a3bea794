//! The world's clock: what is due by the time that it is moved to has happened, each thing at its own moment.

use std::time::Duration;

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::state::clock;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::api::bot::{Bot, id, text};
use crate::api::cli::printed;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

async fn advance(bot: &Bot, by: Duration) {
    bot.user.advance_clock(by).await.unwrap();
}

async fn now(bot: &Bot) -> OffsetDateTime {
    moment(&bot.user.clock().await.unwrap()["now"])
}

fn moment(value: &Value) -> OffsetDateTime {
    clock::parse(text(value)).unwrap()
}

/// Returns a moment from the world's present on, in Discord's form.
async fn within(bot: &Bot, time: Duration) -> String {
    clock::iso(now(bot).await + time)
}

async fn poll(bot: &Bot, hours: u32) -> Value {
    let poll = json!({ "question": { "text": "Drink?" }, "answers": [{ "poll_media": { "text": "tea" } }],
        "duration": hours });
    bot.post(&format!("{}/messages", bot.channel("general")), json!({ "poll": poll })).await
}

async fn thread(bot: &Bot, minutes: u64) -> Value {
    let body = json!({ "name": "t", "type": 11, "auto_archive_duration": minutes });
    bot.expect(201, Method::POST, &format!("{}/threads", bot.channel("general")), &body).await
}

#[tokio::test]
async fn the_clock_is_shown_and_moves_forward_only() {
    let bot = Bot::start().await;
    let before = bot.user.clock().await.unwrap();
    assert_eq!(before["ahead_ms"], 0);
    let moved = bot.user.advance_clock(16 * MINUTE).await.unwrap();
    assert_eq!(moved["ahead_ms"], 960_000);
    assert!(moment(&moved["now"]) - moment(&before["now"]) >= 16 * MINUTE);
    let to = clock::iso(moment(&moved["now"]) + HOUR);
    assert!(moment(&bot.user.advance_clock_to(&to).await.unwrap()["now"]) >= moment(&json!(to)));

    for (body, sentence) in [
        (json!({ "advance_ms": -1 }), "only moves forward"),
        (json!({ "to": "2020-01-01T00:00:00Z" }), "only moves forward"),
        (json!({ "to": "noon" }), "no time in ISO 8601"),
        (json!({ "to": "2151-01-01T00:00:00Z" }), "ends with the year 2150"),
        (json!({ "advance_ms": i64::MAX }), "ends with the year 2150"),
        (json!({}), "either"),
        (json!({ "advance_ms": 1, "to": to }), "either"),
    ] {
        let answer = bot.control(Method::POST, "/clock").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{body}");
        let error: Value = answer.json().await.unwrap();
        assert!(text(&error["error"]).contains(sentence), "{body}: {error}");
    }
    let other = Bot::start().await;
    assert_eq!(other.user.clock().await.unwrap()["ahead_ms"], 0, "worlds do not share their clocks");
}

#[tokio::test]
async fn the_command_line_shows_and_moves_the_clock() {
    let bot = Bot::start().await;
    let began = now(&bot).await;
    let shown = async |arguments: &[&str]| moment(&json!(printed(&bot, arguments).await.trim()));
    assert!(shown(&["clock"]).await >= began);
    assert!(shown(&["clock", "+1h30m"]).await - began >= 90 * MINUTE);
    assert!(shown(&["clock", "+2d1s"]).await - began >= 2 * DAY + 90 * MINUTE);
    let to = within(&bot, HOUR).await;
    assert!(shown(&["clock", &to]).await >= moment(&json!(to)));
    for (wrong, sentence) in
        [("-5m", "only moves forward"), ("+5", "no length of time"), ("noon", "ISO 8601")]
    {
        let output = crate::api::cli::command_for(&bot).args(["clock", wrong]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(sentence), "{wrong}");
    }
}

#[tokio::test]
async fn what_is_due_happens_in_the_order_of_its_moments() {
    let mut bot = Bot::start().await;
    let began = now(&bot).await;
    let (long, short) = (poll(&bot, 3).await, poll(&bot, 1).await);
    let event = json!({ "name": "Party", "privacy_level": 2, "entity_type": 3, "entity_metadata": { "location": "x" },
        "scheduled_start_time": within(&bot, 2 * HOUR).await, "scheduled_end_time": within(&bot, 4 * HOUR).await });
    bot.post(&format!("{}/scheduled-events", bot.guild()), event).await;
    let quiet = thread(&bot, 60).await;
    bot.event("GUILD_SCHEDULED_EVENT_CREATE").await;
    bot.event("THREAD_CREATE").await;
    bot.event("MESSAGE_CREATE").await;
    bot.pending();

    advance(&bot, 5 * HOUR).await;
    let result = async |bot: &mut Bot, poll: &Value, hours: u32| {
        let result = bot.event("MESSAGE_CREATE").await;
        assert_eq!((&result["type"], &result["message_reference"]["message_id"]), (&json!(46), &poll["id"]));
        let late = moment(&result["timestamp"]) - began - hours * HOUR;
        assert!(late.abs() < MINUTE, "the result of {hours} h is {late} late");
        assert!(id(&result["id"]).created_at() - moment(&result["timestamp"]) < Duration::from_millis(1));
    };
    result(&mut bot, &short, 1).await;
    let archived = bot.event("THREAD_UPDATE").await;
    let metadata = &archived["thread_metadata"];
    assert_eq!((&archived["id"], &metadata["archived"]), (&quiet["id"], &json!(true)));
    assert!((moment(&metadata["archive_timestamp"]) - began - HOUR).abs() < MINUTE);
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await["status"], 2);
    result(&mut bot, &long, 3).await;
    assert_eq!(bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await["status"], 3);
    // Afterwards the clock runs on, and ids with it.
    let sent = bot.user.send("bob", "general", "after").await.unwrap();
    assert!(id(&sent["id"]).created_at() - began >= 5 * HOUR);
}

#[tokio::test]
async fn tokens_of_interactions_end_with_the_clock_and_pending_answers_do_not() {
    let mut bot = Bot::start_with(Sandbox::builder().rate_limits(sandbox::ratelimit::Config::off())).await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let user = bot.user.clone();
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        // Longer than the three seconds, which are real ones.
        advance(&bot, MINUTE).await;
        assert_eq!(
            bot.callback(&interaction, json!({ "type": 4, "data": { "content": "pong" } })).await.0,
            204
        );
        interaction
    };
    let (interaction, answer) = tokio::join!(reply, user.say("/ping"));
    assert_eq!(answer.unwrap().content, "pong");
    bot.post(&bot.webhook(&interaction), json!({ "content": "more" })).await;
    advance(&bot, 15 * MINUTE).await;
    let late = bot.call(Method::POST, &bot.webhook(&interaction), &json!({ "content": "late" })).await;
    assert_eq!((late.0, &late.1["code"]), (401, &json!(50027)));

    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        advance(&bot, 16 * MINUTE).await;
        let refused = bot.callback(&interaction, json!({ "type": 4, "data": { "content": "pong" } })).await;
        assert_eq!((refused.0, &refused.1["code"]), (404, &json!(10062)), "its token is over");
    };
    let ((), answer) = tokio::join!(reply, user.say("/ping"));
    assert!(answer.unwrap().error.is_some());
}

#[tokio::test]
async fn timeouts_and_slow_mode_end_with_the_clock() {
    let bot = Bot::start().await;
    let guild = bot.sandbox.guild_id().to_string();
    let until = within(&bot, HOUR).await;
    bot.user.edit_member(&guild, "carol", &json!({ "timeout_until": until })).await.unwrap();
    assert!(bot.user.send("carol", "general", "no").await.is_err());
    advance(&bot, 59 * MINUTE).await;
    assert!(bot.user.send("carol", "general", "no").await.is_err());
    advance(&bot, MINUTE).await;
    bot.user.edit_channel(&guild, "general", &json!({ "rate_limit_per_user": 3600 })).await.unwrap();
    bot.user.send("carol", "general", "yes").await.unwrap();
    assert!(bot.user.send("carol", "general", "no").await.unwrap_err().to_string().contains("slowmode"));
    advance(&bot, HOUR).await;
    bot.user.send("carol", "general", "yes").await.unwrap();

    let rule = json!({ "name": "Cats", "event_type": 1, "trigger_type": 1, "enabled": true,
        "trigger_metadata": { "keyword_filter": ["cat"] },
        "actions": [{ "type": 3, "metadata": { "duration_seconds": 60 } }] });
    bot.post(&format!("{}/auto-moderation/rules", bot.guild()), rule).await;
    // Whether the message itself appears does not matter here.
    let _ = bot.user.send("bob", "bot-test", "cat").await;
    assert!(bot.user.send("bob", "bot-test", "no").await.is_err());
    advance(&bot, MINUTE).await;
    bot.user.send("bob", "bot-test", "yes").await.unwrap();
}

#[tokio::test]
async fn a_timeout_is_judged_by_the_moved_clock() {
    let bot = Bot::start().await;
    advance(&bot, 30 * DAY).await;
    let carol = format!("{}/members/{}", bot.guild(), bot.sandbox.user_id("carol").unwrap());
    let body = json!({ "communication_disabled_until": within(&bot, 27 * DAY).await });
    bot.expect(200, Method::PATCH, &carol, &body).await;
    let body = json!({ "communication_disabled_until": within(&bot, 29 * DAY).await });
    assert_eq!(bot.call(Method::PATCH, &carol, &body).await.0, 400);
}

#[tokio::test]
async fn invites_and_access_tokens_expire() {
    let bot = Bot::start().await;
    bot.user.create_user("dave").await.unwrap();
    let invite = bot.post(&format!("{}/invites", bot.channel("general")), json!({ "max_age": 3600 })).await;
    let path = format!("/invites/{}", text(&invite["code"]));
    let access = bot.user.authorize("bob", "Sandbot", &["identify"]).await.unwrap();
    let me = async || {
        let url = format!("{}/users/@me", bot.sandbox.api_url());
        let request = reqwest::Client::new().get(url).bearer_auth(text(&access["access_token"]));
        request.send().await.unwrap().status().as_u16()
    };
    advance(&bot, 59 * MINUTE).await;
    bot.get(&path).await;
    assert_eq!(me().await, 200);
    advance(&bot, MINUTE).await;
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10006);
    assert!(bot.user.accept_invite(text(&invite["code"]), "dave").await.is_err());
    advance(&bot, 7 * DAY).await;
    assert_eq!(me().await, 401);
}

#[tokio::test]
async fn subscriptions_renew_and_end_with_their_period() {
    let mut bot = Bot::start().await;
    let sku = json!({ "name": "Plus", "type": "user_subscription", "price": 1 });
    let sku = bot.user.create_sku("Sandbot", &sku).await.unwrap();
    let bought = bot.user.buy(&json!({ "as": "bob", "sku": sku["id"] })).await.unwrap();
    let first = bought["subscription"].clone();
    bot.event("SUBSCRIPTION_UPDATE").await;
    advance(&bot, 31 * DAY).await;
    let renewed = bot.event("SUBSCRIPTION_UPDATE").await;
    assert_eq!(
        (&renewed["status"], &renewed["current_period_start"]),
        (&json!(0), &first["current_period_end"])
    );
    bot.user.on_subscription(text(&first["id"]), "cancel").await.unwrap();
    assert_eq!(bot.event("SUBSCRIPTION_UPDATE").await["status"], 2);
    advance(&bot, 30 * DAY).await;
    let ended = bot.event("ENTITLEMENT_UPDATE").await;
    assert_eq!(ended["ends_at"], renewed["current_period_end"]);
    let over = bot.event("SUBSCRIPTION_UPDATE").await;
    assert_eq!((&over["status"], &over["current_period_end"]), (&json!(1), &renewed["current_period_end"]));
    advance(&bot, 60 * DAY).await;
    assert_eq!(bot.pending(), Vec::<String>::new(), "what is over does not renew");
    let path = format!("/applications/{}/entitlements?exclude_ended=true", bot.sandbox.bot_id());
    assert_eq!(bot.get(&path).await, json!([]));
}

#[tokio::test]
async fn a_thread_is_archived_after_its_last_activity() {
    let mut bot = Bot::start().await;
    let made = thread(&bot, 60).await;
    let path = format!("/channels/{}", text(&made["id"]));
    let archived = async |bot: &Bot| bot.get(&path).await["thread_metadata"]["archived"] == true;
    advance(&bot, 40 * MINUTE).await;
    bot.post(&format!("{path}/messages"), json!({ "content": "still here" })).await;
    advance(&bot, 40 * MINUTE).await;
    assert!(!archived(&bot).await, "a message is activity");
    // A longer time begins anew, and so does becoming active again.
    let longer = bot.expect(200, Method::PATCH, &path, &json!({ "auto_archive_duration": 1440 })).await;
    let changed = moment(&longer["thread_metadata"]["archive_timestamp"]);
    assert!((now(&bot).await - changed).abs() < MINUTE, "the timestamp tells when the duration changed");
    advance(&bot, 23 * HOUR).await;
    assert!(!archived(&bot).await);
    advance(&bot, HOUR).await;
    assert!(archived(&bot).await);
    bot.post(&format!("{path}/messages"), json!({ "content": "again" })).await;
    assert!(!archived(&bot).await);
    bot.pending();
    advance(&bot, DAY).await;
    assert_eq!(bot.event("THREAD_UPDATE").await["thread_metadata"]["archived"], true);
}

#[tokio::test]
async fn a_pinned_post_is_archived_only_when_it_is_unpinned() {
    let bot = Bot::start().await;
    let forum = json!({ "name": "forum", "type": 15 });
    let forum = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &forum).await;
    let post = json!({ "name": "p", "auto_archive_duration": 60, "message": { "content": "first" } });
    let threads = format!("/channels/{}/threads", text(&forum["id"]));
    let path = format!("/channels/{}", text(&bot.expect(201, Method::POST, &threads, &post).await["id"]));
    bot.expect(200, Method::PATCH, &path, &json!({ "flags": 2 })).await;
    advance(&bot, DAY).await;
    assert_eq!(bot.get(&path).await["thread_metadata"]["archived"], false);
    bot.expect(200, Method::PATCH, &path, &json!({ "flags": 0 })).await;
    assert_eq!(bot.get(&path).await["thread_metadata"]["archived"], true);
}

#[tokio::test]
async fn events_and_stages_end_by_the_clock() {
    let mut bot = Bot::start().await;
    let lounge = bot.sandbox.channel_id("Lounge").unwrap();
    let talk = |start: String| {
        json!({ "name": "Talk", "privacy_level": 2, "entity_type": 2, "channel_id": lounge,
        "scheduled_start_time": start })
    };
    let events = format!("{}/scheduled-events", bot.guild());
    let missed = bot.post(&events, talk(within(&bot, HOUR).await)).await;
    advance(&bot, 5 * HOUR).await;
    let event = bot.event("GUILD_SCHEDULED_EVENT_UPDATE").await;
    assert_eq!((&event["id"], &event["status"]), (&missed["id"], &json!(4)), "it did not begin");

    let held = bot.post(&events, talk(within(&bot, HOUR).await)).await;
    bot.user.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    let one = format!("{events}/{}", text(&held["id"]));
    bot.expect(200, Method::PATCH, &one, &json!({ "status": 2 })).await;
    advance(&bot, 6 * MINUTE).await;
    assert_eq!(bot.get(&one).await["status"], 2, "its channel is in use");
    bot.user.leave_voice("Sandbox", "bob").await.unwrap();
    advance(&bot, 4 * MINUTE).await;
    assert_eq!(bot.get(&one).await["status"], 2);
    advance(&bot, MINUTE).await;
    assert_eq!(bot.call(Method::GET, &one, &Value::Null).await.1["status"], 3);

    let stage = json!({ "name": "Stage", "type": 13 });
    bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &stage).await;
    bot.user.open_stage("alice", "Stage", "Tea").await.unwrap();
    bot.pending();
    advance(&bot, 5 * MINUTE).await;
    assert_eq!(bot.event("STAGE_INSTANCE_DELETE").await["topic"], "Tea");
}

#[tokio::test]
async fn old_messages_and_inactive_members_are_old_by_the_clock() {
    let bot = Bot::start().await;
    let messages = format!("{}/messages", bot.channel("general"));
    let mut ids = Vec::new();
    for content in ["a", "b"] {
        ids.push(bot.post(&messages, json!({ "content": content })).await["id"].clone());
    }
    let prune = format!("{}/prune?days=7", bot.guild());
    assert_eq!(bot.get(&prune).await["pruned"], 0);
    advance(&bot, 8 * DAY).await;
    assert_eq!(bot.get(&prune).await["pruned"], 1, "bob has a role, alice owns the guild");
    advance(&bot, 7 * DAY).await;
    let bulk = format!("{messages}/bulk-delete");
    assert_eq!(bot.call(Method::POST, &bulk, &json!({ "messages": ids })).await.1["code"], 50034);
    // Days ago are counted from the world's present.
    assert!(printed(&bot, &["seen", "bob", "1"]).await.contains("bob was last seen at"));
    let seen = bot.user.edit_user("bob", &json!({})).await.unwrap();
    assert!((now(&bot).await - moment(&seen["last_seen"]) - DAY).abs() < MINUTE);
}

#[tokio::test]
async fn rate_limits_are_reset_by_the_clock() {
    let bot = Bot::start_with(Sandbox::builder()).await;
    let path = format!("{}/typing", bot.channel("general"));
    for _ in 0..5 {
        bot.expect(204, Method::POST, &path, &Value::Null).await;
    }
    assert_eq!(bot.call(Method::POST, &path, &Value::Null).await.0, 429);
    advance(&bot, HOUR).await;
    let url = format!("{}{path}", bot.sandbox.api_url());
    let request = reqwest::Client::new().post(url);
    let token = format!("Bot {}", bot.sandbox.token());
    let answer = request.header("authorization", token).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let header = |name: &str| {
        let text = answer.headers()[name].to_str().unwrap();
        text.split('.').next().unwrap().parse::<i64>().unwrap()
    };
    assert_eq!(header("x-ratelimit-remaining"), 4);
    let now = bot.user.clock().await.unwrap()["now"].clone();
    let reset = header("x-ratelimit-reset") - moment(&now).unix_timestamp();
    assert!((-60..=6).contains(&reset), "the window ends in {reset} s");
}

#[tokio::test]
async fn the_member_list_is_asked_for_again_after_half_a_minute() {
    let mut bot = Bot::start().await;
    let all = json!({ "guild_id": bot.sandbox.guild_id(), "query": "", "limit": 0 });
    bot.send(8, &all);
    bot.event("GUILD_MEMBERS_CHUNK").await;
    bot.send(8, &all);
    bot.event("RATE_LIMITED").await;
    advance(&bot, Duration::from_secs(30)).await;
    bot.send(8, &all);
    assert_eq!(bot.names_until("GUILD_MEMBERS_CHUNK").await, Vec::<String>::new());
}
