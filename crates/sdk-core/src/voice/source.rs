//! Sources of audio, as plugins use them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serenity::all::{GuildId, UserId};

use super::track::{Playable, Track};
use crate::text;

mod error;
mod status;

pub use error::SourceError;
pub use status::{JsRuntime, LibraryStatus, SourceStatus, YtDlpStatus};

/// Most characters of the name of a choice on Discord.
const CHOICE: usize = 100;
/// Prefix of the value of a choice from the library.
const LIBRARY: &str = "library:";

/// The library, attachments, files and streams on the web, and pages through yt-dlp.
pub trait Sources: Send + Sync {
    /// Returns the status of the library and of yt-dlp.
    fn status(&self) -> SourceStatus;

    /// Finds the tracks for a caller's query, in a bounded time, unless too many requests are in progress.
    ///
    /// # Errors
    /// One sentence for the user who asks.
    fn resolve(
        &self,
        query: Query,
        limits: Limits,
        caller: Caller,
    ) -> BoxFuture<'static, Result<Resolved, SourceError>>;

    /// Counts a caller's request to any server, until the permit is dropped.
    ///
    /// # Errors
    /// One sentence for the user who asks, if too many requests of theirs, of their Discord server's or of all are in
    /// progress.
    fn admit(&self, caller: Caller) -> Result<Permit, SourceError>;

    /// Finds up to `most` tracks by words: the library's, or if it has no good match, those that yt-dlp finds.
    ///
    /// # Errors
    /// One sentence for the user who asks.
    fn search(&self, text: &str, most: usize) -> BoxFuture<'static, Result<Vec<Track>, SourceError>>;

    /// Finds up to `most` tracks of the library that match `text`, the best first. An empty text matches all.
    fn find_in_library(&self, text: &str, most: usize) -> BoxFuture<'static, Vec<Arc<LibraryTrack>>>;
}

/// Sources of a host that has no player.
pub(super) struct NoSources;

impl Sources for NoSources {
    fn status(&self) -> SourceStatus {
        SourceStatus::default()
    }

    fn resolve(&self, _: Query, _: Limits, _: Caller) -> BoxFuture<'static, Result<Resolved, SourceError>> {
        Box::pin(async { Err(SourceError::NothingFound) })
    }

    fn admit(&self, _: Caller) -> Result<Permit, SourceError> {
        Ok(Permit::new(()))
    }

    fn search(&self, _: &str, _: usize) -> BoxFuture<'static, Result<Vec<Track>, SourceError>> {
        Box::pin(async { Err(SourceError::NothingFound) })
    }

    fn find_in_library(&self, _: &str, _: usize) -> BoxFuture<'static, Vec<Arc<LibraryTrack>>> {
        Box::pin(async { Vec::new() })
    }
}

/// The user and the Discord server of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Discord server in which the user asks.
    pub guild: GuildId,
    /// The user.
    pub user: UserId,
}

/// A request in progress. Dropping it makes room for another one.
#[must_use]
pub struct Permit {
    _count: Box<dyn Send + Sync>,
}

impl Permit {
    /// Creates a permit that ends when `count` is dropped.
    pub fn new(count: impl Send + Sync + 'static) -> Self {
        Self { _count: Box::new(count) }
    }
}

/// Limits of a query, from a guild's settings.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most tracks of one query.
    pub tracks: usize,
    /// Longest track. Live streams have no length, so this does not apply to them.
    pub duration: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tracks: 100, duration: None }
    }
}

/// A user's query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// An address.
    Url(String),
    /// Words to search for.
    Search(String),
    /// An attached file.
    Attachment {
        /// Its address at Discord.
        url: String,
        /// Its name.
        name: String,
    },
    /// The id of a track of the library.
    Library(String),
}

impl Query {
    /// Reads a text option: an address, the value of a choice from the library, or words.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim();
        if let Some(id) = text.strip_prefix(LIBRARY) {
            return Self::Library(id.to_owned());
        }
        // A text with a scheme is meant as an address, even if the scheme is not supported.
        let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty()
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        });
        if has_scheme { Self::Url(text.to_owned()) } else { Self::Search(text.to_owned()) }
    }

    /// Returns the value of a choice for a track of the library, which [`from_text`](Self::from_text) reads.
    pub fn choice(id: &str) -> String {
        format!("{LIBRARY}{id}")
    }
}

/// Tracks that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The tracks, at least one.
    pub tracks: Vec<Track>,
    /// Title of the playlist that contains them.
    pub playlist: Option<String>,
    /// Number of entries that were left out because they cannot be played.
    pub skipped: usize,
    /// Number of entries that were left out because they are too long.
    pub too_long: usize,
    /// Number of entries that were left out because there are more than may be added at once.
    pub more: usize,
    /// Whether it is HE-AAC, of which only the lower half of the spectrum is played.
    pub is_core_only: bool,
}

/// A track of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryTrack {
    /// Id for a choice's value: the same for the same path, 13 characters.
    pub id: String,
    /// Path below the library's folder, with `/` between its parts.
    pub path: String,
    /// Title, or the file's name if it has none.
    pub title: String,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Length.
    pub duration: Option<Duration>,
}

impl LibraryTrack {
    /// Returns artist and title in one line, cut to the length of a choice's name.
    pub fn label(&self) -> String {
        let label = match &self.artist {
            Some(artist) => format!("{artist}: {}", self.title),
            None => self.title.clone(),
        };
        text::cut(label, CHOICE)
    }

    /// Returns it as a track to play.
    pub fn track(&self) -> Track {
        Track {
            artist: self.artist.clone(),
            duration: self.duration,
            ..Track::new(&self.title, Playable::Library { path: self.path.clone() })
        }
    }
}
