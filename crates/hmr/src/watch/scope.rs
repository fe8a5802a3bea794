//! The folders and files to watch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::filter::Filter;

/// The folders and files to watch. Those that do not exist yet are noticed when they appear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Folder of the workspace. The `.gitignore` files from here on down apply.
    pub root: PathBuf,
    /// Folders that are watched with all folders below them, except those that a filter or `.gitignore` leaves out.
    pub trees: BTreeMap<PathBuf, Of>,
    /// Single files, whatever `.gitignore` contains, each with the hash of the contents that count as known. Without a
    /// hash, those at the time of following count.
    pub files: BTreeMap<PathBuf, Option<u64>>,
}

/// Which files of a tree count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Every file.
    All,
    /// Files that have the name of a source, or of a file that defines how sources are built. The others are never
    /// read, however many there are.
    Sources,
}

impl Scope {
    /// Returns the scope with every file of all trees.
    #[must_use]
    pub fn of_all(mut self) -> Self {
        self.trees.values_mut().for_each(|of| *of = Of::All);
        self
    }

    /// Returns whether a save of a file may matter, by its name. This does not check whether it is left out.
    pub(super) fn may_matter(&self, path: &Path, filter: &Filter) -> bool {
        self.files.contains_key(path)
            || filter.may_be_source(path)
            || self.trees.iter().any(|(tree, of)| *of == Of::All && path.starts_with(tree))
    }
}
