//! Code that fails once it is live: a panic on probation causes a rollback, earlier code can be restored by hand, and
//! what does not end is named.

use e2e::faults::programs::Programs;
use e2e::test_host::PING;
use e2e::{Playground, TestHost};
use sandbox::Answer;

const TALLY: &str = "commands/tally/src/lib.rs";

const FAULTY: &str = "commands/faulty/src/faulty.rs";

/// A plugin with state, a hook, and places to make it fail.
const TALLY_SOURCE: &str = r#"//! Counts.

use sdk::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Tally {
    count: u32,
}

impl State for Tally {}

struct Counting;

#[async_trait]
impl Plugin for Counting {
    fn commands(&self) -> Vec<Command> {
        vec![count()]
    }

    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<Tally>())
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        let _ = on;
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        let _ = data;
        Ok(())
    }

    async fn stop(&self, data: &Data) -> Result<(), Error> {
        let _ = data;
        Ok(())
    }
}

/// Counts one further
#[poise::command(slash_command)]
async fn count(ctx: Context<'_>) -> Result<(), Error> {
    let count = ctx.data().state::<Tally>().update(|tally| {
        tally.count += 1;
        tally.count
    })?;
    ctx.say(format!("Count {count}!")).await?;
    Ok(())
}

sdk::export!(Counting);
"#;

/// Creates a playground with the counting plugin.
fn with_tally() -> Playground {
    let playground = Playground::new().unwrap();
    playground.new_plugin("commands/tally");
    let manifest = "commands/tally/Cargo.toml";
    playground
        .edit(manifest, "sdk.workspace = true\n", "sdk.workspace = true\nserde.workspace = true\n")
        .unwrap();
    playground.save(TALLY, TALLY_SOURCE).unwrap();
    playground
}

/// Makes an edit, and waits until the plugin's next generation is live. Returns its line.
async fn edit(host: &mut TestHost, file: &str, from: &str, to: &str) -> String {
    let (plugin, _) = file.split_once("/src").unwrap();
    let lines = host.bot.line_count();
    host.playground.edit(file, from, to).unwrap();
    host.bot
        .wait_for(lines, "a swap", |line| line.contains(plugin) && line.contains("loaded plugin="))
        .await
        .unwrap()
}

