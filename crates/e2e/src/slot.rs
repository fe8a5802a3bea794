//! Folders that playgrounds use one after the other.
//!
//! rustc's incremental state is valid only in the folder in which it was made. A new folder for each playground would
//! have each test compile from nothing, so playgrounds share a few folders, `target/e2e/slots/N`. A slot belongs to the
//! process that has locked `N.lock`. Whoever takes it gets it as if it were new, except that incremental state is
//! kept: everything else that differs is restored.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::tree::Tree;

/// Variable by which the processes of a playground are found; it contains the folder.
pub(crate) const PLAYGROUND: &str = "HOTCORD_PLAYGROUND";

/// Longest time until a killed process has ended.
const KILLED_WITHIN: Duration = Duration::from_secs(30);

/// A folder that is locked for this process. Dropping it ends the processes in it and unlocks it.
pub(crate) struct Slot {
    folder: PathBuf,
    /// File that exists while the slot is used, and stays if its user fails.
    used: PathBuf,
    _lock: File,
}

impl Slot {
    /// Locks the first slot below `parent` that is free. Its contents are what its last user left.
    ///
    /// # Errors
    /// If a file cannot be read or written, or a process in the slot cannot be ended.
    pub(crate) fn take(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        // Processes find the real path of their folder.
        let parent = parent.canonicalize()?;
        let mut number = 0;
        let lock = loop {
            let lock = File::create(parent.join(format!("{number}.lock")))?;
            match lock.try_lock() {
                Ok(()) => break lock,
                Err(TryLockError::WouldBlock) => number += 1,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        };
        let folder = parent.join(number.to_string());
        let slot = Self { used: parent.join(format!("{number}.used")), folder, _lock: lock };
        end_processes(&slot.folder)?;
        if slot.used.exists() {
            // A user that failed, or was killed, may have left anything, incremental state included.
            slot.clear()?;
        }
        fs::write(&slot.used, "")?;
        Ok(slot)
    }

    /// Makes it hold this tree and, besides it, only incremental state.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub(crate) fn restore(&self, tree: &Tree) -> io::Result<()> {
        tree.restore(&self.folder)
    }

    /// Removes everything from it.
    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let ended = end_processes(&self.folder);
        if ended.is_ok() && !std::thread::panicking() {
            // If this fails, the next user gets an empty slot.
            let _ = fs::remove_file(&self.used);
        }
    }
}

/// Kills the processes of a playground, and waits until they have ended: a compiler that still writes would write into
/// the next playground.
fn end_processes(folder: &Path) -> io::Result<()> {
    let began = Instant::now();
    loop {
        let processes = processes(folder)?;
        for process in &processes {
            // It may have ended.
            let _ = kill_process(*process, Signal::KILL);
        }
        if processes.is_empty() {
            return Ok(());
        }
        if began.elapsed() > KILLED_WITHIN {
            return Err(io::Error::other(format!(
                "processes in {} do not end: {processes:?}",
                folder.display()
            )));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Returns the processes that run a program in a folder, or have a path in it in their environment, as cargo and rustc
/// do. An ended process has neither. A shell that is only in the folder is left alone.
fn processes(folder: &Path) -> io::Result<Vec<Pid>> {
    let own = std::process::id();
    let inside = [folder.as_os_str().as_bytes(), b"/"].concat();
    let is_place = |variable: &[u8]| variable.starts_with(b"PWD=") || variable.starts_with(b"OLDPWD=");
    let holds = |environment: &[u8]| {
        let mut variables = environment.split(|byte| *byte == 0).filter(|variable| !is_place(variable));
        variables.any(|variable| variable.windows(inside.len()).any(|part| part == inside))
    };
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let is_inside = || {
            fs::read_link(entry.path().join("exe")).is_ok_and(|program| program.starts_with(folder))
                || fs::read(entry.path().join("environ")).is_ok_and(|environment| holds(&environment))
        };
        if id != own && is_inside() {
            found.extend(i32::try_from(id).ok().and_then(Pid::from_raw));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    fn tree(from: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.add_sources(from, Path::new("")).unwrap();
        tree
    }

    #[test]
    fn a_slot_is_as_new_for_the_next_user_but_for_incremental_state() {
        let (from, slots) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(from.path().join("src/inner")).unwrap();
        for file in ["a.rs", "src/b.rs", "src/inner/c.rs", "src/d.rs"] {
            fs::write(from.path().join(file), file).unwrap();
        }
        let tree = tree(from.path());
        let slot = Slot::take(slots.path()).unwrap();
        slot.restore(&tree).unwrap();
        let here = slot.path().to_path_buf();
        // A second user at the same time gets another one.
        let other = Slot::take(slots.path()).unwrap();
        assert_ne!(other.path(), here);
        drop(other);

        fs::write(here.join("a.rs"), "changed").unwrap();
        fs::remove_dir_all(here.join("src/inner")).unwrap();
        std::os::unix::fs::symlink("elsewhere", here.join("src/inner")).unwrap();
        fs::remove_file(here.join("src/b.rs")).unwrap();
        fs::create_dir_all(here.join("src/b.rs/in")).unwrap();
        fs::rename(here.join("src/d.rs"), here.join("e.rs")).unwrap();
        fs::write(here.join(".env"), "").unwrap();
        fs::create_dir_all(here.join("target/plugin/incremental/session")).unwrap();
        fs::write(here.join("target/plugin/incremental/session/state"), "state").unwrap();
        fs::write(here.join("target/plugin/library"), "").unwrap();
        drop(slot);

        let slot = Slot::take(slots.path()).unwrap();
        assert_eq!(slot.path(), here);
        slot.restore(&tree).unwrap();
        for file in ["a.rs", "src/b.rs", "src/inner/c.rs", "src/d.rs"] {
            assert_eq!(fs::read_to_string(here.join(file)).unwrap(), file);
        }
        assert!(fs::symlink_metadata(here.join("src/inner")).unwrap().is_dir());
        for left in ["e.rs", ".env", "target/plugin/library"] {
            assert!(!here.join(left).exists(), "{left}");
        }
        assert!(here.join("target/plugin/incremental/session/state").exists());
    }

    #[test]
    fn a_failed_user_leaves_an_empty_slot_and_no_process() {
        let slots = tempfile::tempdir().unwrap();
        let slot = Slot::take(slots.path()).unwrap();
        let here = slot.path().to_path_buf();
        fs::create_dir_all(here.join("incremental")).unwrap();
        // A program that has just been started has no environment yet in /proc. One that has written a line has.
        let mut child = Command::new("sh")
            .args(["-c", "echo ready; read line"])
            .env(PLAYGROUND, here.join(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let _open = child.stdin.take();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let failed = std::thread::spawn(move || {
            let _slot = slot;
            std::panic::resume_unwind(Box::new("failed"));
        });
        assert!(failed.join().is_err());
        assert!(!child.wait().unwrap().success(), "it was killed");
        let slot = Slot::take(slots.path()).unwrap();
        assert_eq!(slot.path(), here);
        assert!(!here.exists());
    }
}
