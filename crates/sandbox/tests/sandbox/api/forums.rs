//! Forums and threads: fields are read as they were written, tags and their rules, and pages of the archive.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

async fn made(bot: &Bot, body: Value) -> (String, Value) {
    let channel = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &body).await;
    (format!("/channels/{}", text(&channel["id"])), channel)
}

/// Checks that a channel has all fields of `given`, as they were given.
fn has(channel: &Value, given: &Value) {
    for (field, value) in given.as_object().unwrap() {
        assert_eq!(&channel[field], value, "{field} of {channel}");
    }
}

#[tokio::test]
async fn what_a_bot_says_of_a_channel_is_what_it_reads() {
    let mut bot = Bot::start().await;
    let emoji = json!({ "emoji_id": null, "emoji_name": "🐛" });
    for (fields, others) in [
        (
            json!({ "type": 0, "topic": "t", "nsfw": true, "rate_limit_per_user": 5,
                "default_auto_archive_duration": 60, "default_thread_rate_limit_per_user": 7 }),
            json!({ "topic": null, "nsfw": false, "default_thread_rate_limit_per_user": 8 }),
        ),
        (
            json!({ "type": 2, "bitrate": 9000, "user_limit": 3, "rtc_region": "brazil", "video_quality_mode": 2 }),
            json!({ "rtc_region": null, "video_quality_mode": 1 }),
        ),
        (
            json!({ "type": 15, "topic": "t", "default_reaction_emoji": emoji, "default_sort_order": 1,
                "default_forum_layout": 2, "default_thread_rate_limit_per_user": 3, "flags": 16 }),
            json!({ "default_reaction_emoji": null, "default_sort_order": null, "default_forum_layout": 1, "flags": 0 }),
        ),
    ] {
        let mut body = fields.clone();
        body["name"] = json!("told");
        let (path, channel) = made(&bot, body).await;
        has(&channel, &fields);
        has(&bot.event("CHANNEL_CREATE").await, &fields);
        has(&bot.expect(200, Method::PATCH, &path, &others).await, &others);
        has(&bot.event("CHANNEL_UPDATE").await, &others);
        has(&bot.get(&path).await, &others);
    }
}

#[tokio::test]
async fn posts_have_tags_under_the_forums_rules() {
    let mut bot = Bot::start().await;
    let tags = json!([
        { "name": "bug", "emoji_name": "🐛" },
        { "name": "staff", "moderated": true },
    ]);
    let (path, forum) =
        made(&bot, json!({ "name": "f", "type": 15, "available_tags": tags, "flags": 16 })).await;
    let [bug, staff] = [0, 1].map(|at| forum["available_tags"][at].clone());
    let expected =
        json!({ "id": bug["id"], "name": "bug", "moderated": false, "emoji_id": null, "emoji_name": "🐛" });
    assert_eq!(bug, expected);
    assert_eq!((&staff["moderated"], &staff["emoji_name"]), (&json!(true), &Value::Null));

    // A tag that is referenced by its id keeps it.
    let renamed = json!({ "available_tags": [{ "id": bug["id"], "name": "fault" }, staff] });
    let changed = bot.expect(200, Method::PATCH, &path, &renamed).await;
    assert_eq!(changed["available_tags"][0]["id"], bug["id"]);
    let twice = json!({ "available_tags": [{ "name": "One" }, { "name": "one" }] });
    assert_eq!(bot.call(Method::PATCH, &path, &twice).await.1["code"], 40061);

    let threads = format!("{path}/threads");
    let post = |tags: Value| json!({ "name": "p", "message": { "content": "hi" }, "applied_tags": tags });
    assert_eq!(bot.call(Method::POST, &threads, &post(json!([]))).await.1["code"], 40067);
    assert_eq!(bot.call(Method::POST, &threads, &post(json!(["1"]))).await.1["code"], 10087);
    let made = bot.expect(201, Method::POST, &threads, &post(json!([bug["id"]]))).await;
    assert_eq!(made["applied_tags"], json!([bug["id"]]));
    assert_eq!(bot.event("THREAD_CREATE").await["applied_tags"], json!([bug["id"]]));

    let thread = format!("/channels/{}", text(&made["id"]));
    let edit = json!({ "applied_tags": [staff["id"]], "flags": 2 });
    let edited = bot.expect(200, Method::PATCH, &thread, &edit).await;
    assert_eq!(
        (&edited["applied_tags"], &edited["flags"]),
        (&json!([staff["id"]]), &json!(2)),
        "it is pinned"
    );
    assert_eq!(bot.call(Method::PATCH, &thread, &json!({ "applied_tags": [] })).await.1["code"], 40067);
}

