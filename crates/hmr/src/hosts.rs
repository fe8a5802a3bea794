//! Hosts that have been built, each kept as a whole beside the files that cargo overwrites.
//!
//! # Theory of operation
//!
//! cargo writes every build of the host to the same place, while the host before it still runs and may have to be
//! started again. So each host that is to run is linked into a folder of its own, `target/hmr/hosts/3/`: the program,
//! the shared sdk library that it was linked with, and the [`Journal`] of its plugins. A program finds its own sdk
//! library through its rpath (`$ORIGIN`). A plugin that it loads uses the library that is already mapped, since the
//! name is the same. The newest two hosts and the running one are kept.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::journal::Journal;

/// File names of the parts of a host, the program first.
const PARTS: [&str; 2] = ["hotcord", "libsdk_dylib.so"];
/// Name of the mark of a host that died before it was ever ready.
const CONDEMNED: &str = "condemned";
/// Number of hosts that are kept: the newest one, and the one before it.
const KEPT: usize = 2;

/// The folder of all hosts below a target folder.
#[derive(Clone, Debug)]
pub struct Hosts {
    folder: PathBuf,
    built: PathBuf,
}

/// One host, which can be started at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    number: u64,
    folder: PathBuf,
}

impl Staged {
    /// Returns its number. A newer host has a higher one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the path of its program.
    pub fn program(&self) -> PathBuf {
        self.folder.join(PARTS[0])
    }

    /// Returns the path of its copy of the shared sdk library.
    pub fn sdk(&self) -> PathBuf {
        self.folder.join(PARTS[1])
    }

    /// Returns the path of the journal with the plugins that run in it.
    pub fn journal_file(&self) -> PathBuf {
        self.folder.join("journal.json")
    }

    /// Returns the path of the file with cargo's description of the workspace.
    pub fn workspace_file(&self) -> PathBuf {
        self.folder.join("workspace.json")
    }

    /// Marks a host that died before it was ever ready, so that no other one gives way to it.
    ///
    /// # Errors
    /// When the mark cannot be written.
    pub fn condemn(&self) -> io::Result<()> {
        fs::write(self.folder.join(CONDEMNED), "")
    }

    /// Removes the mark.
    pub fn pardon(&self) {
        // Usually there is none.
        let _ = fs::remove_file(self.folder.join(CONDEMNED));
    }

    /// Returns whether it died before it was ever ready.
    pub fn is_condemned(&self) -> bool {
        self.folder.join(CONDEMNED).exists()
    }

    /// Returns the host whose program is at `program`, if it is a staged one.
    pub fn of_program(program: &Path) -> Option<Self> {
        let folder = program.parent()?;
        let hosts = folder.parent()?;
        let number = folder.file_name()?.to_str()?.parse().ok()?;
        (hosts.file_name()? == "hosts").then(|| Self { number, folder: folder.to_path_buf() })
    }
}

impl Hosts {
    /// Returns the hosts below cargo's `target` folder.
    pub fn of(target: &Path) -> Self {
        Self { folder: target.join("hosts"), built: target.join("debug") }
    }

    /// Returns cargo's target folder for a program, whether staged or where cargo has put it.
    pub fn target_of(program: &Path) -> Option<PathBuf> {
        let folder = program.parent()?.parent()?;
        // Staged: target/hosts/3/hotcord; by cargo: target/debug/hotcord.
        let target = if Staged::of_program(program).is_some() { folder.parent()? } else { folder };
        Some(target.to_path_buf())
    }

