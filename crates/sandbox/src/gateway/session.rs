//! One session: the numbered events of a bot's shard, kept for the connection that reads them and for a replay.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Weak};

use indexmap::IndexMap;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::event::{Event, Outgoing};
use super::info::SessionInfo;
use super::viewer::Viewer;
use super::{Backend, Dispatch, Options};
use crate::event_log::EventLog;
use crate::snowflake::Snowflake;

/// Approximate bytes that an event takes in addition to its data.
const OVERHEAD: usize = 128;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: Arc<str>,
    pub(super) viewer: Viewer,
    /// Whether IDENTIFY asked for payload compression.
    pub(super) compress: bool,
    pub(super) backend: Weak<dyn Backend>,
    /// Notifies the connection of new events.
    pub(super) changed: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Number of the newest event.
    seq: u64,
    /// Number of the newest event that is no longer in the buffer.
    forgotten: u64,
    buffer: VecDeque<Numbered>,
    bytes: usize,
    guilds: HashSet<Snowflake>,
    /// Dispatches that arrived while READY was being prepared; `None` after that.
    early: Option<Vec<Dispatch>>,
    /// Guilds whose GUILD_CREATE is still to come, the next one last, with their dispatches, which follow it. Each
    /// GUILD_CREATE is made when the connection has written everything before it, so that a bot in thousands of guilds does
    /// not need the memory for all of them at once.
    pending: IndexMap<Snowflake, Vec<Dispatch>>,
    /// Current connection, and how many there have been.
    conn: Option<u64>,
    attachments: u64,
    ended: bool,
}

/// An event with its number in the session.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) seq: u64,
    pub(super) event: Arc<Event>,
    /// The only connection that receives it, if it means nothing to a later one (RESUMED).
    only: Option<u64>,
}

/// The next events for a connection that has written up to some number.
#[derive(Debug)]
pub(super) enum Next {
    /// These events, in order, and whether there are more.
    Events(Vec<Numbered>),
    /// Nothing new.
    Nothing,
    /// Some events that it has not written are not kept any more.
    Behind,
    /// The session has ended.
    Ended,
}

/// Why a session cannot be resumed at some number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoResume {
    /// That number was never assigned.
    Unknown,
    /// Events after that number are no longer kept, or the session has ended.
    Gone,
}

impl Session {
    pub(super) fn new(id: Arc<str>, viewer: Viewer, compress: bool, backend: &Arc<dyn Backend>) -> Self {
        let state = State {
            seq: 0,
            forgotten: 0,
            buffer: VecDeque::new(),
            bytes: 0,
            guilds: HashSet::new(),
            early: Some(Vec::new()),
            pending: IndexMap::new(),
            conn: None,
            attachments: 0,
            ended: false,
        };
        let backend = Arc::downgrade(backend);
        Self { id, viewer, compress, backend, changed: Notify::new(), state: Mutex::new(state) }
    }

    pub(super) fn info(&self) -> SessionInfo {
        let state = self.state.lock();
        SessionInfo {
            id: self.id.clone(),
            bot: self.viewer.bot,
            shard: self.viewer.shard,
            intents: self.viewer.intents,
            seq: state.seq,
            conn: state.conn,
        }
    }

    /// Returns whether it is of this bot and has a connection.
    pub(super) fn is_connected_as(&self, bot: Snowflake) -> bool {
        self.viewer.bot == bot && self.state.lock().conn.is_some()
    }

