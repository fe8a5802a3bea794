//! The player's engine: one player for each guild, in the host, so that a song plays on while the commands that steer it reload.
//!
//! What plugins and the kernel see of it is [`sdk_core::voice`]; [`Engine`] implements it and is handed to the host. No plugin
//! links this crate, so an edit of it is a new host and rebuilds no plugin.
//!
//! # Theory of operation
//!
//! [`Engine`] makes one task for each guild on first use and hands out [`Player`](sdk_core::voice::Player)s, which are its
//! mailbox. The task alone owns songbird's driver for the guild, the queue and the playback, so no lock is held while
//! anything is waited for. It waits for nothing itself either: Discord's answers, the driver's events and opened sources come
//! to it as messages, each with a deadline.
//!
//! A track is opened, probed and sought to its position outside the mixer, in a task with a time limit; only what is ready
//! to play reaches songbird. So what cannot be opened is told in a sentence instead of being silence, a seek that fails
//! leaves the music playing, and the next track follows the last one without a gap. songbird is asked for nothing: the
//! position comes from an event of its own, so none of its calls that may hang is made.
//!
//! The way to Discord is kept apart: `connection_info` gathers what Discord sends into what the driver connects with, and
//! `rejoin` is a table of what a closed connection means. Nothing of a plugin is stored in songbird: its handlers are
//! this crate's own, and plugins hear [`VoiceEvent`](sdk_core::voice::VoiceEvent)s.

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
