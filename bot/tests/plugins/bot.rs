//! A bot of this build at a local Discord of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use database::DatabaseAddress;
use reqwest::Method;
use sandbox::answer::Answer;
use sandbox::client::{Client, Run};
use sandbox::event_log::{Entry, Event, Kind};
use sandbox::fault::{On, RequestRule, Rule};
use sandbox::server::Sandbox;
use sandbox::snowflake::Snowflake;
use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir, TempPath};
use tokio::process::{Child, Command};

/// Longest wait for anything. It is long because a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Number of commands that its owner sees.
const COMMANDS: usize = 50;

pub(crate) struct Bot {
    pub(crate) people: Client,
    sandbox: Sandbox,
    process: Child,
    variables: Vec<(&'static str, String)>,
    /// Where it runs, and keeps its database.
    folder: TempDir,
    /// Root certificate of the local Discord's voice servers.
    _trusted: TempPath,
}

impl Bot {
    /// Starts a bot whose owner is alice, and waits until its commands are registered.
    pub(crate) async fn start() -> Self {
        Self::start_with(Vec::new()).await
    }

    /// Starts such a bot with additional variables.
    pub(crate) async fn start_with(mut variables: Vec<(&'static str, String)>) -> Self {
        let sandbox = Sandbox::builder().start().await.unwrap();
        let mut trusted = NamedTempFile::new().unwrap();
        trusted.write_all(sandbox.voice().root_certificate().as_bytes()).unwrap();
        let trusted = trusted.into_temp_path();
        variables.push(("SSL_CERT_FILE", trusted.display().to_string()));
        let folder = TempDir::new().unwrap();
        let process = spawn(&sandbox, folder.path(), &variables);
        let bot = Self { people: sandbox.client(), sandbox, process, variables, folder, _trusted: trusted };
        bot.ready().await;
        bot
    }

    /// Stops the bot as a service manager does, and starts it again.
    pub(crate) async fn restart(&mut self) {
        self.restart_after(async || {}).await;
    }

    /// Stops the bot, does something to its files, and starts it again.
    pub(crate) async fn restart_after(&mut self, between: impl AsyncFnOnce()) {
        self.stop().await;
        between().await;
        self.go_on().await;
    }

    /// Stops the bot as a service manager does.
    pub(crate) async fn stop(&mut self) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
    }

    /// Starts the bot that was stopped.
    pub(crate) async fn go_on(&mut self) {
        self.process = spawn(&self.sandbox, self.folder.path(), &self.variables);
        self.ready().await;
    }

    /// Returns the address of its database, which only a stopped bot shares.
    pub(crate) fn database_address(&self) -> DatabaseAddress {
        DatabaseAddress::file(self.database())
    }

    async fn ready(&self) {
        self.until("its commands are there", async || {
            let commands = self.people.commands("alice", "bot-test").await.unwrap();
            let sessions = self.people.sessions().await.unwrap();
            (commands.len() >= COMMANDS && !sessions.is_empty()).then_some(())
        })
        .await;
    }

    /// Returns the file of its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("hotcord.db")
    }

    pub(crate) fn id(&self) -> String {
        self.sandbox.bot_id().to_string()
    }

    pub(crate) fn guild(&self) -> String {
        self.sandbox.guild_id().to_string()
    }

    /// Removes the bot's administrator permission. It keeps the permissions that music needs.
    pub(crate) async fn is_no_administrator(&self) {
        let role = json!({
            "deny": ["ADMINISTRATOR"],
            "allow": ["VIEW_CHANNEL", "SEND_MESSAGES", "EMBED_LINKS", "CONNECT", "SPEAK"],
        });
        self.people.edit_role(&self.guild(), "Sandbot", &role).await.unwrap();
    }

    /// Runs a slash command as typed by a user in #bot-test.
    pub(crate) async fn say(&self, user: &str, text: &str) -> Answer {
        self.people.run(Run::typed(text).by(user)).await.unwrap()
    }

