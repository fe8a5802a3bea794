//! The sources of audio: the library, attachments, files and streams on the web, and pages through yt-dlp.
//!
//! # Theory of operation
//!
//! A command passes a user's query to [`Sources::resolve`], which returns tracks: data that survives a reload and a
//! restart. The player passes a track's [`Playable`] to [`Sources::open_track`], which connects, checks and reads
//! ahead, and returns the input for songbird; see `media`. Any time may pass between the two, so the second trusts no
//! result of the first: every address is checked again (`guard`), and every file opened again, without following links
//! (`library`). The exception is a track that is played at once: the connection that was used to inspect an address is
//! kept for a short time, with the bytes read so far, and played (`looked`). So an address that works only once can be
//! played, and a station counts one listener.
//!
//! All limits are in [`Bounds`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Url;
use sdk_core::voice::source::{Caller, LibraryTrack, Limits, Query, Resolved, SourceError, SourceStatus};
use sdk_core::voice::{self, Playable, Track};

mod admission;
mod bounds;
mod deadline;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod guard;
mod icy;
mod library;
mod looked;
mod media;
mod playlist;
mod remote;
mod resolve;
#[cfg(test)]
mod tests;
mod web;
mod ytdlp;

pub use admission::Permit;
pub use bounds::Bounds;
pub use guard::{Guard, HostList, Interfaces, Network, is_public};
pub use library::Library;
pub use media::{Opened, TrackUpdate};

use admission::Admission;
use deadline::Deadline;
use looked::Looked;
use remote::{HttpOrigin, Remote};
use resolve::Content;
use web::Web;
use ytdlp::{Spool, YtDlp};

/// The configuration of sources.
#[derive(Clone, Debug, Default)]
pub struct SourceConfig {
    /// Folder of the library.
    pub music: Option<PathBuf>,
    /// The yt-dlp to use; unset, the first in the `PATH`.
    pub yt_dlp: Option<PathBuf>,
    /// Hosts that may be fetched though they are not public.
    pub allow: HostList,
    /// Hosts that are never fetched, even if they are public or allowed.
    pub deny: HostList,
    /// This machine's networks, in which no host is fetched unless it is allowed.
    pub interfaces: Interfaces,
    /// Limits.
    pub bounds: Bounds,
}

/// All sources. Cheap to clone. The default has no library and no yt-dlp.
#[derive(Clone, Default)]
pub struct Sources(Arc<Inner>);

#[derive(Default)]
struct Inner {
    web: Web,
    library: Library,
    yt_dlp: YtDlp,
    looked: Looked,
    admission: Admission,
}

