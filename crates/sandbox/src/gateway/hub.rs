//! All sessions and connections, and the ways to reach them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use sandbox_net::Links;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use super::event::Outgoing;
use super::info::{SessionInfo, SessionStartLimit};
use super::listings::Listings;
use super::session::Session;
use super::starts::Starts;
use super::{Dispatch, Options};
use crate::event_log::{self, EventLog};
use crate::fault::Faults;
use crate::snowflake::Snowflake;
use crate::state::clock::Clock;

/// Handle to the gateway. Clones share the same sessions.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    options: Options,
    log: EventLog,
    faults: Faults,
    sessions: RwLock<HashMap<Arc<str>, Arc<Session>>>,
    links: Links<Session, Order>,
    starts: Starts,
    listings: Listings,
    clock: Clock,
}

/// A message to a connection's task.
#[derive(Debug)]
pub(super) enum Order {
    /// A command.
    Command(Command),
    /// Its session has been resumed on another connection.
    Replaced,
}

/// The live connections that a command is for: those whose session matches every given field.
///
/// Without any field, this includes connections that have not identified yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// Bot.
    pub bot: Option<Snowflake>,
    /// Session id.
    pub session: Option<String>,
    /// Shard id.
    pub shard: Option<u32>,
}

/// A command to live connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Drops the connection without a close frame. The session can be resumed.
    Sever,
    /// Closes the connection with a code. The session can be resumed, except after 4009.
    Close {
        /// Close code.
        code: u16,
        /// Reason for the close frame.
        #[serde(default)]
        reason: String,
    },
    /// Sends RECONNECT and keeps the connection open.
    Reconnect,
    /// Sends INVALID_SESSION.
    InvalidSession {
        /// Whether the session can be resumed; if not, it is gone.
        resumable: bool,
    },
    /// Asks for a heartbeat at once (opcode 1).
    RequestHeartbeat,
}

