//! The one who looks: what has changed at or below a path since the last look, and what has to be asked for there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::contents::{Contents, Found};
use super::filter::{Filter, Rules};
use super::folders::Folders;
use super::scope::Scope;
use super::walk::{Visit, walk};
use crate::error::HostError;

/// Name of the files whose patterns are taken up as they are saved.
const GITIGNORE: &str = ".gitignore";

/// All that is known of what is watched.
pub(super) struct Scanner {
    scope: Scope,
    rules: Rules,
    contents: Contents,
    /// `None` while nobody reports changes: when polling, or when watching is paused.
    pub(super) folders: Option<Folders>,
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
            folders: None,
        }
    }

    /// Takes another scope; the present contents of what is new in it count as known.
    pub(super) fn follow(&mut self, scope: Scope) -> BTreeSet<PathBuf> {
        let old = std::mem::replace(&mut self.scope, scope);
        let all = |scope: &Scope| scope.trees.union(&scope.files).cloned().collect::<BTreeSet<_>>();
        let (old, new) = (all(&old), all(&self.scope));
        let mut changed = BTreeSet::new();
        for path in old.symmetric_difference(&new) {
            // A file that was in sight before and is not known has been saved, and its event is still to come.
            let is_tree = self.scope.trees.contains(path);
            let new = if !is_tree && self.is_in_sight(path) { New::IsSaved } else { New::IsKnownNow };
            self.look(path, new, &mut changed);
        }
        self.sweep();
        changed
    }

    /// Takes another filter, and gives what it brings in.
    pub(super) fn set_filter(&mut self, filter: Filter) -> BTreeSet<PathBuf> {
        self.rules = Rules::new(filter);
        self.look_at_all()
    }

    /// Gives all files that have changed, come or gone since the last look.
    pub(super) fn look_at_all(&mut self) -> BTreeSet<PathBuf> {
        let mut changed = BTreeSet::new();
        let all: Vec<_> = self.scope.trees.iter().chain(&self.scope.files).cloned().collect();
        for path in all {
            self.look(&path, New::IsSaved, &mut changed);
        }
        self.sweep();
        changed
    }

    /// Gives the files that have changed, come or gone where the system reported something.
    pub(super) fn look_where(&mut self, reported: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
        let Some(folders) = &self.folders else { return BTreeSet::new() };
        let concerned: BTreeSet<_> = reported
            .iter()
            .flat_map(|real| folders.concerned(real))
            .filter(|(path, by_name)| *by_name || !self.rules.leaves_out(path, path.is_dir()))
            .map(|(path, _)| path)
            .collect();
        let mut changed = BTreeSet::new();
        // A folder that moved is given up at its old place before it is asked for at the new one: to the system it is
        // the same folder, and giving it up would end both.
        let (here, gone): (Vec<_>, Vec<_>) = concerned.into_iter().partition(|path| path.exists());
        for paths in [gone, here] {
            for path in &paths {
                self.look(path, New::IsSaved, &mut changed);
            }
            self.sweep();
        }
        if changed.iter().any(|path| path.file_name() == Some(GITIGNORE.as_ref())) {
            changed.append(&mut self.look_at_all());
        }
        changed
    }

    /// Gives why something cannot be watched, if so since the last call.
    pub(super) fn take_failure(&mut self) -> Option<HostError> {
        self.folders.as_mut().and_then(Folders::take_failure)
    }

    /// Looks at a path and all below it, and has the system report on what is there.
    fn look(&mut self, path: &Path, new: New, changed: &mut BTreeSet<PathBuf>) {
        if let Some(folders) = &mut self.folders {
            folders.remove(path);
        }
        let is_in_sight = self.is_in_sight(path);
        if self.scope.trees.contains(path) || is_in_sight && path.is_symlink() {
            self.add_name(path);
        }
        let mut present = BTreeSet::new();
        if is_in_sight && path.is_dir() {
            self.rules.enter_above(path, &self.scope.root);
            let folders = self.folders.as_mut();
            walk(path, &mut Looking { rules: &mut self.rules, folders, present: &mut present });
        } else if is_in_sight && path.is_file() {
            present.insert(path.to_path_buf());
        }
        let singles: Vec<_> = self
            .scope
            .files
            .iter()
            .filter(|file| file.starts_with(path) && !self.rules.filter().leaves_out_file(file))
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
            changed.insert(path.to_path_buf());
        }
        changed.extend(gone);
        for file in present {
            match self.contents.look(&file) {
                Found::Changed => drop(changed.insert(file)),
                Found::New if new == New::IsSaved => drop(changed.insert(file)),
                Found::New | Found::Nothing => {}
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

    /// Says whether a path is a tree of the scope, or reached by a walk through one.
    fn is_in_sight(&self, path: &Path) -> bool {
        self.scope.trees.iter().filter(|tree| path.starts_with(tree)).any(|tree| {
            let mut parts = path.ancestors().take_while(|part| *part != tree.as_path());
            !parts.any(|part| self.rules.leaves_out(part, part.is_dir()))
        })
    }
}

/// A walk through a folder that is looked at.
struct Looking<'a> {
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
        self.present.insert(path);
    }

    fn leaves_out(&self, path: &Path, is_folder: bool) -> bool {
        self.rules.leaves_out(path, is_folder)
    }
}