impl Sources {
    /// Creates sources, begins to index the library, and looks for yt-dlp.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(config: SourceConfig) -> Self {
        let bounds = Arc::new(config.bounds);
        let guard = Guard::new(config.allow, bounds.address).denying(config.deny);
        let guard = guard.apart_from(config.interfaces);
        Self(Arc::new(Inner {
            library: Library::open(config.music, &bounds),
            yt_dlp: YtDlp::find(config.yt_dlp, guard.clone(), bounds.clone()),
            looked: Looked::default(),
            admission: Admission::default(),
            web: Web::new(guard, bounds),
        }))
    }

    /// Returns the library.
    pub fn library(&self) -> &Library {
        &self.0.library
    }

    /// Returns the status of the library and of yt-dlp.
    pub fn status(&self) -> SourceStatus {
        SourceStatus { library: self.0.library.status(), yt_dlp: self.0.yt_dlp.status() }
    }

    /// Finds the tracks for a caller's query, in a bounded time, unless too many requests are in progress.
    ///
    /// # Errors
    /// One sentence for the user who asks.
    pub fn resolve(
        &self,
        query: Query,
        limits: Limits,
        caller: Caller,
    ) -> BoxFuture<'static, Result<Resolved, SourceError>> {
        let sources = self.clone();
        Box::pin(async move {
            let _permit = sources.admit(caller)?;
            resolve::resolve(&sources, query, limits).await
        })
    }

    /// Counts a caller's request to any server, until the permit is dropped.
    ///
    /// # Errors
    /// One sentence for the user who asks, if too many requests of theirs, of their Discord server's or of all are in
    /// progress.
    pub fn admit(&self, caller: Caller) -> Result<Permit, SourceError> {
        self.0.admission.admit(caller, self.bounds())
    }

    /// Finds up to `most` tracks by words: the library's, or if it has no good match, those that yt-dlp finds.
    ///
    /// # Errors
    /// One sentence for the user who asks.
    pub fn search(&self, text: &str, most: usize) -> BoxFuture<'static, Result<Vec<Track>, SourceError>> {
        let (sources, text) = (self.clone(), text.to_owned());
        Box::pin(async move { resolve::search(&sources, &text, most).await })
    }

    /// Opens a track's audio from its beginning, through the connection that was just used to inspect it if there is
    /// one.
    ///
    /// # Errors
    /// One sentence for the user who asked for it.
    pub async fn begin_track(&self, playable: &Playable) -> Result<Opened, SourceError> {
        match self.0.looked.take(playable) {
            Some(opened) => Ok(opened),
            None => self.open_track(playable).await,
        }
    }

    /// Opens a track's audio again. The result is checked, and can be played at once.
    ///
    /// # Errors
    /// One sentence for the user who asked for it.
    pub async fn open_track(&self, playable: &Playable) -> Result<Opened, SourceError> {
        match playable {
            Playable::Library { path } => {
                let (events, receiver) = media::track_events();
                media::open(self.0.library.origin(path), events, receiver, self.bounds().clone()).await
            }
            Playable::Http { url } | Playable::Attachment { url, .. } => {
                let url = self.0.web.guard().parse(url)?;
                self.open_url(url).await
            }
            Playable::YtDlp { url } => self.open_page(&self.0.web.guard().parse(url)?).await,
        }
    }

    /// Opens a file or stream, or the first entry of a playlist.
    async fn open_url(&self, mut url: Url) -> Result<Opened, SourceError> {
        let deadline = Deadline::after(self.bounds().open);
        for _ in 0..self.bounds().nesting {
            match resolve::ask(self, &url, deadline).await? {
                Content::Sound(remote, answer) => {
                    let port = answer.port.clone();
                    let opened = deadline.keep(self.play(remote, *answer)).await;
                    return opened.map_err(|error| port.explain(error));
                }
                Content::Playlist(playlist) => {
                    let first = playlist.entries.into_iter().next().ok_or(SourceError::EmptyPlaylist)?;
                    url = first.url;
                }
                Content::Page(page, port) => {
                    return self.open_page(&page).await.map_err(|error| port.explain(error));
                }
            }
        }
        Err(SourceError::EmptyPlaylist)
    }

    /// Opens the media that yt-dlp finds on a page.
    async fn open_page(&self, page: &Url) -> Result<Opened, SourceError> {
        // It is being fetched already, for an earlier position.
        if let Some(spool) = self.0.yt_dlp.spooled(page) {
            return self.play_spool(spool).await;
        }
        let remote = self.0.yt_dlp.media(page).await?;
        let (remote, answer) = match self.get(&remote).await {
            // Such addresses are valid only for a while.
            Err(failed) if matches!(failed.error, SourceError::Status(_)) => {
                let remote = self.ask_again(page).await?;
                match self.get(&remote).await {
                    Err(failed) if matches!(failed.error, SourceError::Status(_)) => {
                        return self.play_spool(self.0.yt_dlp.spool(page, &remote).await?).await;
                    }
                    answer => (remote, answer?),
                }
            }
            answer => (remote, answer?),
        };
        let (events, receiver) = media::track_events();
        let renew = Renew { sources: self.clone(), page: page.clone() };
        let port = answer.port.clone();
        let origin = HttpOrigin::new(remote, self.0.web.clone(), answer, events.clone())?.renewed_by(renew);
        let opened = media::open(origin, events, receiver, self.bounds().clone()).await;
        opened.map_err(|error| port.explain(error))
    }

    /// Requests the beginning of the media that yt-dlp has found.
    async fn get(&self, remote: &Remote) -> Result<web::Response, web::Failed> {
        remote.get(&self.0.web, 0, Deadline::after(self.bounds().open)).await
    }

    async fn play_spool(&self, spool: Arc<Spool>) -> Result<Opened, SourceError> {
        let (events, receiver) = media::track_events();
        let origin = HttpOrigin::spooled(spool, self.0.web.clone(), events.clone());
        media::open(origin, events, receiver, self.bounds().clone()).await
    }

    /// Asks yt-dlp again for the address of a page's audio.
    async fn ask_again(&self, page: &Url) -> Result<Remote, SourceError> {
        self.0.yt_dlp.forget(page.as_str());
        self.0.yt_dlp.media(page).await
    }

    /// Returns the longest time that [`open_track`](Self::open_track) takes.
    pub fn within(&self, playable: &Playable) -> Duration {
        let bounds = self.bounds();
        let page = match playable {
            Playable::YtDlp { .. } => bounds.answer + bounds.find,
            // An address in a playlist may turn out to be a page.
            Playable::Http { .. } if self.0.yt_dlp.is_found() => bounds.answer + bounds.find,
            _ => Duration::ZERO,
        };
        page + bounds.open + Duration::from_secs(2)
    }

    async fn play(&self, remote: Remote, answer: web::Response) -> Result<Opened, SourceError> {
        let (events, receiver) = media::track_events();
        let origin = HttpOrigin::new(remote, self.0.web.clone(), answer, events.clone())?;
        media::open(origin, events, receiver, self.bounds().clone()).await
    }

    /// Chooses the next track from the library: one that is not in `recent`, whose latest is last, or else the one that
    /// was played the longest time ago.
    pub fn suggest(&self, recent: &[Arc<Track>]) -> Option<Track> {
        let played = recent.iter().enumerate().filter_map(|(at, track)| match &track.playable {
            Playable::Library { path } => Some((path.as_str(), at)),
            _ => None,
        });
        self.0.library.least_recent(&played.collect()).map(|track| track.track())
    }

    fn bounds(&self) -> &Arc<Bounds> {
        self.0.web.bounds()
    }
}

