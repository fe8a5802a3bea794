//! All assignments, sessions and calls, and the ways to reach them.
//!
//! The world reports joins, moves and departures while its own lock is held; nothing here ever calls the world, waits,
//! or calls into DAVE. Locks are taken in this order: world, [`State`], a session's own.

mod heard;
mod send;
mod tap;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, OnceLock, Weak};

use discord_rules::snowflake::Snowflake;
use parking_lot::Mutex;
use rand::Rng;
use rand::distr::Alphanumeric;
use sandbox_net::{Close, Links};
use tokio::sync::{broadcast, watch};

use super::call::{Call, Job};
use super::host::{Event, Host};
use super::links::{Order, Target};
use super::payload::{Identify, Resume};
use super::receive::Receiver;
use super::session::{Session, SessionInit};
use super::{Dave, Options, Root, close};
pub use tap::Frame;

/// Handle to voice; clones reach the same calls.
#[derive(Clone)]
pub struct Voice {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    options: Options,
    host: Arc<dyn Host>,
    servers: OnceLock<Vec<Server>>,
    root: OnceLock<Root>,
    state: Mutex<State>,
    pub(super) links: Links<Session, Order>,
    /// Counts packets heard; used only as a signal.
    packets: watch::Sender<u64>,
    frames: broadcast::Sender<Arc<Frame>>,
}

pub(crate) struct Server {
    /// Host and port of its websocket.
    pub(crate) endpoint: String,
    /// Port of its audio.
    pub(crate) port: u16,
}

/// User in a guild.
type MemberKey = (Snowflake, Snowflake);

#[derive(Default)]
struct State {
    assignments: HashMap<MemberKey, Assignment>,
    /// Tokens that were valid once, newest last.
    stale: VecDeque<String>,
    sessions: HashMap<MemberKey, Arc<Session>>,
    by_ssrc: HashMap<u32, Arc<Session>>,
    /// Calls by guild and channel.
    calls: HashMap<(Snowflake, Snowflake), Arc<Call>>,
    /// Channels of users without a client.
    people: HashMap<MemberKey, Snowflake>,
    receivers: HashMap<MemberKey, Arc<Mutex<Receiver>>>,
    last_ssrc: u32,
}

/// Content of a VOICE_SERVER_UPDATE to a bot.
struct Assignment {
    channel: Snowflake,
    session_id: String,
    token: String,
    region: usize,
    /// Whether a client has identified with it.
    used: bool,
    muted: bool,
    deaf: bool,
    dave: Dave,
}

/// Content of a new VOICE_SERVER_UPDATE.
pub struct Assigned {
    /// Token to identify with.
    pub token: String,
    /// Host and port of the server; `None` before there is one.
    pub endpoint: Option<String>,
    /// Session that the bot had.
    pub before: Option<Arc<Session>>,
}

fn token() -> String {
    rand::rng().sample_iter(Alphanumeric).take(16).map(char::from).collect()
}

/// Number of used tokens that are remembered.
const STALE: usize = 1024;

impl State {
    fn forget(&mut self, assignment: Assignment) {
        self.stale.push_back(assignment.token);
        if self.stale.len() > STALE {
            self.stale.pop_front();
        }
    }
}

