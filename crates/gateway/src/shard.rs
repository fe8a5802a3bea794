//! One shard: what Discord sends to it, and the host that is handed it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};

use crate::Options;
use crate::frame::{Frame, Ids, is_name, op};
use crate::hold::{Event, Hold};
use crate::session::{Facts, Outgoing, ReplayLimits, Session};
use crate::state::State;
use crate::status::{SessionId, ShardStatus, StoredSession};
use crate::tap::RawEvent;

/// A close code with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

/// A shard of the bot.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) id: u32,
    pub(crate) total: u32,
    pub(crate) intents: u64,
    inner: Mutex<Inner>,
    /// Changes with everything that a connection may have to do.
    pub(crate) changed: watch::Sender<()>,
    /// Commands to Discord.
    pub(crate) commands: mpsc::Sender<String>,
    /// Set to the close code with which the session with Discord is to end.
    pub(crate) stop: watch::Sender<Option<u16>>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    hold: Hold,
    session: Option<Session>,
    /// Interactions that a host was sent and has not answered.
    unanswered: VecDeque<(u64, Event)>,
    upstream: Option<SessionId>,
    connected: bool,
    /// Discord's final refusal.
    refusal: Option<Close>,
    /// The presence that Discord was told last, as JSON.
    presence: Option<String>,
    replay: ReplayLimits,
}

/// What a connection does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Sends a dispatch.
    Send(String),
    /// Waits for a change.
    Wait,
    /// Tells the host that its session is no longer valid.
    Invalid,
    /// Closes with Discord's refusal.
    Refused(Close),
}

/// How a session begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// It has begun.
    Begun,
    /// Discord has not answered yet.
    Waiting,
    /// Discord refuses the bot.
    Refused(Close),
}

impl Shard {
    pub(crate) fn new(
        (id, total): (u32, u32),
        intents: u64,
        options: &Options,
        commands: mpsc::Sender<String>,
    ) -> Self {
        let inner = Inner {
            state: State::new(options.members_per_guild),
            hold: Hold::new(options.hold_bytes, options.hold_time),
            session: None,
            unanswered: VecDeque::new(),
            upstream: None,
            connected: false,
            refusal: None,
            presence: None,
            replay: ReplayLimits { events: options.replay_events, bytes: options.replay_bytes },
        };
        Self {
            id,
            total,
            intents,
            inner: Mutex::new(inner),
            changed: watch::Sender::new(()),
            commands,
            stop: watch::Sender::new(None),
        }
    }

    /// Takes over a stored session. The state is complete, since the events after it are replayed by Discord.
    pub(crate) fn restore(&self, stored: &StoredSession) {
        let mut inner = self.inner.lock();
        inner.state.reset(stored.ready.get());
        for guild in &stored.guilds {
            inner.state.apply("GUILD_CREATE", guild.get());
        }
        inner.state.expect(&stored.unavailable);
        inner.upstream = Some(stored.session.clone());
    }

    /// Takes in a message of Discord's. Returns the event in it.
    pub(crate) fn receive(&self, text: &str) -> Option<RawEvent> {
        let now = Instant::now();
        let frame = Frame::read(text).filter(|frame| frame.op == op::DISPATCH)?;
        let name = frame.t.as_deref().filter(|name| is_name(name))?;
        let data = frame.data();
        let mut inner = self.inner.lock();
        if let (Some(upstream), Some(sequence)) = (&mut inner.upstream, frame.s) {
            upstream.sequence = sequence;
        }
        let event = Event { name: name.into(), data: data.into(), at: now };
        match name {
            "READY" => inner.ready(data, frame.s.unwrap_or_default(), self.id),
            "RESUMED" => {
                inner.connected = true;
                tracing::info!(shard = self.id, "the session with Discord is resumed");
            }
            _ => {
                inner.state.apply(name, data);
                inner.queue(event.clone());
            }
        }
        drop(inner);
        self.changed.send_replace(());
        Some(RawEvent { name: event.name, data: event.data, shard: self.id })
    }

    /// Notes that the connection to Discord is gone; it is opened again.
    pub(crate) fn disconnected(&self) {
        self.inner.lock().connected = false;
    }

    /// Notes that Discord refuses the bot.
    pub(crate) fn refuse(&self, close: Close) {
        let mut inner = self.inner.lock();
        inner.connected = false;
        inner.refusal = Some(close);
        drop(inner);
        self.changed.send_replace(());
    }

    /// Returns whether Discord has refused the bot on this shard.
    pub(crate) fn is_refused(&self) -> bool {
        self.inner.lock().refusal.is_some()
    }

    /// Begins a session for a host that has identified, in place of any before.
    pub(crate) fn begin(&self, id: &str, connection: u64) -> Begin {
        let mut inner = self.inner.lock();
        if let Some(refusal) = &inner.refusal {
            return Begin::Refused(refusal.clone());
        }
        if !inner.state.is_ready() {
            return Begin::Waiting;
        }
        let again: Vec<Event> = inner.unanswered.drain(..).map(|(_, event)| event).collect();
        let handover = inner.hold.hand_over(again, Instant::now());
        let guilds = inner.state.known();
        if handover != crate::hold::Handover::default() {
            tracing::info!(
                shard = self.id,
                events = handover.events,
                interactions = handover.interactions,
                too_late = handover.late,
                dropped = handover.dropped,
                "held events are handed to the host"
            );
        }
        tracing::info!(shard = self.id, guilds = guilds.len(), "a host begins a session");
        inner.session = Some(Session::new(id.to_owned(), connection, guilds, inner.replay));
        drop(inner);
        self.changed.send_replace(());
        Begin::Begun
    }

