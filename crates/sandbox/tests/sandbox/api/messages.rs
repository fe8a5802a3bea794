//! Messages: files, replies, mentions, history, pins, reactions, threads, webhooks.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

fn messages(bot: &Bot) -> String {
    format!("{}/messages", bot.channel("general"))
}

#[tokio::test]
async fn what_people_write_edit_and_delete_reaches_the_bot() {
    let mut bot = Bot::start().await;
    let sent = bot.user.send("bob", "general", "hello <@1100000000000000001>").await.unwrap();
    let event = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&event["id"], &event["author"]["username"]), (&sent["id"], &json!("bob")));
    assert_eq!(event["mentions"][0]["username"], "Sandbot");
    assert!(event["mentions"][0]["member"]["roles"].is_array() && event["member"]["roles"].is_array());
    bot.user.edit("bob", id(&sent["id"]), "changed").await.unwrap();
    assert_eq!(bot.event("MESSAGE_UPDATE").await["content"], "changed");
    bot.user.delete("bob", id(&sent["id"])).await.unwrap();
    assert_eq!(bot.event("MESSAGE_DELETE").await["id"], sent["id"]);
    assert!(bot.user.edit("carol", id(&sent["id"]), "x").await.is_err());
}

#[tokio::test]
async fn files_come_back_byte_for_byte_under_their_address() {
    let bot = Bot::start().await;
    let body = json!({ "content": "two", "embeds": [{ "title": "t", "image": { "url": "attachment://b.png" } }],
        "attachments": [{ "id": 0, "description": "alt" }] });
    let form = Form::new()
        .text("payload_json", body.to_string())
        .part("files[0]", Part::bytes(b"first".to_vec()).file_name("a b.txt"))
        .part(
            "files[1]",
            Part::bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x20".to_vec()).file_name("b.png"),
        );
    let (status, message) = bot.upload(Method::POST, &messages(&bot), form).await;
    assert_eq!(status, 200, "{message}");
    let files = message["attachments"].as_array().unwrap();
    assert_eq!(files.len(), 1, "a picture in an embed is not listed twice");
    assert_eq!((&files[0]["filename"], &files[0]["description"]), (&json!("a_b.txt"), &json!("alt")));
    let image = &message["embeds"][0]["image"];
    assert_eq!((&image["width"], &image["height"]), (&json!(16), &json!(32)));
    let got = reqwest::get(text(&files[0]["url"])).await.unwrap();
    assert_eq!(got.headers()["content-disposition"], "attachment");
    assert_eq!(&got.bytes().await.unwrap()[..], b"first");
    let path = format!("{}/{}", messages(&bot), text(&message["id"]));
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "attachments": [] })).await;
    assert_eq!(edited["attachments"], json!([]));
    assert_eq!(reqwest::get(text(&files[0]["url"])).await.unwrap().status(), 404);
}

#[tokio::test]
async fn replies_carry_the_message_they_answer_and_mention_its_author() {
    let mut bot = Bot::start().await;
    let first = bot.user.send("bob", "general", "question").await.unwrap();
    let body = json!({ "content": "answer", "message_reference": { "message_id": first["id"] } });
    let reply = bot.post(&messages(&bot), body).await;
    assert_eq!((&reply["type"], &reply["referenced_message"]["content"]), (&json!(19), &json!("question")));
    assert_eq!(reply["mentions"][0]["username"], "bob");
    let quiet = json!({ "content": "answer", "message_reference": { "message_id": first["id"] },
        "allowed_mentions": { "replied_user": false } });
    assert_eq!(bot.post(&messages(&bot), quiet).await["mentions"], json!([]));
    bot.user.delete("bob", id(&first["id"])).await.unwrap();
    bot.event("MESSAGE_DELETE").await;
    let path = format!("{}/{}", messages(&bot), text(&reply["id"]));
    assert!(bot.get(&path).await["referenced_message"].is_null());
    let lost = json!({ "content": "x", "message_reference": { "message_id": first["id"] } });
    assert_eq!(bot.call(Method::POST, &messages(&bot), &lost).await.1["code"], 50035);
}

#[tokio::test]
async fn history_is_paged_in_every_direction() {
    let bot = Bot::start().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(
            text(&bot.post(&messages(&bot), json!({ "content": n.to_string() })).await["id"]).to_owned(),
        );
    }
    let contents = |list: &Value| -> String {
        list.as_array().unwrap().iter().map(|m| text(&m["content"]).to_owned()).collect()
    };
    let page = |query: String| {
        let path = format!("{}?{query}", messages(&bot));
        let bot = &bot;
        async move { contents(&bot.get(&path).await) }
    };
    assert_eq!(page("limit=3".into()).await, "654");
    assert_eq!(page(format!("limit=2&before={}", ids[3])).await, "21");
    assert_eq!(page(format!("limit=2&after={}", ids[3])).await, "54");
    assert_eq!(page(format!("limit=3&around={}", ids[3])).await, "432");
    assert_eq!(
        bot.call(Method::GET, &format!("{}?limit=101", messages(&bot)), &Value::Null).await.1["code"],
        50035
    );
}

