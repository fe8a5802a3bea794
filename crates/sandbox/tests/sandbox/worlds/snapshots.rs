//! Snapshots of the whole world: what was saved comes back, and connected bots are told.

use std::time::Duration;

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::data::Data;
use sandbox::ratelimit::Config;
use sandbox::state::World;
use sandbox::state::saved::Files;
use serde_json::{Value, json};

use super::full::{fill, same, seen};
use crate::api::bot::{ALL_INTENTS, Bot, Events, text};
use crate::api::cli::{command_for, printed};
use crate::gateway::client::Client as Gateway;

#[tokio::test]
async fn a_restored_world_is_the_saved_one_to_the_byte() {
    let mut bot = Bot::start().await;
    fill(&mut bot).await;
    let before = seen(&bot).await;
    let saved = bot.user.save_snapshot("full").await.unwrap();
    assert_eq!((&saved["name"], &saved["guilds"]), (&json!("full"), &json!(1)));

    // Nearly everything is changed and gone.
    let guild = bot.sandbox.guild_id().to_string();
    bot.user.advance_clock(Duration::from_hours(48)).await.unwrap();
    for (_, list) in before.iter().filter(|(path, _)| path.ends_with("/channels")) {
        for channel in list.as_array().unwrap() {
            bot.call(Method::DELETE, &format!("/channels/{}", text(&channel["id"])), &Value::Null).await;
        }
    }
    bot.user.leave(&guild, "bob").await.unwrap();
    bot.user.create_guild("Other", "alice").await.unwrap();
    let restored = bot.user.restore_snapshot("full").await.unwrap();
    assert_eq!(restored["guilds"], 1);
    same(&before, &seen(&bot).await);
}

#[tokio::test]
async fn a_saved_world_reads_back_as_itself_at_any_address() {
    let mut bot = Bot::start().await;
    fill(&mut bot).await;
    let saved = bot.sandbox.discord().lock().save(Files::Inside).unwrap();
    let none = |_| Err(std::io::ErrorKind::NotFound.into());
    let url = bot.sandbox.url().to_owned();
    let content = |world: &World| {
        let json = |value: Value| value;
        json(serde_json::to_value(world).unwrap())
    };
    let (elsewhere, files) = ("http://elsewhere:1", "http://files.elsewhere:1");
    let (here, there) = (
        World::load(&saved, &url, &url, none).unwrap(),
        World::load(&saved, elsewhere, files, none).unwrap(),
    );
    assert_eq!(sorted(content(&bot.sandbox.discord().lock())), sorted(content(&here)));
    assert_eq!(here.files.len(), bot.sandbox.discord().lock().files.len());
    let text = content(&there).to_string();
    assert!(
        !text.contains(&url) && text.contains("http://files.elsewhere:1/attachments/"),
        "an address is kept"
    );
}

/// Returns a value with its lists in a fixed order, since maps have none, and without times of this process's clock.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(sorted).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter(|(name, _)| !["created", "acknowledged", "answered"].contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name, sorted(value))).collect())
        }
        value => value,
    }
}

#[tokio::test]
async fn connected_bots_are_told_and_get_the_restored_guilds() {
    let bot = Bot::start().await;
    bot.user.save_snapshot("before").await.unwrap();
    bot.user.create_guild("Later", "alice").await.unwrap();
    let mut gateway = Gateway::connect(&format!("{}/?v=10&encoding=json", bot.sandbox.gateway_url())).await;
    gateway.op(10).await;
    let identify =
        json!({ "token": bot.sandbox.token(), "intents": ALL_INTENTS, "properties": { "os": "test" } });
    gateway.send(2, identify.clone()).await;
    let ready = gateway.event("READY").await;
    assert_eq!(ready["guilds"].as_array().unwrap().len(), 2);
    gateway.event("GUILD_CREATE").await;
    gateway.event("GUILD_CREATE").await;
    let restored = bot.user.restore_snapshot("before").await.unwrap();
    assert_eq!(restored["sessions_ended"], 2);
    assert_eq!(gateway.op(9).await, json!(false));
    // The session is gone, on this connection as on another.
    gateway
        .send(6, json!({ "token": bot.sandbox.token(), "session_id": ready["session_id"], "seq": 1 }))
        .await;
    assert_eq!(gateway.op(9).await, json!(false));
    gateway.seq = None;
    gateway.send(2, identify).await;
    assert_eq!(gateway.event("READY").await["guilds"].as_array().unwrap().len(), 1);
    assert_eq!(gateway.event("GUILD_CREATE").await["name"], "Sandbox");
    // Bots that have not identified again are offline, and nobody hears of the world before.
    bot.user.send("alice", "general", "after").await.unwrap();
    assert_eq!(gateway.event("MESSAGE_CREATE").await["content"], "after");
}