impl Voice {
    /// Creates voice without servers.
    pub fn new(options: Options, host: Arc<dyn Host>) -> Self {
        let shared = Shared {
            options,
            host,
            servers: OnceLock::new(),
            root: OnceLock::new(),
            state: Mutex::default(),
            links: Links::default(),
            packets: watch::Sender::new(0),
            frames: broadcast::Sender::new(tap::BACKLOG),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Sets the servers, in the order of their regions, and the root of their certificates, once.
    pub(crate) fn open(&self, servers: Vec<Server>, root: Root) {
        let _ = self.shared.servers.set(servers);
        let _ = self.shared.root.set(root);
    }

    /// Returns the certificate that clients of the voice servers must trust, as PEM.
    pub fn root_certificate(&self) -> &str {
        self.shared.root.get().map_or("", Root::certificate)
    }

    /// Returns the root with its key, to keep it for the next start; `None` before there are servers.
    pub fn root(&self) -> Option<&Root> {
        self.shared.root.get()
    }

    /// Returns host and port of each region's websocket, with the region's id.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, &str)> {
        let endpoints = self.servers().iter().map(|server| server.endpoint.as_str());
        self.options().regions.iter().map(String::as_str).zip(endpoints)
    }

    /// Returns the ids of the regions.
    pub fn regions(&self) -> &[String] {
        &self.options().regions
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn host(&self) -> &dyn Host {
        &*self.shared.host
    }

    pub(crate) fn servers(&self) -> &[Server] {
        self.shared.servers.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    pub(crate) fn upgrade(shared: &Weak<Shared>) -> Option<Self> {
        shared.upgrade().map(|shared| Self { shared })
    }

    /// Assigns a bot a server in place of the one it had; the caller ends its session there.
    pub fn assign(
        &self,
        guild: Snowflake,
        channel: Snowflake,
        user: Snowflake,
        session_id: &str,
        region: Option<&str>,
        stage: bool,
    ) -> Assigned {
        let regions = &self.options().regions;
        let region = region.and_then(|wanted| regions.iter().position(|id| id == wanted)).unwrap_or(0);
        let mut state = self.shared.state.lock();
        // A bot that asks twice may already be on its way with the first answer.
        let same = |old: &&Assignment| {
            !old.used && old.channel == channel && old.session_id == session_id && old.region == region
        };
        let known = state.assignments.get(&(guild, user)).filter(same).map(|old| old.token.clone());
        let token = known.clone().unwrap_or_else(token);
        let assignment = Assignment {
            channel,
            session_id: session_id.to_owned(),
            token: token.clone(),
            region,
            used: false,
            muted: false,
            deaf: false,
            // Stages stay without end-to-end encryption, since their audience is open.
            dave: if stage { Dave::Off } else { self.options().dave },
        };
        let old = state.assignments.insert((guild, user), assignment);
        if let Some(old) = old.filter(|_| known.is_none()) {
            state.forget(old);
        }
        let before = state.sessions.get(&(guild, user)).cloned();
        Assigned { token, endpoint: self.servers().get(region).map(|server| server.endpoint.clone()), before }
    }

    /// Removes a bot's assignment; its connection closes with this code.
    pub fn remove(&self, guild: Snowflake, user: Snowflake, close: Close) {
        let mut state = self.shared.state.lock();
        if let Some(old) = state.assignments.remove(&(guild, user)) {
            state.forget(old);
        }
        if let Some(session) = state.sessions.get(&(guild, user)).cloned() {
            self.finish(&mut state, &session, close);
        }
    }

    /// Returns whether a bot has a connection to a voice server for this channel, joined by this gateway session.
    pub fn is_live(&self, guild: Snowflake, channel: Snowflake, user: Snowflake, session_id: &str) -> bool {
        let state = self.shared.state.lock();
        state.sessions.get(&(guild, user)).is_some_and(|session| {
            session.channel == channel && session.session_id == session_id && session.conn().is_some()
        })
    }

    /// Sets whether a bot is muted and deaf.
    pub fn silence(&self, guild: Snowflake, user: Snowflake, muted: bool, deaf: bool) {
        let mut state = self.shared.state.lock();
        if let Some(assignment) = state.assignments.get_mut(&(guild, user)) {
            (assignment.muted, assignment.deaf) = (muted, deaf);
        }
        if let Some(session) = state.sessions.get(&(guild, user)) {
            session.silence(muted, deaf);
        }
    }

    /// Sets the channel of a user without a client; `None` for none.
    pub fn person(&self, guild: Snowflake, user: Snowflake, channel: Option<Snowflake>) {
        let mut state = self.shared.state.lock();
        let before = match channel {
            Some(channel) => state.people.insert((guild, user), channel),
            None => state.people.remove(&(guild, user)),
        };
        if before == channel {
            return;
        }
        if let Some(call) = before.and_then(|channel| state.calls.get(&(guild, channel))) {
            call.queue(Job::Exit(user));
        }
        if let Some(call) = channel.and_then(|channel| state.calls.get(&(guild, channel))) {
            call.queue(Job::Enter(user));
        }
    }

    /// Starts the session that an IDENTIFY asks for.
    pub(super) fn identify(&self, region: usize, identify: Identify) -> Result<Arc<Session>, Close> {
        let Identify { server_id: guild, user_id: user, session_id, token, max_dave_protocol_version } =
            identify;
        let max_dave = max_dave_protocol_version.unwrap_or(0);
        let mut state = self.shared.state.lock();
        let is_stale = state.stale.contains(&token);
        let Some(assignment) = state.assignments.get_mut(&(guild, user)) else {
            let here =
                state.assignments.iter().any(|((at, _), other)| *at == guild && other.region == region);
            return Err(match (is_stale, here) {
                (true, _) => close::invalid_session(),
                (false, true) => close::authentication_failed(),
                (false, false) => close::no_server(),
            });
        };
        if assignment.token != token {
            return Err(if is_stale { close::invalid_session() } else { close::authentication_failed() });
        }
        if assignment.session_id != session_id {
            return Err(close::invalid_session());
        }
        if assignment.region != region {
            return Err(close::no_server());
        }
        if assignment.dave == Dave::Required && max_dave == 0 {
            return Err(close::dave_required());
        }
        assignment.used = true;
        let (channel, muted, deaf) = (assignment.channel, assignment.muted, assignment.deaf);
        let dave = assignment.dave;
        if let Some(before) = state.sessions.get(&(guild, user)).cloned() {
            self.finish(&mut state, &before, close::replaced());
        }
        state.last_ssrc = state.last_ssrc.wrapping_add(1).max(1);
        let ssrc = state.last_ssrc;
        let call = match state.calls.get(&(guild, channel)) {
            Some(call) => call.clone(),
            None => {
                let here = |(member, at): (&MemberKey, &Snowflake)| {
                    (member.0 == guild && *at == channel).then_some(member.1)
                };
                let people: BTreeSet<_> = state.people.iter().filter_map(here).collect();
                let call = Call::start(self, guild, channel, people, dave);
                state.calls.insert((guild, channel), call.clone());
                call
            }
        };
        let keep = self.options().keep;
        let receiver =
            state.receivers.entry((guild, user)).or_insert_with(|| Arc::new(Mutex::new(Receiver::new(keep))));
        let receiver = receiver.clone();
        receiver.lock().begin(ssrc, channel);
        let init = SessionInit {
            guild,
            channel,
            user,
            session_id,
            token,
            ssrc,
            max_dave,
            call,
            receiver,
            muted,
            deaf,
        };
        let session = Arc::new(Session::new(init));
        state.sessions.insert((guild, user), session.clone());
        state.by_ssrc.insert(ssrc, session.clone());
        Ok(session)
    }

    /// Returns the session that a RESUME asks for.
    pub(super) fn resume(&self, resume: &Resume) -> Option<Arc<Session>> {
        let state = self.shared.state.lock();
        let mut sessions = state.sessions.values();
        let same = |session: &&Arc<Session>| {
            session.guild == resume.server_id
                && session.token == resume.token
                && session.session_id == resume.session_id
        };
        sessions.find(same).cloned()
    }

    /// Ends a session; its connection closes with this code.
    pub fn end(&self, session: &Arc<Session>, close: Close) {
        self.finish(&mut self.shared.state.lock(), session, close);
    }

    fn finish(&self, state: &mut State, session: &Arc<Session>, close: Close) {
        let Session { guild, channel, user, ssrc, .. } = **session;
        if state.by_ssrc.remove(&ssrc).is_none() {
            return;
        }
        if state.sessions.get(&(guild, user)).is_some_and(|current| Arc::ptr_eq(current, session)) {
            state.sessions.remove(&(guild, user));
        }
        let reason = close.reason.clone();
        self.host().log(Event::Ended { guild, channel, user, ssrc, reason });
        session.end(close);
        session.call.queue(Job::Disconnect(session.clone()));
        if !state.sessions.values().any(|other| Arc::ptr_eq(&other.call, &session.call)) {
            state.calls.remove(&(guild, channel));
        }
    }

    /// Ends a session when it has not been resumed in time.
    pub(super) fn expire_later(&self, session: Arc<Session>, attachment: u64) {
        let voice = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(voice.options().resume_window).await;
            if session.is_waiting(attachment) {
                voice.end(&session, close::timed_out());
            }
        });
    }

    /// Ends all sessions and closes all connections.
    pub fn close_all(&self) {
        let mut state = self.shared.state.lock();
        for session in state.sessions.values().cloned().collect::<Vec<_>>() {
            self.finish(&mut state, &session, close::going_away());
        }
        drop(state);
        self.shared.links.send_to(&Target::default(), || Order::Close(close::going_away()));
    }

    /// Returns the session whose packets have this SSRC.
    pub(super) fn by_ssrc(&self, ssrc: u32) -> Option<Arc<Session>> {
        self.shared.state.lock().by_ssrc.get(&ssrc).cloned()
    }

    /// Returns the sessions of the others in a session's call.
    pub(super) fn others(&self, session: &Session) -> Vec<Arc<Session>> {
        let state = self.shared.state.lock();
        let others = state.sessions.values().filter(|other| {
            other.ssrc != session.ssrc && (other.guild, other.channel) == (session.guild, session.channel)
        });
        others.cloned().collect()
    }

    /// Returns the session of a user in a guild.
    pub fn session(&self, guild: Snowflake, user: Snowflake) -> Option<Arc<Session>> {
        self.shared.state.lock().sessions.get(&(guild, user)).cloned()
    }
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voice")
            .field("endpoints", &self.endpoints().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
