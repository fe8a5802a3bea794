//! Searching messages and threads.

use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use sandbox::Sandbox;
use sandbox::ratelimit::Config;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

async fn indexed() -> Bot {
    Bot::start_with(Sandbox::builder().rate_limits(Config::off()).search_index_time(Duration::ZERO)).await
}

async fn search(bot: &Bot, query: &str) -> Value {
    bot.get(&format!("{}/messages/search?{query}", bot.guild())).await
}

/// Returns the contents of the messages found.
async fn found(bot: &Bot, query: &str) -> Vec<String> {
    let result = search(bot, query).await;
    let messages = result["messages"].as_array().unwrap();
    assert_eq!(result["total_results"], messages.len(), "{query}");
    messages.iter().map(|context| text(&context[0]["content"]).to_owned()).collect()
}

#[tokio::test]
async fn what_is_not_indexed_is_asked_for_again() {
    let time = Duration::from_millis(1200);
    let bot = Bot::start_with(Sandbox::builder().rate_limits(Config::off()).search_index_time(time)).await;
    bot.user.send("bob", "general", "tea").await.unwrap();
    let path = format!("{}/messages/search?content=tea", bot.guild());
    let wait = bot.expect(202, Method::GET, &path, &Value::Null).await;
    let expected = json!({ "message": "Index not yet available. Try again later", "code": 110_000,
        "documents_indexed": 0, "retry_after": 2 });
    assert_eq!(wait, expected);
    // What a client does with `retry_after`.
    tokio::time::sleep(Duration::from_secs(wait["retry_after"].as_u64().unwrap())).await;
    assert_eq!(search(&bot, "content=tea").await["total_results"], 1);
    // Every channel has an index of its own for its threads.
    let threads = format!("{}/threads/search", bot.channel("general"));
    assert_eq!(bot.expect(202, Method::GET, &threads, &Value::Null).await["code"], 110_000);
}

