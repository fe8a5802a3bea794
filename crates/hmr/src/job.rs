//! One build of one plugin, or of several that go live together: from sources to a library that a probe accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sdk_core::services::Linked;
use sdk_core::{FINGERPRINT, PluginId};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::cargo::{self, Artifacts};
use crate::error::SaveError;
use crate::findings::Findings;
use crate::hosts::Staged;
use crate::library::MappedSdk;
use crate::probe::Prober;
use crate::report::Parts;
use crate::rustc::{Built, Replay};
use crate::rustc_call::RustcCall;
use crate::watch::hash_of;
use crate::workspace::{Package, Workspace};

/// File below the target folder in which it is kept what cargo has built.
const ARTIFACTS: &str = "plugins/artifacts.json";

/// What all jobs share.
pub struct Workshop {
    /// cargo's target folder.
    pub target: PathBuf,
    /// Whether diagnostics are rendered in colour.
    pub colour: bool,
    sdk: Option<MappedSdk>,
    prober: Prober,
    /// What cargo has built of each crate of the workspace.
    artifacts: parking_lot::Mutex<Artifacts>,
    /// cargo locks its target folder; waiting here keeps its "Blocking" out of the developer's sight.
    cargo: Mutex<()>,
}

/// A plugin whose library is built and accepted by the probe.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Plugin that was built.
    pub package: Package,
    /// Its library.
    pub built: Built,
    /// What the library was linked from.
    pub linked: Linked,
    /// Time taken so far.
    pub parts: Parts,
    /// What the files that rustc read held when it was built; nothing of one that is taken as it is.
    sources: BTreeMap<PathBuf, u64>,
}

impl Ready {
    /// Says whether its sources are still those that it was built from.
    pub fn is_current(&self) -> bool {
        self.sources.iter().all(|(path, hash)| holds(path, *hash))
    }

    /// Returns the files that rustc read, with the hash of what they held where that is known.
    pub fn inputs(&self) -> BTreeMap<PathBuf, Option<u64>> {
        let hashed = |path: &PathBuf| (path.clone(), self.sources.get(path).copied());
        self.built.inputs.iter().map(hashed).collect()
    }
}

/// A plugin that cannot go live, and why.
#[derive(Debug)]
pub struct Failure {
    /// Plugin; `None` when the reason is none of a single plugin's.
    pub plugin: Option<PluginId>,
    /// Why.
    pub error: SaveError,
}

/// What cargo has told of a build.
#[derive(Debug)]
pub struct Captured {
    /// Calls of rustc, by plugin.
    pub calls: BTreeMap<PluginId, RustcCall>,
    /// Plugins that do not compile.
    pub failures: Vec<Failure>,
    /// What rustc said of the host's own crates, when the host does not compile.
    pub host: Option<cargo::Failures>,
}

/// What a build was made from, kept beside it so that a host that starts again need not build it again.
#[derive(Serialize, Deserialize)]
struct Account {
    fingerprint: String,
    call: RustcCall,
    library: PathBuf,
    inputs: BTreeMap<PathBuf, u64>,
    /// Hashes of the crates that it holds a copy of as cargo has built them, which is what rustc links.
    copies: BTreeMap<String, u64>,
    warnings: String,
}

impl Workshop {
    /// Prepares to build into `target`.
    ///
    /// # Errors
    /// When the probe process cannot be started.
    pub fn new(target: PathBuf, colour: bool) -> std::io::Result<Self> {
        // A host that takes another one's place does not ask cargo.
        let artifacts = cargo::kept(&target.join(ARTIFACTS)).unwrap_or_default();
        Ok(Self {
            target,
            colour,
            sdk: MappedSdk::find(),
            prober: Prober::new()?,
            artifacts: parking_lot::Mutex::new(artifacts),
            cargo: Mutex::new(()),
        })
    }

    /// Prepares to build for another host, which probes the libraries itself.
    ///
    /// # Errors
    /// When that host cannot be started.
    pub fn for_host(&self, host: &Staged) -> std::io::Result<Self> {
        let prober = Prober::of(host.program())?;
        Ok(Self {
            target: self.target.clone(),
            colour: self.colour,
            sdk: None,
            prober,
            artifacts: parking_lot::Mutex::new(self.artifacts.lock().clone()),
            cargo: Mutex::new(()),
        })
    }

    /// Says whether what is built now fits this host.
    pub fn sdk_is_current(&self) -> bool {
        self.sdk.as_ref().is_none_or(|sdk| sdk.is_current(&self.target))
    }

    fn folder(&self, package: &Package) -> PathBuf {
        self.target.join("plugins").join(&package.name)
    }

