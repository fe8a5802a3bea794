//! Tests of Discord bots in Rust against a local Discord: start it, be its users, look at what the bot does.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use sandbox_test::TestSandbox;
//!
//! # async fn run_my_bot(api: String, token: String) {
//! #     let http = reqwest::Client::builder().no_proxy().build().unwrap();
//! #     let me = http.get(format!("{api}/users/@me")).header("authorization", format!("Bot {token}"));
//! #     assert_eq!(me.send().await.unwrap().status(), 200);
//! # }
//! let sandbox = TestSandbox::start().await;                   // a free port of loopback
//! run_my_bot(sandbox.api_url(), sandbox.token().to_owned()).await;
//!
//! let alice = sandbox.actor("alice");
//! let message = alice.says("hello").at("general").await;
//! assert_eq!(alice.sees().at("general").await, [message]);
//! # }
//! ```
//!
//! With a bot of serenity or poise: `tests/bots` of this crate.
//!
//! What does not come in time is a panic that names the line of the test. A test that panics prints the log of its sandbox:
//! requests, events and answers. Each test has a sandbox of its own, so they run in parallel.

mod actor;
mod asked;
mod bot;
mod seen;

use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use sandbox::event_log::{Entry, Kind};
use sandbox::fault::{LimitScope, On, RequestEffect, RequestRule, Rule};
use sandbox::gateway::{Command, Target};
use sandbox::{Builder, Client, Sandbox};
use tokio::time::Instant;

pub use sandbox;

pub use self::actor::Actor;
pub use self::asked::{Completes, Hears, HearsNothing, Interacts, Says, Sees};
pub use self::bot::{Bot, BotProcess};
pub use self::seen::{Message, On as Shown, Reply};

/// How long a test waits for the bot, unless it says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A sandbox of one test. Dropping it ends it, and prints its log if the test panics.
///
/// It has all methods of [`Sandbox`].
pub struct TestSandbox {
    sandbox: Sandbox,
    client: Client,
    bots: bot::Bots,
}

impl fmt::Debug for TestSandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TestSandbox").field("url", &self.sandbox.url()).finish_non_exhaustive()
    }
}

impl Deref for TestSandbox {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl TestSandbox {
    /// Starts a sandbox on a free port of the loopback interface.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        Self::start_with(Sandbox::builder()).await
    }

    /// Starts a sandbox with other options.
    ///
    /// # Panics
    /// When its address cannot be bound.
    pub async fn start_with(builder: Builder) -> Self {
        let sandbox = match builder.start().await {
            Ok(sandbox) => sandbox,
            Err(error) => panic!("the sandbox did not start: {error}"),
        };
        let client = sandbox.client();
        Self { sandbox, client, bots: bot::Bots::default() }
    }