fn told(answer: &Answer) -> String {
    answer.embeds.iter().map(ToString::to_string).collect::<String>() + &answer.content
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_on_probation_brings_back_the_code_before_it_with_its_state() {
    let mut host = TestHost::on(with_tally(), &[]).await;
    assert_eq!(host.say("/count").await.content, "Count 1!");
    let checked = "    })?;\n    assert!(count < 3, \"no counting beyond two\");\n";
    edit(&mut host, TALLY, "    })?;\n", checked).await;
    assert_eq!(host.say("/count").await.content, "Count 2!");

    let lines = host.bot.line_count();
    let answer = host.say("/count").await;
    assert!(answer.ephemeral && answer.content.contains("no counting beyond two"), "{answer:?}");
    assert_eq!(answer.callbacks, 1, "{answer:?}");
    let line = host.bot.wait_for_line(lines, "plugin=commands/tally from=2 to=3 ").await.unwrap();
    for words in [
        "rolled back",
        "code_of=1 ",
        "/count panicked at commands/tally/src/lib.rs:",
        "no counting beyond two",
        "it goes on with the state of 2",
    ] {
        assert!(line.contains(words), "{words} is not in {line}");
    }
    assert_eq!(host.say("/count").await.content, "Count 4!", "nothing that was counted is lost");

    // The broken source stays as it is until it is saved again, and is then built as usual.
    host.edit_ping("Pang").await;
    assert!(!host.bot.lines_from(lines).iter().any(|line| line.contains("plugin=commands/tally from=3 ")));
    let line = edit(&mut host, TALLY, "count < 3", "count < 6").await;
    assert!(line.contains("plugin=commands/tally from=3 to=4 "), "{line}");
    assert_eq!(host.say("/count").await.content, "Count 5!");
    assert_eq!(host.identifies(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_the_old_code_cannot_read_comes_back_as_it_was_handed_over() {
    let mut host = TestHost::on(with_tally(), &[]).await;
    assert_eq!(host.say("/count").await.content, "Count 1!");
    let (from, to) = (
        "impl State for Tally {}",
        "impl State for Tally {\n    const VERSION: u32 = 2;\n    fn migrate(_: u32, value: sdk::state::Value) -> \
         Result<Self, Error> {\n        Ok(Self { count: value[\"count\"].as_u64().unwrap_or_default() as u32 + 100 })\n    \
         }\n}",
    );
    let source = TALLY_SOURCE
        .replace(from, to)
        .replace("    })?;\n", "    })?;\n    assert!(count < 103, \"too many\");\n");
    let lines = host.bot.line_count();
    host.playground.save(TALLY, &source).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/tally from=1 to=2 ").await.unwrap();
    assert_eq!(host.say("/count").await.content, "Count 102!");
    assert!(host.say("/count").await.content.contains("too many"));
    let line = host.bot.wait_for_line(lines, "plugin=commands/tally from=2 to=3 ").await.unwrap();
    assert!(line.contains("it goes on with snapshot"), "{line}");
    assert_eq!(host.say("/count").await.content, "Count 2!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_a_listener_and_the_code_that_came_back() {
    let mut host = TestHost::on(with_tally(), &[]).await;
    // A task that panics as soon as it is spawned.
    let lines = host.bot.line_count();
    let spawning = "        data.spawn(\"watch\", async { panic!(\"nothing to watch\") });\n        Ok(())";
    let start = "        let _ = data;\n        Ok(())\n    }\n\n    async fn stop";
    host.playground.edit(TALLY, start, &format!("{spawning}\n    }}\n\n    async fn stop")).unwrap();
    let line = host.bot.wait_for_line(lines, "plugin=commands/tally from=2 to=3 ").await.unwrap();
    assert!(line.contains("task watch panicked at commands/tally/src/lib.rs:"), "{line}");

    // A listener that panics.
    let lines = host.bot.line_count();
    let listening = TALLY_SOURCE.replace(
        "        let _ = on;\n",
        "        on.event(|_, said: event::Message| async move {\n            assert!(said.new_message.author.bot, \
         \"frightened\");\n            Ok(())\n        });\n",
    );
    host.playground.save(TALLY, &listening).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/tally from=3 to=4 ").await.unwrap();
    let client = host.sandbox.client();
    client.send("alice", "general", "boo").await.unwrap();
    let line = host.bot.wait_for_line(lines, "plugin=commands/tally from=4 to=5 ").await.unwrap();
    assert!(line.contains("code_of=1 ") && line.contains("frightened"), "{line}");
    assert!(line.contains("- Message"), "what the listener heard is given up: {line}");

    // Code restored by hand is not on probation: its panic is contained.
    let lines = host.bot.line_count();
    let answer = told(&host.say("/dev rollback plugin:commands/tally generation:4").await);
    assert!(
        answer.contains("commands/tally 5 -> 6 live") && answer.contains("back to the code of 4"),
        "{answer}"
    );
    client.send("alice", "general", "boo").await.unwrap();
    host.bot.wait_for_line(lines, "frightened").await.unwrap();
    assert_eq!(host.say("/count").await.content, "Count 1!");
    let answer = told(&host.say("/dev rollback plugin:commands/tally generation:6").await);
    assert!(answer.contains("commands/tally 6 is live already"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_code_comes_back_by_hand() {
    let mut host = TestHost::new(&[]).await;
    host.edit_ping("Pang").await;
    host.edit_ping("Peng").await;
    let answer = told(&host.say("/dev rollback plugin:commands/general generation:1").await);
    assert!(
        answer.contains("commands/general 3 -> 4 live") && answer.contains("back to the code of 1"),
        "{answer}"
    );
    assert!(host.ping().await.starts_with("Pong!"));
    let answer = told(&host.say("/dev rollback plugin:commands/general").await);
    assert!(answer.contains("has no code before that of 4"), "{answer}");
    let answer = told(&host.say("/dev rollback plugin:commands/general generation:2").await);
    assert!(answer.contains("4 -> 5 live"), "{answer}");
    assert!(host.ping().await.starts_with("Pang!"));
    for (generation, words) in
        [("5", "is live already"), ("2", "runs the code of 2 already"), ("9", "no generation 9")]
    {
        let command = format!("/dev rollback plugin:commands/general generation:{generation}");
        let answer = told(&host.say(&command).await);
        assert!(answer.contains(words), "{answer}");
    }
    // A restored definition is registered again, and the next save continues from there.
    let lines = host.bot.line_count();
    host.playground.edit(PING, "/// Answers, with", "/// Replies, with").unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=5 to=6 ").await.unwrap();
    host.bot.wait_for_line(lines, "/ping scope=").await.unwrap();
    let lines = host.bot.line_count();
    let answer = told(&host.say("/dev rollback plugin:commands/general").await);
    assert!(answer.contains("back to the code of 3") && answer.contains("~ /ping"), "{answer}");
    host.bot.wait_for_line(lines, "/ping scope=").await.unwrap();
    assert!(host.ping().await.starts_with("Peng!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_live_together_goes_back_together() {
    let playground = Playground::new().unwrap();
    let manifest = "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    playground.save("crates/words/Cargo.toml", manifest).unwrap();
    let words = |body: &str| format!("pub fn word() -> &'static str {{\n    {body}\n}}\n");
    playground.save("crates/words/src/lib.rs", &words("\"Hello\"")).unwrap();
    playground.new_plugin("commands/echo");
    playground.new_plugin("events/waver");
    for plugin in ["commands/echo", "events/waver"] {
        let (from, to) =
            ("sdk.workspace = true\n", "sdk.workspace = true\nwords = { path = \"../../crates/words\" }\n");
        playground.edit(&format!("{plugin}/Cargo.toml"), from, to).unwrap();
    }
    playground.edit("commands/echo/src/echo.rs", "\"Hello, {}!\", ", "\"{}, {}!\", words::word(), ").unwrap();
    let mut host = TestHost::on(playground, &[]).await;
    assert_eq!(host.say("/echo").await.content, "Hello, world!");

    let lines = host.bot.line_count();
    host.playground.save("crates/words/src/lib.rs", &words("panic!(\"no words\")")).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/echo from=1 to=2 ").await.unwrap();
    host.bot.wait_for_line(lines, "plugin=events/waver from=1 to=2 ").await.unwrap();
    let answer = host.say("/echo").await;
    assert!(answer.content.contains("no words"), "{answer:?}");
    host.bot.wait_for_line(lines, "plugin=events/waver from=2 to=3 ").await.unwrap();
    let line = host.bot.wait_for_line(lines, "plugin=commands/echo from=2 to=3 ").await.unwrap();
    assert!(line.contains("crates/words/src/lib.rs:2"), "{line}");
    assert_eq!(host.say("/echo").await.content, "Hello, world!");

    // By hand as well.
    let lines = host.bot.line_count();
    host.playground.save("crates/words/src/lib.rs", &words("\"Ahoy\"")).unwrap();
    host.bot.wait_for_line(lines, "plugin=events/waver from=3 to=4 ").await.unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/echo from=3 to=4 ").await.unwrap();
    assert_eq!(host.say("/echo").await.content, "Ahoy, world!");
    let answer = told(&host.say("/dev rollback plugin:commands/echo generation:1").await);
    assert!(answer.contains("commands/echo 4 -> 5") && answer.contains("events/waver 4 -> 5"), "{answer}");
    assert_eq!(host.say("/echo").await.content, "Hello, world!");

    // Not if another plugin has no generation that fits.
    let lines = host.bot.line_count();
    host.playground.save("crates/words/src/lib.rs", &words("\"Hey\"")).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/echo from=5 to=6 ").await.unwrap();
    let source = "struct Third;\n\nimpl sdk::Plugin for Third {}\n\nsdk::export!(Third);\n";
    host.playground.save("events/third/src/lib.rs", source).unwrap();
    let waver = host.playground.read("events/waver/Cargo.toml").unwrap();
    host.playground.save("events/third/Cargo.toml", &waver.replace("waver", "third")).unwrap();
    host.bot.wait_for_line(lines, "loaded plugin=events/third to=1 ").await.unwrap();
    let answer = told(&host.say("/dev rollback plugin:commands/echo generation:1").await);
    assert!(
        answer.contains(
            "commands/echo 1 was built with another crates/words than events/third 1 is, and no generation"
        ) && answer.contains("of events/third goes with it"),
        "{answer}"
    );
    assert_eq!(host.say("/echo").await.content, "Hey, world!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_caught_half_written_is_built_again_and_no_more_often_than_told() {
    let playground = Playground::new().unwrap();
    playground.new_plugin("commands/faulty");
    let programs = Programs::collect(playground.path("programs")).unwrap();
    let path = programs.folder().display().to_string();
    let mut host = TestHost::on(playground, &[("PATH", &path), ("HMR_MAX_RETRIES", "2")]).await;
    // The first library is truncated, the second one is empty.
    let spoil_two = "n=$(cat \"$here/count\" 2>/dev/null || echo 0)\necho $((n + 1)) >\"$here/count\"\n\
                     case $n in 0) truncate -s 100 \"$library\" ;; 1) : >\"$library\" ;; esac\n";
    programs.after_linking(spoil_two).unwrap();
    let line = edit(&mut host, FAULTY, "\"Hello, ", "\"Ahoy, ").await;
    assert!(line.contains("plugin=commands/faulty from=1 to=2 "), "{line}");
    let said = host.bot.lines_from(0);
    for words in ["again_in_ms=50 retry=1 most=2", "again_in_ms=100 retry=2 most=2"] {
        assert!(said.iter().any(|line| line.contains(words)), "{words}: {said:?}");
    }
    assert!(host.say("/faulty").await.content.starts_with("Ahoy"));

    let lines = host.bot.line_count();
    programs.after_linking("echo >>\"$here/links\"\n: >\"$library\"\n").unwrap();
    host.playground.edit(FAULTY, "\"Ahoy, ", "\"Hey, ").unwrap();
    let line = host.bot.wait_for_line(lines, "plugin=commands/faulty live=2 ").await.unwrap();
    assert!(line.contains("could not be loaded"), "{line}");
    assert_eq!(host.playground.read("programs/links").unwrap().lines().count(), 3);
    assert!(host.say("/faulty").await.content.starts_with("Ahoy"));
    // A compile error is reported at once.
    let lines = host.bot.line_count();
    host.playground.edit(FAULTY, "\"Hey, ", "nonsense \"Hey, ").unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/faulty live=2 ").await.unwrap();
    assert!(!host.bot.lines_from(lines).iter().any(|line| line.contains("tried again after a while")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_caught_half_written_at_the_start_is_built_again() {
    let playground = Playground::new().unwrap();
    playground.new_plugin("commands/faulty");
    let programs = Programs::collect(playground.path("programs")).unwrap();
    let spoil_two = "n=$(cat \"$here/count\" 2>/dev/null || echo 0)\necho $((n + 1)) >\"$here/count\"\n\
                     case $n in 0) truncate -s 100 \"$library\" ;; 1) : >\"$library\" ;; esac\n";
    programs.after_linking(spoil_two).unwrap();
    let path = programs.folder().display().to_string();
    let host = TestHost::on(playground, &[("PATH", &path), ("HMR_MAX_RETRIES", "2")]).await;
    let said = host.bot.lines_from(0);
    for words in ["again_in_ms=50 retry=1 most=2", "again_in_ms=100 retry=2 most=2"] {
        let told =
            said.iter().filter(|line| line.contains("plugins=\"commands/faulty\"") && line.contains(words));
        assert_eq!(told.count(), 1, "{words}: {said:?}");
    }
    assert!(!said.iter().any(|line| line.contains(": load failed")), "{said:?}");
    assert_eq!(host.say("/faulty").await.content, "Hello, world!");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_end_is_named_and_holds_nothing_up() {
    let mut host = TestHost::on(with_tally(), &[("HMR_STOP_MS", "300")]).await;
    // A task that never reaches an `.await`, and a hook that does not return.
    let stuck = TALLY_SOURCE
        .replacen(
            "        let _ = data;\n",
            "        data.spawn(\"busy\", async {\n            loop {\n                \
             std::thread::sleep(std::time::Duration::from_secs(1));\n            }\n        });\n",
            1,
        )
        .replace(
            "        let _ = data;\n",
            "        let _ = data;\n        loop {\n            std::thread::sleep(std::time::Duration::from_secs(1));\n        \
             }\n",
        );
    let lines = host.bot.line_count();
    host.playground.save(TALLY, &stuck).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/tally from=1 to=2 ").await.unwrap();
    host.playground.save(TALLY, TALLY_SOURCE).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/tally from=2 to=3 ").await.unwrap();
    host.bot
        .wait_for_line(
            lines,
            "not stopped plugin=commands/tally generation=2 problem=its stop hook did not end",
        )
        .await
        .unwrap();
    let line =
        host.bot.wait_for_line(lines, "task busy (spawned at commands/tally/src/lib.rs:").await.unwrap();
    assert!(line.contains("did not end within 300 ms"), "{line}");
    // Meanwhile reloads work as usual, and `/dev plugins` lists what still runs.
    let line = edit(&mut host, TALLY, "Count {count}!", "Now {count}!").await;
    assert!(line.contains("plugin=commands/tally from=3 to=4 "), "{line}");
    let account = told(&host.say("/dev plugins").await);
    for words in ["busy (spawned at commands/tally/src/lib.rs:", "stop hook ("] {
        assert!(account.contains(words), "{words} is not in {account}");
    }
    assert!(host.say("/count").await.content.starts_with("Now"));
}
