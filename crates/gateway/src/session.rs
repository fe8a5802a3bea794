//! A session of a host: its sequence of events, and those that a RESUME can replay.

use std::collections::VecDeque;
use std::time::Instant;

use crate::frame::{Ids, dispatch};
use crate::hold::{Event, Hold};
use crate::state::State;

/// Limits of what a RESUME can replay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplayLimits {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// What the dispatches of a session are made of.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) state: &'a State,
    /// Address that READY names for a RESUME.
    pub(crate) address: &'a str,
    /// Shard id and number of shards.
    pub(crate) shard: (u32, u32),
}

/// What a dispatch contains. State is not copied: it is written as it is when it is sent.
#[derive(Clone, Debug)]
enum Payload {
    Ready,
    Guild(u64),
    Resumed,
    Event(Event),
}

impl Payload {
    fn size(&self) -> usize {
        if let Self::Event(event) = self { event.size() } else { 0 }
    }

    fn write(&self, sequence: u64, session: &str, facts: &Facts<'_>) -> String {
        match self {
            Self::Ready => {
                let data = facts.state.ready(session, facts.address, facts.shard);
                dispatch(sequence, "READY", &data.unwrap_or_default())
            }
            Self::Guild(id) => match facts.state.guild(*id) {
                Some(guild) => dispatch(sequence, "GUILD_CREATE", &guild),
                // The bot has left it since, or it has an outage.
                None => {
                    let outage = facts.state.unavailable().contains(id);
                    let more = if outage { r#","unavailable":true"# } else { "" };
                    dispatch(sequence, "GUILD_DELETE", &format!(r#"{{"id":"{id}"{more}}}"#))
                }
            },
            Self::Resumed => dispatch(sequence, "RESUMED", r#"{"_trace":[]}"#),
            Self::Event(event) => dispatch(sequence, &event.name, &event.data),
        }
    }
}

/// A dispatch, and the interaction in it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) text: String,
    pub(crate) interaction: Option<(u64, Event)>,
}

/// A session of a host.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// The connection that it is used on.
    pub(crate) connection: Option<u64>,
    sequence: u64,
    /// What is sent before held events.
    first: VecDeque<Payload>,
    sent: VecDeque<(u64, Payload)>,
    sent_bytes: usize,
    /// Sequence after which a replay goes on.
    replay: Option<u64>,
    limits: ReplayLimits,
}

impl Session {
    /// Begins a session with READY and the guilds as they are.
    pub(crate) fn new(id: String, connection: u64, guilds: Vec<u64>, limits: ReplayLimits) -> Self {
        let first = std::iter::once(Payload::Ready).chain(guilds.into_iter().map(Payload::Guild)).collect();
        Self {
            id,
            connection: Some(connection),
            sequence: 0,
            first,
            sent: VecDeque::new(),
            sent_bytes: 0,
            replay: None,
            limits,
        }
    }

    /// Continues the session on another connection after this sequence. Returns whether that is possible.
    pub(crate) fn resume(&mut self, connection: u64, after: u64) -> bool {
        let oldest = self.sent.front().map_or(self.sequence, |(sequence, _)| sequence - 1);
        if after < oldest || after > self.sequence {
            return false;
        }
        self.connection = Some(connection);
        self.replay = Some(after);
        true
    }

    /// Sends a guild as it is, before held events.
    pub(crate) fn add_guild(&mut self, guild: u64) {
        self.first.push_back(Payload::Guild(guild));
    }

    /// Forgets what the host has received.
    pub(crate) fn received(&mut self, sequence: u64) {
        while self.sent.front().is_some_and(|(sent, _)| *sent <= sequence) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, payload)) = self.sent.pop_front() {
            self.sent_bytes -= payload.size();
        }
    }

    /// Returns the next dispatch; `None` if there is none now.
    pub(crate) fn next(&mut self, hold: &mut Hold, facts: &Facts<'_>, now: Instant) -> Option<Outgoing> {
        if let Some(after) = self.replay {
            if let Some((sequence, payload)) = self.sent.iter().find(|(sequence, _)| *sequence > after) {
                self.replay = Some(*sequence);
                let text = payload.write(*sequence, &self.id, facts);
                return Some(Outgoing { text, interaction: None });
            }
            self.replay = None;
            return Some(self.send(Payload::Resumed, facts));
        }
        if let Some(payload) = self.first.pop_front() {
            return Some(self.send(payload, facts));
        }
        loop {
            let event = hold.pop()?;
            if event.is_late(now) {
                tracing::warn!("an interaction waited too long for the host and is dropped");
                continue;
            }
            let id = if event.is_interaction() { Ids::of(&event.data).id } else { None };
            let interaction = id.map(|id| (id.0, event.clone()));
            let outgoing = self.send(Payload::Event(event), facts);
            return Some(Outgoing { interaction, ..outgoing });
        }
    }

