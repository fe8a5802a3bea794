//! Which real folders the system reports on, and what their entries are called in the workspace.
//!
//! Each folder is asked for by itself, by its path without links, before its entries are looked at: so nothing that is
//! written into a new folder is missed, a folder that is reached in two ways is asked for once, and what `.gitignore`
//! leaves out costs no watch. A link leads elsewhere; there, the folder around what it leads to is asked for, because a
//! save may replace the file or folder itself.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::UnboundedSender;

use crate::error::HostError;

/// Links in a row that Linux follows before it takes them for a circle.
const MOST_LINKS: usize = 40;

/// Folders that the system reports on.
pub(super) struct Folders {
    watcher: RecommendedWatcher,
    by_path: HashMap<PathBuf, Interest>,
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
    pub(super) fn new(events: UnboundedSender<notify::Result<notify::Event>>) -> Result<Self, HostError> {
        let tell = move |event| {
            // The engine has stopped when nobody listens.
            let _ = events.send(event);
        };
        let watcher = RecommendedWatcher::new(tell, Config::default())
            .map_err(|source| HostError::Watch { path: PathBuf::from("anything"), source })?;
        Ok(Self { watcher, by_path: HashMap::new(), failed: None })
    }

    /// Asks for a folder that is reached under `path`.
    ///
    /// One that is asked for already is asked for again: its place may have been taken by a new folder.
    pub(super) fn add(&mut self, path: &Path, real: &Path) {
        self.by_path.entry(real.to_path_buf()).or_default().seen_as.insert(path.to_path_buf());
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
                let names = &mut self.by_path.entry(folder).or_default().names;
                names.entry(name).or_default().insert(path.to_path_buf());
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
            for (_, interest) in self.by_path.iter().filter(|(folder, _)| folder.starts_with(real)) {
                let paths = interest.seen_as.iter().chain(interest.names.values().flatten());
                concerned.extend(paths.map(|path| (path.clone(), true)));
            }
        }
        concerned
    }

    /// Takes back what was asked for `path` and all below it; [`sweep`](Self::sweep) tells the system.
    pub(super) fn remove(&mut self, path: &Path) {
        let stays = |other: &PathBuf| !other.starts_with(path);
        for interest in self.by_path.values_mut() {
            interest.seen_as.retain(stays);
            interest.names.retain(|_, paths| {
                paths.retain(stays);
                !paths.is_empty()
            });
        }
    }

    /// Gives up the folders in which nothing is of interest any more.
    pub(super) fn sweep(&mut self) {
        let is_idle = |interest: &Interest| interest.seen_as.is_empty() && interest.names.is_empty();
        for (folder, _) in self.by_path.extract_if(|_, interest| is_idle(interest)) {
            // The system's watches end with their folders.
            let _ = self.watcher.unwatch(&folder);
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
}

/// Gives the nearest real folder around `path`, and the entry of it through which `path` is reached.
fn place_of(path: &Path) -> Option<(PathBuf, OsString)> {
    path.ancestors()
        .find_map(|path| Some((path.parent()?.canonicalize().ok()?, path.file_name()?.to_owned())))
}
