//! What a server has set: it counts at once, also after a reload with other declarations, and for text commands.

use e2e::Playground;
use e2e::bot::PATIENCE;
use e2e::test_host::{PING, TestHost};
use sandbox::Answer;

const WELCOME: &str = "events/welcome/src/lib.rs";

/// Returns all texts of an answer.
fn text(answer: &Answer) -> String {
    answer.content.clone() + &answer.embeds.iter().map(ToString::to_string).collect::<String>()
}

/// Sends a message as alice, and waits until the bot has sent one with `words`.
async fn answered(host: &TestHost, message: &str, words: &str) {
    let from = host.sandbox.event_log().newest() + 1;
    host.sandbox.client().send("alice", "bot-test", message).await.unwrap();
    let sent = host.sandbox.event_log().wait_for(from, PATIENCE, |entry| {
        let line = entry.line();
        line.contains("\"method\":\"POST\"") && line.contains("/messages") && line.contains(words)
    });
    assert!(sent.await.is_ok(), "{message} is not answered with {words}: {:?}", host.bot.lines_from(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_with_other_declarations_is_in_force_at_once_and_loses_no_value() {
    let mut host = TestHost::new(&[]).await;
    let set = host.say("/config set setting:welcome.message value:Hello {user}").await;
    assert_eq!(set.content, "`welcome.message` is `Hello {user}` now.");
    let source = host.playground.read(WELCOME).unwrap();
    let shorter = source.replace("    1000,\n", "    60,\n").replace("Welcome to {server}", "Hi on {server}");
    let reload = async |host: &mut TestHost, source: &str| {
        let lines = host.bot.line_count();
        host.playground.save(WELCOME, source).unwrap();
        let line = host.bot.decided(lines, "events/welcome").await.unwrap();
        assert!(line.contains("loaded plugin="), "{line}");
    };
    reload(&mut host, &shorter).await;
    let shown = text(&host.say("/config show plugin:welcome").await);
    assert!(shown.contains("`welcome.message`: `Hello {user}`"), "{shown}");
    let long = format!("/config set setting:welcome.message value:{}", "x".repeat(61));
    assert!(host.say(&long).await.content.contains("1 to 60 characters"));

    // Now it does not fit any more.
    let shortest =
        shorter.replace("    60,\n", "    10,\n").replace("\"Hi on {server}", "\"Hi {user}\", // \"");
    let lines = host.bot.line_count();
    reload(&mut host, &shortest).await;
    let shown = text(&host.say("/config show plugin:welcome").await);
    assert!(shown.contains("`welcome.message`: `Hi {user}` (default)"), "{shown}");
    host.bot.wait_for_line(lines, "does not fit its declaration").await.unwrap();
    reload(&mut host, &source).await;
    let shown = text(&host.say("/config show plugin:welcome").await);
    assert!(shown.contains("`welcome.message`: `Hello {user}`"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_commands_have_the_servers_prefix_and_its_switches() {
    let playground = Playground::new().unwrap();
    playground.edit(PING, "command(slash_command)", "command(slash_command, prefix_command)").unwrap();
    let host = TestHost::on(playground, &[("COMMAND_PREFIX", "!")]).await;
    answered(&host, "!ping", "Pong!").await;
    let set = host.say("/config prefix prefix:?").await;
    assert_eq!(set.content, "Text commands begin with `?` in this server now.");
    let count = async || {
        let messages = host.sandbox.client().messages("alice", "bot-test", 100).await.unwrap();
        messages.iter().filter(|message| message["content"].as_str().unwrap().starts_with("Pong!")).count()
    };
    let before = count().await;
    host.sandbox.client().send("alice", "bot-test", "!ping").await.unwrap();
    answered(&host, "?ping", "Pong!").await;
    assert_eq!(count().await, before + 1);

    host.say("/config disable name:ping").await;
    answered(&host, "?ping", "ping is switched off in this server; a manager can switch it on").await;
    host.say("/config enable name:ping").await;
    host.say("/config disable name:commands/general").await;
    answered(&host, "?ping", "ping is switched off in this server; a manager can switch it on").await;
    assert_eq!(count().await, before + 1);
    host.say("/config enable name:commands/general").await;
    host.say("/config prefix").await;
    answered(&host, "!ping", "Pong!").await;
}
