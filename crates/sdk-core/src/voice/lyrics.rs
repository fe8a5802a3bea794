//! Lyrics, as LRCLIB has them.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Where lyrics are asked for when nothing else is configured.
pub const LRCLIB: &str = "https://lrclib.net";

/// Asks a server for lyrics.
pub trait LyricsClient: Send + Sync {
    /// Finds the lyrics of a track in a bounded time; the more is known of it, the surer.
    ///
    /// # Errors
    /// One sentence for the person who asks.
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
    /// Title, as the server has it.
    pub title: String,
    /// Artist, as the server has it.
    pub artist: String,
    /// The words; empty for what is instrumental.
    pub plain: String,
    /// Lines with the time at which they are sung, where that is known.
    pub lines: Vec<(Duration, String)>,
    /// Whether there are no words in it.
    pub is_instrumental: bool,
}

/// Why there are no lyrics; the text is one sentence for the person who asked.
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
