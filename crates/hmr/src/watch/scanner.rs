//! The one who looks: what has changed at or below a path since the last look, and what has to be asked for there.

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
use super::walk::{Visit, walk};
use crate::error::HostError;

/// All that is known of what is watched.
pub(super) struct Scanner {
    scope: Scope,
    rules: Rules,
    contents: Contents,
    looks: u64,
    /// `None` while nobody reports changes: when polling, or when watching is paused.
    pub(super) folders: Option<Folders>,
}

/// Files that have changed, each with when it was saved; folders that vanished may be among them.
pub(super) type Changed = BTreeMap<PathBuf, Instant>;

/// What the system has reported of real paths.
pub(super) type Reports = HashMap<PathBuf, Reported>;

/// What the system has reported of one path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported {
    pub(super) noticed: Noticed,
    /// Whether it can only be a file that was written.
    pub(super) is_of_a_file: bool,
}

/// What looking has cost so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    /// Paths for which the file system was asked anything.
    pub(super) looks: u64,
    /// Files that were read.
    pub(super) reads: u64,
}

/// What to make of files that were not known.
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
            folders: None,
        }
    }

    /// Returns what looking has cost so far.
    pub(super) fn work(&self) -> Work {
        Work { looks: self.looks, reads: self.contents.reads() }
    }

    /// Takes another scope; the present contents of what is new in it count as known, unless the scope says what was.
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
            // A file that was meant before and is not known has been saved, and its event is still to come.
            let was_meant = !is_tree
                && old.may_matter(path, self.rules.filter())
                && is_in_sight(&self.scope, &self.rules, path, path.is_dir());
            let new = if was_meant { New::IsSaved } else { New::IsKnownNow };
            self.look(path, new, noticed, &mut changed);
        }
        self.sweep();
        changed
    }

    /// Takes another filter, and gives what it brings in.
    ///
    /// `since`: when it was set, which may be a while ago.
    pub(super) fn set_filter(&mut self, filter: Filter, since: Moment) -> Changed {
        let old = std::mem::replace(&mut self.rules, Rules::new(filter));
        let mut changed = self.look_at_all(Noticed::seen(Duration::ZERO));
        // What has another name than a source had until now was there; only what was saved since then is a save.
        changed.retain(|path, _| {
            self.scope.may_matter(path, old.filter())
                || !is_in_sight(&self.scope, &old, path, path.is_dir())
                || fs::metadata(path).is_ok_and(|metadata| since.precedes_change(&metadata))
        });
        changed
    }

    /// Gives all files that have changed, come or gone since the last look.
    pub(super) fn look_at_all(&mut self, noticed: Noticed) -> Changed {
        let mut changed = Changed::new();
        let all: Vec<_> = self.scope.trees.keys().chain(self.scope.files.keys()).cloned().collect();
        for path in all {
            self.look(&path, New::IsSaved, noticed, &mut changed);
        }
        self.sweep();
        changed
    }

    /// Gives the files that have changed, come or gone where the system reported something.
    ///
    /// A report on a file that cannot matter costs no call of the system.
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
        // A folder that moved is given up at its old place before it is asked for at the new one: to the system it is
        // the same folder, and giving it up would end both.
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

    /// Returns whether anything that is meant can be at or below a path in a watched folder.
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
        // What is in a folder, or behind a link, may matter.
        let leads_on = metadata.is_some_and(|metadata| metadata.is_dir() || metadata.is_symlink());
        (is_meant || leads_on) && !self.rules.leaves_out(path, leads_on && path.is_dir())
    }

    /// Gives why something cannot be watched, if so since the last call.
    pub(super) fn take_failure(&mut self) -> Option<HostError> {
        self.folders.as_mut().and_then(Folders::take_failure)
    }

    /// Looks at a path and all below it, and has the system report on what is there.
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
            walk(path, &mut Looking { scope, rules: &mut self.rules, folders, present: &mut present });
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

/// A walk through a folder that is looked at.
struct Looking<'a> {
    scope: &'a Scope,
    rules: &'a mut Rules,
    folders: Option<&'a mut Folders>,
    present: &'a mut BTreeSet<PathBuf>,
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
