//! Opening files in a folder, and nothing outside it.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// A folder that no path leaves.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Opens a file by its path below the folder. No part of the path may be a link.
    ///
    /// Each part is opened from the one before it, so changes of the folders meanwhile do not lead elsewhere.
    pub(super) fn open(&self, path: &str) -> io::Result<File> {
        let refused = || io::Error::new(io::ErrorKind::PermissionDenied, "that path is not below the folder");
        let mut parts = Vec::new();
        for part in Path::new(path).components() {
            let Component::Normal(part) = part else { return Err(refused()) };
            parts.push(part);
        }
        let name = parts.pop().ok_or_else(refused)?;
        let only = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        // The folder itself may be reached by a link.
        let folder = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let mut at = rustix::fs::open(&self.0, folder, Mode::empty())?;
        for part in parts {
            at = rustix::fs::openat(&at, part, only | OFlags::DIRECTORY, Mode::empty())?;
        }
        // Opening a pipe without this would block until it has a writer.
        let file = File::from(rustix::fs::openat(&at, name, only | OFlags::NONBLOCK, Mode::empty())?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(refused()) }
    }
}
