//! The command line, as users and scripts use it.

use std::process::{Output, Stdio};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;

use crate::api::bot::{Bot, text};

/// Returns the command line in the shell of a user who owns no sandbox.
pub(crate) fn command() -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.env_remove("SANDBOX_STATE_FILE").env_remove("SANDBOX_URL").env_remove("SANDBOX_TOKEN");
    command.env_remove("SANDBOX_CONTROL_SECRET").env("XDG_RUNTIME_DIR", "/nowhere").kill_on_drop(true);
    command
}

/// Returns the command line for a test's sandbox.
pub(crate) fn command_for(bot: &Bot) -> tokio::process::Command {
    let mut command = command();
    command.env("SANDBOX_URL", bot.sandbox.url());
    command.env("SANDBOX_CONTROL_SECRET", bot.sandbox.control_secret());
    command
}

async fn sandbox(bot: &Bot, arguments: &[&str]) -> Output {
    command_for(bot).args(arguments).output().await.unwrap()
}

#[tokio::test]
async fn say_prints_the_answer_for_a_person_and_for_a_script() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    for json_too in [false, true] {
        let mut arguments = vec!["say", "/ping"];
        arguments.extend(json_too.then_some("--json"));
        let run = command_for(&bot).args(&arguments).output();
        let answering = async {
            let interaction = bot.event("INTERACTION_CREATE").await;
            let answer = json!({ "type": 4, "data": { "content": "pong", "flags": 64 } });
            assert_eq!(bot.callback(&interaction, answer).await.0, 204);
        };
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
    let run = command_for(&bot).args(["say", "/echo", "text:good", "day", "--json"]).output();
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
    let output = command().args(["--url", &format!("http://{free}"), "users"]).output().await.unwrap();
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

/// A `sandbox serve` process, and a folder for its state file.
pub(crate) struct Served {
    pub(crate) process: tokio::process::Child,
    folder: tempfile::TempDir,
    said: String,
}

impl Served {
    /// Starts one with these arguments and this `SANDBOX_TOKEN`, and reads its greeting.
    pub(crate) async fn start(words: &[&str], token: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut serve = command();
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(words).stdout(Stdio::piped());
        serve.env("XDG_RUNTIME_DIR", folder.path()).envs(token.map(|token| ("SANDBOX_TOKEN", token)));
        let mut process = serve.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = String::new();
        while !said.ends_with("Stop with Ctrl-C.\n") {
            let line = timeout(Duration::from_mins(1), lines.next_line()).await.unwrap().unwrap();
            said += &(line.unwrap_or_else(|| panic!("it has ended, after:\n{said}")) + "\n");
        }
        // The reader of its output is dropped here, which must have no effect on it.
        Self { process, folder, said }
    }

    /// Returns its address, from its greeting.
    pub(crate) fn url(&self) -> &str {
        let line = self.said.lines().next().unwrap_or_default();
        line.rsplit(' ').next().unwrap_or_default()
    }

    /// Runs another command, which finds the sandbox by itself.
    pub(crate) async fn run(&self, token: Option<&str>, words: &[&str]) -> Output {
        let mut run = command();
        run.env("XDG_RUNTIME_DIR", self.folder.path()).envs(token.map(|token| ("SANDBOX_TOKEN", token)));
        run.args(["--url", self.url()]).args(words).output().await.unwrap()
    }
}

#[tokio::test]
async fn no_token_is_in_what_serve_says_and_its_own_is_in_the_state_file() {
    let mut seen = Vec::new();
    for token in [None, Some("")] {
        let served = Served::start(&[], token).await;
        assert!(!served.said.contains("DISCORD_TOKEN") && served.said.contains(" env\n"), "{}", served.said);
        let told = String::from_utf8(served.run(None, &["env"]).await.stdout).unwrap();
        let value = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
            line.unwrap_or_else(|| panic!("{name} is missing in\n{told}")).to_owned()
        };
        assert_eq!(value("DISCORD_API_URL"), served.url());
        let token = value("DISCORD_TOKEN");
        assert!(token.len() > 60 && !served.said.contains(&token), "{}", served.said);
        assert!(!served.said.contains(&value("SANDBOX_CONTROL_SECRET")), "{}", served.said);
        seen.push(token);
    }
    assert_ne!(seen[0], seen[1], "a token can be guessed");
    for (words, token, origin) in [
        (&[][..], Some("a-real-secret"), "from SANDBOX_TOKEN."),
        (&["--token", "a-real-secret"], None, "from --token."),
        (&["--token", "a-real-secret"], Some("another-secret"), "from --token."),
    ] {
        let served = Served::start(words, token).await;
        assert!(served.said.contains(origin) && !served.said.contains("a-real-secret"), "{}", served.said);
        let port = served.url().rsplit(':').next().unwrap();
        let file = served.folder.path().join(format!("sandbox/{port}.json"));
        assert!(!std::fs::read_to_string(file).unwrap().contains("a-real-secret"));
        let told = served.run(token, &["env"]).await;
        let out = String::from_utf8(told.stdout).unwrap();
        match token {
            Some(token) => assert!(out.starts_with(&format!("DISCORD_TOKEN={token}\n")), "{out}"),
            None => assert!(String::from_utf8(told.stderr).unwrap().contains("set SANDBOX_TOKEN")),
        }
    }
}

