//! Polls: votes, voters, counts, and how they end.

use reqwest::Method;
use sandbox::snowflake::Snowflake;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

async fn poll(bot: &Bot, multiselect: bool) -> Value {
    let answer = |text: &str| json!({ "poll_media": { "text": text } });
    let poll = json!({ "question": { "text": "Drink?" }, "answers": [answer("tea"), answer("coffee"), answer("mate")],
        "allow_multiselect": multiselect });
    bot.post(&format!("{}/messages", bot.channel("general")), json!({ "poll": poll })).await
}

fn path(bot: &Bot, message: &Value, rest: &str) -> String {
    format!("{}/polls/{}/{rest}", bot.channel("general"), text(&message["id"]))
}

fn counts(message: &Value) -> Value {
    message["poll"]["results"]["answer_counts"].clone()
}

#[tokio::test]
async fn a_vote_is_told_counted_and_withdrawn() {
    let mut bot = Bot::start().await;
    let message = poll(&bot, true).await;
    let seen = bot.user.vote("bob", id(&message["id"]), &["tea", "3"]).await.unwrap();
    let me = |answer, voted| json!({ "id": answer, "count": 1, "me_voted": voted });
    assert_eq!(counts(&seen), json!([me(1, true), me(3, true)]));
    for answer in [1, 3] {
        let event = bot.event("MESSAGE_POLL_VOTE_ADD").await;
        let expected = json!({ "user_id": bot.sandbox.user_id("bob"), "channel_id": message["channel_id"],
            "message_id": message["id"], "guild_id": bot.sandbox.guild_id(), "answer_id": answer });
        assert_eq!(event, expected);
    }
    // One vote goes, one stays, one comes: the one that stays is not reported.
    bot.user.vote("bob", id(&message["id"]), &["tea", "coffee"]).await.unwrap();
    assert_eq!(bot.event("MESSAGE_POLL_VOTE_REMOVE").await["answer_id"], 3);
    assert_eq!(bot.event("MESSAGE_POLL_VOTE_ADD").await["answer_id"], 2);
    bot.user.vote("bob", id(&message["id"]), &["tea", "coffee"]).await.unwrap();
    assert_eq!(bot.pending(), Vec::<String>::new(), "nothing has changed");
    let read = bot.get(&format!("{}/messages/{}", bot.channel("general"), text(&message["id"]))).await;
    assert_eq!(counts(&read), json!([me(1, false), me(2, false)]));
    let empty = bot.user.vote("bob", id(&message["id"]), &[]).await.unwrap();
    assert_eq!(counts(&empty), json!([]));
}

#[tokio::test]
async fn voters_are_listed_by_their_id_in_pages() {
    let bot = Bot::start().await;
    let message = poll(&bot, false).await;
    for user in ["carol", "alice", "bob"] {
        bot.user.vote(user, id(&message["id"]), &["tea"]).await.unwrap();
    }
    let mut ids: Vec<Snowflake> =
        ["alice", "bob", "carol"].map(|name| bot.sandbox.user_id(name).unwrap()).into();
    ids.sort();
    let answer = path(&bot, &message, "answers/1");
    let list = async |query: String| {
        let page = bot.get(&format!("{answer}{query}")).await;
        page["users"].as_array().unwrap().iter().map(|user| id(&user["id"])).collect::<Vec<_>>()
    };
    assert_eq!(list(String::new()).await, ids);
    assert_eq!(list("?limit=2".to_owned()).await, ids[..2]);
    assert_eq!(list(format!("?limit=2&after={}", ids[1])).await, ids[2..]);
    assert_eq!(bot.get(&path(&bot, &message, "answers/2")).await, json!({ "users": [] }));
    for (query, at) in [("?limit=0", "limit"), ("?limit=101", "limit"), ("?after=x", "after")] {
        let (status, body) = bot.call(Method::GET, &format!("{answer}{query}"), &Value::Null).await;
        assert_eq!((status, &body["code"]), (400, &json!(50035)));
        assert!(body["errors"].get(at).is_some(), "{body}");
    }
    let nowhere = format!("{}/polls/1/answers/1", bot.channel("general"));
    assert_eq!(bot.call(Method::GET, &nowhere, &Value::Null).await.1["code"], 10008);
}

#[tokio::test]
async fn a_vote_that_discord_refuses_is_refused() {
    let bot = Bot::start().await;
    let message = poll(&bot, false).await;
    let refused = async |user: &str, answers: &[&str]| {
        bot.user.vote(user, id(&message["id"]), answers).await.unwrap_err().to_string()
    };
    assert!(refused("bob", &["tea", "mate"]).await.contains("answer_ids"));
    assert!(refused("bob", &["cocoa"]).await.contains("no answer"));
    assert!(refused("Sandbot", &["tea"]).await.contains("is a bot"));
    bot.post(&path(&bot, &message, "expire"), Value::Null).await;
    assert!(refused("bob", &["tea"]).await.contains("Poll expired"));
}