    fn send(&mut self, payload: Payload, facts: &Facts<'_>) -> Outgoing {
        self.sequence += 1;
        let text = payload.write(self.sequence, &self.id, facts);
        self.sent_bytes += payload.size();
        self.sent.push_back((self.sequence, payload));
        while self.sent.len() > self.limits.events || self.sent_bytes > self.limits.bytes {
            self.forget_oldest();
        }
        Outgoing { text, interaction: None }
    }

    /// Returns the size of what can be replayed, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.sent_bytes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn state() -> State {
        let mut state = State::new(10);
        assert!(
            state.reset(
                r#"{"v":10,"user":{"id":"1"},"guilds":[{"id":"5","unavailable":true}],"new":{"x":1}}"#
            )
        );
        state.apply("GUILD_CREATE", r#"{"id":"5","name":"now"}"#);
        state
    }

    struct Rig {
        state: State,
        hold: Hold,
        session: Session,
    }

    impl Rig {
        fn new(events: usize) -> Self {
            let state = state();
            let limits = ReplayLimits { events, bytes: 1 << 20 };
            let session = Session::new("s".to_owned(), 1, state.known(), limits);
            Self { state, hold: Hold::new(1 << 20, Duration::from_mins(1)), session }
        }

        fn push(&mut self, data: &str) {
            self.hold.push(Event { name: "X".into(), data: data.into(), at: Instant::now() });
        }

        fn all(&mut self) -> Vec<(u64, String, Value)> {
            let facts = Facts { state: &self.state, address: "ws://here", shard: (0, 1) };
            std::iter::from_fn(|| self.session.next(&mut self.hold, &facts, Instant::now()))
                .map(|outgoing| {
                    let frame: Value = serde_json::from_str(&outgoing.text).unwrap();
                    (
                        frame["s"].as_u64().unwrap(),
                        frame["t"].as_str().unwrap().to_owned(),
                        frame["d"].clone(),
                    )
                })
                .collect()
        }
    }

    #[test]
    fn a_session_begins_with_ready_and_the_guilds_and_goes_on_with_what_was_held() {
        let mut rig = Rig::new(100);
        rig.push("7");
        let all = rig.all();
        assert_eq!(all.len(), 3);
        let ready = json!({"v": 10, "user": {"id": "1"}, "guilds": [{"id": "5", "unavailable": true}], "new": {"x": 1},
                           "session_id": "s", "resume_gateway_url": "ws://here", "shard": [0, 1]});
        assert_eq!(all[0], (1, "READY".to_owned(), ready));
        assert_eq!((all[1].0, all[1].2["name"].as_str()), (2, Some("now")));
        assert_eq!(all[2], (3, "X".to_owned(), json!(7)));
    }

    #[test]
    fn a_resume_replays_what_was_not_received_once_and_goes_on() {
        let mut rig = Rig::new(100);
        for data in ["1", "2", "3"] {
            rig.push(data);
        }
        rig.all();
        rig.push("4");
        assert!(rig.session.resume(2, 4));
        let all: Vec<_> = rig.all().into_iter().map(|(sequence, name, _)| (sequence, name)).collect();
        let expected = [(5, "X"), (6, "RESUMED"), (7, "X")];
        assert_eq!(all, expected.map(|(sequence, name)| (sequence, name.to_owned())));
    }

    #[test]
    fn what_is_forgotten_or_never_was_cannot_be_resumed() {
        let mut rig = Rig::new(3);
        for data in ["1", "2", "3", "4"] {
            rig.push(data);
        }
        rig.all();
        assert!(!rig.session.resume(2, 2), "the replay holds 4 to 6");
        assert!(!rig.session.resume(2, 7));
        assert!(rig.session.resume(2, 3));
        rig.session.received(5);
        assert!(!rig.session.resume(2, 4));
        assert!(rig.session.resume(2, 6));
    }
}
