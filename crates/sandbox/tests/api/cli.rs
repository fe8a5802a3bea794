//! The command line, as a person and a script use it.

use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;

use crate::bot::{Bot, text};

async fn sandbox(bot: &Bot, arguments: &[&str]) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .env_remove("SANDBOX_STATE_FILE")
        .env("SANDBOX_URL", bot.sandbox.url())
        .args(arguments)
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn say_prints_the_answer_for_a_person_and_for_a_script() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    for json_too in [false, true] {
        let mut arguments = vec!["say", "/ping"];
        arguments.extend(json_too.then_some("--json"));
        let url = bot.sandbox.url().to_owned();
        let answering = async {
            let interaction = bot.event("INTERACTION_CREATE").await;
            let answer = json!({ "type": 4, "data": { "content": "pong", "flags": 64 } });
            assert_eq!(bot.callback(&interaction, answer).await.0, 204);
        };
        let run = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
            .args(["--url", &url])
            .args(&arguments)
            .output();
        let (output, ()) = tokio::join!(run, answering);
        let output = output.unwrap();
        assert!(output.status.success());
        let out = String::from_utf8(output.stdout).unwrap();
        if json_too {
            let seen: Value = serde_json::from_str(&out).unwrap();
            assert_eq!((&seen["content"], &seen["ephemeral"]), (&json!("pong"), &json!(true)));
            assert!(seen["latency_ms"].is_number() && seen["embeds"].is_array());
        } else {
            assert!(
                out.contains("Sandbot [BOT]")
                    && out.contains("pong")
                    && out.contains("only you can see this"),
                "{out}"
            );
        }
    }
}

#[tokio::test]
async fn a_mistake_is_one_sentence_and_a_failure() {
    let bot = Bot::start().await;
    let output = sandbox(&bot, &["say", "/nothing"]).await;
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("/nothing: no bot has registered commands"), "{said}");
}

#[tokio::test]
async fn a_command_without_the_shells_quotes_is_understood() {
    let mut bot = Bot::start().await;
    let option = json!({ "type": 3, "name": "text", "description": "d" });
    bot.register(json!({ "name": "echo", "description": "d", "options": [option] })).await;
    let run = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["--url", bot.sandbox.url(), "say", "/echo", "text:good", "day", "--json"])
        .output();
    let answering = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        let answer = json!({ "type": 4, "data": { "content": interaction["data"]["options"][0]["value"] } });
        assert_eq!(bot.callback(&interaction, answer).await.0, 204);
    };
    let (output, ()) = tokio::join!(run, answering);
    let seen: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(seen["content"], "good day");
}

#[tokio::test]
async fn a_missing_server_is_told_with_the_way_out() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["--url", &format!("http://{free}"), "users"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("sandbox serve") && said.lines().count() == 1, "{said}");
}

#[tokio::test]
async fn send_and_messages_show_what_was_said() {
    let mut bot = Bot::start().await;
    let sent = sandbox(&bot, &["send", "hello", "--as", "bob", "--channel", "general"]).await;
    let event = bot.event("MESSAGE_CREATE").await;
    assert_eq!(String::from_utf8(sent.stdout).unwrap().trim(), text(&event["id"]));
    let seen = sandbox(&bot, &["messages", "--channel", "general"]).await;
    assert!(String::from_utf8(seen.stdout).unwrap().contains("Bob  "));
}

