//! The contents of files, so that a save that changes nothing can be distinguished from one that does.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use super::below::below;

/// Coarsest time stamp of a file system in use. Two saves within it may have the same stamp.
const COARSEST_STAMP: Duration = Duration::from_secs(2);

/// The last known contents of files, by their paths in the workspace.
#[derive(Debug, Default)]
pub(super) struct Contents {
    files: BTreeMap<PathBuf, Known>,
    reads: u64,
}

#[derive(Debug)]
struct Known {
    hash: u64,
    stamp: Option<Stamp>,
}

/// A file's metadata, which is available without reading the file.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    changed: (i64, i64),
    inode: u64,
    length: u64,
}

/// The result of checking a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file that was not known.
    New,
    /// Other contents than before.
    Changed,
    /// No change, or a file that cannot be read now because it is being replaced: that event is still to come.
    Nothing,
}

impl Contents {
    /// Returns the number of files that were read so far.
    pub(super) fn reads(&self) -> u64 {
        self.reads
    }

    /// Returns whether the contents of a file are known.
    pub(super) fn knows(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// Returns whether the contents of a file at or below `path` are known.
    pub(super) fn knows_below(&self, path: &Path) -> bool {
        below(&self.files, path).next().is_some()
    }

    /// Sets the known contents of a file to those that another part of the program has read.
    pub(super) fn believe(&mut self, path: &Path, hash: u64) {
        self.files.insert(path.to_path_buf(), Known { hash, stamp: None });
    }

    /// Checks a file, and records its contents.
    pub(super) fn look(&mut self, path: &Path) -> Found {
        let stamp = Stamp::of(path);
        let known = self.files.get(path);
        if stamp.is_some() && known.is_some_and(|known| known.stamp == stamp) {
            return Found::Nothing;
        }
        self.reads += 1;
        let Ok(Some(hash)) = hash_of(path) else { return Found::Nothing };
        match self.files.insert(path.to_path_buf(), Known { hash, stamp }) {
            None => Found::New,
            Some(known) if known.hash != hash => Found::Changed,
            Some(_) => Found::Nothing,
        }
    }

    /// Forgets the files at or below `path` that are not in `present`, and returns them.
    pub(super) fn forget_below(&mut self, path: &Path, present: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
        let known = below(&self.files, path).map(|(known, _)| known);
        let lost: Vec<_> = known.filter(|known| !present.contains(*known)).cloned().collect();
        for path in &lost {
            self.files.remove(path);
        }
        lost
    }
}

impl Stamp {
    /// Returns the stamp of a file if it is so old that any later save has another one.
    fn of(path: &Path) -> Option<Self> {
        let now = SystemTime::now();
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?;
        // A time in the future is that of another machine's clock, which shows nothing.
        let is_old = now.duration_since(modified).is_ok_and(|age| age > COARSEST_STAMP);
        is_old.then(|| Self {
            modified,
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            length: metadata.len(),
        })
    }
}

/// Returns the hash of a file's contents; `None` if it does not exist any more.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn set_modified(path: &Path, modified: SystemTime) {
        fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }

    #[test]
    fn a_save_of_the_same_length_in_the_same_second_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.rs");
        let second = SystemTime::now();
        let mut contents = Contents::default();
        for (text, found) in [("1", Found::New), ("2", Found::Changed), ("2", Found::Nothing)] {
            fs::write(&file, text).unwrap();
            set_modified(&file, second);
            assert_eq!(contents.look(&file), found, "{text}");
        }
    }

    #[test]
    fn a_file_with_its_old_time_put_back_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.rs");
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        let mut contents = Contents::default();
        for (text, found) in [("1", Found::New), ("2", Found::Changed)] {
            fs::write(&file, text).unwrap();
            set_modified(&file, long_ago);
            assert_eq!(contents.look(&file), found, "{text}");
        }
        assert_eq!(contents.look(&file), Found::Nothing);
        assert_eq!(contents.forget_below(folder.path(), &BTreeSet::new()), [file]);
    }
}
