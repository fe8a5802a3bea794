//! What is to be watched.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Folders and files to be watched; what is not there yet is noticed when it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Folder of the workspace; the `.gitignore` files from here on down are heeded.
    pub root: PathBuf,
    /// Folders whose whole trees are meant, but for what a filter or `.gitignore` leaves out.
    pub trees: BTreeSet<PathBuf>,
    /// Single files, whatever `.gitignore` says of them.
    pub files: BTreeSet<PathBuf>,
}
