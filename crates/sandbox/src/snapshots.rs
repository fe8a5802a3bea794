//! Named snapshots of the world: in memory, or as files in the folder of `serve --data`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use parking_lot::Mutex;

use crate::private_file::write_durably;
use crate::state::saved::LONGEST_HEADER;

/// Ending of a snapshot's file.
const ENDING: &str = "world";

/// The named snapshots of a sandbox. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshots {
    folder: Option<PathBuf>,
    kept: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Snapshots {
    /// Keeps snapshots as files in a folder.
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self { folder: Some(folder), kept: Arc::default() }
    }

    /// Keeps a snapshot under a name, in place of an earlier one of that name.
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        match self.file(name) {
            Some(path) => write_durably(&path, &bytes),
            None => {
                self.kept.lock().insert(name.to_owned(), Bytes::from(bytes));
                Ok(())
            }
        }
    }

    /// Returns a snapshot; `None` if there is none of that name.
    pub(crate) fn get(&self, name: &str) -> io::Result<Option<Bytes>> {
        match self.file(name) {
            Some(path) => found(fs::read(path).map(Bytes::from)),
            None => Ok(self.kept.lock().get(name).cloned()),
        }
    }

    /// Returns the length of a snapshot, and as much of it as its header can have; `None` if there is none of that name.
    pub(crate) fn head(&self, name: &str) -> io::Result<Option<(u64, Bytes)>> {
        let Some(path) = self.file(name) else {
            let kept = self.kept.lock();
            let head = |bytes: &Bytes| (bytes.len() as u64, bytes.slice(..bytes.len().min(LONGEST_HEADER)));
            return Ok(kept.get(name).map(head));
        };
        let Some(file) = found(fs::File::open(path))? else { return Ok(None) };
        let length = file.metadata()?.len();
        let mut head = Vec::new();
        file.take(LONGEST_HEADER as u64).read_to_end(&mut head)?;
        Ok(Some((length, Bytes::from(head))))
    }

    /// Removes a snapshot and returns whether there was one.
    pub(crate) fn remove(&self, name: &str) -> io::Result<bool> {
        match self.file(name) {
            Some(path) => Ok(found(fs::remove_file(path))?.is_some()),
            None => Ok(self.kept.lock().remove(name).is_some()),
        }
    }

    /// Returns the names in the order of the alphabet.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let Some(folder) = &self.folder else { return Ok(self.kept.lock().keys().cloned().collect()) };
        let mut names = Vec::new();
        for entry in found(fs::read_dir(folder))?.into_iter().flatten() {
            let path = entry?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).filter(|name| is_name(name));
            if path.extension().is_some_and(|ending| ending == ENDING) {
                names.extend(name.map(str::to_owned));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{name}.{ENDING}")))
    }
}

/// Returns whether a text is the name of a snapshot, and no path.
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_listed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        for snapshots in [Snapshots::default(), Snapshots::in_folder(folder.path().join("snapshots"))] {
            assert_eq!((snapshots.names().unwrap(), snapshots.get("a").unwrap()), (vec![], None));
            snapshots.put("b", b"1".to_vec()).unwrap();
            snapshots.put("a", b"2".to_vec()).unwrap();
            snapshots.put("a", b"3".to_vec()).unwrap();
            assert_eq!(snapshots.names().unwrap(), ["a", "b"]);
            assert_eq!(snapshots.get("a").unwrap().as_deref(), Some(&b"3"[..]));
            assert_eq!(snapshots.head("a").unwrap(), Some((1, Bytes::from_static(b"3"))));
            assert_eq!(snapshots.head("c").unwrap(), None);
            snapshots.put("a", vec![b'4'; LONGEST_HEADER + 5]).unwrap();
            let (length, head) = snapshots.head("a").unwrap().unwrap();
            assert_eq!((length, head.len()), (LONGEST_HEADER as u64 + 5, LONGEST_HEADER));
            assert!(snapshots.remove("a").unwrap() && !snapshots.remove("a").unwrap());
            assert_eq!(snapshots.names().unwrap(), ["b"]);
        }
        for (text, expected) in
            [("before-ban_2", true), ("", false), ("a.b", false), ("../a", false), ("ä", false)]
        {
            assert_eq!(is_name(text), expected, "{text}");
        }
    }
}
