//! The scanner finds what has changed at or below a path since the last check, and which folders must be watched there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::below::below;
use super::contents::{Contents, Found};
use super::filter::{Filter, GITIGNORE, Rules};
use super::folders::Folders;
use super::moment::{Moment, Noticed};
use super::scope::Scope;
use super::walk::{MAX_ENTRIES, MAX_FOLDERS, Visit, walk};
use crate::error::HostError;

/// The known state of everything that is watched.
pub(super) struct Scanner {
    scope: Scope,
    rules: Rules,
    contents: Contents,
    looks: u64,
    /// Links to trees that are too large to watch, each warned of once.
    too_large: BTreeSet<PathBuf>,
    /// `None` while there are no events: when polling, or when watching is paused.
    pub(super) folders: Option<Folders>,
}

/// Files that have changed, each with when it was saved. Folders that disappeared may be among them.
pub(super) type Changed = BTreeMap<PathBuf, Instant>;

/// Events of the system for real paths.
pub(super) type Reports = HashMap<PathBuf, Reported>;

/// The events of the system for one path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported {
    pub(super) noticed: Noticed,
    /// Whether it can only be a file that was written.
    pub(super) is_of_a_file: bool,
}

/// The cost of checking so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    /// Paths for which the file system was accessed.
    pub(super) looks: u64,
    /// Files that were read.
    pub(super) reads: u64,
}

/// How files that were not known are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum New {
    IsSaved,
    IsKnownNow,
}

impl Scanner {
    pub(super) fn new(filter: Filter) -> Self {
        Self {
            scope: Scope::default(),
            rules: Rules::new(filter),
            contents: Contents::default(),
            looks: 0,
            too_large: BTreeSet::new(),
            folders: None,
        }
    }

    /// Returns the cost of checking so far.
    pub(super) fn work(&self) -> Work {
        Work { looks: self.looks, reads: self.contents.reads() }
    }

    /// Returns the links that lead to too much.
    #[cfg(test)]
    pub(super) fn too_large(&self) -> Vec<PathBuf> {
        self.too_large.iter().cloned().collect()
    }

    /// Applies another scope. The present contents of what is new in it count as known, unless the scope contains a
    /// hash of earlier ones.
    pub(super) fn follow(&mut self, scope: Scope) -> Changed {
        let old = std::mem::replace(&mut self.scope, scope);
        let all = |scope: &Scope| -> BTreeSet<PathBuf> {
            scope.trees.keys().chain(scope.files.keys()).cloned().collect()
        };
        let (before, now) = (all(&old), all(&self.scope));
        let noticed = Noticed::seen(Duration::ZERO);
        let mut changed = Changed::new();
        for path in before.symmetric_difference(&now) {
            let is_tree = self.scope.trees.contains_key(path);
            if let Some(Some(hash)) = self.scope.files.get(path)
                && !self.contents.knows(path)
            {
                self.contents.believe(path, *hash);
            }
            // A file that was in the scope before and is not known has been saved, and its event is still to come.
            let was_meant = !is_tree
                && old.may_matter(path, self.rules.filter())
                && is_in_sight(&self.scope, &self.rules, path, path.is_dir());
            let new = if was_meant { New::IsSaved } else { New::IsKnownNow };
            self.look(path, new, noticed, &mut changed);
        }
        self.sweep();
        changed
    }

    /// Applies another filter, and returns the files that it newly includes.
    ///
    /// `since` is when it was set, which may be a while ago.
    pub(super) fn set_filter(&mut self, filter: Filter, since: Moment) -> Changed {
        let old = std::mem::replace(&mut self.rules, Rules::new(filter));
        let mut changed = self.look_at_all(Noticed::seen(Duration::ZERO));
        // A file whose name is not a source's by the old filter was there already. Only changes since then are saves.
        changed.retain(|path, _| {
            self.scope.may_matter(path, old.filter())
                || !is_in_sight(&self.scope, &old, path, path.is_dir())
                || fs::metadata(path).is_ok_and(|metadata| since.precedes_change(&metadata))
        });
        changed
    }

    /// Returns all files that have changed, appeared or disappeared since the last check.
    pub(super) fn look_at_all(&mut self, noticed: Noticed) -> Changed {
        let mut changed = Changed::new();
        let all: Vec<_> = self.scope.trees.keys().chain(self.scope.files.keys()).cloned().collect();
        for path in all {
            self.look(&path, New::IsSaved, noticed, &mut changed);
        }
        self.sweep();
        changed
    }

