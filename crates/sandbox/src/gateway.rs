//! Gateway v10: sessions, their websockets, and the hub that dispatches every event to the sessions that may see it.
//!
//! # Theory of operation
//!
//! A *session* is created by an IDENTIFY and continued by a RESUME; a *connection* is one websocket. A session owns a
//! bounded buffer of its numbered events. [`Hub::dispatch`] decides which sessions may see an event, serialises it once
//! per distinct shape, appends it to their buffers and returns: it never waits for a socket. The connection's own task
//! writes the session's events after the last number it has written. So a slow reader delays no other, and a replay
//! after RESUME is the same operation started at another number: every missed event, in order, once. A reader that
//! falls behind by more than the buffer holds is closed and cannot resume.
//!
//! No lock of the hub is held while the [`Backend`] is called, and the backend is never called inside `dispatch`, so a
//! backend may dispatch while it holds its own locks.

mod backend;
mod close;
mod connection;
pub(crate) mod content;
mod dispatch;
mod endpoint;
pub mod etf;
mod event;
mod hub;
mod info;
mod intents;
mod listings;
mod members;
mod options;
mod payload;
mod roster;
mod session;
mod starts;
mod transport;
mod viewer;

pub use self::backend::{Backend, BotProfile, MemberQuery, VoiceStateUpdate};
pub use self::dispatch::Dispatch;
pub use self::hub::{Command, Hub, Target};
pub use self::info::{SessionInfo, SessionStartLimit};
pub use self::intents::Intents;
pub use self::options::Options;
