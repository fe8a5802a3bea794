//! Why a player did not do what it was asked, in words for the person who asked.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::text::{self, Surface, foreign};

/// Why a player did not do what it was asked; the text is one sentence for that person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VoiceError {
    /// The bot is in no voice channel of the guild.
    NotConnected,
    /// Nothing is on.
    NothingPlaying,
    /// The track that was meant is over.
    TrackOver,
    /// Nothing waits in the queue.
    QueueEmpty,
    /// Nothing was played before.
    NoHistory,
    /// The queue holds as many tracks as it may.
    QueueFull {
        /// Most tracks that may wait.
        max: usize,
    },
    /// Whoever asks has as many tracks in the queue as one person may.
    ShareFull {
        /// Most tracks of one person that may wait.
        max: usize,
    },
    /// No track has that number.
    BadPosition {
        /// The number that was given, from 1.
        position: usize,
        /// How many tracks wait.
        len: usize,
    },
    /// The time is past the track's end.
    PastEnd {
        /// The track's length.
        duration: Duration,
    },
    /// The track is live, or its source cannot go to another position.
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
    /// A command that came later took this one's place.
    Superseded,
    /// The bot did not get to it in time.
    Busy,
    /// The bot is about to end, or its player for the guild has ended and is made anew at the next use.
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
            // A file or a server may have a word in it.
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