#[tokio::test]
async fn an_ended_poll_reports_its_result() {
    let mut bot = Bot::start().await;
    let message = poll(&bot, false).await;
    for (user, answer) in [("alice", "coffee"), ("bob", "coffee"), ("carol", "mate")] {
        bot.user.vote(user, id(&message["id"]), &[answer]).await.unwrap();
    }
    let ended = bot.post(&path(&bot, &message, "expire"), Value::Null).await;
    assert_eq!(ended["poll"]["results"]["is_finalized"], true);
    assert!(text(&ended["poll"]["expiry"]) < text(&message["poll"]["expiry"]));
    let update = bot.event("MESSAGE_UPDATE").await;
    assert_eq!((&update["id"], &update["poll"]["results"]["is_finalized"]), (&message["id"], &json!(true)));
    let result = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&result["type"], &result["author"]["id"]), (&json!(46), &message["author"]["id"]));
    assert_eq!(result["mentions"][0]["id"], message["author"]["id"]);
    let reference = json!({ "type": 0, "channel_id": message["channel_id"], "message_id": message["id"] });
    assert_eq!(result["message_reference"], reference);
    let field = |name: &str, value: &str| json!({ "name": name, "value": value, "inline": false });
    assert_eq!(
        result["embeds"],
        json!([{ "type": "poll_result", "fields": [
            field("poll_question_text", "Drink?"),
            field("victor_answer_votes", "2"),
            field("total_votes", "3"),
            field("victor_answer_id", "2"),
            field("victor_answer_text", "coffee"),
        ] }])
    );
    let again = bot.call(Method::POST, &path(&bot, &message, "expire"), &Value::Null).await;
    assert_eq!((again.0, &again.1["code"]), (400, &json!(520_001)));
    bot.get(&format!("{}/messages/{}", bot.channel("general"), text(&result["id"]))).await;
}

#[tokio::test]
async fn a_poll_ends_when_its_time_is_over() {
    let mut bot = Bot::start().await;
    let message = poll(&bot, false).await;
    {
        let mut live = bot.sandbox.discord().lock();
        let now = live.clock.now();
        let stored = live.any_message_mut(id(&message["channel_id"]), id(&message["id"])).unwrap();
        let poll = stored.poll.as_mut().unwrap();
        // Its hour is over at once: the moment is put on the agenda again, since it was there for tomorrow.
        poll.expiry = now;
        let due = sandbox::state::agenda::Due::Poll { channel: stored.channel_id, message: stored.id };
        live.schedule(now + std::time::Duration::from_millis(50), due);
    }
    assert_eq!(bot.event("MESSAGE_UPDATE").await["poll"]["results"]["is_finalized"], true);
    assert_eq!(bot.event("MESSAGE_CREATE").await["type"], 46);
}

#[tokio::test]
async fn a_poll_message_is_not_edited_and_its_emojis_exist() {
    let bot = Bot::start().await;
    let message = poll(&bot, false).await;
    let messages = format!("{}/messages", bot.channel("general"));
    let edit = format!("{messages}/{}", text(&message["id"]));
    let (status, body) = bot.call(Method::PATCH, &edit, &json!({ "content": "x" })).await;
    assert_eq!((status, &body["code"]), (400, &json!(520_003)));
    let with = |emoji: Value| {
        json!({ "poll": { "question": { "text": "?" },
            "answers": [{ "poll_media": { "text": "a", "emoji": emoji } }] } })
    };
    let (status, body) = bot.call(Method::POST, &messages, &with(json!({ "id": "1" }))).await;
    assert_eq!((status, &body["code"]), (400, &json!(520_004)));
    let made = bot.post(&messages, with(json!({ "name": "🍵" }))).await;
    assert_eq!(made["poll"]["answers"][0]["poll_media"]["emoji"], json!({ "id": null, "name": "🍵" }));
}

#[tokio::test]
async fn a_user_opens_and_ends_a_poll_too() {
    let mut bot = Bot::start().await;
    let poll = json!({ "question": { "text": "Drink?" }, "answers": [{ "poll_media": { "text": "tea" } }] });
    let body = json!({ "as": "bob", "channel": "general", "poll": poll });
    let sent = bot.control(Method::POST, "/messages").json(&body).send().await.unwrap();
    let sent: Value = sent.json().await.unwrap();
    assert_eq!(bot.event("MESSAGE_CREATE").await["poll"]["question"]["text"], "Drink?");
    let (status, body) = bot.call(Method::POST, &path(&bot, &sent, "expire"), &Value::Null).await;
    assert_eq!((status, &body["code"]), (403, &json!(50005)));
    assert!(bot.user.expire_poll("carol", id(&sent["id"])).await.is_err());
    bot.user.expire_poll("bob", id(&sent["id"])).await.unwrap();
    let result = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&result["type"], &result["author"]["username"]), (&json!(46), &json!("bob")));
}

#[tokio::test]
async fn a_vote_in_direct_messages_has_no_guild() {
    let mut bot = Bot::start().await;
    let dm = bot.post("/users/@me/channels", json!({ "recipient_id": bot.sandbox.user_id("bob") })).await;
    let poll = json!({ "question": { "text": "?" }, "answers": [{ "poll_media": { "text": "tea" } }] });
    let path = format!("/channels/{}/messages", text(&dm["id"]));
    let sent = bot.post(&path, json!({ "poll": poll })).await;
    bot.user.vote("bob", id(&sent["id"]), &["tea"]).await.unwrap();
    let event = bot.event("MESSAGE_POLL_VOTE_ADD").await;
    assert_eq!((&event["channel_id"], event.get("guild_id")), (&dm["id"], None));
    assert!(bot.user.vote("carol", id(&sent["id"]), &["tea"]).await.is_err(), "it is not hers to read");
}

#[tokio::test]
async fn polls_need_their_permission() {
    let bot = Bot::start().await;
    let everyone = bot.sandbox.guild_id().to_string();
    bot.user.edit_role("Sandbox", &everyone, &json!({ "deny": ["SEND_POLLS"] })).await.unwrap();
    let poll = json!({ "question": { "text": "?" }, "answers": [{ "poll_media": { "text": "tea" } }] });
    let body = json!({ "as": "carol", "channel": "general", "poll": poll });
    let sent = bot.control(Method::POST, "/messages").json(&body).send().await.unwrap();
    assert_eq!(sent.status(), 403);
}
