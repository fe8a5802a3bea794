//! A bot that serves health and metrics on a port of its own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use sandbox::Sandbox;
use sdk::tokio;
use sdk::tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use sdk::tokio::process::{Child, ChildStdout, Command};
use sdk::tokio::time::{sleep, timeout};
use tempfile::{NamedTempFile, TempDir, TempPath};

use super::http::{Page, get};
use super::openmetrics::Scrape;

/// Longest wait for anything. It is long because a busy machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running bot, killed when the test ends.
pub(crate) struct Bot {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: String,
    /// Address of its server, from its log.
    pub(crate) address: SocketAddr,
    /// Where it runs, and keeps its database.
    _folder: TempDir,
    /// Root certificate of the local Discord's voice servers.
    _trusted: TempPath,
}

/// Returns a command that runs the binary with these variables and no others.
pub(crate) fn hotcord(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcord"));
    command.env_clear().envs(variables.iter().copied()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

impl Bot {
    /// Starts a bot owned by alice with additional variables, and waits until it serves.
    pub(crate) async fn start(discord: &Sandbox, more: &[(&str, &str)]) -> Self {
        let mut trusted = NamedTempFile::new().unwrap();
        trusted.write_all(discord.voice().root_certificate().as_bytes()).unwrap();
        let trusted = trusted.into_temp_path();
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("hotcord.db").display());
        let (api, owner) = (discord.api_url(), discord.user_id("alice").unwrap().to_string());
        let mut variables = vec![
            ("APP_ENV", "testing"),
            ("DATABASE_URL", database.as_str()),
            ("DISCORD_API_URL", api.as_str()),
            ("DISCORD_TOKEN", discord.token()),
            ("HEALTH_ADDR", "127.0.0.1:0"),
            ("OWNER_IDS", owner.as_str()),
            ("SSL_CERT_FILE", trusted.to_str().unwrap()),
        ];
        variables.extend_from_slice(more);
        let folder = TempDir::new().unwrap();
        let mut child = hotcord(&variables).current_dir(folder.path()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut bot = Self { child, lines, log: String::new(), address, _folder: folder, _trusted: trusted };
        let line = bot.says("health and metrics are served").await;
        bot.address = line.rsplit("address=").next().unwrap().trim().parse().unwrap();
        bot
    }

    /// Waits until the bot is connected and has registered its commands, in either order.
    pub(crate) async fn serves(&mut self) {
        for words in ["ready user=", "command=message menu"] {
            if !self.log.contains(words) {
                self.says(words).await;
            }
        }
    }

    /// Waits for a line of the log that contains `words`. Returns the line.
    pub(crate) async fn says(&mut self, words: &str) -> String {
        let found = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.log += &line;
                self.log.push('\n');
                if line.contains(words) {
                    return Some(line);
                }
            }
            None
        };
        let found = timeout(PATIENCE, found).await.ok().flatten();
        found.unwrap_or_else(|| panic!("{words:?} is not in the log:\n{}", self.log))
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        get(self.address, path).await
    }

    /// Requests a page until it responds with this status. Returns its body.
    pub(crate) async fn answers(&self, path: &str, status: u16) -> String {
        let asked = async {
            loop {
                let page = self.get(path).await;
                if page.status == status {
                    return page.body;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{path} does not answer {status}"))
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        let page = self.get("/metrics").await;
        assert_eq!(page.status, 200);
        assert_eq!(
            page.header("content-type"),
            Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
        );
        Scrape::read(&page.body).unwrap_or_else(|error| panic!("{error}, in:\n{}", page.body))
    }

    /// Reads the metrics until one has this value, because counts are updated later. Returns all of them.
    pub(crate) async fn counts(&self, sample: &str, value: f64) -> Scrape {
        let asked = async {
            loop {
                let scrape = self.scrape().await;
                if scrape.value(sample).is_some_and(|now| (now - value).abs() < 1e-9) {
                    return scrape;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        if let Ok(scrape) = timeout(PATIENCE, asked).await {
            return scrape;
        }
        panic!("{sample} is not {value}, in:\n{:#?}", self.scrape().await)
    }

    /// Sends it SIGTERM, as a service manager does.
    pub(crate) async fn signal(&self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    }

    /// Waits for the end. Returns the exit status and the output on standard error.
    pub(crate) async fn ends(&mut self) -> (ExitStatus, String) {
        let mut errors = String::new();
        let end = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.log += &line;
                self.log.push('\n');
            }
            self.child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
            self.child.wait().await.unwrap()
        };
        let status = timeout(PATIENCE, end).await;
        (status.unwrap_or_else(|_| panic!("the bot goes on:\n{}", self.log)), errors)
    }
}

pub(crate) async fn discord() -> Sandbox {
    Sandbox::builder().start().await.unwrap()
}

/// Calls `look` until it returns a value, while the test's runtime continues.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looked = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looked)
        .await
        .unwrap_or_else(|_| panic!("{what}: that does not come about"))
}
