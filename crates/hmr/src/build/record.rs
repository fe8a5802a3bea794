//! The inputs of a build, recorded beside it so that a host that starts again need not build it again.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sdk_core::services::Linked;
use serde::{Deserialize, Serialize};

use super::BuiltPlugin;
use super::Parts;
use super::cargo::{keep, kept};
use super::rustc::Built;
use super::rustc_call::RustcCall;
use crate::error::SaveError;
use crate::watch::hash_of;
use crate::workspace::Package;

/// The inputs of a library.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BuildRecord {
    pub(super) fingerprint: String,
    pub(super) call: RustcCall,
    pub(super) library: PathBuf,
    pub(super) inputs: BTreeMap<PathBuf, u64>,
    /// Hashes of the crates of which it holds a copy, as cargo has built them, since that is what rustc links.
    pub(super) copies: BTreeMap<String, u64>,
    pub(super) warnings: String,
}

impl BuildRecord {
    pub(super) fn of(call: &RustcCall, built: &Built, copies: &BTreeMap<String, u64>) -> Self {
        let inputs = built.inputs.iter().filter_map(|path| Some((path.clone(), hash_of(path).ok()??)));
        Self {
            fingerprint: String::new(),
            call: call.clone(),
            library: built.library.clone(),
            inputs: inputs.collect(),
            copies: copies.clone(),
            warnings: built.warnings.clone(),
        }
    }

    /// Returns whether no file that was read has changed since.
    pub(super) fn is_current(&self) -> bool {
        self.inputs.iter().all(|(path, hash)| holds(path, *hash))
    }
}

/// The folder below cargo's target folder with the plugins' libraries and their records.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
}

impl Records {
    /// Returns the records below `target`.
    pub fn of(target: &Path) -> Self {
        Self { folder: target.join("plugins") }
    }

    /// Returns the folder for the libraries of one plugin.
    pub(super) fn folder(&self, package: &Package) -> PathBuf {
        self.folder.join(&package.name)
    }

    /// Returns the file with the list of what cargo has built.
    pub(super) fn artifacts_file(&self) -> PathBuf {
        self.folder.join("artifacts.json")
    }

    /// Returns the file with cargo's last answer about features.
    pub(super) fn features_file(&self) -> PathBuf {
        self.folder.join("features.json")
    }

    /// Returns the file with the call of rustc that cargo made last.
    pub(super) fn call_file(&self, package: &Package) -> PathBuf {
        self.folder(package).join("call.json")
    }

    fn newest_file(&self, package: &Package) -> PathBuf {
        self.folder(package).join("built.json")
    }

