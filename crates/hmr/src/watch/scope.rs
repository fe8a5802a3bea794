//! What is to be watched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::filter::Filter;

/// Folders and files to be watched; what is not there yet is noticed when it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Folder of the workspace; the `.gitignore` files from here on down are heeded.
    pub root: PathBuf,
    /// Folders whose trees are meant, but for what a filter or `.gitignore` leaves out.
    pub trees: BTreeMap<PathBuf, Of>,
    /// Single files, whatever `.gitignore` says of them, each with the hash of what counts as known of it; without
    /// one, what it holds when it is followed.
    pub files: BTreeMap<PathBuf, Option<u64>>,
}

/// Which files of a tree are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Every file.
    All,
    /// Files that have the name of a source or of what says how sources are built. The others are never read, however
    /// many come.
    Sources,
}

impl Scope {
    /// Takes every file of all trees.
    #[must_use]
    pub fn of_all(mut self) -> Self {
        self.trees.values_mut().for_each(|of| *of = Of::All);
        self
    }

    /// Returns whether a save of a file may matter, by its name; what is left out is another question.
    pub(super) fn may_matter(&self, path: &Path, filter: &Filter) -> bool {
        self.files.contains_key(path)
            || filter.may_be_source(path)
            || self.trees.iter().any(|(tree, of)| *of == Of::All && path.starts_with(tree))
    }
}
