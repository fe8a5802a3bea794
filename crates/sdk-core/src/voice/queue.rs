//! The order of tracks, as commands change it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Most waiting tracks of a guild.
pub const MAX_UPCOMING: usize = 500;
/// Most waiting tracks of one user, if others may want to add some too.
pub const MAX_SHARE: usize = MAX_UPCOMING / 2;
/// Number of played tracks that are kept.
pub const MAX_HISTORY: usize = 50;

/// Repeat mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// No repeat.
    #[default]
    Off,
    /// The current track, until it is skipped.
    Track,
    /// All tracks: one that has ended goes to the end.
    Queue,
}

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Track => "track",
            Self::Queue => "queue",
        })
    }
}

/// Position for new tracks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// Before all others, and the first of them is played at once.
    Now,
    /// After the current track.
    Next,
    /// After all others.
    #[default]
    End,
}

/// The result of adding tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// Number of the first of them in the queue, from 1; 0 if it is played at once.
    pub position: usize,
    /// Number of tracks that were added.
    pub added: usize,
    /// Number of tracks that were not added because the queue is full.
    pub left_out: usize,
    /// Number of tracks that were not added because their requester has as many waiting as one user may.
    pub over_share: usize,
    /// Time until the first of them is played; `None` if a length before it is not known.
    pub eta: Option<Duration>,
}