    /// Removes libraries of earlier runs, except the newest and those that are `needed`.
    pub fn tidy(&self, package: &Package, needed: &BTreeSet<PathBuf>) {
        let newest = self.newest(package).map(|record| record.library);
        for entry in fs::read_dir(self.folder(package)).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_library = path.extension().is_some_and(|extension| extension == OsStr::new("so"));
            let is_other = path.extension().is_some_and(|extension| extension != OsStr::new("json"));
            let is_needed = Some(&path) == newest.as_ref() || needed.contains(&path);
            if is_library && !is_needed {
                discard(&path);
            } else if path.is_file() && is_other && !is_needed {
                // A file that stays is overwritten or removed another time.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Returns a library that was built earlier, unchecked, and whether its sources have been edited since.
    pub fn recall(package: &Package, library: PathBuf) -> (BuiltPlugin, bool) {
        let record: Option<BuildRecord> = kept(&record_of(&library));
        let is_edited = record
            .as_ref()
            .is_some_and(|record| !record.is_current() || edited_since(&package.shared, &library));
        let (inputs, copies, warnings) = record
            .map(|record| (record.inputs.into_keys().collect(), record.copies, record.warnings))
            .unwrap_or_default();
        let built = BuiltPlugin {
            linked: linked(package, &library, copies),
            package: package.clone(),
            library,
            inputs,
            warnings,
            parts: Parts::default(),
            sources: BTreeMap::new(),
            record: None,
        };
        (built, is_edited)
    }

    /// Returns whether no other library of the plugin was built after this one.
    pub fn is_newest(&self, package: &Package, library: &Path) -> bool {
        self.newest(package).is_some_and(|record| record.library == library)
    }

    /// Returns the call of rustc that cargo made last.
    pub fn call(&self, package: &Package) -> Option<RustcCall> {
        kept(&self.call_file(package))
    }

    /// Returns the record of the library that was built last.
    pub(super) fn newest(&self, package: &Package) -> Option<BuildRecord> {
        kept(&self.newest_file(package))
    }

    /// Returns hashes of the files that the build before has read.
    pub(super) fn sources_before(&self, package: &Package) -> BTreeMap<PathBuf, u64> {
        let inputs = self.newest(package).map(|record| record.inputs).unwrap_or_default();
        inputs.into_keys().filter_map(|path| hash_of(&path).ok()?.map(|hash| (path, hash))).collect()
    }

    /// Removes a library that was just built, and records that the one at `live` is built from its sources.
    pub(super) fn keep_instead(&self, live: &Path, built: &BuiltPlugin) {
        let Some(record) = kept::<BuildRecord>(&record_of(&built.library)) else { return };
        let record = BuildRecord { library: live.to_owned(), ..record };
        match self.write(&built.package, &record) {
            Ok(()) => discard(&built.library),
            Err(error) => {
                tracing::warn!(plugin = %built.package.id, %error, "it is built again at the next start");
            }
        }
    }

    /// Writes a record beside its library, and as that of the newest one.
    pub(super) fn write(&self, package: &Package, record: &BuildRecord) -> Result<(), SaveError> {
        keep(&record_of(&record.library), record)?;
        keep(&self.newest_file(package), record)
    }
}

/// Returns whether two libraries were built in the same way, and from the same shared crates.
pub(super) fn is_same_build(one: &Path, other: &Path) -> bool {
    let [Some(one), Some(other)] = [one, other].map(|library| kept::<BuildRecord>(&record_of(library)))
    else {
        return false;
    };
    (one.fingerprint, one.call, one.copies) == (other.fingerprint, other.call, other.copies)
}

/// Returns the file with the record of a library.
fn record_of(library: &Path) -> PathBuf {
    library.with_extension("json")
}

/// Removes a library that is not needed any more, with its record. Its code stays mapped where it is.
pub(crate) fn discard(library: &Path) {
    // A file that stays is removed another time.
    let _ = fs::remove_file(library);
    let _ = fs::remove_file(record_of(library));
}

/// Returns what a library was linked from: the crates that it shares with others, and itself.
pub(super) fn linked(package: &Package, library: &Path, mut copies: BTreeMap<String, u64>) -> Linked {
    copies.insert(package.id.to_string(), hash_of_text(&library.display().to_string()));
    Linked::into_a_library(copies)
}

/// Returns whether a file in one of these folders is newer than a library.
fn edited_since(folders: &BTreeSet<PathBuf>, library: &Path) -> bool {
    let mut files = BTreeSet::new();
    for folder in folders {
        crate::watch::files_below(folder, &mut files);
    }
    files.iter().any(|file| written_at(file) > written_at(library))
}

/// Returns when a file was last written.
pub(super) fn written_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Returns whether a file still has the contents of that hash.
pub(super) fn holds(path: &Path, hash: u64) -> bool {
    matches!(hash_of(path), Ok(Some(now)) if now == hash)
}

pub(super) fn hash_of_text(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Returns hashes of the files that a build has read; `None` if any of them was saved again since `start`.
///
/// A file that the build before read as well is compared with its contents `before`. For a new file only the kernel's
/// time stamp shows a save, which no program can set. A stamp in the future is that of another machine's clock and
/// shows nothing.
pub(super) fn unchanged_since(
    start: SystemTime,
    before: &BTreeMap<PathBuf, u64>,
    inputs: &BTreeSet<PathBuf>,
) -> Option<BTreeMap<PathBuf, u64>> {
    let mut sources = BTreeMap::new();
    for path in inputs {
        let now = hash_of(path).ok().flatten();
        let is_same = match before.get(path) {
            Some(before) => Some(*before) == now,
            None => changed_at(path).is_none_or(|at| at <= start || at > SystemTime::now()),
        };
        if !is_same {
            return None;
        }
        sources.extend(now.map(|hash| (path.clone(), hash)));
    }
    Some(sources)
}

/// Returns when a file's contents or any other of its attributes last changed, by the kernel's clock.
fn changed_at(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok()?;
    let seconds = Duration::from_secs(u64::try_from(metadata.ctime()).ok()?);
    let more = Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_stale_when_a_file_that_it_read_was_saved_since_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old.rs"), folder.path().join("new.txt"));
        fs::write(&old, "1").unwrap();
        fs::write(&new, "1").unwrap();
        let inputs = BTreeSet::from([old.clone(), new.clone()]);
        let before = BTreeMap::from([(old.clone(), hash_of(&old).unwrap().unwrap())]);
        // The clock that stamps files may be behind the other one.
        let (start, long_ago) = (SystemTime::now(), SystemTime::now() - Duration::from_mins(1));
        let sources = unchanged_since(start, &before, &inputs).unwrap();
        assert_eq!(sources.keys().collect::<Vec<_>>(), [&new, &old]);
        assert_eq!(unchanged_since(long_ago, &before, &inputs), None, "what is new was written since");
        assert!(
            unchanged_since(long_ago, &sources, &inputs).is_some(),
            "of what is known the contents count"
        );
        fs::write(&old, "2").unwrap();
        assert_eq!(unchanged_since(start, &before, &inputs), None);
        fs::remove_file(&old).unwrap();
        assert_eq!(unchanged_since(start, &before, &inputs), None);
        assert!(unchanged_since(start, &BTreeMap::new(), &BTreeSet::from([old])).is_some());
    }
}
