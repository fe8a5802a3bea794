//! Reloading from the side of a developer and a user: files are saved in a copy of the workspace, and answers arrive
//! through a local Discord.

use std::fs;
use std::time::{Duration, Instant};

use e2e::bot::PATIENCE;
use e2e::load::Load;
use e2e::test_host::{GENERAL, PING};
use e2e::{Playground, TestHost};
use sandbox::client::Run;
use sandbox::event_log::Kind;

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_body_is_live_without_a_new_session_or_registration() {
    let mut host = TestHost::new(&[]).await;
    // The last of the first registrations.
    host.bot.wait_for_line(0, "message menu 'Warn about this message'").await.unwrap();
    let writes = |host: &TestHost| {
        ["POST", "PATCH", "PUT", "DELETE"]
            .iter()
            .map(|method| host.requests(method, "/commands"))
            .sum::<usize>()
    };
    let before = writes(&host);
    let line = host.edit_ping("Pang").await;
    assert!(line.contains("plugin=commands/general from=1 to=2 "), "{line}");
    for part in [" watch=", " build=", " probe=", " preflight=", " swap="] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(host.ping().await.starts_with("Pang!"));
    assert!(host.say("/about").await.embeds[0].to_string().contains("generation 2"));
    assert_eq!(host.identifies(), 1);
    assert_eq!(writes(&host), before, "a body-only edit makes no REST call");

    // A changed definition only registers that command.
    let lines = host.bot.line_count();
    host.playground.edit(PING, "/// Answers, with", "/// Replies, with").unwrap();
    let line = host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    assert!(line.contains("~ /ping"), "{line}");
    host.bot.wait_for_line(lines, "/ping scope=").await.unwrap();
    assert_eq!(writes(&host), before + 1);
    assert_eq!(host.sandbox.event_log().count(Kind::Closed), 0);

    the_owner_reloads_by_hand(&host).await;
    a_plugin_prints(&mut host).await;
    listeners_are_replaced(&mut host).await;
}

/// The owner's commands tell what is live, and reload by hand.
async fn the_owner_reloads_by_hand(host: &TestHost) {
    let plugins = host.say("/dev plugins").await;
    let told = plugins.embeds.iter().map(ToString::to_string).collect::<String>() + &plugins.content;
    assert!(
        plugins.ephemeral && told.contains("commands/general") && told.contains("hot reload is on"),
        "{told}"
    );
    let answer = host.sandbox.client().run(Run::typed("/dev reload plugin:commands/general")).await.unwrap();
    let told = answer.embeds.iter().map(ToString::to_string).collect::<String>() + &answer.content;
    assert!(told.contains("commands/general 3 -> 4 live"), "{told}");
    let stranger = host.sandbox.client().run(Run::typed("/dev plugins").by("bob")).await;
    let told = stranger.map_or_else(|refused| refused.to_string(), |answer| answer.content);
    assert!(!told.contains("generation"), "{told}");
}

/// A plugin that prints while it is loaded is none the worse.
async fn a_plugin_prints(host: &mut TestHost) {
    let lines = host.bot.line_count();
    let printing = "fn commands(&self) -> Vec<Command> {\n        println!(\"loading\");\n        eprintln!(\"{}\", \"x\".repeat(100_000));";
    host.playground.edit(GENERAL, "fn commands(&self) -> Vec<Command> {", printing).unwrap();
    let line = host.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    assert!(line.contains("from=4 to=5 "), "{line}");
}