#[tokio::test]
async fn the_clock_and_what_is_due_come_back_too() {
    let bot = Bot::start().await;
    let poll = json!({ "poll": { "question": { "text": "Drink?" }, "duration": 1,
        "answers": [{ "poll_media": { "text": "tea" } }] } });
    let general = format!("{}/messages", bot.channel("general"));
    let poll = bot.post(&general, poll).await;
    let one = format!("{general}/{}", text(&poll["id"]));
    bot.user.save_snapshot("open").await.unwrap();
    let closed = async || bot.get(&one).await["poll"]["results"]["is_finalized"].clone();
    for _ in 0..2 {
        assert_ne!(closed().await, true);
        bot.user.advance_clock(Duration::from_mins(61)).await.unwrap();
        assert_eq!(closed().await, true);
        bot.user.restore_snapshot("open").await.unwrap();
        assert!(bot.user.clock().await.unwrap()["ahead_ms"].as_u64().unwrap() < 1000);
    }
}

#[tokio::test]
async fn rate_limits_begin_anew_with_the_restored_time() {
    let sandbox = Sandbox::builder().rate_limits(Config::default()).start().await.unwrap();
    let user = sandbox.client();
    user.save_snapshot("a").await.unwrap();
    user.advance_clock(Duration::from_hours(24)).await.unwrap();
    let general = sandbox.channel_id("general").unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = async || {
        let url = format!("{}/channels/{general}/messages", sandbox.api_url());
        let request = http.post(url).header("authorization", format!("Bot {}", sandbox.token()));
        request.json(&json!({ "content": "x" })).send().await.unwrap().status().as_u16()
    };
    let mut sent = 0;
    while send().await == 200 {
        sent += 1;
        assert!(sent < 100, "there is no limit");
    }
    user.restore_snapshot("a").await.unwrap();
    assert_eq!(send().await, 200);
}

#[tokio::test]
async fn what_is_no_world_changes_nothing() {
    let bot = Bot::start().await;
    let world = bot.user.world().await.unwrap();
    let end = world.iter().position(|byte| *byte == b'\n').unwrap();
    let mut flipped = world.clone();
    let middle = end + (world.len() - end) / 2;
    flipped[middle] ^= 0xff;
    let other = String::from_utf8_lossy(&world[..end]).replace("\"sandbox_world\":1", "\"sandbox_world\":99");
    bot.user.send("alice", "general", "kept").await.unwrap();
    for (bytes, sentence) in [
        (b"nonsense".to_vec(), "it is no saved world of a sandbox"),
        (b"{}\n".to_vec(), "it is no saved world of a sandbox"),
        ([other.as_bytes(), &world[end..]].concat(), "it has format 99 of saved worlds"),
        (world[..world.len() - 9].to_vec(), "it is damaged"),
        (world[..=end].to_vec(), "it is damaged"),
        (flipped, "it is damaged"),
    ] {
        let error = bot.user.restore_world(bytes).await.unwrap_err().to_string();
        assert!(error.contains(sentence) && error.lines().count() == 1, "{error}");
    }
    assert_eq!(bot.user.sessions().await.unwrap().len(), 1, "a session has ended");
    let messages = bot.user.messages("alice", "general", 5).await.unwrap();
    assert_eq!(messages.last().unwrap()["content"], "kept");
    let error = bot.user.restore_snapshot("nowhere").await.unwrap_err().to_string();
    assert_eq!(error, "There is no snapshot \"nowhere\"; there are: none yet.");
    let error = bot.user.save_snapshot("a b").await.unwrap_err().to_string();
    assert!(error.contains("hyphens and underscores"), "{error}");
}

