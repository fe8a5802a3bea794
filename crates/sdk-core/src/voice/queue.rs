//! The order of tracks, as commands change it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Most tracks that may wait in a guild.
pub const MAX_UPCOMING: usize = 500;
/// Most of these that one person may have put there, where others may want some too.
pub const MAX_SHARE: usize = MAX_UPCOMING / 2;
/// Tracks that are remembered after they were played.
pub const MAX_HISTORY: usize = 50;

/// What repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Nothing.
    #[default]
    Off,
    /// The current track, until it is skipped.
    Track,
    /// All tracks: what is over goes to the end.
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

/// Where new tracks go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// Before everything, and the first of them is played at once.
    Now,
    /// After the current track.
    Next,
    /// After all others.
    #[default]
    End,
}

/// Where new tracks went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// Number of the first of them in the queue, from 1; 0 when it is played at once.
    pub position: usize,
    /// How many were taken.
    pub added: usize,
    /// How many were not, because the queue is full.
    pub left_out: usize,
    /// How many were not, because whoever asked for them has as many there as one person may.
    pub over_share: usize,
    /// Time until the first of them is played; `None` when a length before it is not known.
    pub eta: Option<Duration>,
}
