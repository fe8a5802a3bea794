//! Voice for plugins and the kernel: one player for each guild, which continues to play while the commands that control
//! it reload.
//!
//! # Theory of operation
//!
//! The engine is not here: it is the crate `player`, which only the host links, so that a plugin neither compiles nor
//! waits for it. It implements [`Players`] and is handed to the host by
//! [`HostBuilder::player`](crate::host::HostBuilder::player). Plugins reach it through [`Voice`].
//!
//! A [`Player`] sends to the mailbox of a guild's task: each call sends a [`Command`](player::Command) with the channel
//! for its answer, and waits a bounded time. Changes of players are published as [`VoiceEvent`]s.
//!
//! Without an engine, as in tests, nothing plays: the saved state stays as it is.

pub mod error;
pub mod event;
pub mod lyrics;
pub mod player;
pub mod players;
pub mod queue;
pub mod saved;
pub mod service;
pub mod settings;
pub mod source;
pub mod status;
pub mod track;

pub use error::VoiceError;
pub use event::{EndReason, VoiceEvent, VoiceEventKind};
pub use lyrics::{Lyrics, LyricsClient, LyricsError, LyricsSetupError};
pub use player::{Player, Seek, Updates};
pub use players::Players;
pub use queue::{At, Enqueued, Loop};
pub use saved::{SavedPlayer, SavedQueue, SavedVoice};
pub use service::Voice;
pub use settings::{GuildSettings, WhenAlone};
pub use source::Sources;
pub use status::{ConnectionState, Current, FrameCounts, PlayerStatus};
pub use track::{Playable, Requester, SourceKind, Track};