    /// Offers a dispatch to this session, which takes it if it may see it.
    pub(super) fn offer(&self, outgoing: &Outgoing<'_>, options: &Options) {
        let mut state = self.state.lock();
        if let Some(early) = &mut state.early {
            early.push(outgoing.dispatch.clone());
            return;
        }
        if state.take(outgoing, &self.viewer, options) {
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Opens the session with READY. Events that were dispatched meanwhile follow in order, those of a pending guild after
    /// its GUILD_CREATE.
    pub(super) fn open(
        &self,
        ready: Event,
        guilds: HashSet<Snowflake>,
        pending: &[Snowflake],
        log: &EventLog,
        options: &Options,
    ) {
        let mut state = self.state.lock();
        state.guilds = guilds;
        state.pending = pending.iter().rev().map(|guild| (*guild, Vec::new())).collect();
        state.push(Arc::new(ready), None, options);
        for dispatch in state.early.take().unwrap_or_default() {
            state.take(&Outgoing::new(&dispatch, log), &self.viewer, options);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Returns the next guild whose GUILD_CREATE is to come.
    pub(super) fn next_pending(&self) -> Option<Snowflake> {
        let state = self.state.lock();
        state.pending.last().map(|(guild, _)| *guild).filter(|_| !state.ended)
    }

    /// Appends the GUILD_CREATE of a [pending guild](Self::next_pending), unless the bot has left it, and the events that
    /// have waited for it. Of two connections that make the same one while the session is resumed, the first counts.
    pub(super) fn available(
        &self,
        guild: Snowflake,
        create: Option<Event>,
        log: &EventLog,
        options: &Options,
    ) {
        let mut state = self.state.lock();
        let Some(waiting) = state.pending.shift_remove(&guild) else { return };
        if let Some(create) = create {
            state.push(Arc::new(create), None, options);
        }
        for dispatch in waiting {
            state.take(&Outgoing::new(&dispatch, log), &self.viewer, options);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Appends an event for this session only.
    pub(super) fn push(&self, event: Event, options: &Options) {
        self.state.lock().push(Arc::new(event), None, options);
        self.changed.notify_one();
    }

    /// Returns whether the bot is in this guild and this session has its events.
    pub(super) fn has_guild(&self, guild: Snowflake) -> bool {
        self.viewer.is_on_shard(Some(guild)) && self.state.lock().guilds.contains(&guild)
    }

    /// Returns at most `limit` events after number `seq` for a connection.
    pub(super) fn after(&self, seq: u64, conn: u64, limit: usize) -> Next {
        let state = self.state.lock();
        if state.ended || state.conn != Some(conn) {
            return Next::Ended;
        }
        if seq < state.forgotten {
            return Next::Behind;
        }
        let start = state.buffer.partition_point(|numbered| numbered.seq <= seq);
        let fresh =
            state.buffer.range(start..).filter(|numbered| numbered.only.is_none_or(|only| only == conn));
        let events: Vec<_> = fresh.take(limit).cloned().collect();
        if events.is_empty() { Next::Nothing } else { Next::Events(events) }
    }

    /// Reports that the session has got or lost its connection.
    pub(super) fn connection_changed(&self) {
        if let Some(backend) = self.backend.upgrade() {
            backend.connection_changed();
        }
    }

    /// Sets the first connection of a new session.
    pub(super) fn attach(&self, conn: u64) {
        let mut state = self.state.lock();
        state.conn = Some(conn);
        state.attachments += 1;
    }

    /// Attaches a new connection that has everything up to `seq`, and appends RESUMED for it. Returns the connection
    /// that it replaces, if there is one, and how many events will be replayed.
    pub(super) fn resume(
        &self,
        conn: u64,
        seq: u64,
        resumed: Event,
        options: &Options,
    ) -> Result<(Option<u64>, u64), NoResume> {
        let mut state = self.state.lock();
        if seq > state.seq {
            return Err(NoResume::Unknown);
        }
        if state.ended || seq < state.forgotten {
            return Err(NoResume::Gone);
        }
        let missed =
            state.buffer.iter().filter(|numbered| numbered.seq > seq && numbered.only.is_none()).count();
        let before = state.conn.replace(conn);
        state.attachments += 1;
        state.push(Arc::new(resumed), Some(conn), options);
        drop(state);
        self.changed.notify_one();
        self.connection_changed();
        Ok((before, missed as u64))
    }

    /// Detaches the connection if it is still the current one. Returns the number of the attachment, for
    /// [`Self::expire`].
    pub(super) fn detach(&self, conn: u64) -> Option<u64> {
        let mut state = self.state.lock();
        (state.conn == Some(conn)).then(|| {
            state.conn = None;
            state.attachments
        })
    }

    /// Ends the session unless it was attached again since. Returns whether it ended now.
    pub(super) fn expire(&self, attachment: u64) -> bool {
        let mut state = self.state.lock();
        let unused = state.conn.is_none() && state.attachments == attachment && !state.ended;
        state.ended |= unused;
        unused
    }

    /// Ends the session. Returns whether it had not ended before.
    pub(super) fn end(&self) -> bool {
        let mut state = self.state.lock();
        let first = !state.ended;
        state.ended = true;
        state.buffer.clear();
        state.pending.clear();
        drop(state);
        self.changed.notify_one();
        first
    }
}

impl State {
    fn take(&mut self, outgoing: &Outgoing<'_>, viewer: &Viewer, options: &Options) -> bool {
        let Dispatch { bot, name, data, guild_id, .. } = outgoing.dispatch;
        if let Some(waiting) = guild_id.and_then(|guild| self.pending.get_mut(&guild)) {
            waiting.push(outgoing.dispatch.clone());
            return false;
        }
        let mine = bot.is_some_and(|bot| bot == viewer.bot);
        if let (true, "GUILD_CREATE", Some(guild)) = (mine, *name, guild_id) {
            self.guilds.insert(*guild);
        }
        let event = outgoing.for_viewer(viewer, |guild| self.guilds.contains(&guild));
        // A guild in an outage is still one of the bot's.
        if let ("GUILD_DELETE", Some(guild)) = (*name, guild_id)
            && (mine || bot.is_none())
            && data["unavailable"] != true
        {
            self.guilds.remove(guild);
        }
        event.map(|event| self.push(event, None, options)).is_some()
    }

    fn push(&mut self, event: Arc<Event>, only: Option<u64>, options: &Options) {
        if self.ended {
            return;
        }
        self.seq += 1;
        self.bytes += event.data.get().len() + OVERHEAD;
        self.buffer.push_back(Numbered { seq: self.seq, event, only });
        while self.buffer.len() > options.replay_events.max(1)
            || (self.bytes > options.replay_bytes && self.buffer.len() > 1)
        {
            let Some(oldest) = self.buffer.pop_front() else { break };
            self.bytes -= oldest.event.data.get().len() + OVERHEAD;
            self.forgotten = oldest.seq;
        }
    }
}
