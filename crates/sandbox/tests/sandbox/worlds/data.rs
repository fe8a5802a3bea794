//! `serve --data`: the world is there after the sandbox was killed.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use sandbox::Client;
use sandbox::state_file::StateFile;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::api::bot::{ALL_INTENTS, PATIENCE, text};
use crate::api::cli::command;
use crate::gateway::client::Client as Gateway;

/// A `sandbox serve` of its own process.
struct Served {
    child: Child,
    state: StateFile,
}

impl Served {
    async fn start(folder: &Path) -> Self {
        let state_file = folder.join("state.json");
        let _ = std::fs::remove_file(&state_file);
        let mut serve = serve(folder, &state_file);
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let greeting = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("Stop with") {
                    return;
                }
            }
            panic!("it has not started");
        };
        tokio::time::timeout(PATIENCE, greeting).await.expect("it starts");
        let state = StateFile::read(&state_file).unwrap();
        Self { child, state }
    }

    fn client(&self) -> Client {
        Client::new(&self.state.url).secret(&self.state.control_secret)
    }

    /// Asks it to stop, and waits until it has.
    #[cfg(unix)]
    async fn stop(self) -> Output {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
        self.child.wait_with_output().await.unwrap()
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Connects a bot and returns its gateway and its READY.
    async fn connect(&self) -> (Gateway, Value) {
        let url = self.state.url.replacen("http", "ws", 1);
        let mut gateway = Gateway::connect(&format!("{url}/?v=10&encoding=json")).await;
        gateway.op(10).await;
        gateway.send(2, self.identify()).await;
        let ready = gateway.event("READY").await;
        (gateway, ready)
    }

    fn identify(&self) -> Value {
        json!({ "token": self.state.token, "intents": ALL_INTENTS, "properties": { "os": "test" } })
    }
}

fn serve(folder: &Path, state_file: &Path) -> tokio::process::Command {
    let mut command = command();
    let data = folder.join("data");
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .arg("--state-file")
        .arg(state_file);
    command
}

async fn failed(folder: &Path) -> String {
    let Output { status, stderr, .. } = serve(folder, &folder.join("other.json")).output().await.unwrap();
    assert_eq!(status.code(), Some(2));
    String::from_utf8(stderr).unwrap()
}

/// Waits until the folder's world is another one than these bytes.
async fn written(folder: &Path, before: &[u8]) -> Vec<u8> {
    let world = folder.join("data/world");
    let waiting = async {
        loop {
            match std::fs::read(&world) {
                Ok(bytes) if bytes != before => return bytes,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the world is written")
}

#[tokio::test]
async fn a_killed_sandbox_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let first = Served::start(folder.path()).await;
    let (mut gateway, ready) = first.connect().await;
    let before = std::fs::read(folder.path().join("data/world")).unwrap();
    let picture = folder.path().join("cat.txt");
    std::fs::write(&picture, "meow").unwrap();
    let user = first.client();
    user.create_guild("Kept", "alice").await.unwrap();
    user.advance_clock(Duration::from_mins(5)).await.unwrap();
    user.save_snapshot("early").await.unwrap();
    let files = json!({ "as": "bob", "channel": "general", "content": "hello",
        "files": { "cat.txt": { "base64": "bWVvdw==" } } });
    let sent = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{}/sandbox/messages", first.state.url))
        .bearer_auth(&first.state.control_secret)
        .json(&files)
        .send()
        .await
        .unwrap();
    assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    gateway.until_ack().await;
    // The change is there once a write that began after it has ended: the second from here.
    let next = written(folder.path(), &before).await;
    user.send("bob", "general", "last").await.unwrap();
    written(folder.path(), &next).await;
    let (session, token) = (ready["session_id"].clone(), first.state.token.clone());
    first.kill().await;

    let second = Served::start(folder.path()).await;
    assert_eq!(second.state.token, token);
    let user = second.client();
    let messages = user.messages("alice", "general", 10).await.unwrap();
    let contents: Vec<&str> = messages.iter().map(|message| text(&message["content"])).collect();
    assert_eq!(contents, ["hello", "last"]);
    let file = text(&messages[0]["attachments"][0]["url"]);
    assert!(file.starts_with(&second.state.url), "{file}");
    assert_eq!(reqwest::get(file).await.unwrap().text().await.unwrap(), "meow");
    assert!(user.clock().await.unwrap()["ahead_ms"].as_u64().unwrap() >= 300_000);
    assert_eq!(user.snapshots().await.unwrap()[0]["name"], "early");
    // The bot's session is gone; it identifies and goes on.
    let url = second.state.url.replacen("http", "ws", 1);
    let mut gateway = Gateway::connect(&format!("{url}/?v=10&encoding=json")).await;
    gateway.op(10).await;
    gateway.send(6, json!({ "token": token, "session_id": session, "seq": 1 })).await;
    assert_eq!(gateway.op(9).await, json!(false));
    gateway.send(2, second.identify()).await;
    assert_eq!(gateway.event("READY").await["guilds"].as_array().unwrap().len(), 2);
    second.kill().await;
}

#[tokio::test]
async fn a_folder_in_use_and_a_damaged_world_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = Served::start(folder.path()).await;
    assert!(failed(folder.path()).await.contains("another sandbox uses"));
    first.kill().await;
    let world = folder.path().join("data/world");
    let whole = std::fs::read(&world).unwrap();
    let damaged = &whole[..whole.len() / 2];
    std::fs::write(&world, damaged).unwrap();
    let said = failed(folder.path()).await;
    assert!(said.contains("it is damaged") && said.contains("left as it is"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(std::fs::read(&world).unwrap(), damaged);
    std::fs::write(&world, whole).unwrap();
    Served::start(folder.path()).await.kill().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopped_sandbox_has_written_everything_for_its_owner_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let first = Served::start(folder.path()).await;
    first.client().send("alice", "general", "at the last moment").await.unwrap();
    assert!(first.stop().await.status.success());
    let data = folder.path().join("data");
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("world"))), (0o700, 0o600));
    let second = Served::start(folder.path()).await;
    let last = second.client().messages("alice", "general", 1).await.unwrap();
    assert_eq!(last[0]["content"], "at the last moment");
    second.kill().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_world_that_cannot_be_written_is_reported_at_the_start_and_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("files"), "no folder").unwrap();
    let seed = folder.path().join("seed.yaml");
    std::fs::write(&seed, "guilds: [{name: Club, emojis: [{name: cat}]}]").unwrap();
    let mut command = serve(folder.path(), &folder.path().join("other.json"));
    let Output { status, stderr, .. } = command.arg("--seed").arg(&seed).output().await.unwrap();
    let said = String::from_utf8(stderr).unwrap();
    let path = data.join("files").display().to_string();
    assert!(status.code() == Some(2) && said.contains(&format!("can't use {path}")), "{said}");
    assert!(said.lines().count() == 1 && !said.contains("listen"), "{said}");

    std::fs::remove_file(data.join("files")).unwrap();
    let served = Served::start(folder.path()).await;
    std::fs::remove_file(data.join("world")).unwrap();
    std::fs::create_dir(data.join("world")).unwrap();
    served.client().send("alice", "general", "too late").await.unwrap();
    let Output { status, stderr, .. } = served.stop().await;
    let said = String::from_utf8(stderr).unwrap();
    let path = data.join("world").display().to_string();
    assert_eq!(status.code(), Some(2), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.contains(&format!("can't use {path}")) && last.contains("is lost"), "{said}");
}
