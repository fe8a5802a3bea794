//! The player's engine: one player for each guild, in the host, so that a song continues while the commands that
//! control it reload.
//!
//! Plugins and the kernel use it through [`sdk_core::voice`]. [`Engine`] implements that interface and is handed to the
//! host. No plugin links this crate, so an edit of it is a new host and rebuilds no plugin.
//!
//! # Theory of operation
//!
//! [`Engine`] creates one task for each guild on first use and hands out [`Player`](sdk_core::voice::Player)s, which
//! send to its mailbox. The task alone owns songbird's driver for the guild, the queue and the playback, so no lock is
//! held across a wait. The task itself does not wait either: Discord's answers, the driver's events and opened sources
//! arrive as messages, each with a deadline.
//!
//! A track is opened, probed and sought to its position outside the mixer, in a task with a time limit. Only audio that
//! is ready to play reaches songbird. So a track that cannot be opened is reported in a sentence instead of being
//! silence, a failed seek leaves the music playing, and the next track follows the last one without a gap. songbird is
//! not asked for the position: it comes from an event, so none of its calls that may hang is made.
//!
//! The connection to Discord is kept apart: `connection_info` builds the driver's connection info from Discord's
//! events, and `rejoin` is a table of the meanings of a closed connection. Nothing of a plugin is stored in songbird:
//! its handlers are this crate's own, and plugins receive [`VoiceEvent`](sdk_core::voice::VoiceEvent)s.

mod answers;
mod clock;
mod connection;
mod connection_info;
mod drivers;
mod engine;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod leave_echo;
mod length;
#[cfg(test)]
mod loopback;
mod lyrics;
mod message;
mod open;
mod pace;
mod playback;
mod queue;
#[cfg(test)]
mod quiet;
mod rejoin;
mod saved;
mod shards;
pub mod source;
mod stage_speaker;
mod task;

pub use engine::Engine;
pub use source::Sources;