#[tokio::test]
async fn messages_go_in_bulk_as_one_event() {
    let mut bot = Bot::start().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(bot.post(&messages(&bot), json!({ "content": "x" })).await["id"].clone());
    }
    let path = format!("{}/bulk-delete", messages(&bot));
    assert_eq!(bot.call(Method::POST, &path, &json!({ "messages": [ids[0]] })).await.1["code"], 50016);
    assert_eq!(bot.call(Method::POST, &path, &json!({ "messages": ["1", "2"] })).await.1["code"], 50034);
    bot.expect(204, Method::POST, &path, &json!({ "messages": ids })).await;
    assert_eq!(bot.event("MESSAGE_DELETE_BULK").await["ids"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn messages_of_some_types_cannot_be_deleted() {
    let bot = Bot::start().await;
    let message = bot.post(&messages(&bot), json!({ "content": "x" })).await;
    let threads = format!("{}/{}/threads", messages(&bot), text(&message["id"]));
    let thread = bot.expect(201, Method::POST, &threads, &json!({ "name": "t" })).await;
    let inside = format!("/channels/{}/messages", text(&thread["id"]));
    let sent = bot.post(&inside, json!({ "content": "y" })).await;
    let all = bot.get(&inside).await;
    let beginning = all.as_array().unwrap().iter().find(|message| message["type"] == 21).unwrap();
    let one = format!("{inside}/{}", text(&beginning["id"]));
    let (status, refused) = bot.call(Method::DELETE, &one, &Value::Null).await;
    assert_eq!((status, &refused["code"]), (403, &json!(50021)));
    let both = json!({ "messages": [sent["id"], beginning["id"]] });
    let (status, refused) = bot.call(Method::POST, &format!("{inside}/bulk-delete"), &both).await;
    assert_eq!((status, &refused["code"]), (403, &json!(50021)));
    assert!(bot.user.delete("alice", id(&beginning["id"])).await.is_err());
    assert_eq!(bot.get(&inside).await, all, "nothing was deleted");
    let pin = format!("{}/pins/{}", messages(&bot), text(&message["id"]));
    bot.expect(204, Method::PUT, &pin, &Value::Null).await;
    let notice = bot.get(&format!("{}?limit=1", messages(&bot))).await[0].clone();
    assert_eq!(notice["type"], 6);
    let notice = format!("{}/{}", messages(&bot), text(&notice["id"]));
    bot.expect(204, Method::DELETE, &notice, &Value::Null).await;
}

#[tokio::test]
async fn an_enforced_nonce_sends_once() {
    let bot = Bot::start().await;
    let body = json!({ "content": "once", "nonce": "n1", "enforce_nonce": true });
    let (first, second) =
        (bot.post(&messages(&bot), body.clone()).await, bot.post(&messages(&bot), body).await);
    assert_eq!((&first["id"], &first["nonce"]), (&second["id"], &json!("n1")));
    assert_eq!(bot.get(&messages(&bot)).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn reactions_are_counted_listed_and_told() {
    let mut bot = Bot::start().await;
    let message = bot.post(&messages(&bot), json!({ "content": "vote" })).await;
    let base = format!("{}/{}/reactions", messages(&bot), text(&message["id"]));
    let thumb = "%F0%9F%91%8D";
    bot.expect(204, Method::PUT, &format!("{base}/{thumb}/@me"), &Value::Null).await;
    bot.user.react("bob", id(&message["id"]), "👍").await.unwrap();
    bot.event("MESSAGE_REACTION_ADD").await;
    let event = bot.event("MESSAGE_REACTION_ADD").await;
    assert_eq!(
        (&event["emoji"]["name"], &event["member"]["user"]["username"]),
        (&json!("👍"), &json!("bob"))
    );
    let seen = bot.get(&format!("{}/{}", messages(&bot), text(&message["id"]))).await;
    assert_eq!((&seen["reactions"][0]["count"], &seen["reactions"][0]["me"]), (&json!(2), &json!(true)));
    assert_eq!(bot.get(&format!("{base}/{thumb}")).await.as_array().unwrap().len(), 2);
    bot.user.unreact("bob", id(&message["id"]), "👍").await.unwrap();
    bot.event("MESSAGE_REACTION_REMOVE").await;
    assert_eq!(bot.call(Method::PUT, &format!("{base}/notanemoji/@me"), &Value::Null).await.1["code"], 10014);
    bot.expect(204, Method::DELETE, &base, &Value::Null).await;
    bot.event("MESSAGE_REACTION_REMOVE_ALL").await;
}

#[tokio::test]
async fn pins_are_listed_newest_first_and_leave_a_notice() {
    let mut bot = Bot::start().await;
    for n in 0..2 {
        let message = bot.post(&messages(&bot), json!({ "content": n.to_string() })).await;
        bot.expect(
            204,
            Method::PUT,
            &format!("{}/pins/{}", messages(&bot), text(&message["id"])),
            &Value::Null,
        )
        .await;
        bot.event("CHANNEL_PINS_UPDATE").await;
    }
    let pins = bot.get(&format!("{}/pins", messages(&bot))).await;
    assert_eq!((&pins["items"][0]["message"]["content"], &pins["has_more"]), (&json!("1"), &json!(false)));
    assert_eq!(bot.get(&messages(&bot)).await[0]["type"], 6);
    assert_eq!(bot.get(&format!("{}/pins", bot.channel("general"))).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_thread_hangs_on_its_message_and_can_be_written_in() {
    let mut bot = Bot::start().await;
    let message = bot.post(&messages(&bot), json!({ "content": "topic" })).await;
    let path = format!("{}/{}/threads", messages(&bot), text(&message["id"]));
    let thread = bot.expect(201, Method::POST, &path, &json!({ "name": "talk" })).await;
    assert_eq!((&thread["id"], &thread["type"]), (&message["id"], &json!(11)));
    assert_eq!(bot.event("THREAD_CREATE").await["newly_created"], true);
    bot.post(&format!("/channels/{}/messages", text(&thread["id"])), json!({ "content": "in it" })).await;
    let active = bot.get(&format!("{}/threads/active", bot.guild())).await;
    assert_eq!(active["threads"].as_array().unwrap().len(), 1);
    let closed = json!({ "archived": true, "locked": true });
    let closed = bot.expect(200, Method::PATCH, &format!("/channels/{}", text(&thread["id"])), &closed).await;
    assert_eq!(closed["thread_metadata"]["archived"], true);
    assert_eq!(bot.event("THREAD_UPDATE").await["thread_metadata"]["locked"], true);
    assert!(bot.user.send("carol", text(&thread["id"]), "hm").await.is_err());
}

#[tokio::test]
async fn a_webhook_posts_under_any_name_without_a_bots_token() {
    let mut bot = Bot::start().await;
    let hook = bot.post(&format!("{}/webhooks", bot.channel("general")), json!({ "name": "News" })).await;
    let path = format!("/webhooks/{}/{}", text(&hook["id"]), text(&hook["token"]));
    let sent =
        bot.post(&format!("{path}?wait=true"), json!({ "content": "extra", "username": "Paper" })).await;
    assert_eq!((&sent["author"]["username"], &sent["webhook_id"]), (&json!("Paper"), &hook["id"]));
    assert_eq!(bot.event("MESSAGE_CREATE").await["content"], "extra");
    let message = format!("{path}/messages/{}", text(&sent["id"]));
    bot.expect(200, Method::PATCH, &message, &json!({ "content": "corrected" })).await;
    bot.expect(204, Method::DELETE, &message, &Value::Null).await;
    let wrong = format!("/webhooks/{}/nonsense", text(&hook["id"]));
    assert_eq!(bot.call(Method::POST, &wrong, &json!({ "content": "x" })).await.1["code"], 50027);
}

#[tokio::test]
async fn a_poll_and_a_forward_are_kept_as_they_are_shown() {
    let bot = Bot::start().await;
    let poll = json!({ "poll": { "question": { "text": "Tea?" }, "answers": [
        { "poll_media": { "text": "yes" } }, { "poll_media": { "text": "no" } }], "duration": 1 } });
    let message = bot.post(&messages(&bot), poll).await;
    assert_eq!(message["poll"]["answers"][1]["answer_id"], 2);
    let channel = bot.sandbox.channel_id("general").unwrap();
    let message = bot.post(&messages(&bot), json!({ "content": "plain" })).await;
    let forward =
        json!({ "message_reference": { "type": 1, "message_id": message["id"], "channel_id": channel } });
    let path = format!("{}/messages", bot.channel("bot-test"));
    let forwarded = bot.unjudged(Method::POST, &path, &forward).await;
    assert_eq!(forwarded["message_reference"]["type"], 1);
    assert!(forwarded["message_snapshots"][0]["message"]["timestamp"].is_string());
}

#[tokio::test]
async fn a_poll_is_ended_once_and_by_its_author() {
    let mut bot = Bot::start().await;
    let poll = json!({ "question": { "text": "Tea?" }, "answers": [{ "poll_media": { "text": "yes" } }] });
    let message = bot.post(&messages(&bot), json!({ "poll": poll })).await;
    let end = |id: &Value| format!("{}/polls/{}/expire", bot.channel("general"), text(id));
    let path = end(&message["id"]);
    let ended = bot.post(&path, Value::Null).await;
    assert_eq!(ended["poll"]["results"]["is_finalized"], true);
    let expired = bot.call(Method::POST, &path, &Value::Null).await;
    assert_eq!((expired.0, &expired.1["code"]), (400, &json!(520_001)));
    let sent = bot.user.send("bob", "general", "no poll").await.unwrap();
    let path = end(&sent["id"]);
    let refused = bot.call(Method::POST, &path, &Value::Null).await.1;
    assert_eq!(refused["code"], 520_006);
    assert_eq!(bot.event("MESSAGE_UPDATE").await["poll"]["results"]["is_finalized"], true);
}
