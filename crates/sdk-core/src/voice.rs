//! Voice: one player for each guild, in the host, so that a song plays on while the commands that steer it reload.
//!
//! # Theory of operation
//!
//! [`Voice`] makes one task for each guild on first use and hands out [`Player`]s, which are its mailbox. The task alone
//! owns songbird's driver for the guild, the [`Queue`] and what is on the deck, so no lock is held while anything is
//! waited for. It waits for nothing itself either: Discord's answers, the driver's events and opened sources come to it as
//! messages, each with a deadline.
//!
//! A track is opened, probed and sought to its position outside the mixer, in a task with a time limit; only what is ready
//! to play reaches songbird. So what cannot be opened is told in a sentence instead of being silence, a seek that fails
//! leaves the music playing, and the next track follows the last one without a gap. songbird is asked for nothing: the
//! position comes from an event of its own, so none of its calls that may hang is made.
//!
//! The way to Discord is kept apart: [`signal`] gathers what Discord sends into what the driver connects with, and
//! [`rejoin`] is a table of what a closed connection means. Nothing of a plugin is stored in songbird: its handlers are
//! this module's own, and plugins hear [`VoiceEvent`]s.

mod clock;
mod deck;
mod drivers;
pub mod error;
pub mod event;
mod floor;
mod gateway;
mod kept;
mod link;
#[cfg(test)]
mod loopback;
pub mod lyrics;
mod note;
mod open;
mod pace;
pub mod player;
pub mod queue;
#[cfg(test)]
mod quiet;
pub mod rejoin;
mod seat;
pub mod service;
pub mod settings;
mod shards;
pub mod signal;
pub mod source;
pub mod status;
mod task;
pub mod track;

pub use error::VoiceError;
pub use event::{EndReason, VoiceEvent, VoiceEventKind};
pub use kept::{Kept, KeptPlayer};
pub use lyrics::{Lyrics, LyricsClient, LyricsError};
pub use pace::FrameCounts;
pub use player::{Player, Seek, Updates};
pub use queue::{At, Enqueued, Loop, Queue};
pub use service::Voice;
pub use settings::{GuildSettings, WhenAlone};
pub use source::Sources;
pub use status::{ConnectionState, Current, PlayerStatus};
pub use track::{Playable, Requester, SourceKind, Track};
