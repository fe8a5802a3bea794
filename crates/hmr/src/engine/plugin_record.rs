//! What the engine remembers of how each plugin is built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sdk_core::PluginId;

use crate::build::rustc_call::RustcCall;
use crate::build::{BuildResult, BuiltPlugin};

/// What is remembered of one plugin.
#[derive(Default)]
pub(super) struct PluginRecord {
    call: Option<RustcCall>,
    /// Files that the last good build read, with the hash of what they held where that is known.
    inputs: BTreeMap<PathBuf, Option<u64>>,
    /// Whether the last build was good; when it was not, any source may mend it.
    is_good: bool,
    warnings: String,
}

impl PluginRecord {
    /// Remembers a plugin that was not built yet, and how it is compiled where that is known.
    pub(super) fn unbuilt(call: Option<RustcCall>) -> Self {
        Self { call, ..Self::default() }
    }

    /// Remembers a library of a former run.
    pub(super) fn recalled(call: Option<RustcCall>, built: &BuiltPlugin) -> Self {
        Self {
            call,
            inputs: built.hashed_inputs(),
            // Of a library that is not the newest, nothing is known; then any source may bring in another one.
            is_good: !built.inputs.is_empty(),
            warnings: built.warnings.clone(),
        }
    }
}

/// What is remembered of all plugins.
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

    /// Returns whether a plugin is built from a file; `None` when its last build failed and did not say.
    pub(super) fn reads(&self, plugin: &PluginId, path: &Path) -> Option<bool> {
        let record = self.0.get(plugin)?;
        let is_read = record.inputs.contains_key(path);
        (is_read || record.is_good).then_some(is_read)
    }

    /// Returns the files that plugins were built from, with the hash of what they held where that is known.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&PathBuf, &Option<u64>)> {
        self.0.values().flat_map(|record| &record.inputs)
    }

    /// Remembers what a build told, and returns the warnings that are new.
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