    /// Calls a route of Discord's API with the bot's token, as another bot of the server might. Returns the answer, null
    /// if it is empty.
    pub(crate) async fn rest(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/api/v10{path}", self.sandbox.url());
        let request = reqwest::Client::builder().no_proxy().build().unwrap().request(method, url);
        let request = request.header("authorization", format!("Bot {}", self.sandbox.token()));
        let answer = request.json(body).send().await.unwrap().error_for_status().unwrap();
        let bytes = answer.bytes().await.unwrap();
        if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() }
    }

    /// Returns what a route of Discord's API has.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.rest(Method::GET, path, &Value::Null).await
    }

    /// Deletes messages of a channel in one request, as another bot of the server might.
    pub(crate) async fn delete_at_once(&self, messages: &[Value]) {
        let channel = messages[0]["channel_id"].as_str().unwrap();
        let ids: Vec<_> = messages.iter().map(|message| &message["id"]).collect();
        let path = format!("/channels/{channel}/messages/bulk-delete");
        self.rest(Method::POST, &path, &json!({ "messages": ids })).await;
    }

    /// Changes a server, as another bot of the server might.
    pub(crate) async fn edit_guild(&self, guild: &str, change: &Value) {
        self.rest(Method::PATCH, &format!("/guilds/{guild}"), change).await;
    }

    /// Returns the id of a user of the local Discord.
    pub(crate) fn user(&self, name: &str) -> String {
        self.sandbox.user_id(name).unwrap().to_string()
    }

    /// Makes the local Discord delay the next answer to an interaction by `milliseconds` before it counts.
    pub(crate) async fn hold_next_answer(&self, milliseconds: u64) {
        let answers =
            RequestRule { path: Some("/interactions/*/*/callback".to_owned()), ..RequestRule::default() };
        let rule = Rule::new(On::Request(answers)).times(1).delayed(milliseconds);
        self.people.add_fault(&rule).await.unwrap();
    }

    /// Makes the local Discord delay the next edit of a message by `milliseconds` before it counts.
    pub(crate) async fn hold_next_edit(&self, milliseconds: u64) {
        let edits = RequestRule {
            method: Some("PATCH".to_owned()),
            path: Some("/channels/*/messages/*".to_owned()),
            ..RequestRule::default()
        };
        self.people.add_fault(&Rule::new(On::Request(edits)).times(1).delayed(milliseconds)).await.unwrap();
    }

    /// Waits until an answer is being delayed.
    pub(crate) async fn held(&self) {
        let held = |entry: &Entry| entry.event.kind() == Kind::Fault;
        self.sandbox.event_log().wait_for(1, PATIENCE, held).await.unwrap();
    }

    /// Waits until the bot has called a route of Discord's API.
    pub(crate) async fn requested(&self, method: &str, path: &str) {
        let is_it = |entry: &Entry| match &entry.event {
            Event::Request(request) => request.method == method && request.path.ends_with(path),
            _ => false,
        };
        self.sandbox.event_log().wait_for(1, PATIENCE, is_it).await.unwrap();
    }

    /// Calls `look` after each event at the local Discord, until it returns a value.
    pub(crate) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let mut happenings = self.sandbox.event_log().subscribe(self.sandbox.event_log().newest() + 1);
        let found = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                happenings.next().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
    }

    /// Waits for a message in a channel, as `user` sees it, for which `matches` holds.
    pub(crate) async fn message(&self, user: &str, channel: &str, matches: impl Fn(&Value) -> bool) -> Value {
        let found = async || {
            let messages = self.people.messages(user, channel, 50).await.unwrap();
            messages.into_iter().find(|message| matches(message))
        };
        self.until(&format!("#{channel} has the message"), found).await
    }
}

fn spawn(sandbox: &Sandbox, folder: &Path, variables: &[(&'static str, String)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hotcord"))
        .env_clear()
        // From here no `.env` of the developer's is found.
        .current_dir(folder)
        .env("LD_LIBRARY_PATH", std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default())
        .env("APP_ENV", "testing")
        .env("DISCORD_TOKEN", sandbox.token())
        .env("DISCORD_API_URL", sandbox.url())
        .env("HEALTH_ADDR", "off")
        .env("TEST_GUILD_ID", sandbox.guild_id().to_string())
        .env("OWNER_IDS", sandbox.user_id("alice").unwrap().to_string())
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

pub(crate) fn id(message: &Value) -> Snowflake {
    message["id"].as_str().unwrap().parse().unwrap()
}

/// Returns all texts of an embed, one per line.
pub(crate) fn words(embed: &Value) -> String {
    let mut texts: Vec<_> = embed["author"]["name"].as_str().into_iter().collect();
    texts.extend(["title", "description"].iter().filter_map(|part| embed[part].as_str()));
    for field in embed["fields"].as_array().into_iter().flatten() {
        texts.extend([&field["name"], &field["value"]].into_iter().filter_map(Value::as_str));
    }
    texts.extend(embed["footer"]["text"].as_str());
    texts.join("\n")
}
