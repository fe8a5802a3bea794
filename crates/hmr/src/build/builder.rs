//! The toolchain that builds with cargo and rustc, probes in a child process, and loads with the system's loader.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sdk_core::{FINGERPRINT, PluginEntry};
use tokio::sync::Mutex;

use super::Parts;
use super::cargo::{self, Artifacts, keep, kept};
use super::features::Shared;
use super::host::{self, HostRequest, NewHost, Refusal};
use super::library::{self, MappedSdk};
use super::probe::Prober;
use super::record::{BuildRecord, Records, hash_of_text, linked, unchanged_since, written_at};
use super::rustc::Replay;
use super::rustc_call::RustcCall;
use super::{BuiltPlugin, Captured, Compilation, Failure, Toolchain};
use super::{record, same_code};
use crate::error::SaveError;
use crate::findings::Findings;
use crate::hosts::Staged;
use crate::watch::hash_of_contents;
use crate::workspace::{Package, Workspace};

/// Builds plugins below cargo's target folder.
pub struct Builder {
    target: PathBuf,
    colour: bool,
    records: Records,
    sdk: Option<MappedSdk>,
    prober: Prober,
    /// Files that cargo has built of each crate of the workspace.
    artifacts: parking_lot::Mutex<Artifacts>,
    /// cargo locks its target folder. Waiting here keeps its "Blocking" message out of the terminal.
    cargo: Mutex<()>,
}

impl Builder {
    /// Creates a builder for `target`. `colour` is whether diagnostics are rendered in colour.
    ///
    /// # Errors
    /// When the probe process cannot be started.
    pub fn new(target: PathBuf, colour: bool) -> std::io::Result<Self> {
        let records = Records::of(&target);
        // A host that replaces another one does not ask cargo.
        let artifacts = kept(&records.artifacts_file()).unwrap_or_default();
        Ok(Self {
            target,
            colour,
            records,
            sdk: MappedSdk::find(),
            prober: Prober::new()?,
            artifacts: parking_lot::Mutex::new(artifacts),
            cargo: Mutex::new(()),
        })
    }

    /// Creates a builder for another host, which probes the libraries itself.
    ///
    /// # Errors
    /// When that host cannot be started.
    pub fn for_host(&self, host: &Staged) -> std::io::Result<Self> {
        let prober = Prober::of(host.program())?;
        Ok(Self {
            target: self.target.clone(),
            colour: self.colour,
            records: self.records.clone(),
            sdk: None,
            prober,
            artifacts: parking_lot::Mutex::new(self.artifacts.lock().clone()),
            cargo: Mutex::new(()),
        })
    }

    /// Returns cargo's target folder.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Returns the library of an earlier run if nothing that it was built from has changed.
    fn reuse(
        &self,
        package: &Package,
        call: &RustcCall,
        copies: &BTreeMap<String, u64>,
    ) -> Option<BuiltPlugin> {
        let record = self.records.newest(package)?;
        let is_same = record.fingerprint == FINGERPRINT
            && record.call == *call
            && record.library.is_file()
            && self.sdk.as_ref().is_none_or(|sdk| written_at(&record.library) > written_at(sdk.path()))
            && record.copies == *copies
            && record.is_current();
        is_same.then(|| BuiltPlugin {
            package: package.clone(),
            linked: linked(package, &record.library, record.copies),
            library: record.library,
            inputs: record.inputs.keys().cloned().collect(),
            warnings: record.warnings,
            parts: Parts::default(),
            sources: record.inputs,
            record: None,
        })
    }

    /// Returns a hash of the linker's input for each crate of which a library holds a copy, by the name of the crate's
    /// folder.
    ///
    /// A crate of which no built file is known gets a hash that no other crate has.
    fn copies(&self, workspace: &Workspace, package: &Package, library: &str) -> BTreeMap<String, u64> {
        let artifacts = self.artifacts.lock().clone();
        let hash = |folder: &PathBuf| {
            let files = artifacts.get(folder).filter(|files| !files.is_empty())?;
            let mut hasher = DefaultHasher::new();
            for file in files {
                // Another name is another crate. The workspace may have been moved, with all of cargo's folders in it.
                let name = file.strip_prefix(&workspace.root).unwrap_or(file);
                (name, hash_of_contents(file).ok()??).hash(&mut hasher);
            }
            Some(hasher.finish())
        };
        package
            .copies
            .iter()
            .map(|folder| {
                let name = folder.strip_prefix(&workspace.root).unwrap_or(folder).display().to_string();
                (name, hash(folder).unwrap_or_else(|| hash_of_text(library)))
            })
            .collect()
    }

