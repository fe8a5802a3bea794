//! Which real folders the system reports on, and what their entries are called in the workspace.
//!
//! Each folder is asked for by itself, by its path without links, before its entries are looked at: so nothing that is
//! written into a new folder is missed, a folder that is reached in two ways is asked for once, and what `.gitignore`
//! leaves out costs no watch. A link leads elsewhere; there, the folder around what it leads to is asked for, because a
//! save may replace the file or folder itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::UnboundedSender;

use super::below::below;
use super::moment::Moment;
use crate::error::HostError;

/// Links in a row that Linux follows before it takes them for a circle.
const MOST_LINKS: usize = 40;

/// Something that the system has reported, and when it came.
pub(super) type Report = (Moment, notify::Result<notify::Event>);

/// Folders that the system reports on.
pub(super) struct Folders {
    watcher: RecommendedWatcher,
    by_path: BTreeMap<PathBuf, Interest>,
    /// What was asked for each path of the workspace: a folder, and the name if only that entry is meant.
    asked: BTreeMap<PathBuf, BTreeSet<(PathBuf, Option<OsString>)>>,
    /// Folders from which something was taken back.
    released: BTreeSet<PathBuf>,
    failed: Option<HostError>,
}

/// What of a folder is of interest.
#[derive(Debug, Default)]
struct Interest {
    /// Paths under which all of its entries are.
    seen_as: BTreeSet<PathBuf>,
    /// Paths that hang on one of its entries.
    names: HashMap<OsString, BTreeSet<PathBuf>>,
}

impl Folders {
    /// Prepares to send what the system reports.
    pub(super) fn new(events: UnboundedSender<Report>) -> Result<Self, HostError> {
        let tell = move |event| {
            // The engine has stopped when nobody listens.
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

    /// Asks for a folder that is reached under `path`.
    ///
    /// One that is asked for already is asked for again: its place may have been taken by a new folder.
    pub(super) fn add(&mut self, path: &Path, real: &Path) {
        self.by_path.entry(real.to_path_buf()).or_default().seen_as.insert(path.to_path_buf());
        self.asked.entry(path.to_path_buf()).or_default().insert((real.to_path_buf(), None));
        if let Err(source) = self.watch(real) {
            self.failed.get_or_insert(HostError::Watch { path: real.to_path_buf(), source });
        }
    }

    /// Asks for what `path` itself hangs on: its place, and each place that a link there leads to.
    pub(super) fn add_name(&mut self, path: &Path) {
        let mut at = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            if let Some((folder, name)) = place_of(&at) {
                if let Err(source) = self.watch(&folder) {
                    // What is around a link's target may be none of ours to read.
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
                // A way up, `..` say, has no name of its own.
                let Ok(real) = at.canonicalize() else { return };
                at = real;
            }
        }
    }

    fn watch(&mut self, real: &Path) -> notify::Result<()> {
        match self.watcher.watch(real, RecursiveMode::NonRecursive) {
            // Its going is another event.
            Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => Ok(()),
            outcome => outcome,
        }
    }

    /// Gives the paths in the workspace that an event at `real` concerns, each with whether it was asked for by name.
    pub(super) fn concerned(&self, real: &Path) -> Vec<(PathBuf, bool)> {
        let mut concerned = Vec::new();
        if let (Some(parent), Some(name)) = (real.parent(), real.file_name())
            && let Some(interest) = self.by_path.get(parent)
        {
            concerned.extend(interest.seen_as.iter().map(|path| (path.join(name), false)));
            concerned.extend(interest.named(name).map(|path| (path.clone(), true)));
        }
        if self.by_path.contains_key(real) {
            // With a folder goes and comes what is in it, which nothing is told of.
            for (_, interest) in below(&self.by_path, real) {
                let paths = interest.seen_as.iter().chain(interest.names.values().flatten());
                concerned.extend(paths.map(|path| (path.clone(), true)));
            }
        }
        concerned
    }

    /// Returns whether something was asked for a path at or below `path`.
    pub(super) fn asks_below(&self, path: &Path) -> bool {
        below(&self.asked, path).next().is_some()
    }

    /// Takes back what was asked for `path` and all below it; [`sweep`](Self::sweep) tells the system.
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

    /// Gives up the folders in which nothing is of interest any more.
    pub(super) fn sweep(&mut self) {
        for folder in std::mem::take(&mut self.released) {
            let is_idle = |interest: &Interest| interest.seen_as.is_empty() && interest.names.is_empty();
            if self.by_path.get(&folder).is_some_and(is_idle) {
                self.by_path.remove(&folder);
                // The system's watches end with their folders.
                let _ = self.watcher.unwatch(&folder);
            }
        }
    }

    /// Gives the first folder that could not be asked for since the last call.
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

/// Gives the nearest real folder around `path`, and the entry of it through which `path` is reached.
fn place_of(path: &Path) -> Option<(PathBuf, OsString)> {
    path.ancestors()
        .find_map(|path| Some((path.parent()?.canonicalize().ok()?, path.file_name()?.to_owned())))
}