    /// Continues a session. Returns whether that is possible.
    pub(crate) fn resume(&self, id: &str, connection: u64, after: u64) -> bool {
        let mut inner = self.inner.lock();
        let is_resumed = inner
            .session
            .as_mut()
            .is_some_and(|session| session.id == id && session.resume(connection, after));
        drop(inner);
        self.changed.send_replace(());
        is_resumed
    }

    /// Notes that a connection is gone. Its session can be resumed.
    pub(crate) fn detach(&self, connection: u64) {
        if let Some(session) = &mut self.inner.lock().session
            && session.connection == Some(connection)
        {
            session.connection = None;
        }
    }

    /// Notes the last sequence that the host has received.
    pub(crate) fn received(&self, connection: u64, sequence: u64) {
        if let Some(session) = &mut self.inner.lock().session
            && session.connection == Some(connection)
        {
            session.received(sequence);
        }
    }

    /// Returns what the connection does next. With `keep`, interactions are kept until they are answered.
    pub(crate) fn next(&self, connection: u64, address: &str, keep: bool) -> Next {
        let inner = &mut *self.inner.lock();
        if let Some(refusal) = &inner.refusal {
            return Next::Refused(refusal.clone());
        }
        let Some(session) = inner.session.as_mut().filter(|session| session.connection == Some(connection))
        else {
            return Next::Invalid;
        };
        let facts = Facts { state: &inner.state, address, shard: (self.id, self.total) };
        let now = Instant::now();
        let Some(Outgoing { text, interaction }) = session.next(&mut inner.hold, &facts, now) else {
            return Next::Wait;
        };
        while inner.unanswered.front().is_some_and(|(_, event)| event.is_late(now)) {
            inner.unanswered.pop_front();
        }
        if keep {
            inner.unanswered.extend(interaction);
        }
        Next::Send(text)
    }

    /// Notes that a host answers an interaction.
    pub(crate) fn answered(&self, interaction: u64) {
        self.inner.lock().unanswered.retain(|(id, _)| *id != interaction);
    }

    /// Notes the presence that Discord is told. Returns whether it is another one.
    pub(crate) fn set_presence(&self, presence: &str) -> bool {
        let mut inner = self.inner.lock();
        let is_new = inner.presence.as_deref() != Some(presence);
        inner.presence = Some(presence.to_owned());
        is_new
    }

    pub(crate) fn status(&self) -> ShardStatus {
        let inner = self.inner.lock();
        let session = inner.session.as_ref();
        ShardStatus {
            id: self.id,
            shards: self.total,
            connected: inner.connected,
            host: session.is_some_and(|session| session.connection.is_some()),
            guilds: inner.state.known().len(),
            bytes: inner.state.bytes(),
            held: inner.hold.len(),
            held_bytes: inner.hold.bytes(),
            unanswered: inner.unanswered.len(),
            replay_bytes: session.map_or(0, Session::bytes),
            session: inner.upstream.clone(),
        }
    }

    /// Returns the session with Discord, with the state at its sequence.
    pub(crate) fn store(&self) -> Option<StoredSession> {
        let inner = self.inner.lock();
        let raw = |text: String| RawValue::from_string(text).ok();
        let guilds = inner.state.known().into_iter().filter_map(|id| inner.state.guild(id)).filter_map(raw);
        Some(StoredSession {
            shard: (self.id, self.total),
            intents: self.intents,
            session: inner.upstream.clone()?,
            ready: inner.state.original_ready().and_then(raw)?,
            guilds: guilds.collect(),
            unavailable: inner.state.unavailable(),
        })
    }
}

impl Inner {
    fn ready(&mut self, data: &str, sequence: u64, shard: u32) {
        #[derive(serde::Deserialize)]
        struct Ready {
            session_id: String,
            #[serde(default)]
            resume_gateway_url: String,
        }
        let Ok(ready) = serde_json::from_str::<Ready>(data) else { return };
        self.state.reset(data);
        let resume_url = ready.resume_gateway_url;
        self.upstream = Some(SessionId { id: ready.session_id, sequence, resume_url });
        self.connected = true;
        if self.session.take().is_some() {
            tracing::warn!(
                shard,
                "Discord began a new session, so events may be lost; the host begins a session as well"
            );
        } else {
            tracing::info!(shard, "Discord began a session");
        }
    }

    /// Appends an event. A guild that no host is there for is sent later, as it is then.
    fn queue(&mut self, event: Event) {
        if &*event.name == "GUILD_CREATE" {
            match &mut self.session {
                Some(session) if session.connection.is_some() => self.hold.push(event),
                Some(session) => {
                    if let Some(id) = Ids::of(&event.data).id {
                        session.add_guild(id.0);
                    }
                }
                None => {}
            }
        } else {
            self.hold.push(event);
        }
    }
}

/// A shard that connections and tasks share.
pub(crate) type SharedShard = Arc<Shard>;
