//! The library: a folder of music, indexed in the background.
//!
//! # Theory of operation
//!
//! A thread of the library's own walks the folder, reads the tags of files that are new or have changed in size or
//! time, and replaces the old [`Index`] by a whole new one. Then it waits, for a while or until it is asked. A search
//! uses the index of that moment and waits for nothing.
//!
//! A track's path is relative, contains no `..`, and is opened one part after the other from the library's folder on,
//! without following a link ([`folder`]). So no path leaves the folder, whatever changes in it meanwhile.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use parking_lot::{Condvar, Mutex};
use rand::seq::IteratorRandom as _;
use sdk_core::voice::source::{LibraryStatus, LibraryTrack, SourceError};
use symphonia::core::io::MediaSource;
use tokio::sync::watch;

use super::Bounds;
use super::media::Origin;
use folder::Folder;
use index::Index;

mod folder;
mod index;
mod scan;
#[cfg(test)]
mod tests;

/// The library. Cheap to clone. The default has no folder.
#[derive(Clone, Default)]
pub struct Library(Option<Arc<Inner>>);

struct Inner {
    folder: Folder,
    index: ArcSwap<Index>,
    status: ArcSwap<LibraryStatus>,
    wanted: Arc<Wanted>,
    /// The last request that has been served by a scan.
    read: watch::Sender<u64>,
}

/// Requests to scan the folder, counted.
#[derive(Default)]
struct Wanted {
    wishes: Mutex<u64>,
    changed: Condvar,
}

impl Library {
    /// Begins to index a folder, which need not exist yet.
    pub fn open(folder: Option<PathBuf>, bounds: &Bounds) -> Self {
        let Some(folder) = folder else { return Self::default() };
        let wanted = Arc::<Wanted>::default();
        let inner = Arc::new(Inner {
            folder: Folder::new(folder),
            index: ArcSwap::default(),
            status: ArcSwap::from_pointee(LibraryStatus::Reading { tracks: 0 }),
            wanted: wanted.clone(),
            read: watch::Sender::new(0),
        });
        let (of_thread, bounds) = (Arc::downgrade(&inner), bounds.clone());
        let spawned = std::thread::Builder::new()
            .name("library".to_owned())
            .spawn(move || scan::keep(&of_thread, &wanted, &bounds));
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for the library");
        }
        Self(Some(inner))
    }

    /// Returns up to `most` tracks that match `text`, the best first. An empty text matches all.
    pub fn search(&self, text: &str, most: usize) -> Vec<Arc<LibraryTrack>> {
        self.0.as_ref().map(|inner| inner.index.load().search(text, most)).unwrap_or_default()
    }

    /// As [`search`](Self::search), without blocking the calling thread.
    pub fn find(&self, text: &str, most: usize) -> BoxFuture<'static, Vec<Arc<LibraryTrack>>> {
        let (library, text) = (self.clone(), text.to_owned());
        Box::pin(async move {
            let searched = tokio::task::spawn_blocking(move || library.search(&text, most));
            searched.await.unwrap_or_default()
        })
    }

    /// Returns the best match for `text` if it matches more than a part of a word.
    pub(super) fn best(&self, text: &str) -> Option<Arc<LibraryTrack>> {
        self.0.as_ref().and_then(|inner| inner.index.load().best(text))
    }

    /// Returns the track with an id.
    pub fn get(&self, id: &str) -> Option<Arc<LibraryTrack>> {
        self.0.as_ref().and_then(|inner| inner.index.load().get(id))
    }

    /// Chooses a random track among those that are not in `played`, or the one with the lowest number in it.
    pub(super) fn least_recent(&self, played: &HashMap<&str, usize>) -> Option<Arc<LibraryTrack>> {
        let index = self.0.as_ref()?.index.load();
        let unplayed = index.tracks().filter(|track| !played.contains_key(track.path.as_str()));
        let oldest = || index.tracks().min_by_key(|track| played.get(track.path.as_str()));
        unplayed.choose(&mut rand::rng()).or_else(oldest).cloned()
    }

    /// Returns its status.
    pub fn status(&self) -> LibraryStatus {
        self.0.as_ref().map(|inner| **inner.status.load()).unwrap_or_default()
    }

    /// Scans the folder again. The future is ready once that is done.
    pub fn refresh(&self) -> BoxFuture<'static, ()> {
        let Some(inner) = self.0.clone() else { return Box::pin(async {}) };
        Box::pin(async move {
            // A scan in progress may have passed what has changed.
            let wish = inner.wanted.ask();
            let mut read = inner.read.subscribe();
            let _ = read.wait_for(|read| *read >= wish).await;
        })
    }

    /// Returns an origin of the bytes at a path.
    pub(super) fn origin(&self, path: &str) -> FileOrigin {
        FileOrigin { library: self.clone(), path: path.to_owned() }
    }
}

impl Wanted {
    /// Requests a scan. Returns the number of this request.
    fn ask(&self) -> u64 {
        let mut wishes = self.wishes.lock();
        *wishes += 1;
        self.changed.notify_all();
        *wishes
    }

    /// Waits for a request later than `last`, or until the time is up. Returns the last request.
    fn next(&self, last: u64, within: Duration) -> u64 {
        let mut wishes = self.wishes.lock();
        if *wishes == last {
            self.changed.wait_for(&mut wishes, within);
        }
        *wishes
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Wakes the thread, so that it notices that the library is not used any more.
        self.wanted.ask();
    }
}

/// The bytes of a file of the library.
pub(super) struct FileOrigin {
    library: Library,
    path: String,
}

impl Origin for FileOrigin {
    fn open(&mut self) -> Result<Box<dyn MediaSource>, SourceError> {
        let inner = self.library.0.as_ref().ok_or(SourceError::NoLibrary)?;
        let file = inner.folder.open(&self.path).map_err(|error| {
            tracing::debug!(path = self.path, %error, "a track of the library cannot be opened");
            SourceError::NotInLibrary
        })?;
        Ok(Box::new(file))
    }

    fn is_live(&self) -> bool {
        false
    }

    fn is_near(&self) -> bool {
        true
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Library").field(&self.status()).finish()
    }
}
