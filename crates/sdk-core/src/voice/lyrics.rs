//! Lyrics from LRCLIB.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Default server of lyrics.
pub const LRCLIB: &str = "https://lrclib.net";

/// A client of a server of lyrics.
pub trait LyricsClient: Send + Sync {
    /// Finds the lyrics of a track in a bounded time. More information makes a match more reliable.
    ///
    /// # Errors
    /// One sentence for the user who asks.
    fn find(
        &self,
        title: &str,
        artist: Option<&str>,
        duration: Option<Duration>,
    ) -> BoxFuture<'static, Result<Lyrics, LyricsError>>;
}

/// The lyrics of a track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lyrics {
    /// Title on the server.
    pub title: String,
    /// Artist on the server.
    pub artist: String,
    /// The text; empty for an instrumental.
    pub plain: String,
    /// Lines, each with the time at which it is sung; empty if the times are not known.
    pub lines: Vec<(Duration, String)>,
    /// Whether the track has no vocals.
    pub is_instrumental: bool,
}

/// Why there is no client of a server of lyrics. The text is one sentence, about the variable `LRCLIB_URL` if that is
/// the reason.
#[derive(Debug)]
#[non_exhaustive]
pub enum LyricsSetupError {
    /// The host has no player.
    NoPlayer,
    /// `LRCLIB_URL` is no http(s) address.
    NoAddress,
    /// The HTTP client could not be created.
    Client(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for LyricsSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlayer => f.write_str("This bot has no player, and asks for no lyrics."),
            Self::NoAddress => f.write_str("LRCLIB_URL is no address; write it like 'https://lrclib.net'."),
            Self::Client(error) => write!(f, "LRCLIB_URL cannot be used ({error})."),
        }
    }
}

impl std::error::Error for LyricsSetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => Some(&**error),
            Self::NoPlayer | Self::NoAddress => None,
        }
    }
}

/// Why there are no lyrics. The text is one sentence for the user who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LyricsError {
    /// The server has none.
    NotFound,
    /// The server cannot be reached, or answers with a failure.
    Unavailable,
    /// The server does not answer in time.
    TimedOut,
}

impl fmt::Display for LyricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "No lyrics are known for that; try it with artist and title.",
            Self::Unavailable => "The lyrics server cannot be reached; try again later.",
            Self::TimedOut => "The lyrics server took too long; try again later.",
        })
    }
}

impl std::error::Error for LyricsError {}
