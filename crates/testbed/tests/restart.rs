//! A change of the host itself: a new one is built while the old one runs on, and takes its place without a loss.

use testbed::Ground;
use testbed::ground::PING;

const RUN: &str = "bot/src/run.rs";
const COMMAND: &str = "crates/sdk-core/src/dispatch/command.rs";

/// Waits until a new host answers; gives its line. A changed sdk takes minutes to build on a busy machine.
async fn restarted(ground: &mut Ground, from: usize) -> String {
    let mut line = ground.bot.wait_for_line(from, "nobody answered for ").await;
    for _ in 0..5 {
        let said = ground.bot.lines_from(from).join("\n");
        assert!(!said.contains("the running host stays"), "{said}");
        if line.is_ok() {
            break;
        }
        line = ground.bot.wait_for_line(from, "nobody answered for ").await;
    }
    line.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_host_takes_the_place_of_the_running_one_and_a_poll_goes_on() {
    let mut ground = Ground::new(&[("APP_ENV", "testing")]).await;
    let client = ground.sandbox.client();
    let poll = ground.say("/poll question:\"Tea or coffee?\" option1:tea option2:coffee minutes:10080").await;
    let message = poll.message.as_ref().unwrap()["id"].as_str().unwrap().parse().unwrap();
    let buttons = poll.components[0]["components"].as_array().unwrap();
    let tea = buttons[0]["custom_id"].as_str().unwrap().to_owned();
    client.press("bob", message, &tea).await.unwrap();
    ground.edit_ping("Pang").await;

    // The bot's own sources: plugins fit the new host as they are.
    let lines = ground.bot.line_count();
    ground.playground.edit(RUN, "\"hotcord starts\"", "\"hotcord begins\"").unwrap();
    ground.bot.wait_for_line(lines, "bot/src/run.rs belongs to the host").await.unwrap();
    let line = restarted(&mut ground, lines).await;
    assert!(line.contains("because of bot/src/run.rs"), "{line}");
    ground.bot.wait_for_line(lines, "hotcord begins").await.unwrap();
    let said = ground.bot.lines_from(lines).join("\n");
    assert!(!said.contains("the host died"), "{said}");
    assert!(said.contains("commands/general 2"), "{said}");
    assert!(ground.ping().await.starts_with("Pang!"));
    let answer = client.press("carol", message, &tea).await.unwrap();
    assert!(answer.error.is_none() && answer.embeds[0].to_string().contains("2 votes"), "{answer:?}");
    assert_eq!(ground.identifies(), 2, "one more session, no more");

    // The sdk: every plugin is built anew before the old host gives way.
    let lines = ground.bot.line_count();
    ground.playground.edit(COMMAND, "is not part of this bot any more.", "has left this bot.").unwrap();
    let line = restarted(&mut ground, lines).await;
    assert!(line.contains("because of crates/sdk-core/src/dispatch/command.rs"), "{line}");
    let said = ground.bot.lines_from(lines).join("\n");
    assert!(said.contains("commands/general 3"), "{said}");
    assert!(ground.ping().await.starts_with("Pang!"));
    let answer = client.press("alice", message, &tea).await.unwrap();
    assert!(answer.error.is_none() && answer.embeds[0].to_string().contains("3 votes"), "{answer:?}");
    assert_eq!(ground.identifies(), 3);
    assert!(ground.edit_ping("Peng").await.contains("commands/general 3 -> 4 live"));
    let stats = client.stats().await.unwrap();
    assert_eq!(stats["interactions"]["doubled"], 0, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_build_changes_nothing_and_the_save_that_mends_it_comes_in() {
    let mut ground = Ground::new(&[]).await;
    let lines = ground.bot.line_count();
    ground.playground.edit(RUN, "\"hotcord starts\"", "\"hotcord\" starts").unwrap();
    ground.bot.wait_for_line(lines, "the running host stays: 1 compile error in bot").await.unwrap();
    let said = ground.bot.lines_from(lines).join("\n");
    assert!(said.contains("bot/src/run.rs:"), "rustc's words are shown: {said}");
    assert!(ground.ping().await.starts_with("Pong!"));
    // Plugins go on reloading in the host that runs.
    assert!(ground.edit_ping("Pang").await.contains("commands/general 1 -> 2 live"));
    assert!(ground.ping().await.starts_with("Pang!"));
    assert_eq!(ground.identifies(), 1);

    let lines = ground.bot.line_count();
    ground.playground.edit(RUN, "\"hotcord\" starts", "\"hotcord is mended\"").unwrap();
    restarted(&mut ground, lines).await;
    ground.bot.wait_for_line(lines, "hotcord is mended").await.unwrap();
    assert!(ground.ping().await.starts_with("Pang!"));
    assert_eq!(ground.identifies(), 2);
    // What was edited meanwhile is what runs.
    assert!(ground.playground.read(PING).unwrap().contains("Pang!"));
}