    /// Returns all hosts, the newest first.
    pub fn all(&self) -> Vec<Staged> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut all: Vec<_> = entries
            .filter_map(|entry| Staged::of_program(&entry.path().join(PARTS[0])))
            .filter(|host| host.program().is_file())
            .collect();
        all.sort_unstable_by_key(|host| std::cmp::Reverse(host.number));
        all
    }

    /// Returns the host with that number.
    pub fn get(&self, number: u64) -> Option<Staged> {
        self.all().into_iter().find(|host| host.number == number)
    }

    /// Returns the newest host that is older than `host`.
    pub fn before(&self, host: &Staged) -> Option<Staged> {
        self.all().into_iter().find(|other| other.number < host.number)
    }

    /// Stages the host that cargo has built. If the newest host has the same files, returns that one.
    ///
    /// # Errors
    /// When a file is missing, or can be neither linked nor copied.
    pub fn stage(&self) -> io::Result<Staged> {
        let all = self.all();
        if let Some(newest) = all.first()
            && self.is_built(newest)?
        {
            return Ok(newest.clone());
        }
        fs::create_dir_all(&self.folder)?;
        let number = all.first().map_or(1, |newest| newest.number + 1);
        let folder = self.folder.join(number.to_string());
        // Created under another name, so that a host exists as a whole or not at all.
        let made = self.folder.join(format!(".{number}"));
        let _ = fs::remove_dir_all(&made);
        fs::create_dir(&made)?;
        for part in PARTS {
            link_or_copy(&self.built.join(part), &made.join(part))?;
        }
        let _ = fs::remove_dir_all(&folder);
        fs::rename(&made, &folder)?;
        Ok(Staged { number, folder })
    }

    /// Returns whether a host's files are those that cargo has built last.
    fn is_built(&self, host: &Staged) -> io::Result<bool> {
        for (built, staged) in PARTS.iter().map(|part| (self.built.join(part), host.folder.join(part))) {
            if !same_file(&built, &staged)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether cargo's last build has the sdk library of `host`, and its program byte for byte.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn is_equal(&self, host: &Staged) -> io::Result<bool> {
        Ok(self.has_sdk_of(host)? && same_bytes(&self.built.join(PARTS[0]), &host.program())?)
    }

    /// Returns whether cargo would link a plugin with the sdk library of `host`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn has_sdk_of(&self, host: &Staged) -> io::Result<bool> {
        same_file(&self.built.join(PARTS[1]), &host.sdk())
    }

    /// Removes hosts that are neither among the newest nor `in_use`.
    pub fn tidy(&self, in_use: &Staged) {
        for old in self.all().into_iter().skip(KEPT).filter(|host| host != in_use) {
            // A folder that stays is removed another time.
            let _ = fs::remove_dir_all(&old.folder);
        }
    }

    /// Returns the libraries of plugins that any of the hosts would load if it were started again.
    pub fn libraries(&self) -> BTreeSet<PathBuf> {
        self.all().iter().flat_map(|host| Journal::read(&host.journal_file()).libraries()).collect()
    }
}

/// Links a file, or copies it with its time of modification where the file system cannot link.
fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    fs::File::open(to)?.set_modified(fs::metadata(from)?.modified()?)
}

/// Returns whether two paths name one file, or a file and its copy.
pub(crate) fn same_file(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (one, other) = (fs::metadata(one)?, fs::metadata(other)?);
    let is_linked = one.dev() == other.dev() && one.ino() == other.ino();
    Ok(is_linked || one.len() == other.len() && one.modified()? == other.modified()?)
}

fn same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(fs::metadata(one)?.len() == fs::metadata(other)?.len() && fs::read(one)? == fs::read(other)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes what cargo would build, as new files in place of the old ones.
    fn build(target: &Path, program: &str, sdk: &str) {
        fs::create_dir_all(target.join("debug")).unwrap();
        for (part, text) in PARTS.iter().zip([program, sdk]) {
            let path = target.join("debug").join(part);
            if fs::read_to_string(&path).ok().as_deref() != Some(text) {
                fs::write(path.with_extension("new"), text).unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            }
        }
    }

    #[test]
    fn a_host_outlives_the_builds_after_it() {
        let target = tempfile::tempdir().unwrap();
        let hosts = Hosts::of(target.path());
        build(target.path(), "one", "sdk");
        let one = hosts.stage().unwrap();
        assert_eq!(hosts.stage().unwrap(), one, "the same files are the same host");
        build(target.path(), "two", "sdk");
        assert!(!hosts.is_equal(&one).unwrap() && hosts.has_sdk_of(&one).unwrap());
        let two = hosts.stage().unwrap();
        assert_eq!(fs::read_to_string(one.program()).unwrap(), "one");
        assert_eq!(hosts.before(&two), Some(one.clone()));
        build(target.path(), "three", "other sdk");
        assert!(!hosts.has_sdk_of(&two).unwrap());
        let three = hosts.stage().unwrap();
        hosts.tidy(&three);
        assert_eq!(hosts.all(), [three, two]);
    }

    #[test]
    fn the_target_folder_is_found_from_both_places() {
        for program in ["/w/target/hmr/debug/hotcord", "/w/target/hmr/hosts/12/hotcord"] {
            assert_eq!(Hosts::target_of(Path::new(program)), Some("/w/target/hmr".into()));
        }
        assert_eq!(Staged::of_program(Path::new("/w/target/hmr/debug/hotcord")), None);
        assert_eq!(Staged::of_program(Path::new("/t/hosts/12/hotcord")).unwrap().number(), 12);
    }
}
