//! The engine's records of how each plugin is built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sdk_core::PluginId;

use crate::build::rustc_call::RustcCall;
use crate::build::{BuildResult, BuiltPlugin};

/// The record of one plugin.
#[derive(Default)]
pub(super) struct PluginRecord {
    call: Option<RustcCall>,
    /// Files that the last successful build read, each with the hash of its contents if that is known.
    inputs: BTreeMap<PathBuf, Option<u64>>,
    /// Whether the last build succeeded. If it failed, a save of any source may fix it.
    is_good: bool,
    warnings: String,
}

impl PluginRecord {
    /// Creates the record of a plugin that was not built yet, with its call of rustc if that is known.
    pub(super) fn unbuilt(call: Option<RustcCall>) -> Self {
        Self { call, ..Self::default() }
    }

    /// Creates the record of a library from an earlier run.
    pub(super) fn recalled(call: Option<RustcCall>, built: &BuiltPlugin) -> Self {
        Self {
            call,
            inputs: built.hashed_inputs(),
            // For a library that is not the newest, no inputs are known. Then a save of any source may start a build.
            is_good: !built.inputs.is_empty(),
            warnings: built.warnings.clone(),
        }
    }

    /// Returns the folders of which the plugin's build script reads every file.
    fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        self.call.iter().flat_map(|call| call.script_folders.keys())
    }
}

/// The records of all plugins.
#[derive(Default)]
pub(super) struct PluginRecords(BTreeMap<PluginId, PluginRecord>);

impl PluginRecords {
    pub(super) fn insert(&mut self, plugin: PluginId, record: PluginRecord) {
        self.0.insert(plugin, record);
    }

    pub(super) fn forget(&mut self, plugins: &BTreeSet<PluginId>) {
        self.0.retain(|plugin, _| !plugins.contains(plugin));
    }

    pub(super) fn has(&self, plugin: &PluginId) -> bool {
        self.0.contains_key(plugin)
    }

    /// Returns how a plugin is compiled, if that is known.
    pub(super) fn call(&self, plugin: &PluginId) -> Option<RustcCall> {
        self.0.get(plugin)?.call.clone()
    }

    /// Returns whether a plugin is built from a file; `None` if its last build failed, so that this is not known.
    pub(super) fn reads(&self, plugin: &PluginId, path: &Path) -> Option<bool> {
        let record = self.0.get(plugin)?;
        let is_read =
            record.inputs.contains_key(path) || record.folders().any(|folder| path.starts_with(folder));
        (is_read || record.is_good).then_some(is_read)
    }

    /// Returns the files that plugins were built from, each with the hash of its contents if that is known.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&PathBuf, &Option<u64>)> {
        self.0.values().flat_map(|record| &record.inputs)
    }

    /// Returns the folders of which plugins read every file.
    pub(super) fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.values().flat_map(PluginRecord::folders)
    }

    /// Records the result of a build, and returns the warnings that are new.
    pub(super) fn learn(&mut self, result: &BuildResult) -> Vec<String> {
        for (plugin, call) in &result.calls {
            self.0.entry(plugin.clone()).or_default().call = Some(call.clone());
        }
        for failure in &result.failures {
            if let Some(record) = failure.plugin.as_ref().and_then(|plugin| self.0.get_mut(plugin)) {
                record.is_good = false;
            }
        }
        let mut new = Vec::new();
        for built in &result.built {
            let record = self.0.entry(built.id().clone()).or_default();
            record.inputs = built.hashed_inputs();
            record.is_good = true;
            if record.warnings != built.warnings {
                record.warnings.clone_from(&built.warnings);
                new.push(built.warnings.clone());
            }
        }
        new
    }
}
