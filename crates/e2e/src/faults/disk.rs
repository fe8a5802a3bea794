//! A disk that is full.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A very small file system over a folder; dropping it takes it away.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Lays a file system of 64 KiB over `folder`, or says why that cannot be done here.
    ///
    /// # Errors
    /// When `mount` refuses, which it does to everyone but root.
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
        // Lazily, since a compiler may still have its working folder there.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).stdin(Stdio::null()).status();
    }
}