    /// Builds the host and `packages` with cargo, and returns the call of rustc for each package that compiles.
    ///
    /// # Errors
    /// When cargo itself fails. A package that does not compile is among the failures.
    async fn capture_calls(
        &self,
        workspace: &Workspace,
        packages: &[Package],
    ) -> Result<Captured, SaveError> {
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
            // The calls that the wrapper kept have been removed, or another cargo works on the same files.
            cargo::forget(workspace, &self.target, &unknown).await?;
            outcome = cargo::build(workspace, &self.target, self.colour).await?;
        }
        let mut calls = std::mem::take(&mut outcome.calls);
        for package in packages {
            let Some(call) = calls.get(&package.id) else { continue };
            if let Err(error) = keep(&self.records.call_file(package), call) {
                tracing::warn!(plugin = %package.id, %error, "cargo will be asked again at the next start");
            }
        }
        self.artifacts.lock().append(&mut outcome.artifacts);
        if let Err(error) = keep(&self.records.artifacts_file(), &*self.artifacts.lock()) {
            tracing::warn!(%error, "plugins that are built after a crash may not find each other's services");
        }
        if let Some(words) = outcome.failed {
            return Err(SaveError::Cargo(words));
        }
        let mut failures = Vec::new();
        for package in packages {
            // Only a package with an up-to-date library from cargo may be built again by its call. With any other, a
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

    /// Loads a library that is built already in a probe.
    ///
    /// # Errors
    /// When it cannot be loaded, with the reason.
    pub async fn accepts(&self, package: &Package, library: &Path) -> Result<(), SaveError> {
        self.prober.probe(library, &package.krate).await.map(|_| ())
    }

    async fn compile(&self, plugin: Compilation<'_>) -> Result<BuiltPlugin, SaveError> {
        let Compilation { workspace, package, call, suffix, may_reuse } = plugin;
        if !self.fits_host() {
            return Err(SaveError::SdkChanged);
        }
        let copies = self.copies(workspace, package, suffix);
        if may_reuse && let Some(reused) = self.reuse(package, call, &copies) {
            return Ok(reused);
        }
        let before = self.records.sources_before(package);
        let start = SystemTime::now();
        let replay = Replay {
            folder: self.records.folder(package),
            suffix: format!("-{suffix}"),
            colour: self.colour,
            working_folder: workspace.root.clone(),
        };
        let mut built = replay.run(call).await?;
        built.inputs.extend(call.script_inputs.keys().cloned());
        // rustc may have read a file before or after it was saved again. Only the newest save may go live.
        let sources = unchanged_since(start, &before, &built.inputs)
            .filter(|_| copies == self.copies(workspace, package, suffix))
            .ok_or(SaveError::Superseded)?;
        Ok(BuiltPlugin {
            record: Some(BuildRecord::of(call, &built, &copies)),
            package: package.clone(),
            linked: linked(package, &built.library, copies),
            library: built.library,
            inputs: built.inputs,
            warnings: built.warnings,
            parts: Parts::default(),
            sources,
        })
    }

    async fn try_out(&self, plugin: &BuiltPlugin) -> Result<(), SaveError> {
        let fingerprint = self.prober.probe(&plugin.library, &plugin.package.krate).await?;
        match &plugin.record {
            Some(record) => {
                self.records.write(&plugin.package, &BuildRecord { fingerprint, ..record.clone() })
            }
            None => Ok(()),
        }
    }
}

impl Toolchain for Builder {
    fn read_workspace<'a>(&'a self, root: &'a Path) -> BoxFuture<'a, Result<Workspace, SaveError>> {
        Workspace::read(root).boxed()
    }

    fn read_features<'a>(&'a self, workspace: &'a Workspace) -> BoxFuture<'a, Result<Shared, SaveError>> {
        async { Shared::read(workspace, &self.records.features_file()).await }.boxed()
    }

    fn capture<'a>(
        &'a self,
        workspace: &'a Workspace,
        packages: &'a [Package],
    ) -> BoxFuture<'a, Result<Captured, SaveError>> {
        self.capture_calls(workspace, packages).boxed()
    }

    fn build<'a>(&'a self, plugin: Compilation<'a>) -> BoxFuture<'a, Result<BuiltPlugin, SaveError>> {
        self.compile(plugin).boxed()
    }

    fn probe<'a>(&'a self, plugin: &'a BuiltPlugin) -> BoxFuture<'a, Result<(), SaveError>> {
        self.try_out(plugin).boxed()
    }

    fn load(&self, plugin: &BuiltPlugin) -> Result<&'static PluginEntry, SaveError> {
        library::load(&plugin.library, &plugin.package.krate)
    }

    fn is_same_code(&self, live: &Path, built: &BuiltPlugin) -> bool {
        record::is_same_build(live, &built.library) && same_code::is_same_code(live, &built.library)
    }

    fn keep_instead(&self, live: &Path, built: &BuiltPlugin) {
        self.records.keep_instead(live, built);
    }

    fn build_host(&self, request: HostRequest) -> BoxFuture<'_, Result<NewHost, Refusal>> {
        host::build(self, request).boxed()
    }

    fn fits_host(&self) -> bool {
        self.sdk.as_ref().is_none_or(|sdk| sdk.is_current(&self.target))
    }
}
