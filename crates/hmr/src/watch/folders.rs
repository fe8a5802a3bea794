//! The real folders that the system reports on, and the paths of their entries in the workspace.
//!
//! Each folder is watched by itself, by its path without links, before its entries are read. So no file that is written
//! into a new folder is missed, a folder that is reached in two ways is watched once, and folders that `.gitignore`
//! leaves out cost no watch. For a link, the folder that contains its target is watched, because a save may replace the
//! target itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::UnboundedSender;

use super::below::below;
use super::moment::Moment;
use crate::error::HostError;

/// Number of links in a row that Linux follows before it fails with a loop error.
const MOST_LINKS: usize = 40;

/// An event of the system, and when it arrived.
pub(super) type Report = (Moment, notify::Result<notify::Event>);

/// The folders that the system reports on.
pub(super) struct Folders {
    watcher: RecommendedWatcher,
    by_path: BTreeMap<PathBuf, Interest>,
    /// The watched folders for each path of the workspace, each with a name if only that entry is watched.
    asked: BTreeMap<PathBuf, BTreeSet<(PathBuf, Option<OsString>)>>,
    /// Folders of which a watch was removed.
    released: BTreeSet<PathBuf>,
    failed: Option<HostError>,
}

/// The entries of a folder that are watched.
#[derive(Debug, Default)]
struct Interest {
    /// Paths under which all of its entries are.
    seen_as: BTreeSet<PathBuf>,
    /// Paths that depend on one of its entries.
    names: HashMap<OsString, BTreeSet<PathBuf>>,
}

impl Folders {
    /// Creates a watcher that sends the system's events.
    pub(super) fn new(events: UnboundedSender<Report>) -> Result<Self, HostError> {
        let tell = move |event| {
            // The engine has stopped if there is no receiver.
            let _ = events.send((Moment::now(), event));
        };
        let watcher = RecommendedWatcher::new(tell, Config::default())
            .map_err(|source| HostError::Watch { path: PathBuf::from("anything"), source })?;
        Ok(Self {
            watcher,
            by_path: BTreeMap::new(),
            asked: BTreeMap::new(),
            released: BTreeSet::new(),
            failed: None,
        })
    }

    /// Watches a folder that is reached under `path`.
    ///
    /// A folder that is already watched is watched again: a new folder may have replaced it.
    pub(super) fn add(&mut self, path: &Path, real: &Path) {
        self.by_path.entry(real.to_path_buf()).or_default().seen_as.insert(path.to_path_buf());
        self.asked.entry(path.to_path_buf()).or_default().insert((real.to_path_buf(), None));
        if let Err(source) = self.watch(real) {
            self.failed.get_or_insert(HostError::Watch { path: real.to_path_buf(), source });
        }
    }

    /// Watches what `path` itself depends on: its own entry, and that of each target of a link there.
    pub(super) fn add_name(&mut self, path: &Path) {
        let mut at = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            if let Some((folder, name)) = place_of(&at) {
                if let Err(source) = self.watch(&folder) {
                    // The folder around a link's target may not be readable.
                    tracing::debug!(folder = %folder.display(), %source, "not watched");
                    if matches!(source.kind, ErrorKind::MaxFilesWatch) {
                        self.failed.get_or_insert(HostError::Watch { path: folder.clone(), source });
                    }
                }
                let names = &mut self.by_path.entry(folder.clone()).or_default().names;
                names.entry(name.clone()).or_default().insert(path.to_path_buf());
                self.asked.entry(path.to_path_buf()).or_default().insert((folder, Some(name)));
            }
            let Ok(target) = fs::read_link(&at) else { return };
            at.pop();
            at.push(target);
            if at.file_name().is_none() {
                // A path such as `..` has no name of its own.
                let Ok(real) = at.canonicalize() else { return };
                at = real;
            }
        }
    }

    fn watch(&mut self, real: &Path) -> notify::Result<()> {
        match self.watcher.watch(real, RecursiveMode::NonRecursive) {
            // Its removal is another event.
            Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => Ok(()),
            outcome => outcome,
        }
    }

    /// Returns the paths in the workspace that an event at `real` concerns, each with whether it is watched by name.
    pub(super) fn concerned(&self, real: &Path) -> Vec<(PathBuf, bool)> {
        let mut concerned = Vec::new();
        if let (Some(parent), Some(name)) = (real.parent(), real.file_name())
            && let Some(interest) = self.by_path.get(parent)
        {
            concerned.extend(interest.seen_as.iter().map(|path| (path.join(name), false)));
            concerned.extend(interest.named(name).map(|path| (path.clone(), true)));
        }
        if self.by_path.contains_key(real) {
            // The contents of a folder move with it, without events of their own.
            for (_, interest) in below(&self.by_path, real) {
                let paths = interest.seen_as.iter().chain(interest.names.values().flatten());
                concerned.extend(paths.map(|path| (path.clone(), true)));
            }
        }
        concerned
    }

    /// Returns whether a path at or below `path` is watched.
    pub(super) fn asks_below(&self, path: &Path) -> bool {
        below(&self.asked, path).next().is_some()
    }

    /// Removes the watches for `path` and all paths below it. [`sweep`](Self::sweep) passes that to the system.
    pub(super) fn remove(&mut self, path: &Path) {
        let paths: Vec<_> = below(&self.asked, path).map(|(path, _)| path.clone()).collect();
        for path in paths {
            for (folder, name) in self.asked.remove(&path).unwrap_or_default() {
                let Some(interest) = self.by_path.get_mut(&folder) else { continue };
                match name {
                    None => drop(interest.seen_as.remove(&path)),
                    Some(name) => interest.forget(&name, &path),
                }
                self.released.insert(folder);
            }
        }
    }

    /// Stops watching folders in which no entry is of interest any more.
    pub(super) fn sweep(&mut self) {
        for folder in std::mem::take(&mut self.released) {
            let is_idle = |interest: &Interest| interest.seen_as.is_empty() && interest.names.is_empty();
            if self.by_path.get(&folder).is_some_and(is_idle) {
                self.by_path.remove(&folder);
                // The system removes a watch together with its folder.
                let _ = self.watcher.unwatch(&folder);
            }
        }
    }

    /// Returns the error of the first folder that could not be watched since the last call.
    pub(super) fn take_failure(&mut self) -> Option<HostError> {
        self.failed.take()
    }
}

impl Interest {
    fn named(&self, name: &OsStr) -> impl Iterator<Item = &PathBuf> {
        self.names.get(name).into_iter().flatten()
    }

    fn forget(&mut self, name: &OsStr, path: &Path) {
        if let Some(paths) = self.names.get_mut(name) {
            paths.remove(path);
            if paths.is_empty() {
                self.names.remove(name);
            }
        }
    }
}

/// Returns the nearest real folder around `path`, and the entry of it through which `path` is reached.
fn place_of(path: &Path) -> Option<(PathBuf, OsString)> {
    path.ancestors()
        .find_map(|path| Some((path.parent()?.canonicalize().ok()?, path.file_name()?.to_owned())))
}
