//! Reloading as a developer and a user see it: files are saved in a copy of the workspace, and answers come back
//! through a local Discord.

use std::fs;
use std::time::{Duration, Instant};

use sandbox::client::Run;
use sandbox::record::Kind;
use testbed::bot::PATIENCE;
use testbed::ground::{GENERAL, PING};
use testbed::load::Load;
use testbed::{Ground, Playground};

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_body_is_live_without_a_new_session_or_registration() {
    let mut ground = Ground::new(&[]).await;
    // The last of the first registrations.
    ground.bot.wait_for_line(0, "user menu 'User information'").await.unwrap();
    let writes = |ground: &Ground| {
        ["POST", "PATCH", "PUT", "DELETE"]
            .iter()
            .map(|method| ground.requests(method, "/commands"))
            .sum::<usize>()
    };
    let before = writes(&ground);
    let line = ground.edit_ping("Pang").await;
    assert!(line.contains("commands/general 1 -> 2 live in "), "{line}");
    for part in ["(watch ", "build ", "probe ", "preflight ", "swap "] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(ground.ping().await.starts_with("Pang!"));
    assert!(ground.say("/about").await.embeds[0].to_string().contains("generation 2"));
    assert_eq!(ground.identifies(), 1);
    assert_eq!(writes(&ground), before, "a body-only edit makes no REST call");

    // A changed definition touches only that command.
    let lines = ground.bot.line_count();
    ground.playground.edit(PING, "/// Answers, with", "/// Replies, with").unwrap();
    let line = ground.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    assert!(line.contains("~ /ping"), "{line}");
    ground.bot.wait_for_line(lines, "/ping scope=").await.unwrap();
    assert_eq!(writes(&ground), before + 1);
    assert_eq!(ground.sandbox.record().count(Kind::Closed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rustc_says_of_a_mistake_is_printed_once() {
    let mut ground = Ground::new(&[]).await;
    let lines = ground.bot.line_count();
    ground.playground.edit(PING, "Context<'_>", "Contxt<'_>").unwrap();
    ground.bot.wait_for_line(lines, "stays live: 1 compile error").await.unwrap();
    let said = ground.bot.lines_from(lines).join("\n");
    assert_eq!(said.matches("cannot find type `Contxt` in this scope").count(), 1, "{said}");
    assert!(said.contains("commands/general/src/ping.rs:"), "{said}");
    assert_eq!(ground.identifies(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_command_outside_probation_fails_that_call_alone() {
    let mut ground = Ground::new(&[("HMR_PROBATION_CALLS", "0")]).await;
    let source = ground.playground.read(PING).unwrap();
    let lines = ground.bot.line_count();
    ground
        .playground
        .edit(
            PING,
            "let latency =",
            "assert!(ctx.guild_id().is_none(), \"no guilds today\");\n    let latency =",
        )
        .unwrap();
    ground.bot.wait_for_line(lines, "commands/general 1 -> 2 live").await.unwrap();
    let answer = ground.say("/ping").await;
    assert!(answer.ephemeral && answer.content.contains("no guilds today"), "{answer:?}");
    assert!(!ground.say("/about").await.embeds.is_empty(), "the rest of the plugin answers on");
    let lines = ground.bot.line_count();
    ground.playground.save(PING, &source).unwrap();
    ground.bot.wait_for_line(lines, "commands/general 2 -> 3 live").await.unwrap();
    assert!(ground.ping().await.starts_with("Pong!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_prints_while_it_is_loaded_is_none_the_worse() {
    let mut ground = Ground::new(&[]).await;
    let lines = ground.bot.line_count();
    let printing = "fn commands(&self) -> Vec<Command> {\n        println!(\"loading\");\n        eprintln!(\"{}\", \"x\".repeat(100_000));";
    ground.playground.edit(GENERAL, "fn commands(&self) -> Vec<Command> {", printing).unwrap();
    let line = ground.bot.wait_for_line(lines, "commands/general ").await.unwrap();
    assert!(line.contains("1 -> 2 live"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_answered_twice_while_reloads_go_on() {
    let mut ground = Ground::new(&[]).await;
    let load = Load::start(&ground.sandbox, "/ping", "P", 50);
    for round in 0..8 {
        let line = ground.edit_ping(&format!("P{round}")).await;
        assert!(line.contains("live in"), "{line}");
        assert!(ground.ping().await.starts_with(&format!("P{round}!")));
    }
    let tally = load.stop().await;
    assert!(tally.is_clean() && tally.sent > 0, "{tally:?}");
    assert_eq!(ground.identifies(), 1);
    let stats = ground.sandbox.client().stats().await.unwrap();
    assert_eq!(stats["interactions"]["doubled"], 0, "{stats}");
    assert_eq!(stats["interactions"]["unanswered"], 0, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn saves_that_change_nothing_reload_nothing_and_bursts_end_in_one_swap() {
    let mut ground = Ground::new(&[]).await;
    let lines = ground.bot.line_count();
    let source = ground.playground.read(PING).unwrap();
    // A touch, the same text again, files that nothing is built from.
    fs::File::open(ground.playground.path(PING)).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    ground.playground.save(PING, &source).unwrap();
    ground.playground.save("commands/general/notes.md", "a note").unwrap();
    ground.playground.save("commands/general/src/unused.rs", "nobody names this module").unwrap();
    ground.playground.save("commands/general/tests/later.rs", "fn main() {}").unwrap();
    // Many files at once, as a checkout writes them: the last state goes live in one swap of each plugin.
    for round in 0..20 {
        ground.playground.save(PING, &source.replace("Pong!", &format!("Burst {round}!"))).unwrap();
    }
    ground.playground.edit("events/welcome/src/lib.rs", "\"Welcome to", "\"Hello in").unwrap();
    ground.bot.wait_for_line(lines, "events/welcome 1 -> 2 live").await.unwrap();
    ground.bot.wait_for_line(lines, "commands/general 1 -> 2 live").await.unwrap();
    assert!(ground.ping().await.starts_with("Burst 19!"));
    // What was ignored above would have shown by now: its events came before those of the burst.
    let said = ground.bot.lines_from(lines);
    assert_eq!(said.iter().filter(|line| line.contains("commands/general ")).count(), 1, "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_listeners_are_gone_before_new_ones_answer() {
    let mut ground = Ground::new(&[]).await;
    let client = ground.sandbox.client();
    for round in 1..=3 {
        let lines = ground.bot.line_count();
        let (old, new) = (
            if round == 1 { "\"Welcome to".to_owned() } else { format!("\"Round {} in", round - 1) },
            format!("\"Round {round} in"),
        );
        ground.playground.edit("events/welcome/src/lib.rs", &old, &new).unwrap();
        ground
            .bot
            .wait_for_line(lines, &format!("events/welcome {round} -> {} live", round + 1))
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
        // Every listener that heard the event has sent its words by the time a later command is answered.
        ground.ping().await;
        assert_eq!(greetings.len(), round, "{greetings:?}");
        assert!(greetings[round - 1].starts_with(&format!("Round {round} in")), "{greetings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_come_and_go_and_share_crates() {
    let mut ground = Ground::new(&[]).await;

    // A new folder comes in: by dev-env.sh, as the README says.
    let lines = ground.bot.line_count();
    ground.playground.new_plugin("commands/echo");
    let line = ground.bot.wait_for_line(lines, "commands/echo 1 live").await.unwrap();
    assert!(line.contains("+ /echo"), "{line}");
    assert_eq!(ground.say("/echo whom:you").await.content, "Hello, you!");
    let lines = ground.bot.line_count();
    ground.playground.new_plugin("events/waver");
    ground.bot.wait_for_line(lines, "events/waver 1 live").await.unwrap();

    // A crate that both share reloads them together, or not at all.
    ground
        .playground
        .save(
            "crates/words/Cargo.toml",
            "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .unwrap();
    ground.playground.save("crates/words/src/lib.rs", "pub const WORD: &str = \"Hello\";\n").unwrap();
    for plugin in ["commands/echo", "events/waver"] {
        let lines = ground.bot.line_count();
        let manifest = format!("{plugin}/Cargo.toml");
        ground
            .playground
            .edit(
                &manifest,
                "sdk.workspace = true\n",
                "sdk.workspace = true\nwords = { path = \"../../crates/words\" }\n",
            )
            .unwrap();
        ground.bot.wait_for_line(lines, &format!("{plugin} ")).await.unwrap();
    }
    let lines = ground.bot.line_count();
    ground
        .playground
        .edit("commands/echo/src/echo.rs", "\"Hello, {}!\", ", "\"{}, {}!\", words::WORD, ")
        .unwrap();
    ground.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    assert_eq!(ground.say("/echo").await.content, "Hello, world!");
    let lines = ground.bot.line_count();
    ground.playground.edit("crates/words/src/lib.rs", "\"Hello\"", "\"Ahoy\"").unwrap();
    ground.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    ground.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    assert_eq!(ground.say("/echo").await.content, "Ahoy, world!");
    let lines = ground.bot.line_count();
    ground.playground.edit("crates/words/src/lib.rs", "&str", "&'static [u8]").unwrap();
    ground.bot.wait_for_line(lines, "stays live").await.unwrap();
    assert_eq!(ground.say("/echo").await.content, "Ahoy, world!");
    let said = ground.bot.lines_from(lines);
    assert!(!said.iter().any(|line| line.contains("live in")), "{said:?}");
    // The one that is mended brings the other in with it.
    let lines = ground.bot.line_count();
    ground
        .playground
        .save("crates/words/src/lib.rs", "pub const WORD: &str = \"Hey\";\npub fn word() -> u8 {\n    1\n}\n")
        .unwrap();
    ground.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    ground.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    let lines = ground.bot.line_count();
    ground
        .playground
        .edit(
            "events/waver/src/lib.rs",
            "fn is_greeting(content",
            "const _: u8 = words::word;\nfn is_greeting(content",
        )
        .unwrap();
    ground.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    let lines = ground.bot.line_count();
    ground.playground.edit("crates/words/src/lib.rs", "\"Hey\"", "\"Hi\"").unwrap();
    ground.bot.wait_for_line(lines, "commands/echo stays as it is too").await.unwrap();
    assert_eq!(ground.say("/echo").await.content, "Hey, world!");
    let lines = ground.bot.line_count();
    ground.playground.edit("events/waver/src/lib.rs", "const _: u8 = words::word;\n", "").unwrap();
    ground.bot.wait_for_line(lines, "events/waver ").await.unwrap();
    ground.bot.wait_for_line(lines, "commands/echo ").await.unwrap();
    assert_eq!(ground.say("/echo").await.content, "Hi, world!");

    // A folder that is removed goes out, with its command.
    let lines = ground.bot.line_count();
    fs::remove_dir_all(ground.playground.path("commands/echo")).unwrap();
    let line = ground.bot.wait_for_line(lines, "taken out").await.unwrap();
    assert!(line.contains("commands/echo") && line.contains("- /echo"), "{line}");
    ground.bot.wait_for_line(lines, "commands withdrawn").await.unwrap();
    let answer = ground.say("/echo").await;
    assert!(answer.content.starts_with("/echo is being worked on"), "the folder may come back: {answer:?}");
    assert!(ground.ping().await.starts_with("Pong!"));
    assert_eq!(ground.identifies(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_lives_through_reloads() {
    let mut ground = Ground::new(&[("APP_ENV", "testing")]).await;
    let client = ground.sandbox.client();
    let poll = ground.say("/poll question:\"Tea or coffee?\" option1:tea option2:coffee").await;
    let message = poll.message.as_ref().unwrap()["id"].as_str().unwrap().parse().unwrap();
    let buttons: Vec<String> = poll.components[0]["components"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|button| button["custom_id"].as_str())
        .map(str::to_owned)
        .collect();
    client.press("bob", message, &buttons[0]).await.unwrap();
    ground.edit_ping("Pang").await;
    // A button made by the generation before works, and its votes are still there.
    let answer = client.press("carol", message, &buttons[0]).await.unwrap();
    assert!(answer.error.is_none(), "{answer:?}");
    assert!(answer.embeds[0].to_string().contains("2 votes"), "{:?}", answer.embeds);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_commands_tell_what_is_live_and_reload_by_hand() {
    let ground = Ground::new(&[]).await;
    let plugins = ground.say("/dev plugins").await;
    let told = plugins.embeds.iter().map(ToString::to_string).collect::<String>() + &plugins.content;
    assert!(
        plugins.ephemeral && told.contains("commands/general") && told.contains("hot reload is on"),
        "{told}"
    );
    let answer =
        ground.sandbox.client().run(Run::typed("/dev reload plugin:commands/general")).await.unwrap();
    let told = answer.embeds.iter().map(ToString::to_string).collect::<String>() + &answer.content;
    assert!(told.contains("commands/general 1 -> 2 live"), "{told}");
    let stranger = ground.sandbox.client().run(Run::typed("/dev plugins").by("bob")).await;
    let told = stranger.map_or_else(|refused| refused.to_string(), |answer| answer.content);
    assert!(!told.contains("generation"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn off_unless_asked_for() {
    let playground = Playground::new().unwrap();
    let mut ground = Ground::on(playground, &[("ENABLE_HMR", "false")]).await;
    ground.bot.wait_for_line(0, "hot reload: off, changes are ignored until restart").await.unwrap();
    let lines = ground.bot.line_count();
    ground.playground.edit(PING, "Pong!", "Pang!").unwrap();
    ground.playground.edit(GENERAL, "struct General;", "struct General; // edited").unwrap();
    // The owner's commands say so too.
    let answer = ground.say("/dev reload").await;
    let told = answer.embeds.iter().map(ToString::to_string).collect::<String>() + &answer.content;
    assert!(told.contains("without hot reload"), "{told}");
    assert!(ground.ping().await.starts_with("Pong!"));
    assert!(!ground.bot.lines_from(lines).iter().any(|line| line.contains("live in")));
}
