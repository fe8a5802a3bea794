//! From the file system's events to finished saves.
//!
//! # Theory of operation
//!
//! On Linux a save is finished when a file that was open for writing is closed, or when a file is renamed into
//! place; no timer is needed to see that. Elsewhere, and when polling, every modification counts and a short quiet
//! time joins what belongs together. Contents are compared by hash, so a touch, or a checkout that goes away and
//! comes back, is no change. When the system drops events, everything is looked at again.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind};
use notify::{Config, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::error::HostError;

/// Files whose contents changed, came or went in one save or burst of saves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saves {
    /// Files, and folders that vanished.
    pub paths: BTreeSet<PathBuf>,
    /// When the earliest of them was written, as far as the file system tells.
    pub began: Instant,
}

/// How changes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Quiet time after an event before a save counts as finished.
    pub debounce: Duration,
    /// Period of polling; `None` listens to the system's events.
    pub poll: Option<Duration>,
}

impl Pace {
    /// Quiet time that joins the files of one checkout without being felt.
    pub const DEFAULT_DEBOUNCE: Duration = Duration::from_millis(2);
}

/// Watches folders for finished saves.
pub struct Watcher {
    watcher: Box<dyn notify::Watcher + Send>,
    watched: BTreeMap<PathBuf, bool>,
    events: mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    contents: HashMap<PathBuf, u64>,
    pace: Pace,
    /// Paths of events that have been received, and when the first one was.
    pending: BTreeSet<PathBuf>,
    seen: Option<Instant>,
}

impl Watcher {
    /// Starts to watch `folders`; the flag says whether a whole tree is meant.
    ///
    /// # Errors
    /// When the system refuses, as when its number of watches is used up.
    pub fn new(folders: BTreeMap<PathBuf, bool>, pace: Pace) -> Result<Self, HostError> {
        let (sender, events) = mpsc::unbounded_channel();
        let tell = move |event| {
            // The engine has stopped when nobody listens.
            let _ = sender.send(event);
        };
        let root = folders.keys().next().cloned().unwrap_or_default();
        let watcher: Result<Box<dyn notify::Watcher + Send>, _> = match pace.poll {
            // Times are compared in whole seconds, so it is the contents that tell two saves of one second apart.
            Some(period) => PollWatcher::new(
                tell,
                Config::default().with_poll_interval(period).with_compare_contents(true),
            )
            .map(|watcher| Box::new(watcher) as Box<_>),
            None => {
                RecommendedWatcher::new(tell, Config::default()).map(|watcher| Box::new(watcher) as Box<_>)
            }
        };
        let watcher = watcher.map_err(|source| HostError::Watch { path: root, source })?;
        let mut this = Self {
            watcher,
            watched: BTreeMap::new(),
            events,
            contents: HashMap::new(),
            pace,
            pending: BTreeSet::new(),
            seen: None,
        };
        this.watch(folders)?;
        Ok(this)
    }

    /// Watches further folders, and takes the present contents of their files as known.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn watch(&mut self, folders: BTreeMap<PathBuf, bool>) -> Result<(), HostError> {
        for (path, tree) in folders {
            if self.watched.contains_key(&path) {
                continue;
            }
            let mode = if tree { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            self.watcher
                .watch(&path, mode)
                .map_err(|source| HostError::Watch { path: path.clone(), source })?;
            let mut files = BTreeSet::new();
            if tree {
                files_below(&path, &mut files);
            } else if let Ok(entries) = fs::read_dir(&path) {
                files.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()));
            }
            for file in files {
                if let Entry::Vacant(entry) = self.contents.entry(file)
                    && let Ok(Some(hash)) = hash_of(entry.key())
                {
                    entry.insert(hash);
                }
            }
            self.watched.insert(path, tree);
        }
        Ok(())
    }

    /// Gives the folders that are watched.
    pub fn watched(&self) -> impl Iterator<Item = &Path> {
        self.watched.keys().map(PathBuf::as_path)
    }

    /// Waits for the next finished save with any change in it; a call that is cancelled loses nothing.
    pub async fn next(&mut self) -> Saves {
        loop {
            while self.pending.is_empty() {
                let Some(event) = self.events.recv().await else { std::future::pending().await };
                self.gather(event);
            }
            // Only what belongs to a save moves the end: others may read the sources all the time.
            let mut quiet_at = tokio::time::Instant::now() + self.pace.debounce;
            while let Ok(Some(event)) = tokio::time::timeout_at(quiet_at, self.events.recv()).await {
                if self.gather(event) {
                    quiet_at = tokio::time::Instant::now() + self.pace.debounce;
                }
            }
            let paths = std::mem::take(&mut self.pending);
            let seen = self.seen.take().unwrap_or_else(Instant::now);
            let changed: BTreeSet<_> = paths.iter().flat_map(|path| self.changed_below(path)).collect();
            if !changed.is_empty() {
                return Saves { began: began(&changed, seen), paths: changed };
            }
        }
    }

    /// Notes the paths of an event, and says whether it finishes a save.
    fn gather(&mut self, event: notify::Result<notify::Event>) -> bool {
        match event {
            Ok(event) if event.need_rescan() => self.pending.extend(self.watched.keys().cloned()),
            Ok(event) if self.finishes(event.kind) => self.pending.extend(event.paths),
            Ok(_) => return false,
            Err(error) => {
                tracing::warn!(%error, "the file watcher missed something; looking at everything again");
                self.pending.extend(self.watched.keys().cloned());
            }
        }
        self.seen.get_or_insert_with(Instant::now);
        true
    }

    fn finishes(&self, kind: EventKind) -> bool {
        let tells_closing = cfg!(target_os = "linux") && self.pace.poll.is_none();
        match kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Create(CreateKind::Folder)
            | EventKind::Remove(_) => true,
            EventKind::Modify(_) | EventKind::Create(_) | EventKind::Any => !tells_closing,
            EventKind::Access(_) | EventKind::Other => false,
        }
    }

    /// Gives the files at or below `path` whose contents are not what was last known, and notes the new contents.
    fn changed_below(&mut self, path: &Path) -> Vec<PathBuf> {
        let mut changed = Vec::new();
        let mut present = BTreeSet::new();
        if path.is_dir() {
            if self.watched.get(path) == Some(&false) {
                // Only its own files: what is below belongs to other watches or to nobody.
                present.extend(
                    fs::read_dir(path)
                        .into_iter()
                        .flatten()
                        .flatten()
                        .map(|entry| entry.path())
                        .filter(|path| path.is_file()),
                );
            } else {
                files_below(path, &mut present);
            }
        } else if path.is_file() {
            present.insert(path.to_path_buf());
        }
        let gone: Vec<_> = self
            .contents
            .keys()
            .filter(|known| known.starts_with(path) && !present.contains(*known) && !known.exists())
            .cloned()
            .collect();
        if !path.exists() {
            if !gone.is_empty() {
                changed.push(path.to_path_buf());
            }
            // The system's watches end with their folders; what comes back in their place is watched anew.
            let lost: Vec<_> =
                self.watched.keys().filter(|watched| watched.starts_with(path)).cloned().collect();
            for folder in lost {
                let _ = self.watcher.unwatch(&folder);
                self.watched.remove(&folder);
            }
        }
        for file in gone {
            self.contents.remove(&file);
            changed.push(file);
        }
        for file in present {
            // A file that cannot be read now is being replaced; the event of that is still to come.
            let Ok(Some(hash)) = hash_of(&file) else { continue };
            if self.contents.insert(file.clone(), hash) != Some(hash) {
                changed.push(file);
            }
        }
        changed
    }
}