    /// Returns the files that have changed, appeared or disappeared where the system reported something.
    ///
    /// An event for a file that cannot matter costs no system call.
    pub(super) fn look_where(&mut self, reports: &Reports) -> Changed {
        let mut concerned = BTreeMap::new();
        for (real, report) in reports {
            let Some(folders) = &self.folders else { return Changed::new() };
            for (path, by_name) in folders.concerned(real) {
                if by_name || self.is_worth_a_look(&path, report.is_of_a_file) {
                    concerned.entry(path).or_insert(report.noticed);
                }
            }
        }
        for path in concerned.keys().filter(|path| is_gitignore(path)) {
            path.parent().into_iter().for_each(|folder| self.rules.enter(folder));
        }
        let mut changed = Changed::new();
        // A folder that moved is no longer watched at its old path before it is watched at the new one: to the system
        // it is the same folder, and removing the watch would end both.
        let (here, gone): (Vec<_>, Vec<_>) = concerned.into_iter().partition(|(path, _)| path.exists());
        for paths in [gone, here] {
            for (path, noticed) in &paths {
                self.look(path, New::IsSaved, *noticed, &mut changed);
            }
            self.sweep();
        }
        if changed.keys().any(|path| is_gitignore(path)) {
            changed.append(&mut self.look_at_all(Noticed::seen(Duration::ZERO)));
        }
        changed
    }

    /// Returns whether a file that counts can be at or below a path in a watched folder.
    fn is_worth_a_look(&mut self, path: &Path, is_of_a_file: bool) -> bool {
        let is_known = || {
            self.contents.knows_below(path) || self.folders.as_ref().is_some_and(|all| all.asks_below(path))
        };
        let is_meant = self.scope.may_matter(path, self.rules.filter()) || is_known();
        let metadata = if is_of_a_file {
            None
        } else {
            self.looks += 1;
            path.symlink_metadata().ok()
        };
        // The contents of a folder, or the target of a link, may matter.
        let leads_on = metadata.is_some_and(|metadata| metadata.is_dir() || metadata.is_symlink());
        (is_meant || leads_on) && !self.rules.leaves_out(path, leads_on && path.is_dir())
    }

    /// Returns why something could not be watched since the last call; `None` if all could be.
    pub(super) fn take_failure(&mut self) -> Option<HostError> {
        self.folders.as_mut().and_then(Folders::take_failure)
    }

    /// Checks a path and all paths below it, and watches the folders there.
    fn look(&mut self, path: &Path, new: New, noticed: Noticed, changed: &mut Changed) {
        self.looks += 1;
        if let Some(folders) = &mut self.folders {
            folders.remove(path);
        }
        let is_tree = self.scope.trees.contains_key(path);
        let (is_folder, is_file) =
            fs::metadata(path).map_or((false, false), |metadata| (metadata.is_dir(), metadata.is_file()));
        let is_in_sight = is_in_sight(&self.scope, &self.rules, path, is_folder);
        if is_tree || is_in_sight && path.is_symlink() {
            self.add_name(path);
        }
        let mut present = BTreeSet::new();
        if is_in_sight && is_folder {
            if is_tree {
                self.rules.enter_above(path, &self.scope.root);
            }
            let (scope, folders) = (&self.scope, self.folders.as_mut());
            let mut too_large = BTreeSet::new();
            let (rules, present) = (&mut self.rules, &mut present);
            walk(path, &mut Looking { scope, rules, folders, present, too_large: &mut too_large });
            self.warn_of(path, too_large);
        } else if is_in_sight && is_file && self.scope.may_matter(path, self.rules.filter()) {
            present.insert(path.to_path_buf());
        }
        let singles: Vec<_> = below(&self.scope.files, path)
            .map(|(file, _)| file)
            .filter(|file| !self.rules.filter().leaves_out_file(file))
            .cloned()
            .collect();
        for file in singles {
            self.add_name(&file);
            if file.is_file() {
                present.insert(file);
            }
        }
        // A file that is left out from now on is forgotten, but it is not gone.
        let mut gone = self.contents.forget_below(path, &present);
        gone.retain(|file| !file.exists());
        if !gone.is_empty() && !path.exists() {
            changed.insert(path.to_path_buf(), noticed.at.steady);
        }
        changed.extend(gone.into_iter().map(|file| (file, noticed.at.steady)));
        for file in present {
            match self.contents.look(&file) {
                Found::New if new == New::IsKnownNow => {}
                Found::Nothing => {}
                Found::New | Found::Changed => {
                    let noticed = if file == path { noticed } else { noticed.along() };
                    let saved = fs::metadata(&file)
                        .map_or(noticed.at.steady, |metadata| noticed.saved(&metadata, Instant::now()));
                    changed.insert(file, saved);
                }
            }
        }
    }