/// The page of an address, for when the address expires.
#[derive(Clone)]
struct Renew {
    sources: Sources,
    page: Url,
}

impl Renew {
    /// Finds another address.
    async fn again(&self) -> Result<Remote, SourceError> {
        self.sources.ask_again(&self.page).await
    }

    /// Fetches it with yt-dlp, because its server refuses other clients.
    async fn spool(&self, remote: &Remote) -> Result<Arc<Spool>, SourceError> {
        self.sources.0.yt_dlp.spool(&self.page, remote).await
    }
}

// Each function calls the inherent one of the same name, which the compiler prefers.
impl voice::Sources for Sources {
    fn status(&self) -> SourceStatus {
        self.status()
    }

    fn resolve(
        &self,
        query: Query,
        limits: Limits,
        caller: Caller,
    ) -> BoxFuture<'static, Result<Resolved, SourceError>> {
        self.resolve(query, limits, caller)
    }

    fn admit(&self, caller: Caller) -> Result<voice::source::Permit, SourceError> {
        self.admit(caller).map(voice::source::Permit::new)
    }

    fn search(&self, text: &str, most: usize) -> BoxFuture<'static, Result<Vec<Track>, SourceError>> {
        self.search(text, most)
    }

    fn find_in_library(&self, text: &str, most: usize) -> BoxFuture<'static, Vec<Arc<LibraryTrack>>> {
        self.library().find(text, most)
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sources").field(&self.status()).finish()
    }
}
