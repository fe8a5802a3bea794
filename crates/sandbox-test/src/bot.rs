//! The bot under test: a task of this process, or a process of its own.

use std::fmt;
use std::future::Future;
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sandbox::event_log::{Event, Kind};
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::TestSandbox;

/// How long a bot may take to start.
const START: Duration = Duration::from_mins(1);

/// The bots of a test, and how the first of them ended.
#[derive(Default)]
pub(crate) struct Bots(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    ended: Option<String>,
    outputs: Vec<Arc<NamedTempFile>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, how: String) {
        self.state().ended.get_or_insert(how);
        self.changed.notify_waiters();
    }
}

impl Bots {
    /// Panics if a bot has ended.
    pub(crate) fn check(&self) {
        let ended = self.0.state().ended.clone();
        assert!(ended.is_none(), "{}", ended.unwrap_or_default());
    }

    /// Waits until a bot ends.
    pub(crate) async fn ended(&self) {
        let changed = self.0.changed.notified();
        if self.0.state().ended.is_none() {
            changed.await;
        }
    }

    /// Returns what bots that are processes have printed.
    pub(crate) fn outputs(&self) -> Vec<String> {
        self.0.state().outputs.iter().map(|file| contents(file)).collect()
    }
}

fn contents(file: &NamedTempFile) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = file.reopen() {
        // What can be read is all there is to show.
        let _ = file.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A bot that runs as a task. Dropping it ends it.
pub struct Bot(#[expect(dead_code, reason = "it ends with this")] JoinSet<()>);

impl fmt::Debug for Bot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bot").finish_non_exhaustive()
    }
}

/// A bot that runs as a process. Dropping it ends it.
#[derive(Debug)]
pub struct BotProcess {
    output: Arc<NamedTempFile>,
    watch: JoinHandle<()>,
}

impl BotProcess {
    /// Returns what it has printed so far.
    pub fn output(&self) -> String {
        contents(&self.output)
    }
}

impl Drop for BotProcess {
    fn drop(&mut self) {
        // The child is in there, and is killed with it.
        self.watch.abort();
    }
}

impl TestSandbox {
    /// Runs a bot as a task, such as `async move { client.start().await }`, and waits until it is connected.
    ///
    /// # Panics
    /// When it ends, then or later while the test waits, or is not connected in a minute.
    pub async fn bot<E: fmt::Debug + Send + 'static>(
        &self,
        run: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Bot {
        let since = self.event_log().newest() + 1;
        let shared = Arc::clone(&self.bots.0);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut inner = JoinSet::new();
            inner.spawn(run);
            match inner.join_next().await {
                Some(Ok(Ok(()))) => shared.end("the bot ended by itself".to_owned()),
                Some(Ok(Err(error))) => shared.end(format!("the bot ended: {error:?}")),
                Some(Err(error)) => shared.end(format!("the bot ended: {error}")),
                None => {}
            }
        });
        self.connected(since).await;
        Bot(task)
    }

    /// Runs a bot as a process and waits until it is connected. It gets `DISCORD_TOKEN`, `DISCORD_API_URL`,
    /// `DISCORD_PUBLIC_KEY` and `TEST_GUILD_ID`.
    ///
    /// # Panics
    /// When it ends, then or later while the test waits, or is not connected in a minute.
    pub async fn bot_process(&self, mut command: Command) -> BotProcess {
        let since = self.event_log().newest() + 1;
        let output = NamedTempFile::new().and_then(|file| Ok((file.reopen()?, file.reopen()?, file)));
        let started = output.and_then(|(out, err, file)| {
            command.stdin(std::process::Stdio::null()).stdout(out).stderr(err).kill_on_drop(true);
            command.env("DISCORD_TOKEN", self.token()).env("DISCORD_API_URL", self.url());
            command
                .env("DISCORD_PUBLIC_KEY", self.public_key())
                .env("TEST_GUILD_ID", self.guild_id().to_string());
            Ok((command.spawn()?, Arc::new(file)))
        });
        let (child, output) = match started {
            Ok(started) => started,
            Err(error) => panic!("the bot does not start: {error}"),
        };
        self.bots.0.state().outputs.push(Arc::clone(&output));
        let watch = tokio::spawn(watch(child, Arc::clone(&output), Arc::clone(&self.bots.0)));
        let bot = BotProcess { output, watch };
        self.connected(since).await;
        bot
    }

    async fn connected(&self, since: u64) {
        let mut log = self.event_log().subscribe(since);
        let online = self.until(START, async || {
            loop {
                match log.try_next() {
                    Ok(Some(entry)) if entry.event.kind() == Kind::Dispatch => {
                        if matches!(&entry.event, Event::Dispatch { event: "GUILD_CREATE", .. }) {
                            return Some(());
                        }
                    }
                    Ok(None) => return None,
                    _ => {}
                }
            }
        });
        assert!(online.await.is_some(), "the bot did not get its guild from the gateway within {START:?}");
    }
}

async fn watch(mut child: Child, output: Arc<NamedTempFile>, shared: Arc<Shared>) {
    let how = match child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    shared.end(format!("the bot ended with {how}; its output:\n{}", contents(&output)));
}
