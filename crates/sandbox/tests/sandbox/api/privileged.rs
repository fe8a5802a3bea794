//! Privileged intents that are switched off.

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use sandbox::gateway::Intents;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::api::bot::{Bot, text};
use crate::api::cli::command_for;

async fn off(bot: &Bot, intents: &[&str]) -> Value {
    bot.user.edit_intents("Sandbot", &json!({ "disable": intents })).await.unwrap()
}

/// Identifies with intents and returns the close code, or `None` for READY.
async fn identify(bot: &Bot, intents: Intents) -> Option<u16> {
    let url = format!("{}/?v=10&encoding=json", bot.sandbox.gateway_url());
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let data = json!({ "token": bot.sandbox.token(), "intents": intents, "properties": {} });
    socket.send(Message::text(json!({ "op": 2, "d": data }).to_string())).await.unwrap();
    while let Some(frame) = socket.next().await {
        match frame.unwrap() {
            Message::Close(frame) => return Some(frame.unwrap().code.into()),
            Message::Text(text) if text.contains("\"READY\"") => return None,
            _ => {}
        }
    }
    panic!("neither READY nor a close frame")
}

#[tokio::test]
async fn a_session_that_asks_for_one_that_is_off_is_closed_with_4014() {
    let bot = Bot::start().await;
    assert_eq!(identify(&bot, Intents::all()).await, None);
    for (name, intent) in [
        ("GUILD_MEMBERS", Intents::GUILD_MEMBERS),
        ("GUILD_PRESENCES", Intents::GUILD_PRESENCES),
        ("MESSAGE_CONTENT", Intents::MESSAGE_CONTENT),
    ] {
        off(&bot, &[name]).await;
        assert_eq!(identify(&bot, Intents::GUILDS | intent).await, Some(4014), "{name}");
        assert_eq!(identify(&bot, Intents::all() - intent).await, None, "{name}");
        bot.user.edit_intents("Sandbot", &json!({ "enable": [name] })).await.unwrap();
        assert_eq!(identify(&bot, Intents::all()).await, None, "{name}");
    }
}

#[tokio::test]
async fn the_application_s_flags_follow_and_can_be_set_by_the_bot() {
    let bot = Bot::start().await;
    let flags = async |bot: &Bot| bot.get("/applications/@me").await["flags"].as_u64().unwrap();
    assert_eq!(flags(&bot).await, 1 << 13 | 1 << 15 | 1 << 19);
    let shown = off(&bot, &["GUILD_PRESENCES", "message_content"]).await;
    assert_eq!((&shown["privileged"], &shown["flags"]), (&json!(["GUILD_MEMBERS"]), &json!(1 << 15)));
    assert_eq!(flags(&bot).await, 1 << 15);
    let ready = bot.second_session().await;
    drop(ready);

    // Only the flags of these intents can be set.
    let body = json!({ "flags": 1 << 19 | 1 << 12 });
    let set = bot.expect(200, Method::PATCH, "/applications/@me", &body).await;
    assert_eq!((&set["flags"], &set["flags_new"]), (&json!(1 << 19), &json!((1_u64 << 19).to_string())));
    assert_eq!(bot.user.intents("Sandbot").await.unwrap()["privileged"], json!(["MESSAGE_CONTENT"]));

    let wrong = bot.user.edit_intents("Sandbot", &json!({ "enable": ["GUILDS"] })).await.unwrap_err();
    assert!(wrong.to_string().contains("GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT"), "{wrong}");
    assert!(bot.user.edit_intents("nobody", &json!({})).await.is_err());
}

