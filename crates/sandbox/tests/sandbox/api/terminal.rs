//! Output whose reader disappears, and foreign text on the terminal, through the whole program.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::time::timeout;

use crate::api::bot::Bot;
use crate::api::cli::command_for;

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_reader_that_has_gone_away_is_no_failure() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    for arguments in
        [&["say", "/ping"][..], &["say", "/ping", "--json"], &["users"], &["log"], &["stats"], &["env"]]
    {
        let mut run = command_for(&bot);
        run.args(arguments).env("SANDBOX_TOKEN", "x").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut run = run.spawn().unwrap();
        // As with `head -n 0`.
        drop(run.stdout.take());
        if arguments[0] == "say" {
            let interaction = bot.event("INTERACTION_CREATE").await;
            bot.callback(&interaction, json!({ "type": 4, "data": { "content": "pong" } })).await;
        }
        let output = timeout(PATIENCE, run.wait_with_output()).await.unwrap().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_followed_log_ends_with_its_reader_while_nothing_happens() {
    let bot = Bot::start().await;
    let mut run = command_for(&bot);
    run.args(["log", "--follow"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = run.spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    assert!(serde_json::from_str::<Value>(&line).unwrap()["kind"].is_string());
    drop(lines);
    let output = timeout(PATIENCE, run.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[tokio::test]
async fn what_people_write_makes_no_lines_of_its_own() {
    let bot = Bot::start().await;
    let written = "a\nMallory [BOT]  1\u{1b}]0;x\u{7}\u{85}b\u{202e}c\u{2028}d";
    bot.user.send("alice", "general", written).await.unwrap();
    for json in [false, true] {
        let mut run = command_for(&bot);
        run.args(["messages", "--channel", "general"]).args(json.then_some("--json"));
        let mut run = run.stdout(Stdio::piped()).spawn().unwrap();
        let mut shown = String::new();
        run.stdout.take().unwrap().read_to_string(&mut shown).await.unwrap();
        let controls = |c: char| c.is_control() && c != '\n' || ('\u{2028}'..='\u{202e}').contains(&c);
        assert!(!shown.contains(controls), "{shown:?}");
        if json {
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["content"], written);
        } else {
            let lines: Vec<&str> = shown.lines().skip(1).collect();
            assert_eq!(lines, ["  a", "  Mallory [BOT]  1\\u{1b}]0;x\\u{7}\\u{85}b\\u{202e}c\\u{2028}d"]);
        }
    }
}