impl Hub {
    /// Creates a gateway without sessions. Its limits follow this clock.
    pub fn new(options: Options, log: EventLog, faults: Faults, clock: Clock) -> Self {
        let shared = Shared {
            options,
            log,
            faults,
            sessions: RwLock::default(),
            links: Links::default(),
            starts: Starts::default(),
            listings: Listings::default(),
            clock,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Appends an event to the buffers of every session that may see it. Never waits, and never calls the backend.
    ///
    /// Sessions get the events of one caller in the order of its calls. GUILD_CREATE must be for one bot: it adds the
    /// guild to that bot's, as GUILD_DELETE (unless `unavailable`) removes it.
    pub fn dispatch(&self, dispatch: &Dispatch) {
        let outgoing = Outgoing::new(dispatch, &self.shared.log);
        for session in self.shared.sessions.read().values() {
            session.offer(&outgoing, &self.shared.options);
        }
    }

    /// Sends a command to all live connections of a target and returns their number.
    pub fn command(&self, target: &Target, command: &Command) -> usize {
        let sent = self.shared.links.send_to(target, || Order::Command(command.clone()));
        let place = format!("{sent} connections");
        self.shared.log.push(event_log::Event::Fault { rule: None, place, effect: json!(command) });
        sent
    }

    /// Closes all connections with a code and returns their number.
    pub fn close_all(&self, code: u16) -> usize {
        self.command(&Target::default(), &Command::Close { code, reason: String::new() })
    }

    /// Ends all sessions and tells their connections (INVALID_SESSION), for a world that has changed behind them. Limits of
    /// session starts and member lists begin anew. The backend is not called.
    pub(crate) fn invalidate_all(&self, reason: &'static str) -> usize {
        let sessions: Vec<_> = self.shared.sessions.write().drain().map(|(_, session)| session).collect();
        for session in &sessions {
            let SessionInfo { id, bot, conn, .. } = session.info();
            if session.end() {
                self.log().push(event_log::Event::SessionEnded { session: id, bot, reason });
            }
            if let Some(conn) = conn {
                let invalid = Command::InvalidSession { resumable: false };
                self.shared.links.send(conn, Order::Command(invalid));
            }
        }
        self.shared.starts.clear();
        self.shared.listings.clear();
        sessions.len()
    }

    /// Returns every session that has not ended, with a connection or without.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.shared.sessions.read().values().map(|session| session.info()).collect()
    }

    /// Returns whether a bot has a session with an open connection.
    pub fn is_online(&self, bot: Snowflake) -> bool {
        let sessions = self.shared.sessions.read();
        sessions.values().any(|session| session.is_connected_as(bot))
    }

    /// Returns how many sessions a bot may still start, for GET /gateway/bot.
    pub fn session_start_limit(&self, bot: Snowflake) -> SessionStartLimit {
        self.shared.starts.limit(self.clock().instant(), bot, &self.shared.options)
    }

    /// Returns the address of the gateway that is configured, such as `ws://sandbox:8787`; `None` if it is the one that
    /// the client has used.
    pub fn public_url(&self) -> Option<&str> {
        self.shared.options.public_url.as_deref()
    }

    /// Returns the number of shards that GET /gateway/bot recommends.
    pub fn recommended_shards(&self) -> u32 {
        self.shared.options.shards.max(1)
    }

    pub(super) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn log(&self) -> &EventLog {
        &self.shared.log
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    pub(super) fn starts(&self) -> &Starts {
        &self.shared.starts
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub(super) fn listings(&self) -> &Listings {
        &self.shared.listings
    }

    /// Registers a connection and returns its number and its mailbox.
    pub(super) fn link(&self) -> (u64, mpsc::UnboundedReceiver<Order>) {
        self.shared.links.add()
    }

    pub(super) fn unlink(&self, conn: u64) {
        self.shared.links.remove(conn);
    }

    /// Records the session that a connection now serves.
    pub(super) fn relink(&self, conn: u64, session: Option<Arc<Session>>) {
        self.shared.links.set_session(conn, session);
    }

    /// Informs a connection that another one serves its session now.
    pub(super) fn replace(&self, conn: u64) {
        self.shared.links.send(conn, Order::Replaced);
    }

    pub(super) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.shared.sessions.read().get(id).cloned()
    }

    /// Adds a session, which is offered every event from now on.
    pub(super) fn add(&self, session: Arc<Session>) {
        self.shared.sessions.write().insert(session.id.clone(), session);
    }

    /// Returns the sessions of a bot.
    pub(super) fn sessions_of(&self, bot: Snowflake) -> Vec<Arc<Session>> {
        let sessions = self.shared.sessions.read();
        sessions.values().filter(|session| session.viewer.bot == bot).cloned().collect()
    }

    /// Ends a session, unless it has ended already.
    pub(super) fn end(&self, session: &Session, reason: &'static str) {
        if session.end() {
            self.forget(session, reason);
        }
    }

    /// Ends a session if it is not resumed in time.
    pub(super) fn expire_later(&self, session: Arc<Session>, attachment: u64) {
        session.connection_changed();
        let hub = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(hub.options().resume_window).await;
            if session.expire(attachment) {
                hub.forget(&session, "not resumed in time");
            }
        });
    }

    fn forget(&self, session: &Session, reason: &'static str) {
        self.shared.sessions.write().remove(&session.id);
        let (session_id, bot) = (session.id.clone(), session.viewer.bot);
        self.log().push(event_log::Event::SessionEnded { session: session_id, bot, reason });
        if let Some(backend) = session.backend.upgrade() {
            backend.session_ended(&session.info());
            backend.connection_changed();
        }
    }
}

impl sandbox_net::Target<Session> for Target {
    fn matches(&self, session: &Session) -> bool {
        self.bot.is_none_or(|bot| bot == session.viewer.bot)
            && self.session.as_deref().is_none_or(|id| id == &*session.id)
            && self.shard.is_none_or(|shard| shard == session.viewer.shard[0])
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("sessions", &self.sessions()).finish_non_exhaustive()
    }
}