#[tokio::test]
async fn a_list_has_snapshots_of_any_size_and_those_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::open(folder.path()).unwrap();
    let sandbox = Sandbox::builder().data(data).start().await.unwrap();
    let user = sandbox.client();
    user.save_snapshot("good").await.unwrap();
    let snapshots = folder.path().join("snapshots");
    let path = |name: &str| snapshots.join(format!("{name}.world"));
    // More than any machine has memory for; the file system stores only what was written.
    std::fs::copy(path("good"), path("huge")).unwrap();
    let huge = std::fs::OpenOptions::new().write(true).open(path("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    std::fs::write(path("broken"), "nonsense").unwrap();
    std::fs::write(path("endless"), vec![b' '; 1 << 17]).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    let list = user.snapshots().await.unwrap();
    let shown = |name: &str| list.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(list.len(), 5);
    assert_eq!((&shown("huge")["bytes"], &shown("huge")["guilds"]), (&json!(1_u64 << 40), &json!(1)));
    for (name, problem) in [
        ("broken", "it is no saved world of a sandbox"),
        ("endless", "it is no saved world of a sandbox"),
        ("folder", "it can't be read ("),
    ] {
        assert!(text(&shown(name)["error"]).starts_with(problem), "{}", shown(name));
    }
    assert_eq!(shown("good")["error"], Value::Null);
}

#[tokio::test]
async fn the_command_line_saves_restores_lists_and_deletes() {
    let bot = Bot::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.world");
    let path = file.to_str().unwrap();
    bot.user.send("alice", "general", "first").await.unwrap();
    assert!(printed(&bot, &["snapshot", "save", "one"]).await.starts_with("one: 2"));
    printed(&bot, &["snapshot", "save", path]).await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    }
    assert!(printed(&bot, &["snapshot", "list"]).await.contains(" 1 guilds, "));
    for from in ["one", path] {
        bot.user.send("alice", "general", "second").await.unwrap();
        assert!(printed(&bot, &["snapshot", "restore", from]).await.contains("in a world of 1 guilds"));
        let last = bot.user.messages("alice", "general", 1).await.unwrap();
        assert_eq!(last[0]["content"], "first");
    }
    printed(&bot, &["snapshot", "delete", "one"]).await;
    assert_eq!(printed(&bot, &["snapshot", "list"]).await, "");
    let missing = folder.path().join("none.world");
    for (arguments, sentence) in [
        (["snapshot", "delete", "one"], "There is no snapshot"),
        (["snapshot", "restore", missing.to_str().unwrap()], "can't read"),
    ] {
        let output = command_for(&bot).args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(sentence));
    }
}

#[tokio::test]
async fn a_bot_of_another_sandbox_keeps_its_token_and_uploads_are_there() {
    let mut bot = Bot::start().await;
    fill(&mut bot).await;
    let world = bot.user.world().await.unwrap();
    let other = Sandbox::builder().rate_limits(Config::off()).start().await.unwrap();
    other.client().restore_world(world).await.unwrap();
    let mut events = Events::connect(&other, ALL_INTENTS).await;
    let guild = events.event("GUILD_CREATE").await;
    assert_eq!(guild["id"], json!(bot.sandbox.guild_id()));
    let found = other.client().messages("alice", "general", 50).await.unwrap();
    let mut files = found.iter().flat_map(|message| message["attachments"].as_array().unwrap());
    let file = files.find(|file| file["filename"] == "b.txt").unwrap();
    assert!(text(&file["url"]).starts_with(other.url()), "{file}");
    assert_eq!(reqwest::get(text(&file["url"])).await.unwrap().text().await.unwrap(), "hello");
}