#[tokio::test]
async fn permissions_and_channels_are_changed_and_shown() {
    let bot = Bot::start().await;
    let out = async |arguments: &[&str]| {
        let output = sandbox(&bot, arguments).await;
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = out(&["permit", "Sandbot", "--in", "Lounge", "--deny", "SPEAK,STREAM"]).await;
    assert_eq!(said, "Sandbot in Lounge: allowed nothing.\nSandbot in Lounge: denied STREAM SPEAK.\n");
    let said = out(&["permit", "Moderator", "--allow", "MANAGE_MESSAGES"]).await;
    assert!(said.starts_with("Moderator in Sandbox: allowed ") && said.contains("MANAGE_MESSAGES"), "{said}");
    assert_eq!(out(&["channel", "Lounge", "--user-limit", "2"]).await, "Lounge is changed.\n");
    for wrong in
        [&["permit", "Sandbot"][..], &["channel", "Lounge"], &["permit", "Moderator", "--inherit", "SPEAK"]]
    {
        assert_eq!(sandbox(&bot, wrong).await.status.code(), Some(2), "{wrong:?}");
    }
}

/// Gives what a sandbox of these words and this `SANDBOX_TOKEN` says at its start.
async fn greeting(words: &[&str], token: Option<&str>) -> String {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(words).stdout(Stdio::piped()).kill_on_drop(true);
    command.env_remove("SANDBOX_STATE_FILE").env_remove("SANDBOX_TOKEN");
    command.envs(token.map(|token| ("SANDBOX_TOKEN", token)));
    let mut serving = command.spawn().unwrap();
    let mut lines = BufReader::new(serving.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while !said.ends_with("Stop with Ctrl-C.\n") {
        let line = timeout(Duration::from_mins(1), lines.next_line()).await.unwrap().unwrap();
        said += &(line.unwrap_or_else(|| panic!("it has ended, after:\n{said}")) + "\n");
    }
    said
}

#[tokio::test]
async fn only_a_token_of_its_own_making_is_printed() {
    for token in [None, Some("")] {
        let said = greeting(&[], token).await;
        let line = said.lines().find_map(|line| line.trim().strip_prefix("DISCORD_TOKEN="));
        assert!(line.is_some_and(|token| token.len() > 20), "{said}");
    }
    for (words, token, origin) in [
        (&[][..], Some("a-real-secret"), "from SANDBOX_TOKEN."),
        (&["--token", "a-real-secret"], None, "from --token."),
        (&["--token", "a-real-secret"], Some("another-secret"), "from --token."),
    ] {
        let said = greeting(words, token).await;
        assert!(said.contains(origin) && !said.contains("secret"), "{said}");
    }
}

/// Runs the command line and gives back what it printed.
async fn printed(bot: &Bot, arguments: &[&str]) -> String {
    let output = sandbox(bot, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn commands_are_listed_and_said_in_a_users_language() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "paint", "description": "Paints", "name_localizations": { "de": "malen" },
        "description_localizations": { "de": "Malt" } }))
        .await;
    assert_eq!(printed(&bot, &["locale", "bob", "de"]).await, "bob's client is in de.\n");
    assert_eq!(printed(&bot, &["commands", "--as", "bob"]).await, "/malen  Malt\n");
    assert_eq!(printed(&bot, &["commands"]).await, "/paint  Paints\n");
    assert!(printed(&bot, &["users"]).await.contains("  bob  de\n"));
    let url = bot.sandbox.url().to_owned();
    let say = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["--url", &url, "say", "/malen", "--as", "bob"])
        .output();
    let answering = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        assert_eq!((&interaction["data"]["name"], &interaction["locale"]), (&json!("paint"), &json!("de")));
        bot.callback(&interaction, json!({ "type": 4, "data": { "content": "bunt" } })).await;
    };
    let (output, ()) = tokio::join!(say, answering);
    assert!(String::from_utf8(output.unwrap().stdout).unwrap().contains("bunt"));
}

#[tokio::test]
async fn dispatched_events_are_harmed_from_the_command_line() {
    let mut bot = Bot::start().await;
    let user = bot.user.clone();
    let fault = ["fault", "event", "message_create"];
    for (what, seen) in [
        (&["patch", r#"{"content": "changed"}"#, "--bot", "Sandbot"][..], &["changed", "second"][..]),
        (&["drop"], &["second"]),
        (&["duplicate"], &["first", "first", "second"]),
        (&["delay", "20"], &["first", "second"]),
    ] {
        let arguments = [&fault[..], what, &["--count", "1"]].concat();
        assert!(printed(&bot, &arguments).await.trim().parse::<u64>().is_ok());
        for content in ["first", "second"] {
            user.send("alice", "general", content).await.unwrap();
        }
        for content in seen {
            assert_eq!(&bot.event("MESSAGE_CREATE").await["content"], content, "{what:?}");
        }
    }
    let help = printed(&bot, &["fault", "event", "--help"]).await;
    for word in ["drop", "delay", "duplicate", "truncate", "patch"] {
        assert!(help.contains(word), "{help}");
    }
    let output = sandbox(&bot, &[&fault[..], &["patch", "{"]].concat()).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("no JSON to lay over an event"), "{said}");
}