    /// Returns a user by name: alice, who owns the guild "Sandbox", bob, carol, or one of [`new_actor`](Self::new_actor).
    ///
    /// # Panics
    /// When there is none of this name.
    #[track_caller]
    pub fn actor(&self, name: &str) -> Actor<'_> {
        match self.sandbox.user_id(name) {
            Some(id) => Actor::new(self, name, id),
            None => panic!("there is no user {name}; make one with new_actor"),
        }
    }

    /// Creates a user in the guild "Sandbox".
    ///
    /// # Panics
    /// When the name is taken or is none.
    pub async fn new_actor(&self, name: &str) -> Actor<'_> {
        let created = self.client.create_user(name).await;
        let joined = match created {
            Ok(_) => self.client.join("Sandbox", name).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = joined {
            panic!("{error}");
        }
        self.actor(name)
    }

    /// Looks at once and after each event in the sandbox, until there is something to see; `None` if that takes longer.
    ///
    /// # Panics
    /// When a bot of this test has ended.
    pub async fn until<T>(&self, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + within;
        let mut log = self.sandbox.event_log().subscribe(self.sandbox.event_log().newest() + 1);
        loop {
            if let Some(seen) = look().await {
                return Some(seen);
            }
            self.bots.check();
            tokio::select! {
                // Entries that were dropped are a reason to look again, too.
                _ = log.next() => {}
                () = self.bots.ended() => {}
                // Once more, for what happened in the last moment.
                () = tokio::time::sleep_until(deadline) => return look().await,
            }
        }
    }

    /// Waits for an entry of the log, from its beginning on, at most [`PATIENCE`], and returns it.
    ///
    /// # Panics
    /// When there is none in time, or a bot of this test has ended.
    pub async fn wait_for(&self, kind: Kind, mut matches: impl FnMut(&Entry) -> bool) -> Arc<Entry> {
        let mut log = self.sandbox.event_log().subscribe(1);
        let found = self.until(PATIENCE, async || {
            loop {
                match log.try_next() {
                    Ok(Some(entry)) if entry.event.kind() == kind && matches(&entry) => return Some(entry),
                    Ok(None) => return None,
                    _ => {}
                }
            }
        });
        let Some(found) = found.await else {
            panic!("there was no {} as wanted within {PATIENCE:?}", kind.name())
        };
        found
    }

    /// Makes requests fail so many times with a status, as in `fails("POST", "/channels/*/messages", 503, 1)`.
    pub fn fails(&self, method: &str, path: &str, status: u16, times: u64) {
        let effect = RequestEffect::Respond { status, body: sandbox::fault::ErrorBody::default() };
        self.strike(method, path, effect, times);
    }

    /// Makes requests run so many times into a rate limit (429).
    pub fn limits(&self, method: &str, path: &str, retry_after: Duration, times: u64) {
        let effect =
            RequestEffect::RateLimit { retry_after: retry_after.as_secs_f64(), scope: LimitScope::User };
        self.strike(method, path, effect, times);
    }

    fn strike(&self, method: &str, path: &str, effect: RequestEffect, times: u64) {
        let rule = RequestRule { method: Some(method.to_owned()), path: Some(path.to_owned()), effect };
        self.sandbox.faults().add(Rule::new(On::Request(rule)).times(times));
    }

    /// Cuts the bot's connections to the gateway, as when a cable is pulled.
    pub fn drops_connections(&self) {
        self.sandbox.discord().hub().command(&Target::default(), &Command::Sever);
    }

    /// Closes the bot's connections to the gateway with a close code.
    pub fn closes_connections(&self, code: u16) {
        let command = Command::Close { code, reason: String::new() };
        self.sandbox.discord().hub().command(&Target::default(), &command);
    }

    /// Asks the bot to reconnect (opcode 7).
    pub fn asks_to_reconnect(&self) {
        self.sandbox.discord().hub().command(&Target::default(), &Command::Reconnect);
    }

    /// Declares the bot's sessions invalid (opcode 9).
    pub fn invalidates_sessions(&self, resumable: bool) {
        self.sandbox.discord().hub().command(&Target::default(), &Command::InvalidSession { resumable });
    }

    /// Moves the world's clock forward. What is due by then has happened when this returns.
    ///
    /// # Panics
    /// When the moment cannot be represented.
    pub async fn advance(&self, time: Duration) {
        if let Err(error) = self.client.advance_clock(time).await {
            panic!("{error}");
        }
    }

    fn check_bots(&self) {
        self.bots.check();
    }

    /// Returns the typed client of the control API, for all else.
    pub fn control(&self) -> &Client {
        &self.client
    }

    /// Returns the log as lines for people.
    pub fn log_text(&self) -> String {
        self.sandbox.event_log().text(1)
    }
}

impl Drop for TestSandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The test's own output, which cargo shows if it fails.
            eprintln!("---- discord sandbox\n{}", self.log_text());
            for output in self.bots.outputs() {
                eprintln!("---- output of the bot\n{output}");
            }
        }
    }
}

/// Panics for a line of a test.
fn fail(at: &Location<'_>, why: impl fmt::Display) -> ! {
    panic!("{why} ({at})")
}
