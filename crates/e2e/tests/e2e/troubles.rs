//! Messages of the guide's troubleshooting tables that no other test provokes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use e2e::bot::PATIENCE;
use e2e::faults::programs::Programs;
use e2e::test_host::PING;
use e2e::{Playground, TestHost};
use sandbox::Sandbox;

const TALLY: &str = "commands/tally/src/lib.rs";
const FAULTY: &str = "commands/faulty/src/faulty.rs";

/// A plugin with state and a hook.
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

    async fn start(&self, _: &Data) -> Result<(), Error> {
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

/// Creates a playground with the counting plugin, with another `start` hook.
fn with_tally(start: &str) -> Playground {
    let playground = Playground::new().unwrap();
    playground.new_plugin("commands/tally");
    let (from, to) = ("sdk.workspace = true\n", "sdk.workspace = true\nserde.workspace = true\n");
    playground.edit("commands/tally/Cargo.toml", from, to).unwrap();
    playground.save(TALLY, &tally(start)).unwrap();
    playground
}

fn tally(start: &str) -> String {
    TALLY_SOURCE.replace("        Ok(())\n    }\n}", &format!("        {start}\n    }}\n}}"))
}

/// Runs the development host in a folder until it ends by itself. Returns its exit code and its output.
async fn run_to_end(
    playground: &Playground,
    sandbox: &Sandbox,
    folder: &Path,
    variables: &[(&str, &str)],
) -> (Option<i32>, String) {
    let kept = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "TMPDIR"];
    let guild = sandbox.guild_id().to_string();
    let run = tokio::process::Command::new(playground.path("target/hmr/debug/hotcord"))
        .env_clear()
        .envs(kept.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("ENABLE_HMR", "true")
        .env("DISCORD_TOKEN", sandbox.token())
        .env("DISCORD_API_URL", sandbox.url())
        .env("TEST_GUILD_ID", guild)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let Output { status, stdout, stderr } = tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_bot_from_starting_is_told() {
    let mut test_host = TestHost::new(&[]).await;
    let root = test_host.playground.path("");
    let (code, said) = run_to_end(&test_host.playground, &test_host.sandbox, &root, &[]).await;
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains("a development host of this folder is running already"), "{said}");
    // The running one is not affected.
    test_host.edit_ping("Pang").await;
    assert!(test_host.ping().await.starts_with("Pang!"));

    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().display().to_string();
    let (code, said) =
        run_to_end(&test_host.playground, &test_host.sandbox, &root, &[("HMR_WORKSPACE", &folder)]).await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("which holds no Cargo.toml with commands/ and events/"), "{said}");
    let (code, said) = run_to_end(&test_host.playground, &test_host.sandbox, elsewhere.path(), &[]).await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("Hot reload finds no Cargo.toml with commands/ and events/"), "{said}");

    let TestHost { playground, sandbox, bot } = test_host;
    assert!(bot.stop().await.unwrap().success());
    playground.edit("Cargo.toml", "[workspace]\n", "[workspace\n").unwrap();
    let (code, said) = run_to_end(&playground, &sandbox, &root, &[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("hot reload cannot read the workspace: cargo failed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_rustc_that_cannot_be_kept_is_told() {
    let playground = Playground::bare().unwrap();
    fs::create_dir_all(playground.path("target/hmr/plugins/commands-general/call.json")).unwrap();
    let mut test_host = TestHost::on(playground, &[]).await;
    let line = test_host.bot.wait_for_line(0, "cargo will be asked again at the next start").await.unwrap();
    assert!(line.contains("commands/general"), "{line}");
    test_host.edit_ping("Pang").await;
    assert!(test_host.ping().await.starts_with("Pang!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_outlasts_its_time_is_named_and_still_answers() {
    let mut test_host = TestHost::new(&[("HMR_STOP_MS", "200")]).await;
    let gate = test_host.playground.path("gate");
    let lines = test_host.bot.line_count();
    let quick = test_host.playground.read(PING).unwrap();
    let slow = test_host.ping_that_waits("Slow", &gate);
    test_host.playground.save(PING, &slow).unwrap();
    test_host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    let (client, from) = (test_host.sandbox.client(), test_host.sandbox.event_log().newest() + 1);
    let call = tokio::spawn(async move { client.say("/ping").await });
    let begun =
        test_host.sandbox.event_log().wait_for(from, PATIENCE, |entry| entry.line().contains("/callback"));
    assert!(begun.await.is_ok(), "/ping is not under way");
    test_host.playground.save(PING, &quick).unwrap();
    let words = "stopped with calls still under way plugin=commands/general generation=2 calls=\"/ping (";
    test_host.bot.wait_for_line(lines, words).await.unwrap();
    assert!(test_host.ping().await.starts_with("Pong!"));
    fs::write(gate, "").unwrap();
    let answer = call.await.unwrap().unwrap();
    assert!(answer.content.starts_with("Slow!"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_has_one_handler() {
    let mut test_host = TestHost::on(with_tally("Ok(())"), &[]).await;
    let registering = |handlers: &str| {
        let subscriptions =
            format!("    fn subscriptions(&self, on: &mut Subscriptions) {{\n        {handlers}\n    }}\n\n");
        TALLY_SOURCE.replace("    async fn start", &(subscriptions + "    async fn start"))
    };
    let handler = |prefix: &str| {
        format!(
            "on.component(\"{prefix}\", async |_: EventContext, _: serenity::ComponentInteraction| Ok(()));"
        )
    };
    for (handlers, words) in [
        (handler("tally:") + &handler("tally:"), "two component handlers are registered for 'tally:'"),
        (handler("poll:"), "components 'poll:' are handled by commands/general and by commands/tally"),
    ] {
        let lines = test_host.bot.line_count();
        test_host.playground.save(TALLY, &registering(&handlers)).unwrap();
        let line = test_host.bot.wait_for_line(lines, words).await.unwrap();
        assert!(line.contains("plugin=commands/tally live=1 error="), "{line}");
        assert_eq!(test_host.say("/count").await.callbacks, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_does_not_start_again_cannot_come_back() {
    let once = "if std::path::Path::new(\"started\").exists() {\n            return Err(\"not again\".into());\n        }\n        \
                Ok(())";
    let mut test_host = TestHost::on(with_tally(once), &[]).await;
    assert_eq!(test_host.say("/count").await.content, "Count 1!");
    fs::write(test_host.playground.path("started"), "").unwrap();
    let lines = test_host.bot.line_count();
    let panics = TALLY_SOURCE
        .replace("    ctx.say(format", "    assert!(count > 9, \"no counts today\");\n    ctx.say(format");
    test_host.playground.save(TALLY, &panics).unwrap();
    test_host.bot.wait_for_line(lines, "plugin=commands/tally from=1 to=2 ").await.unwrap();
    assert!(test_host.say("/count").await.content.contains("no counts today"));
    let line =
        test_host.bot.wait_for_line(lines, "rollback failed plugin=commands/tally live=2 ").await.unwrap();
    assert!(line.contains("/count panicked at commands/tally/src/lib.rs:"), "{line}");
    assert!(line.contains(" error=its start hook failed: not again"), "{line}");
    // The save that fixes it goes live.
    test_host.playground.save(TALLY, TALLY_SOURCE).unwrap();
    test_host.bot.wait_for_line(lines, "plugin=commands/tally from=2 to=3 ").await.unwrap();
    assert_eq!(test_host.say("/count").await.content, "Count 3!");
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_does_not_fit_is_kept_where_the_new_code_may_begin_anew() {
    let mut test_host = TestHost::on(with_tally("Ok(())"), &[("HMR_INCOMPATIBLE_STATE", "default")]).await;
    assert_eq!(test_host.say("/count").await.content, "Count 1!");
    // A default that cannot be read back would be lost with the next reload.
    let lines = test_host.bot.line_count();
    let unread =
        "count: u32,\n    #[serde(skip_serializing_if = \"Vec::is_empty\")]\n    names: Vec<String>,\n";
    test_host.playground.save(TALLY, &TALLY_SOURCE.replace("count: u32,\n", unread)).unwrap();
    let line =
        test_host.bot.wait_for_line(lines, "its state's default is not read back as it is saved").await;
    assert!(line.unwrap().contains("plugin=commands/tally live=1 error="));
    assert_eq!(test_host.say("/count").await.content, "Count 2!");

    let lines = test_host.bot.line_count();
    let more = TALLY_SOURCE.replace("count: u32,\n", "count: u32,\n    names: Vec<String>,\n");
    test_host.playground.save(TALLY, &more).unwrap();
    let line =
        test_host.bot.wait_for_line(lines, "commands/tally 2 begins with its default state: ").await.unwrap();
    assert!(line.contains("missing field `names`"), "{line}");
    assert!(line.contains("; what it was is kept as snapshot "), "{line}");
    assert_eq!(test_host.say("/count").await.content, "Count 1!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compiler_that_is_killed_each_time_is_told() {
    let playground = Playground::new().unwrap();
    playground.new_plugin("commands/faulty");
    let programs = Programs::collect(playground.path("programs")).unwrap();
    let path = programs.folder().display().to_string();
    let mut test_host = TestHost::on(playground, &[("PATH", &path), ("HMR_MAX_RETRIES", "1")]).await;
    programs.after_linking("echo >>\"$here/links\"\nkill -9 $PPID\n").unwrap();
    let lines = test_host.bot.line_count();
    test_host.playground.edit(FAULTY, "\"Hello, ", "\"Ahoy, ").unwrap();
    let line = test_host.bot.wait_for_line(lines, "plugin=commands/faulty live=1 error=").await.unwrap();
    assert!(line.contains("SIGKILL"), "{line}");
    assert!(line.contains(" and found no error in the source; it said: "), "{line}");
    assert_eq!(test_host.playground.read("programs/links").unwrap().lines().count(), 2);
    assert_eq!(test_host.say("/faulty").await.content, "Hello, world!");
}

/// Writes an executable shell script.
fn program(path: &Path, words: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{words}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_script_starts_a_bot_of_which_a_plugin_does_not_compile() {
    // A minimal workspace whose cargo builds nothing; the host was built before.
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let workspace = e2e::playground::workspace();
    fs::copy(workspace.join("dev-env.sh"), root.join("dev-env.sh")).unwrap();
    fs::create_dir(root.join("scripts")).unwrap();
    for script in
        fs::read_dir(workspace.join("scripts")).unwrap().flatten().filter(|entry| entry.path().is_file())
    {
        fs::copy(script.path(), root.join("scripts").join(script.file_name())).unwrap();
    }
    for made in ["bot", "crates", "commands/faulty"] {
        fs::create_dir_all(root.join(made)).unwrap();
    }
    fs::write(root.join("commands/faulty/Cargo.toml"), "[package]\n").unwrap();
    program(
        &root.join("programs/cargo"),
        "[ \"$1\" = metadata ] && exit $(cat manifests); echo 'error: expected one of' >&2; exit 101",
    );
    fs::write(root.join("manifests"), "0").unwrap();
    let run = |host: bool| {
        if host {
            program(&root.join("target/hmr/debug/hotcord"), "echo \"the host runs with $ENABLE_HMR\"");
        }
        let path = std::env::join_paths(
            std::iter::once(root.join("programs"))
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let output = Command::new("bash")
            .args(["dev-env.sh", "hmr", "--local"])
            .current_dir(root)
            .env("PATH", path.unwrap())
            .env("CARGO_HOME", root)
            .env("DISCORD_TOKEN", "none")
            .output()
            .expect("bash can be run");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), said)
    };
    let (code, said) = run(false);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the bot does not build; cargo's words are above"), "{said}");
    let (code, said) = run(true);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Not every plugin compiles; the bot starts without those"), "{said}");
    assert!(said.contains("the host runs with true"), "{said}");
    // An unreadable manifest is not a single plugin's mistake.
    fs::write(root.join("manifests"), "101").unwrap();
    let (code, said) = run(true);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the bot does not build; cargo's words are above"), "{said}");
}