    /// Warns of the links at or below a path that lead to too much, unless that was done before.
    fn warn_of(&mut self, path: &Path, links: BTreeSet<PathBuf>) {
        for link in links.difference(&self.too_large) {
            let target = link.canonicalize().unwrap_or_default();
            tracing::warn!(
                link = %link.display(),
                target = %target.display(),
                max_folders = MAX_FOLDERS,
                max_entries = MAX_ENTRIES,
                "this link leads to too many files, and nothing behind it is watched; remove it, link to the folder \
                 that is needed, or name it in HMR_IGNORE"
            );
        }
        self.too_large.retain(|link| !link.starts_with(path));
        self.too_large.extend(links);
    }

    fn add_name(&mut self, path: &Path) {
        if let Some(folders) = &mut self.folders {
            folders.add_name(path);
        }
    }

    fn sweep(&mut self) {
        if let Some(folders) = &mut self.folders {
            folders.sweep();
        }
    }
}

/// Returns whether a path is a tree of the scope, or reached by a walk through one.
fn is_in_sight(scope: &Scope, rules: &Rules, path: &Path, is_folder: bool) -> bool {
    scope.trees.keys().filter(|tree| path.starts_with(tree)).any(|tree| {
        let mut parts = path.ancestors().take_while(|part| *part != tree.as_path());
        !parts.any(|part| rules.leaves_out(part, is_folder || part != path))
    })
}

fn is_gitignore(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == GITIGNORE)
}

/// A walk through a folder that is checked.
struct Looking<'a> {
    scope: &'a Scope,
    rules: &'a mut Rules,
    folders: Option<&'a mut Folders>,
    present: &'a mut BTreeSet<PathBuf>,
    too_large: &'a mut BTreeSet<PathBuf>,
}

impl Visit for Looking<'_> {
    fn folder(&mut self, path: &Path, real: &Path) {
        self.rules.enter(path);
        if let Some(folders) = &mut self.folders {
            folders.add(path, real);
        }
    }

    fn link(&mut self, path: &Path) {
        if let Some(folders) = &mut self.folders {
            folders.add_name(path);
        }
    }

    fn file(&mut self, path: PathBuf) {
        if self.scope.may_matter(&path, self.rules.filter()) {
            self.present.insert(path);
        }
    }

    fn too_large(&mut self, link: &Path) {
        self.present.retain(|file| !file.starts_with(link));
        if let Some(folders) = &mut self.folders {
            folders.remove(link);
            // Its own entry is still watched: it may lead elsewhere soon.
            folders.add_name(link);
        }
        self.too_large.insert(link.to_path_buf());
    }

    fn leaves_out(&self, path: &Path, is_folder: bool) -> bool {
        self.rules.leaves_out(path, is_folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Of;

    #[test]
    fn a_file_that_a_new_filter_brings_in_counts_when_it_was_saved_after_that_was_set() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let page = root.join("page.html");
        fs::write(&page, "one").unwrap();
        let trees = [(root.clone(), Of::Sources)].into();
        let scope = Scope { root: root.clone(), trees, ..Scope::default() };
        let filter = |extensions: &[&str]| {
            let extensions: Vec<_> = extensions.iter().map(ToString::to_string).collect();
            Filter::new(&root, &[], &extensions).unwrap()
        };
        let now = Moment::now();
        let later = Moment { wall: now.wall + Duration::from_mins(1), ..now };
        for (since, expected) in [(now, vec![&page]), (later, Vec::new())] {
            let mut scanner = Scanner::new(filter(&[]));
            assert!(scanner.follow(scope.clone()).is_empty());
            fs::write(&page, "two").unwrap();
            let changed = scanner.set_filter(filter(&["rs", "html"]), since);
            assert_eq!(changed.keys().collect::<Vec<_>>(), expected);
        }
    }
}