#[tokio::test]
async fn lists_of_members_need_the_members_intent() {
    let bot = Bot::start().await;
    let general = bot.channel("general");
    let body = json!({ "name": "t", "type": 11 });
    let thread = bot.expect(201, Method::POST, &format!("{general}/threads"), &body).await;
    let lists =
        [format!("{}/members", bot.guild()), format!("/channels/{}/thread-members", text(&thread["id"]))];
    for path in &lists {
        bot.get(path).await;
    }
    off(&bot, &["GUILD_MEMBERS"]).await;
    for path in &lists {
        let (status, answer) = bot.call(Method::GET, path, &Value::Null).await;
        assert_eq!((status, &answer["code"]), (403, &json!(50001)), "{path}");
    }
    // One member, and a search by name, are not restricted.
    let alice = bot.sandbox.user_id("alice").unwrap();
    bot.get(&format!("{}/members/{alice}", bot.guild())).await;
    let found = bot.get(&format!("{}/members/search?query=al", bot.guild())).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn messages_come_without_content_over_rest_except_where_the_bot_is_concerned() {
    let mut bot = Bot::start().await;
    let general = bot.channel("general");
    let me = bot.sandbox.bot_id();
    let said = bot.user.send("alice", "general", "for all").await.unwrap();
    bot.user.send("alice", "general", &format!("<@{me}> for you")).await.unwrap();
    bot.post(&format!("{general}/messages"), json!({ "content": "from me" })).await;
    bot.user.send("alice", "@Sandbot", "in private").await.unwrap();
    let path = format!("{general}/messages/{}", text(&said["id"]));
    bot.expect(204, Method::PUT, &format!("{general}/messages/pins/{}", text(&said["id"])), &Value::Null)
        .await;
    let mut direct = String::new();
    while direct.is_empty() {
        let message = bot.event("MESSAGE_CREATE").await;
        if message.get("guild_id").is_none() {
            direct = format!("/channels/{}/messages", text(&message["channel_id"]));
        }
    }
    off(&bot, &["MESSAGE_CONTENT"]).await;

    let all = bot.get(&format!("{general}/messages")).await;
    let contents: Vec<&str> =
        all.as_array().unwrap().iter().map(|message| text(&message["content"])).collect();
    assert_eq!(contents[1..], ["from me", &format!("<@{me}> for you"), ""]);
    let one = bot.get(&path).await;
    assert_eq!((&one["content"], &one["embeds"], &one["attachments"]), (&json!(""), &json!([]), &json!([])));
    assert_eq!(bot.get(&format!("{general}/messages/pins")).await["items"][0]["message"]["content"], "");
    assert_eq!(bot.get(&format!("{general}/pins")).await[0]["content"], "");
    assert_eq!(bot.get(&direct).await[0]["content"], "in private");

    // The target of a context menu.
    bot.register(json!({ "name": "Look", "type": 3 })).await;
    let user = bot.user.clone();
    let run = sandbox::client::Run::on("Look", text(&said["id"])).by("alice").at("general");
    let (interaction, _) =
        bot.answers(user.run(run), json!({ "type": 4, "data": { "content": "ok" } })).await;
    let target = &interaction["data"]["resolved"]["messages"][text(&said["id"])];
    assert_eq!(target["content"], "for all");

    bot.user.edit_intents("Sandbot", &json!({ "enable": ["MESSAGE_CONTENT"] })).await.unwrap();
    assert_eq!(bot.get(&path).await["content"], "for all");
}

#[tokio::test]
async fn a_search_finds_no_content_that_the_bot_may_not_read() {
    let builder = sandbox::Sandbox::builder().rate_limits(sandbox::ratelimit::Config::off());
    let bot = Bot::start_with(builder.search_index_time(std::time::Duration::ZERO)).await;
    let general = bot.channel("general");
    let said = bot.user.send("alice", "general", "it leaks").await.unwrap();
    let path = format!("{general}/messages/{}/threads", text(&said["id"]));
    bot.expect(201, Method::POST, &path, &json!({ "name": "Kettle" })).await;
    let messages = format!("{}/messages/search?content=leaks", bot.guild());
    let threads = format!("{general}/threads/search?name=kettle");
    assert_eq!(bot.get(&messages).await["messages"][0][0]["content"], "it leaks");
    assert_eq!(bot.get(&threads).await["first_messages"][0]["content"], "it leaks");

    off(&bot, &["MESSAGE_CONTENT"]).await;
    let (status, refused) = bot.call(Method::GET, &messages, &Value::Null).await;
    assert_eq!((status, &refused["code"]), (403, &json!(50001)));
    let found = bot.get(&threads).await;
    assert_eq!(
        (&found["threads"][0]["name"], &found["first_messages"][0]["content"]),
        (&json!("Kettle"), &json!(""))
    );
}

#[tokio::test]
async fn the_command_line_and_the_builder_switch_them() {
    let builder = sandbox::Sandbox::builder().rate_limits(sandbox::ratelimit::Config::off());
    let sandbox = builder.privileged_intents(Intents::GUILD_MEMBERS).start().await.unwrap();
    let shown = sandbox.client().intents("Sandbot").await.unwrap();
    assert_eq!(shown["privileged"], json!(["GUILD_MEMBERS"]));

    let bot = Bot::start().await;
    let run = async |arguments: &[&str]| {
        let output = command_for(&bot).arg("intents").args(arguments).output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let all = "Privileged intents of Sandbot: GUILD_MEMBERS GUILD_PRESENCES MESSAGE_CONTENT.\n";
    assert_eq!(run(&[]).await, (true, all.to_owned()));
    let (done, out) = run(&["Sandbot", "--off", "GUILD_MEMBERS,message_content"]).await;
    assert_eq!((done, out.as_str()), (true, "Privileged intents of Sandbot: GUILD_PRESENCES.\n"));
    let (done, out) = run(&["--on", "GUILD_MEMBERS", "--off", "GUILD_PRESENCES"]).await;
    assert_eq!((done, out.as_str()), (true, "Privileged intents of Sandbot: GUILD_MEMBERS.\n"));
    assert!(!run(&["--on", "GUILDS"]).await.0);
}