/// Gives the moment the earliest of `paths` was written, when that is shortly before `seen`.
fn began(paths: &BTreeSet<PathBuf>, seen: Instant) -> Instant {
    let now = SystemTime::now();
    let since_seen = seen.elapsed();
    paths
        .iter()
        .filter_map(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
        .filter_map(|written| now.duration_since(written).ok()?.checked_sub(since_seen))
        // An older time is that of a file written long ago and moved into place now.
        .filter(|before_seen| *before_seen < Duration::from_millis(250))
        .max()
        .and_then(|before_seen| seen.checked_sub(before_seen))
        .unwrap_or(seen)
}

/// Hashes a file's contents; `None` when it is no longer there.
pub(crate) fn hash_of(path: &Path) -> io::Result<Option<u64>> {
    match fs::read(path) {
        Ok(bytes) => {
            let mut hasher = DefaultHasher::new();
            hasher.write(&bytes);
            Ok(Some(hasher.finish()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Collects the files below `folder`, leaving out hidden folders and build output.
pub(crate) fn files_below(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                files_below(&path, files);
            }
        } else {
            files.insert(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watcher(folder: &Path, poll: Option<Duration>) -> Watcher {
        let pace = Pace { debounce: Duration::from_millis(5), poll };
        Watcher::new([(folder.to_path_buf(), true)].into(), pace).unwrap()
    }

    async fn next(watcher: &mut Watcher) -> BTreeSet<PathBuf> {
        tokio::time::timeout(Duration::from_secs(20), watcher.next()).await.expect("a save is seen").paths
    }

    #[tokio::test]
    async fn every_way_to_save_is_one_change_and_a_touch_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.rs");
        fs::write(&file, "1").unwrap();
        let mut watcher = watcher(folder.path(), None);

        fs::write(&file, "2").unwrap();
        assert_eq!(next(&mut watcher).await, [file.clone()].into());

        // As vim and VS Code save: a new file, renamed into place.
        let temporary = folder.path().join("a.rs.tmp");
        fs::write(&temporary, "3").unwrap();
        fs::rename(&temporary, &file).unwrap();
        let mut seen = BTreeSet::new();
        while !seen.contains(&file) {
            seen.extend(next(&mut watcher).await);
        }

        fs::write(&file, "3").unwrap();
        fs::File::open(&file).unwrap().set_modified(SystemTime::now()).unwrap();
        let marker = folder.path().join("b.rs");
        fs::write(&marker, "x").unwrap();
        assert_eq!(next(&mut watcher).await, [marker].into(), "the touch of a.rs is no change");

        fs::remove_file(&file).unwrap();
        assert_eq!(next(&mut watcher).await, [file].into());
    }

    #[tokio::test]
    async fn a_folder_moved_in_and_out_is_seen_with_its_files() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut watcher = watcher(folder.path(), None);
        let away = elsewhere.path().join("plugin");
        fs::create_dir_all(away.join("src")).unwrap();
        fs::write(away.join("src/lib.rs"), "x").unwrap();
        let here = folder.path().join("plugin");
        fs::rename(&away, &here).unwrap();
        assert!(next(&mut watcher).await.contains(&here.join("src/lib.rs")));
        fs::rename(&here, &away).unwrap();
        let gone = next(&mut watcher).await;
        assert!(gone.contains(&here) && gone.contains(&here.join("src/lib.rs")), "{gone:?}");
    }

    #[tokio::test]
    async fn polling_sees_a_save_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.rs");
        fs::write(&file, "1").unwrap();
        let mut watcher = watcher(folder.path(), Some(Duration::from_millis(20)));
        fs::write(&file, "23").unwrap();
        assert_eq!(next(&mut watcher).await, [file].into());
    }
}