#[tokio::test]
async fn each_parameter_finds_its_messages() {
    let bot = indexed().await;
    let general = bot.channel("general");
    let (bob, alice) = (bot.sandbox.user_id("bob").unwrap(), bot.sandbox.user_id("alice").unwrap());
    let first = bot.user.send("bob", "general", "hot green tea").await.unwrap();
    bot.user.send("alice", "bot-test", "tea at https://Example.com/pot").await.unwrap();
    let messages = format!("{general}/messages");
    let reply = json!({ "content": "a reply", "message_reference": { "message_id": first["id"] },
        "allowed_mentions": { "parse": [] } });
    bot.post(&messages, reply).await;
    bot.post(&messages, json!({ "content": format!("hello <@{alice}> @everyone") })).await;
    let embed = json!({ "title": "t", "image": { "url": "https://example.com/a.png" } });
    bot.post(&messages, json!({ "content": "embedded", "embeds": [embed] })).await;
    let poll = json!({ "question": { "text": "?" }, "answers": [{ "poll_media": { "text": "a" } }] });
    bot.post(&messages, json!({ "content": "asked", "poll": poll })).await;
    let form = Form::new()
        .text("payload_json", json!({ "content": "attached" }).to_string())
        .part("files[0]", Part::bytes(b"x".to_vec()).file_name("Notes.TXT"));
    assert_eq!(bot.upload(Method::POST, &messages, form).await.0, 200);
    let pin = format!("{messages}/pins/{}", text(&first["id"]));
    bot.expect(204, Method::PUT, &pin, &Value::Null).await;
    let tea = "tea at https://Example.com/pot";
    let bot_test = bot.sandbox.channel_id("bot-test").unwrap();
    let hello = format!("hello <@{alice}> @everyone");
    for (query, expected) in [
        ("content=tea".to_owned(), vec![tea, "hot green tea"]),
        ("content=tea&sort_order=asc".to_owned(), vec!["hot green tea", tea]),
        ("content=hot%20tea".to_owned(), vec!["hot green tea"]),
        ("content=hot%20tea&slop=0".to_owned(), vec![]),
        (format!("content=tea&author_id={bob}"), vec!["hot green tea"]),
        (format!("content=tea&author_id={bob}&author_id={alice}"), vec![tea, "hot green tea"]),
        (format!("content=tea&channel_id={bot_test}"), vec![tea]),
        (format!("content=tea&min_id={}", text(&first["id"])), vec![tea]),
        (format!("content=tea&max_id={}", text(&first["id"])), vec![]),
        ("content=tea&author_type=bot".to_owned(), vec![]),
        ("content=tea&author_type=-bot&has=link".to_owned(), vec![tea]),
        ("content=tea&has=-link".to_owned(), vec!["hot green tea"]),
        ("link_hostname=example.com".to_owned(), vec![tea]),
        (format!("mentions={alice}"), vec![&hello]),
        ("mention_everyone=true".to_owned(), vec![&hello]),
        (format!("replied_to_user_id={bob}"), vec!["a reply"]),
        (format!("replied_to_message_id={}", text(&first["id"])), vec!["a reply"]),
        ("pinned=true".to_owned(), vec!["hot green tea"]),
        ("has=embed&embed_type=image".to_owned(), vec!["embedded"]),
        ("has=image".to_owned(), vec!["embedded"]),
        ("has=poll".to_owned(), vec!["asked"]),
        ("has=file".to_owned(), vec!["attached"]),
        ("attachment_extension=txt".to_owned(), vec!["attached"]),
        ("attachment_filename=notes".to_owned(), vec!["attached"]),
        ("attachment_extension=png".to_owned(), vec![]),
        ("has=snapshot".to_owned(), vec![]),
        ("embed_provider=Tenor".to_owned(), vec![]),
    ] {
        assert_eq!(found(&bot, &query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn results_come_in_pages_and_by_relevance() {
    let bot = indexed().await;
    for n in 0..30 {
        bot.user.send("bob", "general", &format!("tea {n}")).await.unwrap();
    }
    bot.user.send("bob", "general", "tea tea tea, and then nothing").await.unwrap();
    bot.user.send("bob", "general", "the last tea").await.unwrap();
    let page = search(&bot, "content=tea").await;
    assert_eq!((&page["total_results"], page["messages"].as_array().unwrap().len()), (&json!(32), 25));
    assert_eq!(page["messages"][0][0]["hit"], true);
    let second = search(&bot, "content=tea&offset=25&limit=5").await;
    assert_eq!(second["messages"][0][0]["content"], "tea 6");
    assert_eq!(second["messages"].as_array().unwrap().len(), 5);
    let best = search(&bot, "content=tea&sort_by=relevance&limit=1").await;
    assert_eq!(best["messages"][0][0]["content"], "tea tea tea, and then nothing");
}

#[tokio::test]
async fn only_what_the_bot_may_read_is_found() {
    let bot = indexed().await;
    let sent = bot.user.send("bob", "general", "secret tea").await.unwrap();
    bot.user.react("bob", id(&sent["id"]), "🍵").await.unwrap();
    let hit = search(&bot, "content=tea").await["messages"][0][0].clone();
    assert!(hit.get("reactions").is_none(), "{hit}");
    let general = bot.channel("general");
    bot.expect(200, Method::PATCH, &general, &json!({ "nsfw": true })).await;
    assert_eq!(found(&bot, "content=tea").await, Vec::<String>::new());
    assert_eq!(found(&bot, "content=tea&include_nsfw=true").await, ["secret tea"]);
    bot.expect(200, Method::PATCH, &general, &json!({ "nsfw": false })).await;
    let everyone = bot.sandbox.guild_id().to_string();
    bot.user.edit_role("Sandbox", "Sandbot", &json!({ "deny": ["ADMINISTRATOR"] })).await.unwrap();
    assert_eq!(found(&bot, "content=tea").await, ["secret tea"]);
    let hide = json!({ "deny": ["READ_MESSAGE_HISTORY"] });
    bot.user.edit_overwrite("Sandbox", "general", &everyone, &hide).await.unwrap();
    assert_eq!(found(&bot, "content=tea").await, Vec::<String>::new());
    bot.user.edit_role("Sandbox", &everyone, &hide).await.unwrap();
    let path = format!("{}/messages/search", bot.guild());
    let (status, answer) = bot.call(Method::GET, &path, &Value::Null).await;
    assert_eq!((status, &answer["code"]), (403, &json!(50013)));
}

#[tokio::test]
async fn messages_of_threads_bring_their_threads() {
    let bot = indexed().await;
    let general = bot.channel("general");
    let thread = bot
        .expect(201, Method::POST, &format!("{general}/threads"), &json!({ "name": "Pots", "type": 11 }))
        .await;
    let messages = format!("/channels/{}/messages", text(&thread["id"]));
    for content in ["a pot", "another pot"] {
        bot.post(&messages, json!({ "content": content })).await;
    }
    let result = search(&bot, "content=pot").await;
    assert_eq!(result["total_results"], 2);
    assert_eq!(result["threads"].as_array().unwrap().len(), 1);
    assert_eq!((&result["threads"][0]["id"], &result["members"][0]["id"]), (&thread["id"], &thread["id"]));
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let bot = indexed().await;
    for (query, path) in [
        ("limit=26", vec!["limit"]),
        ("limit=0", vec!["limit"]),
        ("offset=9976", vec!["offset"]),
        ("slop=101", vec!["slop"]),
        ("author_id=x", vec!["author_id", "0"]),
        ("author_id=1&author_id=1", vec!["author_id", "1"]),
        ("has=tea", vec!["has", "0"]),
        ("author_type=-human", vec!["author_type", "0"]),
        ("embed_type=-image", vec!["embed_type", "0"]),
        ("sort_by=size", vec!["sort_by"]),
        ("sort_order=up", vec!["sort_order"]),
        ("pinned=maybe", vec!["pinned"]),
        ("min_id=x", vec!["min_id"]),
    ] {
        let url = format!("{}/messages/search?{query}", bot.guild());
        let (status, answer) = bot.call(Method::GET, &url, &Value::Null).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{query}");
        let node = path.iter().fold(&answer["errors"], |node, key| &node[*key]);
        assert!(node["_errors"][0]["code"].is_string(), "{query}: {answer}");
    }
    let long = format!("{}/messages/search?content={}", bot.guild(), "x".repeat(1025));
    assert_eq!(bot.call(Method::GET, &long, &Value::Null).await.0, 400);
}

#[tokio::test]
async fn threads_are_found_by_name_tag_and_state() {
    let bot = indexed().await;
    let tags = json!([{ "name": "hot" }, { "name": "cold" }]);
    let forum = json!({ "name": "teas", "type": 15, "available_tags": tags });
    let forum = bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &forum).await;
    let (hot, cold) = (&forum["available_tags"][0]["id"], &forum["available_tags"][1]["id"]);
    let path = format!("/channels/{}/threads", text(&forum["id"]));
    let mut posts = Vec::new();
    for (name, tags) in [("Green tea", json!([hot])), ("Iced tea", json!([hot, cold])), ("Water", json!([]))]
    {
        let post = json!({ "name": name, "applied_tags": tags, "message": { "content": name } });
        posts.push(bot.expect(201, Method::POST, &path, &post).await);
    }
    let names = async |query: &str| {
        let result = bot.get(&format!("{path}/search?{query}")).await;
        assert_eq!(
            result["first_messages"].as_array().unwrap().len(),
            result["threads"].as_array().unwrap().len()
        );
        let threads = result["threads"].as_array().unwrap();
        threads.iter().map(|thread| text(&thread["name"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["Water", "Iced tea", "Green tea"]);
    assert_eq!(names("name=tea&sort_by=creation_time&sort_order=asc").await, ["Green tea", "Iced tea"]);
    let (hot, cold) = (text(hot), text(cold));
    assert_eq!(names(&format!("tag={hot}")).await, ["Iced tea", "Green tea"]);
    assert_eq!(names(&format!("tag={hot}&tag={cold}&tag_setting=match_all")).await, ["Iced tea"]);
    assert_eq!(names(&format!("tag={hot},{cold}")).await, ["Iced tea", "Green tea"]);
    assert_eq!(names(&format!("min_id={}", text(&posts[1]["id"]))).await, ["Water"]);
    let water = format!("/channels/{}", text(&posts[2]["id"]));
    bot.expect(200, Method::PATCH, &water, &json!({ "archived": true })).await;
    assert_eq!(names("archived=true").await, ["Water"]);
    assert_eq!(names("archived=false").await, ["Iced tea", "Green tea"]);
    bot.post(&format!("/channels/{}/messages", text(&posts[0]["id"])), json!({ "content": "new" })).await;
    assert_eq!(names("name=tea").await, ["Green tea", "Iced tea"], "by the last message");
    let page = bot.get(&format!("{path}/search?limit=2")).await;
    assert_eq!((&page["has_more"], &page["total_results"]), (&json!(true), &json!(3)));
    assert_eq!(page["members"].as_array().unwrap().len(), 2);
    let lounge = format!("{}/threads/search", bot.channel("Lounge"));
    assert_eq!(bot.call(Method::GET, &lounge, &Value::Null).await.1["code"], 50024);
    let wrong = bot.call(Method::GET, &format!("{path}/search?sort_by=size"), &Value::Null).await;
    assert_eq!((wrong.0, &wrong.1["code"]), (400, &json!(50035)));
}
