//! Where audio comes from, as plugins ask for it.

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

/// Most characters of a choice's name at Discord.
const CHOICE: usize = 100;
/// What the value of a choice of the library begins with.
const LIBRARY: &str = "library:";

/// The library, attachments, files and streams on the web, and what yt-dlp finds.
pub trait Sources: Send + Sync {
    /// Returns what there is to play from.
    fn status(&self) -> SourceStatus;

    /// Finds the tracks that a caller asks for, in a bounded time, as long as not too many requests are under way.
    ///
    /// # Errors
    /// One sentence for the person who asks.
    fn resolve(
        &self,
        query: Query,
        limits: Limits,
        caller: Caller,
    ) -> BoxFuture<'static, Result<Resolved, SourceError>>;

    /// Counts a request of a caller's to any server, until the permit is dropped.
    ///
    /// # Errors
    /// One sentence for the person who asks, when too many requests of theirs, of their Discord server's or of all are under way.
    fn admit(&self, caller: Caller) -> Result<Permit, SourceError>;

    /// Finds up to `most` tracks by words, those of the library first.
    ///
    /// # Errors
    /// One sentence for the person who asks.
    fn search(&self, text: &str, most: usize) -> BoxFuture<'static, Result<Vec<Track>, SourceError>>;

    /// Finds up to `most` tracks of the library that match `text`, the best first; all match an empty one.
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

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Discord server that the user asks in.
    pub guild: GuildId,
    /// The user.
    pub user: UserId,
}

/// A request that is under way; dropping it makes room for another one.
#[must_use]
pub struct Permit {
    _count: Box<dyn Send + Sync>,
}

impl Permit {
    /// Makes a permit that ends when `count` is dropped.
    pub fn new(count: impl Send + Sync + 'static) -> Self {
        Self { _count: Box::new(count) }
    }
}

/// What the person who asks may have, as a guild's settings say.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most tracks of one request.
    pub tracks: usize,
    /// Longest track; live streams have no length and are not measured by it.
    pub duration: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tracks: 100, duration: None }
    }
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// An address.
    Url(String),
    /// Words.
    Search(String),
    /// A file that was attached.
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
    /// Reads a text option: an address, the value of a choice of the library, or words.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim();
        if let Some(id) = text.strip_prefix(LIBRARY) {
            return Self::Library(id.to_owned());
        }
        // What has a scheme is meant as an address, also if it is of none that is played.
        let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty()
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        });
        if has_scheme { Self::Url(text.to_owned()) } else { Self::Search(text.to_owned()) }
    }

    /// Gives the value of a choice that names a track of the library, as [`from_text`](Self::from_text) reads it.
    pub fn choice(id: &str) -> String {
        format!("{LIBRARY}{id}")
    }
}

/// Tracks that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The tracks, at least one.
    pub tracks: Vec<Track>,
    /// Title of the playlist that they are of.
    pub playlist: Option<String>,
    /// Entries that were left out because they cannot be played.
    pub skipped: usize,
    /// Entries that were left out because they are longer than is allowed.
    pub too_long: usize,
    /// Entries that were left out because there are more than may be added at once.
    pub more: usize,
    /// It is HE-AAC, of which only the lower half of the spectrum is played.
    pub is_core_only: bool,
}

/// A track of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryTrack {
    /// Name for a choice's value: the same for the same path, 13 characters.
    pub id: String,
    /// Path below the library's folder, with `/` between its parts.
    pub path: String,
    /// Title, or the file's name where it has none.
    pub title: String,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
    /// Length.
    pub duration: Option<Duration>,
}

impl LibraryTrack {
    /// Gives artist and title in one line, as long as a choice's name may be.
    pub fn label(&self) -> String {
        let label = match &self.artist {
            Some(artist) => format!("{artist}: {}", self.title),
            None => self.title.clone(),
        };
        text::cut(label, CHOICE)
    }

    /// Gives it as something to play.
    pub fn track(&self) -> Track {
        Track {
            artist: self.artist.clone(),
            duration: self.duration,
            ..Track::new(&self.title, Playable::Library { path: self.path.clone() })
        }
    }
}
