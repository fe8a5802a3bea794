//! One client's session on a voice server: the messages to it, and how its packets are sealed.
//!
//! A session outlives its websocket: messages are numbered and kept, and a connection writes those that it has not yet
//! written. So a RESUME is a connection that begins at another number.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use discord_rules::snowflake::Snowflake;
use parking_lot::Mutex;
use sandbox_net::Close;
use serde_json::Value;
use tokio::sync::Notify;

use super::call::Call;
use super::crypto::{Cipher, KEY, Mode};
use super::host::Data;
use super::receive::Receiver;

/// Session of a user in a channel.
pub struct Session {
    /// Guild.
    pub guild: Snowflake,
    /// Channel.
    pub channel: Snowflake,
    /// User.
    pub user: Snowflake,
    /// Id of the gateway session that joined voice.
    pub(crate) session_id: String,
    /// Token of the VOICE_SERVER_UPDATE that led here.
    pub(crate) token: String,
    /// SSRC of what the user sends.
    pub ssrc: u32,
    /// Highest DAVE version that the client supports.
    pub max_dave: u16,
    pub(crate) call: Arc<Call>,
    pub(crate) receiver: Arc<Mutex<Receiver>>,
    /// Notifies the connection of new messages.
    pub(crate) changed: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Connection that serves it, and how many there have been.
    conn: Option<u64>,
    attachments: u64,
    ended: Option<Close>,
    /// Number of the newest message.
    newest: u64,
    messages: VecDeque<Numbered>,
    /// Number up to which messages have been handed to a connection.
    written: u64,
    media: Option<Media>,
    speaking: bool,
    /// When the first audio came without a SPEAKING before it.
    unannounced: Option<Instant>,
    muted: bool,
    deaf: bool,
}

/// Result of SELECT PROTOCOL.
struct Media {
    mode: Mode,
    address: SocketAddr,
    cipher: Cipher,
}

/// Message with its number in the session, from 1.
#[derive(Clone)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    pub(crate) message: Arc<Message>,
}

/// Message to a client.
pub(crate) enum Message {
    /// A text frame.
    Json {
        op: u8,
        data: Value,
        /// The data without keys.
        recorded: Data,
    },
    /// A binary frame.
    Binary { op: u8, payload: Vec<u8> },
}

/// Next messages of a connection that has written up to some number.
pub(crate) enum Next {
    /// These messages, in order; empty if there is nothing new.
    Messages(Vec<Numbered>),
    /// Another connection has taken over.
    Replaced,
    /// The session has ended.
    Ended(Close),
}

/// Result for a packet that came.
pub(crate) enum Opened {
    /// Its body.
    Body(Vec<u8>),
    /// It was not sealed for this session.
    Sealed,
    /// The user may not be heard.
    Muted,
    /// There was no SPEAKING for longer than allowed.
    Unannounced,
}

/// Arguments for a new session.
pub(crate) struct SessionInit {
    pub(crate) guild: Snowflake,
    pub(crate) channel: Snowflake,
    pub(crate) user: Snowflake,
    pub(crate) session_id: String,
    pub(crate) token: String,
    pub(crate) ssrc: u32,
    pub(crate) max_dave: u16,
    pub(crate) call: Arc<Call>,
    pub(crate) receiver: Arc<Mutex<Receiver>>,
    pub(crate) muted: bool,
    pub(crate) deaf: bool,
}

impl Session {
    pub(crate) fn new(init: SessionInit) -> Self {
        let SessionInit {
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
        } = init;
        let state = Mutex::new(State { muted, deaf, ..State::default() });
        let changed = Notify::new();
        Self { guild, channel, user, session_id, token, ssrc, max_dave, call, receiver, changed, state }
    }