#[tokio::test]
async fn serve_says_in_hello_how_often_heartbeats_are_due() {
    for (words, interval) in [(&[][..], 41_250), (&["--heartbeat-interval", "5000"], 5000)] {
        let served = Served::start(words, None).await;
        let url = format!("{}/?v=10&encoding=json", served.url().replacen("http", "ws", 1));
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let hello = timeout(Duration::from_mins(1), socket.next()).await.unwrap().unwrap().unwrap();
        let hello: Value = serde_json::from_str(hello.to_text().unwrap()).unwrap();
        assert_eq!((&hello["op"], &hello["d"]["heartbeat_interval"]), (&json!(10), &json!(interval)));
    }
    let refused = command().args(["serve", "--heartbeat-interval", "10"]).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

#[tokio::test]
async fn the_command_line_finds_the_secret_by_itself_and_others_find_none() {
    let mut served = Served::start(&[], None).await;
    assert!(served.run(None, &["users"]).await.status.success());
    // Another user of the machine: the same port, another home.
    let other = command().args(["--url", served.url(), "users"]).output().await.unwrap();
    let said = String::from_utf8(other.stderr).unwrap();
    assert_eq!((other.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("state file") && said.contains("SANDBOX_CONTROL_SECRET"), "{said}");
    // It has continued without a reader of its output, ends on the signal, and removes its files.
    let pid = served.process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(timeout(Duration::from_mins(1), served.process.wait()).await.unwrap().unwrap().success());
    assert_eq!(std::fs::read_dir(served.folder.path().join("sandbox")).unwrap().count(), 0);
}

#[tokio::test]
async fn serve_warns_when_it_listens_to_more_than_this_machine() {
    for (address, warned) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut serve = command();
        serve.args(["serve", "--listen", address]).env("XDG_RUNTIME_DIR", folder.path());
        let mut serving = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut greeting = BufReader::new(serving.stdout.take().unwrap()).lines();
        timeout(Duration::from_mins(1), greeting.next_line()).await.unwrap().unwrap();
        serving.start_kill().unwrap();
        let said = serving.wait_with_output().await.unwrap().stderr;
        assert_eq!(String::from_utf8(said).unwrap().contains("--listen 0.0.0.0:0 is not"), warned);
    }
}

#[tokio::test]
async fn serve_ends_with_its_input_and_leaves_only_the_root_of_voice_which_the_next_start_has_too() {
    let folder = tempfile::tempdir().unwrap();
    let first = serve_once(folder.path()).await;
    assert_eq!(serve_once(folder.path()).await, first);
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["own.pem", "own.root"]);
    // A key that cannot be read is no reason to fail.
    std::fs::write(folder.path().join("own.root"), "{}").unwrap();
    assert_ne!(serve_once(folder.path()).await, first);
}

/// Starts a sandbox that ends with its input, ends it, and returns the certificate of voice.
async fn serve_once(folder: &std::path::Path) -> String {
    let state = folder.join("own.json");
    let mut serve = command();
    serve.args(["serve", "--listen", "127.0.0.1:0", "--exit-with-stdin", "--state-file"]).arg(&state);
    let mut serving = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut greeting = BufReader::new(serving.stdout.take().unwrap()).lines();
    timeout(Duration::from_mins(1), greeting.next_line()).await.unwrap().unwrap();
    // Everything that a program needs to be its bot is there by the first line.
    let told: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    for name in ["url", "token", "guild_id", "voice_root"] {
        assert!(told[name].is_string(), "{name}");
    }
    assert_eq!(serving.try_wait().unwrap(), None);
    drop(serving.stdin.take());
    let status = timeout(Duration::from_mins(1), serving.wait()).await.unwrap().unwrap();
    assert!(status.success() && !state.exists());
    let root = text(&told["voice_root"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(folder.join("own.root").metadata().unwrap().mode() & 0o777, 0o600);
    }
    std::fs::read_to_string(root).unwrap()
}

/// Runs the command line and returns its output.
pub(crate) async fn printed(bot: &Bot, arguments: &[&str]) -> String {
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
    let say = command_for(&bot).args(["say", "/malen", "--as", "bob"]).output();
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

#[tokio::test]
async fn a_picture_is_of_a_channel_as_all_commands_find_it() {
    let bot = Bot::start().await;
    let found = async |who: &str, what: &str| bot.user.channel(who, what, Some("Sandbox")).await;
    assert_eq!(found("bob", "#general").await.unwrap()["name"], "general");
    assert_eq!(found("bob", "@alice").await.unwrap()["recipients"][0]["username"], "alice");
    let guild = bot.sandbox.guild_id().to_string();
    let deny = json!({ "deny": ["VIEW_CHANNEL"] });
    bot.user.edit_overwrite(&guild, "mod-log", "@everyone", &deny).await.unwrap();
    for (what, sentence) in [
        ("#nowhere", "There is no channel \"nowhere\" in Sandbox"),
        ("mod-log", "carol can't see the channel mod-log"),
        ("@nobody", "There is no user \"nobody\""),
    ] {
        // Refused before a browser is looked for.
        let mut command = command_for(&bot);
        let command = command.args(["screenshot", what, "none.png", "--as", "carol"]);
        let command = command.env_remove("CHROMIUM").env("PATH", "");
        let Output { status, stderr, .. } = command.output().await.unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert!(status.code() == Some(2) && said.contains(sentence), "{said}");
    }
}