#[tokio::test]
async fn a_thread_begins_with_its_channels_slowmode_for_threads() {
    let bot = Bot::start().await;
    let (path, _) = made(&bot, json!({ "name": "slow", "default_thread_rate_limit_per_user": 9 })).await;
    let threads = format!("{path}/threads");
    let of = async |body: Value| {
        bot.expect(201, Method::POST, &threads, &body).await["rate_limit_per_user"].clone()
    };
    assert_eq!(of(json!({ "name": "a", "type": 11 })).await, 9);
    assert_eq!(of(json!({ "name": "b", "type": 11, "rate_limit_per_user": 0 })).await, 0);
}

#[tokio::test]
async fn the_archive_comes_in_pages_from_the_newest_on() {
    let bot = Bot::start().await;
    let channel = bot.channel("general");
    let mut names = Vec::new();
    for name in ["a", "b", "c"] {
        let body = json!({ "name": name, "type": 11 });
        let thread = bot.expect(201, Method::POST, &format!("{channel}/threads"), &body).await;
        let path = format!("/channels/{}", text(&thread["id"]));
        bot.expect(200, Method::PATCH, &path, &json!({ "archived": true })).await;
        names.insert(0, name);
    }
    let archive = format!("{channel}/threads/archived/public");
    let listed = |page: &Value| -> Vec<String> {
        page["threads"].as_array().unwrap().iter().map(|thread| text(&thread["name"]).to_owned()).collect()
    };
    let all = bot.get(&archive).await;
    assert_eq!(
        (listed(&all), &all["has_more"]),
        (names.iter().map(ToString::to_string).collect(), &json!(false))
    );
    let first = bot.get(&format!("{archive}?limit=2")).await;
    assert_eq!((listed(&first), &first["has_more"]), (vec!["c".to_owned(), "b".to_owned()], &json!(true)));
    let last = text(&first["threads"][1]["thread_metadata"]["archive_timestamp"]).replace('+', "%2B");
    let second = bot.get(&format!("{archive}?limit=2&before={last}")).await;
    assert_eq!((listed(&second), &second["has_more"]), (vec!["a".to_owned()], &json!(false)));
    assert_eq!(bot.call(Method::GET, &format!("{archive}?before=now"), &Value::Null).await.1["code"], 50035);
    let joined = format!("{channel}/users/@me/threads/archived/private");
    assert_eq!(listed(&bot.get(&joined).await), [""; 0]);
}