    fn call_file(&self, package: &Package) -> PathBuf {
        self.folder(package).join("call.json")
    }

    fn account_file(&self, package: &Package) -> PathBuf {
        self.folder(package).join("built.json")
    }

    /// Removes libraries of former runs, except those that `reuse` would take or that are `needed`.
    pub fn tidy(&self, package: &Package, needed: &BTreeSet<PathBuf>) {
        let kept = self.account(package).map(|account| account.library);
        for entry in fs::read_dir(self.folder(package)).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_library = path.extension().is_some_and(|extension| extension == OsStr::new("so"));
            let is_other = path.extension().is_some_and(|extension| extension != OsStr::new("json"));
            let is_needed = Some(&path) == kept.as_ref() || needed.contains(&path);
            if is_library && !is_needed {
                discard(&path);
            } else if path.is_file() && is_other && !is_needed {
                // One that stays is overwritten or tidied another time.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Gives a library that was built before as it is, and whether its sources have been edited since.
    pub fn recall(&self, package: &Package, library: PathBuf) -> (Ready, bool) {
        let account: Option<Account> = cargo::kept(&account_of(&library));
        let is_edited = account.as_ref().is_some_and(|account| {
            !account.inputs.iter().all(|(path, hash)| holds(path, *hash))
                || edited_since(&package.shared, &library)
        });
        let (inputs, copies, warnings) = account
            .map(|account| (account.inputs.into_keys().collect(), account.copies, account.warnings))
            .unwrap_or_default();
        let linked = linked(package, &library, copies);
        let built = Built { library, inputs, warnings };
        let (parts, sources) = (Parts::default(), BTreeMap::new());
        (Ready { package: package.clone(), built, linked, parts, sources }, is_edited)
    }

    /// Says whether no other library of the plugin was built after this one.
    pub fn is_newest(&self, package: &Package, library: &Path) -> bool {
        self.account(package).is_some_and(|account| account.library == library)
    }

    /// Gives the call of rustc that cargo told last.
    pub fn kept_call(&self, package: &Package) -> Option<RustcCall> {
        cargo::kept(&self.call_file(package))
    }

    fn account(&self, package: &Package) -> Option<Account> {
        cargo::kept(&self.account_file(package))
    }

    /// Gives the library of a former run, with its sources, when nothing that it was built from has changed.
    fn reuse(
        &self,
        package: &Package,
        call: &RustcCall,
        copies: &BTreeMap<String, u64>,
    ) -> Option<(Built, BTreeMap<PathBuf, u64>)> {
        let account = self.account(package)?;
        let is_same = account.fingerprint == FINGERPRINT
            && account.call == *call
            && account.library.is_file()
            && self.newer_than_sdk(&account.library)
            && account.copies == *copies
            && account.inputs.iter().all(|(path, hash)| holds(path, *hash));
        is_same.then(|| {
            let inputs = account.inputs.keys().cloned().collect();
            let built = Built { library: account.library, inputs, warnings: account.warnings };
            (built, account.inputs)
        })
    }

    /// Hashes what the build before has read.
    fn sources_before(&self, package: &Package) -> BTreeMap<PathBuf, u64> {
        let inputs = self.account(package).map(|account| account.inputs).unwrap_or_default();
        inputs.into_keys().filter_map(|path| hash_of(&path).ok()?.map(|hash| (path, hash))).collect()
    }

    fn newer_than_sdk(&self, library: &Path) -> bool {
        let written = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        self.sdk.as_ref().is_none_or(|sdk| written(library) > written(sdk.path()))
    }

    /// Hashes what the linker is given of the crates of which a library holds a copy, by the name of their folder.
    ///
    /// A crate of which nothing is known to be built has no hash that another has.
    fn copies(&self, workspace: &Workspace, package: &Package, library: &str) -> BTreeMap<String, u64> {
        let artifacts = self.artifacts.lock().clone();
        let hash = |folder: &PathBuf| {
            let files = artifacts.get(folder).filter(|files| !files.is_empty())?;
            let mut hasher = DefaultHasher::new();
            for file in files {
                // Another name is another crate; the workspace may have been moved.
                let name = file.strip_prefix(&self.target).unwrap_or(file);
                (name, hash_of(file).ok()??).hash(&mut hasher);
            }
            Some(hasher.finish())
        };
        package
            .copies
            .iter()
            .map(|folder| {
                let name = folder.strip_prefix(&workspace.root).unwrap_or(folder).display().to_string();
                (name, hash(folder).unwrap_or_else(|| hash_of_words(library)))
            })
            .collect()
    }

    /// Keeps the account beside the library, and as that of the newest one.
    fn note(&self, package: &Package, account: &Account) -> Result<(), SaveError> {
        cargo::keep(&account_of(&account.library), account)?;
        cargo::keep(&self.account_file(package), account)
    }

    /// Has cargo build the host and `packages`, and gives the call of rustc for each that compiles.
    ///
    /// # Errors
    /// When cargo itself fails; a package that does not compile is among the failures.
    pub async fn capture(&self, workspace: &Workspace, packages: &[Package]) -> Result<Captured, SaveError> {
        let _turn = self.cargo.lock().await;
        let mut outcome = cargo::build(workspace, &self.target, self.colour).await?;
        let unknown: Vec<_> = packages
            .iter()
            .filter(|package| {
                outcome.libraries.contains(&package.name) && !outcome.calls.contains_key(&package.id)
            })
            .map(|package| package.name.as_str())
            .collect();
        if !unknown.is_empty() {
            // Somebody has removed what the wrapper had kept, or another cargo is at work on the same files.
            cargo::forget(workspace, &self.target, &unknown).await?;
            outcome = cargo::build(workspace, &self.target, self.colour).await?;
        }
        let mut calls = std::mem::take(&mut outcome.calls);
        for package in packages {
            let Some(call) = calls.get(&package.id) else { continue };
            if let Err(error) = cargo::keep(&self.call_file(package), call) {
                tracing::warn!(plugin = %package.id, %error, "cargo will be asked again at the next start");
            }
        }
        self.artifacts.lock().append(&mut outcome.artifacts);
        if let Err(error) = cargo::keep(&self.target.join(ARTIFACTS), &*self.artifacts.lock()) {
            tracing::warn!(%error, "plugins that are built after a crash may not find each other's services");
        }
        if let Some(words) = outcome.failed {
            return Err(SaveError::Cargo(words));
        }
        let mut failures = Vec::new();
        for package in packages {
            // Only what cargo has an up-to-date library of may be built again by its call: with anything else, a
            // crate that it links is missing or old.
            if outcome.libraries.contains(&package.name) && calls.contains_key(&package.id) {
                continue;
            }
            calls.remove(&package.id);
            let findings = outcome.failures.get(&package.name).cloned().unwrap_or_else(|| {
                outcome.failures.values().cloned().fold(Findings::default(), |mut all, findings| {
                    all.append(findings);
                    all
                })
            });
            let error = if findings.errors == 0 {
                let name = &package.name;
                SaveError::Cargo(format!(
                    "cargo did not tell how it builds {name}; if another cargo is at work in this folder, wait for it, \
                     then save a file of the plugin again, or run ./dev-env.sh reload"
                ))
            } else {
                SaveError::Compile(findings)
            };
            failures.push(Failure { plugin: Some(package.id.clone()), error });
        }
        let host = if outcome.libraries.contains("bot") {
            None
        } else {
            let of_host =
                |package: &String| !workspace.plugins.values().any(|plugin| plugin.name == *package);
            Some(outcome.failures.into_iter().filter(|(package, _)| of_host(package)).collect())
        };
        Ok(Captured { calls, failures, host })
    }

    /// Has the probe load a library that is built already.
    ///
    /// # Errors
    /// Why it cannot be loaded.
    pub async fn accepts(&self, package: &Package, library: &Path) -> Result<(), SaveError> {
        self.prober.probe(library, &package.krate).await.map(|_| ())
    }

    /// Builds the library of a plugin by a captured call, and has the probe load it.
    ///
    /// # Errors
    /// Why it cannot go live; [`SaveError::Superseded`] when a source changed while it was built.
    pub async fn build(
        &self,
        workspace: &Workspace,
        package: &Package,
        call: &RustcCall,
        suffix: &str,
        may_reuse: bool,
    ) -> Result<Ready, SaveError> {
        if !self.sdk_is_current() {
            return Err(SaveError::SdkChanged);
        }
        let mut parts = Parts::default();
        let began = Instant::now();
        let copies = self.copies(workspace, package, suffix);
        let reused = if may_reuse { self.reuse(package, call, &copies) } else { None };
        let mut account = None;
        let (built, sources) = if let Some(reused) = reused {
            reused
        } else {
            let before = self.sources_before(package);
            let start = SystemTime::now();
            let replay = Replay {
                folder: self.folder(package),
                suffix: format!("-{suffix}"),
                colour: self.colour,
                working_folder: workspace.root.clone(),
            };
            let built = replay.run(call).await?;
            // rustc may have read a file before or after it was saved anew; only the newest save may go live.
            let sources = unchanged_since(start, &before, &built.inputs)
                .filter(|_| copies == self.copies(workspace, package, suffix))
                .ok_or(SaveError::Superseded)?;
            account = Some(Account::of(call, &built, &copies));
            (built, sources)
        };
        parts.build = began.elapsed();
        let began = Instant::now();
        let fingerprint = self.prober.probe(&built.library, &package.krate).await?;
        parts.probe = began.elapsed();
        if let Some(account) = account {
            self.note(package, &Account { fingerprint, ..account })?;
        }
        let linked = linked(package, &built.library, copies);
        Ok(Ready { package: package.clone(), linked, built, parts, sources })
    }
}

impl Account {
    fn of(call: &RustcCall, built: &Built, copies: &BTreeMap<String, u64>) -> Self {
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
}

/// Gives the file with the account of a library.
fn account_of(library: &Path) -> PathBuf {
    library.with_extension("json")
}

/// Removes a library that nobody needs any more; its code stays mapped where it is.
pub fn discard(library: &Path) {
    // What stays is tidied another time.
    let _ = fs::remove_file(library);
    let _ = fs::remove_file(account_of(library));
}

/// Says what a library was linked from: the crates it shares with others, and itself.
fn linked(package: &Package, library: &Path, mut copies: BTreeMap<String, u64>) -> Linked {
    copies.insert(package.id.to_string(), hash_of_words(&library.display().to_string()));
    Linked::into_a_library(copies)
}

/// Says whether a file in one of these folders is newer than a library.
fn edited_since(folders: &BTreeSet<PathBuf>, library: &Path) -> bool {
    let written = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let mut files = BTreeSet::new();
    for folder in folders {
        crate::watch::files_below(folder, &mut files);
    }
    files.iter().any(|file| written(file) > written(library))
}

/// Says whether a file still has the contents of that hash.
fn holds(path: &Path, hash: u64) -> bool {
    matches!(hash_of(path), Ok(Some(now)) if now == hash)
}

fn hash_of_words(words: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

/// Hashes what a build has read; `None` when any of it was saved anew since `start`.
///
/// What the build before read as well is compared with what it held `before`. Of what is new only the kernel's stamp
/// tells, which no program can set. A stamp in the future is that of another machine's clock and tells nothing.
fn unchanged_since(
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

/// Returns when a file's contents or anything else of it was last changed, by the kernel's clock.
fn changed_at(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok()?;
    let seconds = Duration::from_secs(u64::try_from(metadata.ctime()).ok()?);
    let more = Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds + more)
}

/// Plugins to build, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// Plugins, with the call of each that is known.
    pub packages: Vec<(Package, Option<RustcCall>)>,
    /// Whether cargo has to be asked first.
    pub through_cargo: bool,
    /// Tells this order's files from those of others.
    pub suffix: String,
    /// Moment of the save.
    pub began: Instant,
    /// Whether a library of a former run is taken when its sources are the same.
    pub may_reuse: bool,
}

/// What became of an order.
#[derive(Debug, Default)]
pub struct Done {
    /// Calls that cargo told.
    pub calls: BTreeMap<PluginId, RustcCall>,
    /// Plugins that may go live.
    pub ready: Vec<Ready>,
    /// Plugins that may not.
    pub failures: Vec<Failure>,
}

/// Carries out an order; dropping the future kills the compiler.
pub async fn carry_out(workshop: Arc<Workshop>, workspace: Arc<Workspace>, order: Order) -> Done {
    let watch = order.began.elapsed();
    let asked = Instant::now();
    let mut done = Done::default();
    let mut calls: BTreeMap<_, _> = order
        .packages
        .iter()
        .filter_map(|(package, call)| Some((package.id.clone(), call.clone()?)))
        .collect();
    let packages: Vec<_> = order.packages.into_iter().map(|(package, _)| package).collect();
    if order.through_cargo || calls.len() < packages.len() {
        match workshop.capture(&workspace, &packages).await {
            Ok(captured) => {
                done.calls = captured.calls.clone();
                calls = captured.calls;
                done.failures = captured.failures;
            }
            Err(error) => {
                done.failures.push(Failure { plugin: None, error });
                return done;
            }
        }
    }
    let through_cargo: Duration = asked.elapsed();
    // One after the other: rustc and its linker keep two cores busy.
    for package in packages {
        let Some(call) = calls.get(&package.id) else { continue };
        match workshop.build(&workspace, &package, call, &order.suffix, order.may_reuse).await {
            Ok(mut ready) => {
                ready.parts.watch = watch;
                ready.parts.build += through_cargo;
                done.ready.push(ready);
            }
            Err(error) => done.failures.push(Failure { plugin: Some(package.id), error }),
        }
    }
    done
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