/// Stale listeners are gone before new ones answer.
async fn listeners_are_replaced(host: &mut TestHost) {
    let client = host.sandbox.client();
    for round in 1..=3 {
        let lines = host.bot.line_count();
        let (old, new) = (
            if round == 1 { "\"Welcome to".to_owned() } else { format!("\"Round {} in", round - 1) },
            format!("\"Round {round} in"),
        );
        host.playground.edit("events/welcome/src/lib.rs", &old, &new).unwrap();
        host.bot
            .wait_for_line(lines, &format!("plugin=events/welcome from={round} to={} ", round + 1))
            .await
            .unwrap();
        let name = format!("newcomer{round}");
        client.create_user(&name).await.unwrap();
        client.join("Sandbox", &name).await.unwrap();
        let began = Instant::now();
        let greetings = loop {
            let messages = client.messages("alice", "general", 100).await.unwrap();
            let greetings: Vec<_> = messages
                .iter()
                .filter_map(|message| message["content"].as_str())
                .filter(|content| content.contains(" in Sandbox") || content.contains("Welcome"))
                .map(str::to_owned)
                .collect();
            if greetings.len() >= round || began.elapsed() > PATIENCE {
                break greetings;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        // Every listener that received the event has sent its message by the time a later command is answered.
        host.ping().await;
        assert_eq!(greetings.len(), round, "{greetings:?}");
        assert!(greetings[round - 1].starts_with(&format!("Round {round} in")), "{greetings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_command_outside_probation_fails_that_call_alone() {
    let mut host = TestHost::new(&[("HMR_PROBATION_CALLS", "0")]).await;
    let source = host.playground.read(PING).unwrap();
    let lines = host.bot.line_count();
    host.playground
        .edit(
            PING,
            "let latency =",
            "assert!(ctx.guild_id().is_none(), \"no guilds today\");\n    let latency =",
        )
        .unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    let answer = host.say("/ping").await;
    assert!(answer.ephemeral && answer.content.contains("no guilds today"), "{answer:?}");
    assert!(!host.say("/about").await.embeds.is_empty(), "the rest of the plugin answers on");
    let lines = host.bot.line_count();
    host.playground.save(PING, &source).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=2 to=3 ").await.unwrap();
    assert!(host.ping().await.starts_with("Pong!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_answered_twice_while_reloads_go_on() {
    let mut host = TestHost::new(&[]).await;
    let load = Load::start(&host.sandbox, "/ping", "P", 50);
    for round in 0..8 {
        let line = host.edit_ping(&format!("P{round}")).await;
        assert!(line.contains("loaded plugin="), "{line}");
        assert!(host.ping().await.starts_with(&format!("P{round}!")));
    }
    let tally = load.stop().await;
    assert!(tally.is_clean() && tally.sent > 0, "{tally:?}");
    assert_eq!(host.identifies(), 1);
    let stats = host.sandbox.client().stats().await.unwrap();
    assert_eq!(stats["interactions"]["doubled"], 0, "{stats}");
    assert_eq!(stats["interactions"]["unanswered"], 0, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn saves_that_change_nothing_reload_nothing_and_bursts_end_in_one_swap() {
    let mut host = TestHost::new(&[]).await;
    let lines = host.bot.line_count();
    let source = host.playground.read(PING).unwrap();
    // A touch, the same text again, and files from which nothing is built.
    fs::File::open(host.playground.path(PING)).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    host.playground.save(PING, &source).unwrap();
    host.playground.save("commands/general/notes.md", "a note").unwrap();
    host.playground.save("commands/general/src/unused.rs", "nobody names this module").unwrap();
    host.playground.save("commands/general/tests/later.rs", "fn main() {}").unwrap();
    // Many files at once, as a checkout writes them: the last state goes live in one swap of each plugin.
    for round in 0..20 {
        host.playground.save(PING, &source.replace("Pong!", &format!("Burst {round}!"))).unwrap();
    }
    host.playground.edit("events/welcome/src/lib.rs", "\"Welcome to", "\"Hello in").unwrap();
    host.bot.wait_for_line(lines, "plugin=events/welcome from=1 to=2 ").await.unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    assert!(host.ping().await.starts_with("Burst 19!"));
    // Ignored saves would have shown by now: their events came before those of the burst.
    let said = host.bot.lines_from(lines);
    assert_eq!(said.iter().filter(|line| line.contains("commands/general ")).count(), 1, "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_come_and_go_and_share_crates() {
    let mut host = TestHost::new(&[]).await;

    // A new folder is loaded: with dev-env.sh, as in the README.
    let lines = host.bot.line_count();
    host.playground.new_plugin("commands/echo");
    let line = host.bot.wait_for_line(lines, "loaded plugin=commands/echo to=1 ").await.unwrap();
    assert!(line.contains("+ /echo"), "{line}");
    assert_eq!(host.say("/echo whom:you").await.content, "Hello, you!");
    let lines = host.bot.line_count();
    host.playground.new_plugin("events/waver");
    host.bot.wait_for_line(lines, "loaded plugin=events/waver to=1 ").await.unwrap();

    // A crate that both share reloads them together, or not at all.
    host.playground
        .save(
            "crates/words/Cargo.toml",
            "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .unwrap();
    host.playground.save("crates/words/src/lib.rs", "pub const WORD: &str = \"Hello\";\n").unwrap();
    for plugin in ["commands/echo", "events/waver"] {
        let lines = host.bot.line_count();
        let manifest = format!("{plugin}/Cargo.toml");
        host.playground
            .edit(
                &manifest,
                "sdk.workspace = true\n",
                "sdk.workspace = true\nwords = { path = \"../../crates/words\" }\n",
            )
            .unwrap();
        host.bot.wait_for_line(lines, &format!("{plugin} ")).await.unwrap();
    }
    let lines = host.bot.line_count();
    host.playground
        .edit("commands/echo/src/echo.rs", "\"Hello, {}!\", ", "\"{}, {}!\", words::WORD, ")
        .unwrap();
    host.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    assert_eq!(host.say("/echo").await.content, "Hello, world!");
    let lines = host.bot.line_count();
    host.playground.edit("crates/words/src/lib.rs", "\"Hello\"", "\"Ahoy\"").unwrap();
    host.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    host.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    assert_eq!(host.say("/echo").await.content, "Ahoy, world!");
    let lines = host.bot.line_count();
    host.playground.edit("crates/words/src/lib.rs", "&str", "&'static [u8]").unwrap();
    host.bot.wait_for_line(lines, "reload failed").await.unwrap();
    assert_eq!(host.say("/echo").await.content, "Ahoy, world!");
    let said = host.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains("loaded plugin=")), "{said:?}");
    // The fixed one goes live together with the other.
    let lines = host.bot.line_count();
    host.playground
        .save("crates/words/src/lib.rs", "pub const WORD: &str = \"Hey\";\npub fn word() -> u8 {\n    1\n}\n")
        .unwrap();
    host.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    host.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    let lines = host.bot.line_count();
    host.playground
        .edit(
            "events/waver/src/lib.rs",
            "fn is_greeting(content",
            "const _: u8 = words::word;\nfn is_greeting(content",
        )
        .unwrap();
    host.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    let lines = host.bot.line_count();
    host.playground.edit("crates/words/src/lib.rs", "\"Hey\"", "\"Hi\"").unwrap();
    host.bot
        .wait_for_line(lines, "stays as it is too: they go live together plugin=commands/echo")
        .await
        .unwrap();
    assert_eq!(host.say("/echo").await.content, "Hey, world!");
    let lines = host.bot.line_count();
    host.playground.edit("events/waver/src/lib.rs", "const _: u8 = words::word;\n", "").unwrap();
    host.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    host.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    assert_eq!(host.say("/echo").await.content, "Hi, world!");

    // A plugin whose folder is removed is removed with its command.
    let lines = host.bot.line_count();
    fs::remove_dir_all(host.playground.path("commands/echo")).unwrap();
    let line = host.bot.wait_for_line(lines, "removed plugin=").await.unwrap();
    assert!(line.contains("commands/echo") && line.contains("- /echo"), "{line}");
    host.bot.wait_for_line(lines, "commands withdrawn").await.unwrap();
    let answer = host.say("/echo").await;
    assert!(answer.content.starts_with("/echo is being worked on"), "the folder may come back: {answer:?}");
    assert!(host.ping().await.starts_with("Pong!"));
    assert_eq!(host.identifies(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn off_unless_asked_for() {
    let playground = Playground::new().unwrap();
    let mut host = TestHost::on(playground, &[("ENABLE_HMR", "false")]).await;
    host.bot.wait_for_line(0, "hot reload: off, changes are ignored until restart").await.unwrap();
    let lines = host.bot.line_count();
    host.playground.edit(PING, "Pong!", "Pang!").unwrap();
    host.playground.edit(GENERAL, "struct General;", "struct General; // edited").unwrap();
    // The owners' commands also report it.
    let answer = host.say("/dev reload").await;
    let told = answer.embeds.iter().map(ToString::to_string).collect::<String>() + &answer.content;
    assert!(told.contains("without hot reload"), "{told}");
    assert!(host.ping().await.starts_with("Pong!"));
    assert!(!host.bot.lines_from(lines).iter().any(|line| line.contains("loaded plugin=")));
}
