//! A full disk.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A very small file system over a folder. Dropping it unmounts it.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a file system of 64 KiB over `folder`.
    ///
    /// # Errors
    /// If `mount` refuses, which it does for everyone but root.
    pub fn over(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "hotcord-small-disk"])
            .arg(folder)
            .stdin(Stdio::null())
            .output()?;
        if output.status.success() {
            Ok(Self { folder: folder.to_owned() })
        } else {
            Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a compiler may still have its working folder there.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).stdin(Stdio::null()).status();
    }
}
