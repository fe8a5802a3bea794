//! The basis of end-to-end tests of reloading: a playground, a sandbox, and a host that is ready.

use std::path::Path;
use std::time::{Duration, Instant};

use sandbox::event_log::Kind;
use sandbox::{Answer, Sandbox};

use crate::bot::PATIENCE;
use crate::{Bot, Playground};

/// Source of `/ping`, which [`TestHost::edit_ping`] edits.
pub const PING: &str = "commands/general/src/ping.rs";

/// Root source of the plugin with `/ping`.
pub const GENERAL: &str = "commands/general/src/lib.rs";

/// A playground, a sandbox, and a host that is ready.
pub struct TestHost {
    /// Copy of the workspace in which the host runs.
    pub playground: Playground,
    /// Discord to which the host is connected.
    pub sandbox: Sandbox,
    /// The host.
    pub bot: Bot,
}

impl TestHost {
    /// Starts a development host in a fresh copy of the workspace, with additional environment variables.
    ///
    /// # Panics
    /// If the host does not start or does not answer `/ping`.
    pub async fn new(variables: &[(&str, &str)]) -> Self {
        let playground = Playground::new().expect("the workspace can be copied");
        Self::on(playground, variables).await
    }

    /// Starts a development host in a prepared playground.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub async fn on(playground: Playground, variables: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::builder().bot_name("Hotcord").start().await.expect("a sandbox can be started");
        let bot = Bot::start(&playground, &sandbox, variables).await.expect("the host becomes ready");
        let host = Self { playground, sandbox, bot };
        assert!(host.ping().await.starts_with("Pong!"), "{:?}", host.bot.lines_from(0));
        host
    }

    /// Runs a command as alice. Waits while it is being registered. Returns the answer.
    ///
    /// # Panics
    /// If the command is never registered.
    pub async fn say(&self, command: &str) -> Answer {
        let began = Instant::now();
        loop {
            match self.sandbox.client().say(command).await {
                Ok(answer) => return answer,
                Err(error) if began.elapsed() > PATIENCE => {
                    panic!("{command}: {error}; the host said:\n{}", self.bot.lines_from(0).join("\n"))
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// Returns the answer to `/ping`.
    ///
    /// # Panics
    /// If it is not answered exactly once.
    pub async fn ping(&self) -> String {
        let answer = self.say("/ping").await;
        assert_eq!(answer.callbacks, 1, "{answer:?}");
        answer.error.unwrap_or(answer.content)
    }

    /// Makes `/ping` answer with `words` by an edit. Returns the host's line with the outcome.
    ///
    /// # Panics
    /// If the source is not as expected or the host logs no outcome.
    pub async fn edit_ping(&mut self, words: &str) -> String {
        let lines = self.bot.line_count();
        let source = self.ping_that_says(words);
        self.playground.save(PING, &source).expect("the playground can be written");
        self.bot.decided(lines, "commands/general").await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns the source of `/ping` with another first word in its answer.
    ///
    /// # Panics
    /// If the source is not as expected.
    pub fn ping_that_says(&self, words: &str) -> String {
        let source = self.playground.read(PING).expect("the source of /ping can be read");
        ping_that_says(&source, words).expect("/ping says something that ends in '!'")
    }

    /// Returns the source of `/ping` that defers, and answers once the file `gate` exists.
    ///
    /// # Panics
    /// As [`ping_that_says`](Self::ping_that_says).
    pub fn ping_that_waits(&self, words: &str, gate: &Path) -> String {
        let waits = format!(
            "ctx.defer().await?;\n    while !std::path::Path::new({:?}).exists() {{\n        \
             sdk::tokio::time::sleep(std::time::Duration::from_millis(20)).await;\n    }}\n    let latency =",
            gate.display().to_string()
        );
        self.ping_that_says(words).replace("let latency =", &waits)
    }

    /// Returns the number of gateway sessions that the host has begun.
    pub fn identifies(&self) -> u64 {
        self.sandbox.event_log().count(Kind::Identified)
    }

    /// Returns the number of REST requests with that method whose record contains `path`.
    pub fn requests(&self, method: &str, path: &str) -> usize {
        let page = self.sandbox.event_log().read(0, usize::MAX);
        let holds = |line: &String| line.contains(&format!("\"method\":\"{method}\"")) && line.contains(path);
        page.entries.iter().map(|entry| entry.line()).filter(holds).count()
    }
}

/// Returns the source of `/ping` with another first word in its answers; `None` if it has no answer that ends in `!`.
pub(crate) fn ping_that_says(source: &str, words: &str) -> Option<String> {
    let old = source.split("ctx.say(\"").nth(1)?.split('!').next()?;
    Some(source.replace(&format!("\"{old}!"), &format!("\"{words}!")))
}
