//! A change of the host itself: a new one is built while the old one runs, and replaces it without a loss.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use e2e::bot::PATIENCE;
use e2e::test_host::PING;
use e2e::{Playground, TestHost};

const WELCOME: &str = "events/welcome/src/lib.rs";
const RUN: &str = "bot/src/run.rs";
const PLAYER: &str = "crates/player/src/engine.rs";
const COMMAND: &str = "crates/sdk-core/src/dispatch/command.rs";

/// Waits until a new host answers. Returns its line. A changed sdk takes minutes to build on a busy machine.
async fn restarted(host: &mut TestHost, from: usize) -> String {
    let mut line = host.bot.wait_for_line(from, "silent_ms=").await;
    for _ in 0..5 {
        let said = host.bot.lines_from(from).join("\n");
        assert!(!said.contains("the running host stays"), "{said}");
        if line.is_ok() {
            break;
        }
        line = host.bot.wait_for_line(from, "silent_ms=").await;
    }
    line.unwrap()
}

/// Names of the plugins' libraries in a playground.
fn libraries(playground: &Playground) -> BTreeSet<PathBuf> {
    let plugins = fs::read_dir(playground.path("target/hmr/plugins")).unwrap();
    let files = plugins.flatten().filter_map(|plugin| fs::read_dir(plugin.path()).ok()).flatten().flatten();
    files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "so")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_were_built_before_are_not_built_again_though_the_workspace_has_moved() {
    let playground = Playground::new().unwrap();
    let before = libraries(&playground);
    assert!(!before.is_empty());
    let host = TestHost::on(playground, &[]).await;
    assert_eq!(libraries(&host.playground), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_host_takes_the_place_of_the_running_one_and_a_poll_goes_on() {
    let mut host = TestHost::new(&[("APP_ENV", "testing")]).await;
    let client = host.sandbox.client();
    let poll = host.say("/poll question:\"Tea or coffee?\" option1:tea option2:coffee minutes:10080").await;
    let message = poll.message.as_ref().unwrap()["id"].as_str().unwrap().parse().unwrap();
    let buttons = poll.components[0]["components"].as_array().unwrap();
    let tea = buttons[0]["custom_id"].as_str().unwrap().to_owned();
    client.press("bob", message, &tea).await.unwrap();
    host.edit_ping("Pang").await;

    // The bot's own sources, and the player, which no plugin is built with: the plugins fit the new host as they are.
    let lines = host.bot.line_count();
    host.playground.edit(RUN, "\"hotcord starts\"", "\"hotcord begins\"").unwrap();
    host.playground
        .edit(PLAYER, "\"a player broke down; its queue is dropped\"", "\"a player broke down\"")
        .unwrap();
    for file in [RUN, PLAYER] {
        host.bot
            .wait_for(lines, file, |line| {
                line.contains("the host has changed: a new one is built while this one runs on files=")
                    && line.contains(file)
            })
            .await
            .unwrap();
    }
    let line = restarted(&mut host, lines).await;
    assert!(line.contains(RUN) && line.contains(PLAYER), "{line}");
    host.bot.wait_for_line(lines, "hotcord begins").await.unwrap();
    let said = host.bot.lines_from(lines).join("\n");
    assert!(!said.contains("the host died"), "{said}");
    assert!(said.contains("commands/general 2"), "{said}");
    assert!(host.ping().await.starts_with("Pang!"));
    let answer = client.press("carol", message, &tea).await.unwrap();
    assert!(answer.error.is_none() && answer.embeds[0].to_string().contains("2 votes"), "{answer:?}");
    assert_eq!(host.identifies(), 2, "one more session, no more");

    // The sdk: every plugin is rebuilt before the old host is replaced.
    let lines = host.bot.line_count();
    host.playground.edit(COMMAND, "is not part of this bot any more.", "has left this bot.").unwrap();
    let line = restarted(&mut host, lines).await;
    assert!(line.contains("because=\"crates/sdk-core/src/dispatch/command.rs"), "{line}");
    let said = host.bot.lines_from(lines).join("\n");
    assert!(said.contains("commands/general 3"), "{said}");
    assert!(host.ping().await.starts_with("Pang!"));
    let answer = client.press("alice", message, &tea).await.unwrap();
    assert!(answer.error.is_none() && answer.embeds[0].to_string().contains("3 votes"), "{answer:?}");
    assert_eq!(host.identifies(), 3);
    assert!(host.edit_ping("Peng").await.contains("plugin=commands/general from=3 to=4 "));
    let stats = client.stats().await.unwrap();
    assert_eq!(stats["interactions"]["doubled"], 0, "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_build_changes_nothing_and_the_save_that_mends_it_comes_in() {
    let mut host = TestHost::new(&[]).await;
    let lines = host.bot.line_count();
    host.playground.edit(RUN, "\"hotcord starts\"", "\"hotcord\" starts").unwrap();
    host.bot.wait_for_line(lines, "the running host stays error=1 compile error in bot").await.unwrap();
    let said = host.bot.lines_from(lines).join("\n");
    assert!(said.contains("bot/src/run.rs:"), "rustc's words are shown: {said}");
    assert!(host.ping().await.starts_with("Pong!"));
    // Plugins keep reloading in the running host.
    assert!(host.edit_ping("Pang").await.contains("plugin=commands/general from=1 to=2 "));
    assert!(host.ping().await.starts_with("Pang!"));
    assert_eq!(host.identifies(), 1);

    let lines = host.bot.line_count();
    host.playground.edit(RUN, "\"hotcord\" starts", "\"hotcord is mended\"").unwrap();
    restarted(&mut host, lines).await;
    host.bot.wait_for_line(lines, "hotcord is mended").await.unwrap();
    assert!(host.ping().await.starts_with("Pang!"));
    assert_eq!(host.identifies(), 2);
    // The code that was edited meanwhile is live.
    assert!(host.playground.read(PING).unwrap().contains("Pang!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_by_hand_waits_for_calls_and_brings_back_what_was_live() {
    let mut host = TestHost::new(&[]).await;
    host.bot.wait_for_line(0, "/dev scope=").await.unwrap();
    let gate = host.playground.path("gate");
    let lines = host.bot.line_count();
    let source = host.ping_that_waits("Slow", &gate);
    host.playground.save(PING, &source).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    let client = host.sandbox.client();
    let from = host.sandbox.event_log().newest() + 1;
    let slow = tokio::spawn(async move { client.say("/ping").await });
    let deferred =
        host.sandbox.event_log().wait_for(from, PATIENCE, |entry| entry.line().contains("/callback"));
    assert!(deferred.await.is_ok(), "/ping is not under way");

    let lines = host.bot.line_count();
    let answer = host.say("/dev restart").await;
    assert!(answer.ephemeral, "{answer:?}");
    assert_eq!(answer.content, "The bot restarts as soon as nothing is under way.");
    // While the call lasts, everything continues.
    let welcome = host.playground.read(WELCOME).unwrap();
    host.playground.save(WELCOME, &format!("// A line that moves all others.\n{welcome}")).unwrap();
    host.bot.wait_for_line(lines, "plugin=events/welcome from=1 to=2 ").await.unwrap();
    std::fs::write(&gate, "").unwrap();
    let answer = slow.await.unwrap().unwrap();
    assert!(answer.content.starts_with("Slow!"), "{answer:?}");
    let line = restarted(&mut host, lines).await;
    assert!(line.contains("restarted host=1 because=\"a request\""), "{line}");
    let said = host.bot.lines_from(lines).join("\n");
    assert!(said.contains("commands/general 2") && said.contains("events/welcome 2"), "{said}");
    assert!(!said.contains("the host died"), "{said}");
    assert!(host.ping().await.starts_with("Slow!"));
    assert_eq!(host.identifies(), 2);

    let lines = host.bot.line_count();
    assert_eq!(host.say("/dev restart now:true").await.content, "The bot restarts now.");
    restarted(&mut host, lines).await;
    assert!(host.ping().await.starts_with("Slow!"));
    assert_eq!(host.identifies(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_host_that_does_not_come_up_leaves_its_place_to_the_one_before() {
    let mut host = TestHost::new(&[]).await;
    host.edit_ping("Pang").await;
    let lines = host.bot.line_count();
    let starts = "    tokio::pin!(shutdown);\n";
    let dies = format!("    std::process::abort();\n    #[allow(unreachable_code)]\n{starts}");
    host.playground.edit(RUN, starts, &dies).unwrap();
    let line = host.bot.wait_for_line(lines, "the host died of SIGABRT").await.unwrap();
    let words = "host 2 was never ready, so host 1 takes its place until a change of the host is saved";
    assert!(line.contains(words), "{line}");
    host.bot.wait_for_line(lines, "back after a crash host=1 ").await.unwrap();
    assert!(host.ping().await.starts_with("Pang!"));

    // cargo's output is still the program that died.
    let lines = host.bot.line_count();
    let manifest = host.playground.read("Cargo.toml").unwrap();
    host.playground.save("Cargo.toml", &format!("{manifest}\n# A note.\n")).unwrap();
    let line = host.bot.wait_for_line(lines, "the running host stays error=").await.unwrap();
    assert!(line.contains("host 2 is the one that died before it was ready; change it first"), "{line}");
    assert!(host.ping().await.starts_with("Pang!"));

    let lines = host.bot.line_count();
    host.playground.edit(RUN, &dies, &format!("    // It starts again.\n{starts}")).unwrap();
    restarted(&mut host, lines).await;
    assert!(host.ping().await.starts_with("Pang!"));
    assert!(host.edit_ping("Peng").await.contains("plugin=commands/general from=2 to=3 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn retired_code_above_its_budget_is_told_once_with_the_way_out() {
    let mut host = TestHost::new(&[("HMR_MEMORY_MB", "1"), ("RUST_LOG", "info,hmr=debug")]).await;
    host.bot.wait_for_line(0, "/dev scope=").await.unwrap();
    // Each of these addresses is written when the library is loaded, so its pages cannot be released.
    let table = "#[used]\nstatic TABLE: [&str; 200_000] = [\"word\"; 200_000];\n\n/// Answers,";
    let lines = host.bot.line_count();
    let large = host.ping_that_says("Large").replace("/// Answers,", table);
    host.playground.save(PING, &large).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    let at_rest = |code: u64| format!("retired code is at rest plugin=commands/general code_of={code}");
    host.bot.wait_for_line(lines, &at_rest(1)).await.unwrap();
    let budget = "the code of retired generations takes more than HMR_MEMORY_MB; /dev restart gives it back";
    assert!(!host.bot.lines_from(0).iter().any(|line| line.contains(budget)));

    host.edit_ping("More").await;
    let line = host.bot.wait_for_line(lines, budget).await.unwrap();
    assert!(line.contains(" allowed_kib=1024"), "{line}");
    let from = host.bot.line_count();
    host.edit_ping("Most").await;
    host.bot.wait_for_line(from, &at_rest(3)).await.unwrap();
    let told = host.bot.lines_from(0).iter().filter(|line| line.contains(budget)).count();
    assert_eq!(told, 1);

    // After the restart it is reported again.
    let lines = host.bot.line_count();
    assert_eq!(host.say("/dev restart now:true").await.content, "The bot restarts now.");
    restarted(&mut host, lines).await;
    assert!(host.ping().await.starts_with("Most!"));
    let lines = host.bot.line_count();
    host.edit_ping("Again").await;
    host.bot.wait_for_line(lines, budget).await.unwrap();
}

fn git(folder: &std::path::Path, words: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@localhost", "-c", "init.defaultBranch=main"])
        .args(words)
        .current_dir(folder)
        .output()
        .expect("git can be run");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_file_that_changes_the_host_brings_in_a_new_one() {
    // A dependency of the host that is fetched, from this machine.
    let playground = Playground::new().unwrap();
    let spice = tempfile::tempdir().unwrap();
    let grow = |word: &str| {
        std::fs::create_dir_all(spice.path().join("src")).unwrap();
        let manifest = "[package]\nname = \"spice\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        std::fs::write(spice.path().join("Cargo.toml"), manifest).unwrap();
        let source = format!("pub const WORD: &str = \"{word}\";\n");
        std::fs::write(spice.path().join("src/lib.rs"), source).unwrap();
        git(spice.path(), &["add", "."]);
        git(spice.path(), &["commit", "--quiet", "--message", word]);
    };
    git(spice.path(), &["init", "--quiet"]);
    grow("nutmeg");
    let url = spice.path().display();
    let with = format!("[dependencies]\nspice = {{ git = \"file://{url}\", branch = \"main\" }}\n");
    playground.edit("bot/Cargo.toml", "[dependencies]\n", &with).unwrap();
    playground.edit(RUN, "\"hotcord starts\"", "spice = spice::WORD, \"hotcord starts\"").unwrap();
    playground.build_host().unwrap();
    let mut host = TestHost::on(playground, &[]).await;
    assert!(host.bot.lines_from(0).iter().any(|line| line.contains("nutmeg")));

    grow("saffron");
    let lines = host.bot.line_count();
    let update = Command::new("cargo")
        .args(["update", "--quiet", "--package", "spice"])
        .current_dir(host.playground.path(""))
        .status();
    assert!(update.unwrap().success());
    host.bot.wait_for_line(lines, "files=\"Cargo.lock\"").await.unwrap();
    let line = restarted(&mut host, lines).await;
    assert!(line.contains("because=\"Cargo.lock"), "{line}");
    let said = host.bot.lines_from(lines);
    assert!(said.iter().any(|line| line.contains("saffron")), "{said:?}");
    assert!(host.ping().await.starts_with("Pong!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_that_has_the_host_built_anew_is_told_before_it_begins() {
    const GENERAL: &str = "commands/general/Cargo.toml";
    let mut host = TestHost::new(&[]).await;
    let keen = |features: &str| {
        format!(
            "[package]\nname = \"keen\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             ignore = {{ version = \"0.4\", features = [{features}] }}\n"
        )
    };
    // The host's watcher links it too, without that feature.
    host.playground.save("crates/keen/src/lib.rs", "").unwrap();
    host.playground.save("crates/keen/Cargo.toml", &keen("\"simd-accel\"")).unwrap();
    let lines = host.bot.line_count();
    let with = "sdk.workspace = true\nkeen = { path = \"../../crates/keen\" }\n";
    host.playground.edit(GENERAL, "sdk.workspace = true\n", with).unwrap();
    let words = "the dependency keen v0.1.0 of commands/general turns on `simd-accel` of ignore v";
    let line = host.bot.wait_for_line(lines, words).await.unwrap();
    assert!(line.contains("cargo builds it anew") && line.contains("to avoid it, "), "{line}");
    assert!(host.ping().await.starts_with("Pong!"), "everything runs on");
    let ctl = async |words: &[&str]| {
        let mut command = tokio::process::Command::new("bash");
        command.arg("dev-env.sh").args(words).current_dir(host.playground.path(""));
        let output = command.output().await.unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let status = ctl(&["status"]).await;
    assert!(status.contains(&format!("a new host is built: {words}")), "{status}");
    let events = ctl(&["events", "--last", "20", "--no-follow"]).await;
    assert!(events.lines().any(|event| event.contains("\"note\"") && event.contains(words)), "{events}");

    // If it is reverted in time, nothing happens.
    let lines = host.bot.line_count();
    host.playground.edit(GENERAL, with, "sdk.workspace = true\n").unwrap();
    let back = "nothing asks for `simd-accel` of ignore v";
    host.bot.wait_for_line(lines, back).await.unwrap();
    let line = host.edit_ping("Back").await;
    assert!(line.contains("loaded plugin="), "{line}");
    assert!(host.ping().await.starts_with("Back!"));
    let said = host.bot.lines_from(0);
    assert!(!said.iter().any(|line| line.contains("silent_ms=")), "{said:?}");
}
