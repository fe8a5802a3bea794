//! The contents of files, so that a save that changes nothing can be distinguished from one that does.
//!
//! The contents of a file beyond [`LARGE`] are not read: its metadata stand for them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use super::below::below;

/// Coarsest time stamp of a file system in use. Two saves within it may have the same stamp.
const COARSEST_STAMP: Duration = Duration::from_secs(2);

/// Longest file whose contents are compared, in bytes. A longer one would hold up the saves behind it.
const LARGE: u64 = 32 << 20;
/// Bytes that are read at once.
const LONGEST_READ: u64 = 1 << 20;

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
#[derive(Debug, PartialEq, Eq, Hash)]
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
        let stamp = Self::new(&fs::metadata(path).ok()?).ok()?;
        // A time in the future is that of another machine's clock, which shows nothing.
        let is_old = now.duration_since(stamp.modified).is_ok_and(|age| age > COARSEST_STAMP);
        is_old.then_some(stamp)
    }

    fn new(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self {
            modified: metadata.modified()?,
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            length: metadata.len(),
        })
    }
}

/// Returns a hash that differs after a save: of a file's contents, or of its metadata if it is longer than [`LARGE`].
/// `None` if it does not exist any more, or if it is a pipe, a device or a folder.
pub(crate) fn hash_of(path: &Path) -> io::Result<Option<u64>> {
    let Some(metadata) = file_metadata(path)? else { return Ok(None) };
    if metadata.len() <= LARGE {
        return read_hash(path, &metadata);
    }
    let mut hasher = DefaultHasher::new();
    Stamp::new(&metadata)?.hash(&mut hasher);
    Ok(Some(hasher.finish()))
}

/// Returns the hash of a file's contents, however long it is; `None` as [`hash_of`] does.
///
/// Only for what was built: tools write such files again and link them elsewhere, which changes their metadata.
pub(crate) fn hash_of_contents(path: &Path) -> io::Result<Option<u64>> {
    file_metadata(path)?.map_or(Ok(None), |metadata| read_hash(path, &metadata))
}

fn read_hash(path: &Path, metadata: &fs::Metadata) -> io::Result<Option<u64>> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut hasher = DefaultHasher::new();
    let longest = metadata.len().clamp(1, LONGEST_READ);
    let mut piece = vec![0; usize::try_from(longest).unwrap_or(usize::MAX)];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(Some(hasher.finish())),
            Ok(length) => hasher.write(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn file_metadata(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        // Opening a pipe waits for its writer, and a device may have no end.
        Ok(metadata) => Ok(metadata.is_file().then_some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

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

    #[test]
    fn a_huge_file_is_compared_by_its_metadata_and_a_pipe_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("huge.rs");
        let began = Instant::now();
        let huge = fs::File::create(&file).unwrap();
        huge.set_len(1 << 40).unwrap();
        let mut contents = Contents::default();
        let mut look = |expected: Found, why: &str| assert_eq!(contents.look(&file), expected, "{why}");
        look(Found::New, "it was not known");
        look(Found::Nothing, "nobody wrote");
        huge.set_len((1 << 40) + 1).unwrap();
        look(Found::Changed, "it is longer");
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        huge.set_modified(long_ago).unwrap();
        look(Found::Changed, "its time is another one");
        look(Found::Nothing, "nobody wrote");
        fs::File::create(folder.path().join("new")).unwrap().set_len((1 << 40) + 1).unwrap();
        set_modified(&folder.path().join("new"), long_ago);
        fs::rename(folder.path().join("new"), &file).unwrap();
        look(Found::Changed, "it is another file");
        fs::write(&file, "1").unwrap();
        look(Found::Changed, "it is small again");
        assert!(began.elapsed() < Duration::from_secs(10), "a terabyte was read");

        let pipe = folder.path().join("pipe");
        let is_made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(is_made.success());
        assert_eq!(contents.look(&pipe), Found::Nothing);
        assert_eq!(hash_of_contents(&pipe).unwrap(), None);
    }

    #[test]
    fn the_hash_of_contents_is_that_of_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        let mut bytes = vec![7; usize::try_from(LONGEST_READ).unwrap() + 1];
        let mut hashes = BTreeSet::new();
        for last in [1, 2] {
            *bytes.last_mut().unwrap() = last;
            fs::write(&file, &bytes).unwrap();
            let hash = hash_of(&file).unwrap().unwrap();
            assert_eq!(hash_of_contents(&file).unwrap(), Some(hash));
            hashes.insert(hash);
        }
        assert_eq!(hashes.len(), 2);
    }
}
