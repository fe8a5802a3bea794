//! Scanning the library's folder.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::index::{Entry, Index, Stamp};
use super::{Folder, Inner, LibraryStatus, Wanted};
use crate::source::Bounds;
use crate::source::media::of_file;

/// Extensions of files that are read.
const EXTENSIONS: [&str; 13] =
    ["aac", "adts", "flac", "m4a", "m4b", "mka", "mp3", "mp4", "oga", "ogg", "opus", "wav", "webm"];
/// Pause after each file that is read, so that scanning a large library does not slow down playback from the same disk.
const PAUSE: Duration = Duration::from_millis(1);
/// Number of files after which a first index is published, before all are read.
const SHOWN: usize = 200;

/// A file that may be a track.
struct Found {
    path: String,
    stamp: Stamp,
}

/// The result of a walk through the folder.
#[derive(Default)]
struct Walk {
    files: Vec<Found>,
    left_out: usize,
}

/// Scans the folder again and again, until the library is not used any more.
pub(super) fn keep(library: &Weak<Inner>, wanted: &Wanted, bounds: &Bounds) {
    let (mut was, mut wish, mut within) = (None, 0, Duration::ZERO);
    loop {
        wish = wanted.next(wish, within);
        let Some(inner) = library.upgrade() else { return };
        let status = read(&inner, bounds);
        if was != Some(status) {
            tracing::info!(folder = %inner.folder.path().display(), "{status}");
            was = Some(status);
        }
        inner.status.store(Arc::new(status));
        inner.read.send_replace(wish);
        within = bounds.rescan;
    }
}

/// Scans the folder once.
fn read(inner: &Inner, bounds: &Bounds) -> LibraryStatus {
    let Ok(walk) = walk(inner.folder.path(), bounds) else {
        inner.index.store(Arc::default());
        return LibraryStatus::Missing;
    };
    let before = inner.index.load_full();
    let known: HashMap<&str, &Entry> = before.entries().iter().map(|entry| (entry.path(), entry)).collect();
    let is_first = known.is_empty();
    let mut left_out = walk.left_out;
    let mut entries = Vec::with_capacity(walk.files.len());
    for (number, found) in walk.files.into_iter().enumerate() {
        match known.get(found.path.as_str()).filter(|entry| entry.stamp == found.stamp) {
            Some(entry) => entries.push((*entry).clone()),
            None => match look(&inner.folder, &found) {
                Some(entry) => entries.push(entry),
                None => left_out += 1,
            },
        }
        if is_first && number % SHOWN == SHOWN - 1 {
            inner.status.store(Arc::new(LibraryStatus::Reading { tracks: entries.len() }));
            inner.index.store(Arc::new(Index::new(entries.clone())));
        }
    }
    let tracks = entries.len();
    inner.index.store(Arc::new(Index::new(entries)));
    LibraryStatus::Ready { tracks, left_out }
}

/// Reads a file's tags.
fn look(folder: &Folder, found: &Found) -> Option<Entry> {
    std::thread::sleep(PAUSE);
    let info = folder.open(&found.path).ok().and_then(|file| of_file(file).ok())?;
    Some(Entry::new(found.path.clone(), found.stamp, info))
}

/// Finds all files that may be tracks, except hidden ones and links.
fn walk(root: &Path, bounds: &Bounds) -> io::Result<Walk> {
    let mut walk = Walk::default();
    let mut folders: Vec<(PathBuf, String, usize)> = vec![(root.to_owned(), String::new(), 0)];
    let mut is_root = true;
    while let Some((folder, path, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if is_root => return Err(error),
            Err(_) => {
                walk.left_out += 1;
                continue;
            }
        };
        is_root = false;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else {
                walk.left_out += 1;
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if kind.is_dir() && depth < bounds.depth {
                folders.push((entry.path(), path, depth + 1));
            } else if kind.is_file() && is_sound(name) && walk.files.len() < bounds.library {
                let Ok(metadata) = entry.metadata() else { continue };
                let stamp = Stamp { modified: metadata.modified().ok(), size: metadata.len() };
                walk.files.push(Found { path, stamp });
            } else if kind.is_symlink() || is_sound(name) {
                walk.left_out += 1;
            }
        }
    }
    Ok(walk)
}

fn is_sound(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}
