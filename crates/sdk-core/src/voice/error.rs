//! Errors of a player, as text for the user who sent the command.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::text::{self, Surface, foreign};

/// Why a command to a player failed. The text is one sentence for the user who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VoiceError {
    /// The bot is in no voice channel of the guild.
    NotConnected,
    /// There is no current track.
    NothingPlaying,
    /// The track of the command has ended.
    TrackOver,
    /// No track waits in the queue.
    QueueEmpty,
    /// Nothing was played before.
    NoHistory,
    /// The queue is full.
    QueueFull {
        /// Most tracks that may wait.
        max: usize,
    },
    /// The user has as many tracks in the queue as one user may.
    ShareFull {
        /// Most waiting tracks of one user.
        max: usize,
    },
    /// No track has that number.
    BadPosition {
        /// The number, from 1.
        position: usize,
        /// Number of waiting tracks.
        len: usize,
    },
    /// The time is past the track's end.
    PastEnd {
        /// The track's length.
        duration: Duration,
    },
    /// The track is live, or its source does not support seeking.
    CannotSeek(String),
    /// The volume is above what the guild allows.
    TooLoud {
        /// Loudest volume, in per cent.
        max: u16,
    },
    /// It is paused already.
    AlreadyPaused,
    /// It is not paused.
    NotPaused,
    /// The voice channel could not be joined.
    JoinFailed(String),
    /// A later command replaced this one.
    Superseded,
    /// The bot did not handle it in time.
    Busy,
    /// The bot is about to end, or its player for the guild has ended and is created again at the next use.
    Closing,
}

impl fmt::Display for VoiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected => {
                f.write_str("I am not in a voice channel here; join one and use /play or /join.")
            }
            Self::NothingPlaying => f.write_str("Nothing is playing right now."),
            Self::TrackOver => f.write_str("That track is over; /nowplaying shows what is on."),
            Self::QueueEmpty => f.write_str("Nothing waits in the queue."),
            Self::NoHistory => f.write_str("Nothing was played before this."),
            Self::QueueFull { max } => {
                write!(f, "The queue is full: at most {max} tracks can wait.")
            }
            Self::ShareFull { max } => write!(
                f,
                "You have {max} tracks in the queue, which is the most for one person; /remove takes yours out."
            ),
            Self::BadPosition { position, len: 0 } => {
                write!(f, "There is no number {position}: nothing waits in the queue.")
            }
            Self::BadPosition { position, len } => {
                write!(f, "There is no number {position} in the queue; it goes from 1 to {len}.")
            }
            Self::PastEnd { duration } => {
                write!(f, "That is past the end: the track is {} long.", text::clock(*duration))
            }
            // The text may come from a file or a server.
            Self::CannotSeek(why) => {
                let why = foreign(&text::clause(why), Surface::Line, 300);
                write!(f, "This track cannot be sought: {why}.")
            }
            Self::TooLoud { max } => write!(f, "The volume goes from 0 to {max} % here."),
            Self::AlreadyPaused => f.write_str("It is paused already."),
            Self::NotPaused => f.write_str("It is not paused."),
            Self::JoinFailed(why) => write!(f, "I could not join the voice channel: {why}."),
            Self::Superseded => f.write_str("Another command came in between; please look and try again."),
            Self::Busy => f.write_str("The player did not answer in time; please try again."),
            Self::Closing => f.write_str("The player is starting anew; please try again in a moment."),
        }
    }
}

impl Error for VoiceError {}