    /// Appends a message; at most `keep` are kept.
    pub(crate) fn push(&self, message: Message, keep: usize) {
        let mut state = self.state.lock();
        if state.ended.is_some() {
            return;
        }
        state.newest += 1;
        let number = state.newest;
        state.messages.push_back(Numbered { number, message: Arc::new(message) });
        while state.messages.len() > keep.max(1) && state.written >= state.messages[0].number {
            state.messages.pop_front();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Returns the messages after number `written` for a connection.
    pub(crate) fn after(&self, written: u64, conn: u64) -> Next {
        let mut state = self.state.lock();
        if let Some(close) = &state.ended {
            return Next::Ended(close.clone());
        }
        if state.conn != Some(conn) {
            return Next::Replaced;
        }
        let start = state.messages.partition_point(|numbered| numbered.number <= written);
        let messages: Vec<_> = state.messages.range(start..).cloned().collect();
        state.written = state.newest;
        Next::Messages(messages)
    }

    /// Attaches a connection and returns the one that it replaces.
    pub(crate) fn attach(&self, conn: u64) -> Option<u64> {
        let mut state = self.state.lock();
        state.attachments += 1;
        state.conn.replace(conn)
    }

    /// Returns the number from which a resuming connection continues; `None` if messages after `seq_ack` are gone.
    ///
    /// Clients of versions below 8 name no number and continue after what was last written; -1 means none.
    pub(crate) fn resume_at(&self, seq_ack: Option<i64>, buffered: bool) -> Option<u64> {
        let state = self.state.lock();
        if !buffered {
            return Some(state.written);
        }
        let seen = match seq_ack.filter(|ack| *ack >= 0) {
            None => 0,
            Some(ack) => {
                let ack = u16::try_from(ack).ok()?;
                let behind = wire(state.newest).wrapping_sub(ack);
                state.newest.checked_sub(u64::from(behind))?
            }
        };
        let oldest = state.messages.front().map_or(state.newest + 1, |numbered| numbered.number);
        (seen + 1 >= oldest).then_some(seen)
    }

    /// Detaches the connection if it is still this one; returns which attachment it was, for [`Self::is_waiting`].
    pub(crate) fn detach(&self, conn: u64) -> Option<u64> {
        let mut state = self.state.lock();
        (state.conn == Some(conn)).then(|| {
            state.conn = None;
            state.attachments
        })
    }

    /// Returns whether there has been no other connection since this attachment.
    pub(crate) fn is_waiting(&self, attachment: u64) -> bool {
        let state = self.state.lock();
        state.conn.is_none() && state.attachments == attachment
    }

    /// Returns the number of the newest message.
    pub(crate) fn newest(&self) -> u64 {
        self.state.lock().newest
    }

    /// Returns the number of the connection that serves it.
    pub fn conn(&self) -> Option<u64> {
        self.state.lock().conn
    }

    /// Ends the session; its connection closes with this code.
    pub(crate) fn end(&self, close: Close) {
        let mut state = self.state.lock();
        state.ended.get_or_insert(close);
        state.messages.clear();
        drop(state);
        self.changed.notify_one();
    }

    /// Sets where packets are sent and how they are sealed.
    pub(crate) fn select(&self, mode: Mode, address: SocketAddr, key: &[u8; KEY]) {
        self.state.lock().media = Some(Media { mode, address, cipher: Cipher::new(mode, key) });
    }

    /// Returns the transport encryption in use.
    pub fn mode(&self) -> Option<Mode> {
        self.state.lock().media.as_ref().map(|media| media.mode)
    }

    /// Records that the client has sent a SPEAKING, with any flags.
    pub(crate) fn announce(&self) {
        self.state.lock().speaking = true;
    }

    /// Sets whether the user is muted and deaf.
    pub(crate) fn silence(&self, muted: bool, deaf: bool) {
        let mut state = self.state.lock();
        (state.muted, state.deaf) = (muted, deaf);
    }

    /// Opens a packet of this session's client; also returns whether a SPEAKING came before.
    pub(crate) fn open(
        &self,
        clear: &[u8],
        sealed: &[u8],
        at: Instant,
        grace: std::time::Duration,
    ) -> (Opened, bool) {
        let mut state = self.state.lock();
        let body = state.media.as_ref().and_then(|media| media.cipher.open(clear, sealed));
        let speaking = state.speaking;
        let Some(body) = body else { return (Opened::Sealed, speaking) };
        if !speaking && at.saturating_duration_since(*state.unannounced.get_or_insert(at)) > grace {
            return (Opened::Unannounced, false);
        }
        (if state.muted { Opened::Muted } else { Opened::Body(body) }, speaking)
    }

    /// Seals a packet for this session's client; returns `None` before SELECT PROTOCOL or while the user is deaf.
    pub(crate) fn seal(&self, clear: &[u8], body: &[u8]) -> Option<(Vec<u8>, SocketAddr)> {
        let mut state = self.state.lock();
        if state.deaf {
            return None;
        }
        let media = state.media.as_mut()?;
        Some((media.cipher.seal(clear, body)?, media.address))
    }
}

/// Returns the sequence number of a message on the wire, which has 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "numbers wrap around on the wire")]
pub(crate) fn wire(number: u64) -> u16 {
    number as u16
}