#[tokio::test]
async fn a_reordering_moves_channels_into_categories_and_takes_their_overwrites() {
    let mut bot = Bot::start().await;
    let overwrite =
        json!({ "id": bot.sandbox.guild_id().to_string(), "type": 0, "allow": "0", "deny": "2048" });
    let (_, category) =
        made(&bot, json!({ "name": "C", "type": 4, "permission_overwrites": [overwrite] })).await;
    let (path, channel) = made(&bot, json!({ "name": "c" })).await;
    let place = |parent: &Value, lock: bool| json!([{ "id": channel["id"], "position": 3, "parent_id": parent, "lock_permissions": lock }]);
    let order = format!("{}/channels", bot.guild());
    assert_eq!(bot.call(Method::PATCH, &order, &place(&channel["id"], false)).await.1["code"], 50035);
    bot.expect(204, Method::PATCH, &order, &place(&category["id"], true)).await;
    let moved = bot.get(&path).await;
    assert_eq!((&moved["parent_id"], &moved["position"]), (&category["id"], &json!(3)));
    assert_eq!(moved["permission_overwrites"], category["permission_overwrites"]);
    assert_eq!(bot.event("CHANNEL_UPDATE").await["parent_id"], category["id"]);
    bot.expect(204, Method::PATCH, &order, &place(&Value::Null, false)).await;
    assert_eq!(bot.get(&path).await["parent_id"], Value::Null);
    assert_eq!(bot.call(Method::PATCH, &path, &json!({ "parent_id": channel["id"] })).await.1["code"], 50035);
}

#[tokio::test]
async fn a_post_begins_with_a_message_of_its_own_id() {
    let mut bot = Bot::start().await;
    let (path, _) = made(&bot, json!({ "name": "f", "type": 15 })).await;
    let body = json!({ "name": "p", "message": { "content": "hi" } });
    let post = bot.expect(201, Method::POST, &format!("{path}/threads"), &body).await;
    assert_eq!(post["message"]["id"], post["id"]);
    assert_eq!(bot.event("MESSAGE_CREATE").await["id"], post["id"]);
    let messages = format!("/channels/{}/messages", text(&post["id"]));
    assert_eq!(bot.get(&format!("{messages}/{}", text(&post["id"]))).await["content"], "hi");
    let second = bot.post(&messages, json!({ "content": "second" })).await;
    assert_ne!(second["id"], post["id"]);
    bot.expect(204, Method::DELETE, &format!("{messages}/{}", text(&post["id"])), &Value::Null).await;
    assert_ne!(bot.post(&messages, json!({ "content": "third" })).await["id"], post["id"]);
}

#[tokio::test]
async fn a_webhook_in_a_forum_opens_a_post_or_writes_into_one() {
    let mut bot = Bot::start().await;
    let tags = json!([{ "name": "bug" }]);
    let (path, forum) = made(&bot, json!({ "name": "f", "type": 15, "available_tags": tags })).await;
    let webhook = bot.post(&format!("{path}/webhooks"), json!({ "name": "w" })).await;
    let url = format!("/webhooks/{}/{}", text(&webhook["id"]), text(&webhook["token"]));
    let tag = &forum["available_tags"][0]["id"];
    let body = json!({ "content": "hi", "thread_name": "p", "applied_tags": [tag],
        "avatar_url": "https://example.com/a.png" });
    let sent = bot.post(&format!("{url}?wait=true"), body.clone()).await;
    assert!(sent["author"]["avatar"].is_string(), "{sent}");
    assert_eq!(sent["id"], sent["channel_id"], "it is the first message of the post");
    let thread = bot.event("THREAD_CREATE").await;
    assert_eq!((&thread["name"], &thread["parent_id"]), (&json!("p"), &forum["id"]));
    assert_eq!((&thread["applied_tags"], &thread["owner_id"]), (&json!([tag]), &webhook["id"]));
    let thread = text(&sent["channel_id"]);
    bot.post(&format!("{url}?wait=true&thread_id={thread}"), json!({ "content": "more" })).await;

    let text_webhook =
        bot.post(&format!("{}/webhooks", bot.channel("general")), json!({ "name": "w" })).await;
    let elsewhere = format!("/webhooks/{}/{}", text(&text_webhook["id"]), text(&text_webhook["token"]));
    for (url, body, code) in [
        (url.clone(), json!({ "content": "hi" }), 220_001),
        (format!("{url}?thread_id={thread}"), body.clone(), 220_002),
        (elsewhere, body, 220_003),
    ] {
        let (status, answer) = bot.call(Method::POST, &url, &body).await;
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{url}");
    }
}
