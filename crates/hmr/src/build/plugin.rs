//! A plugin that was built, and one that could not be built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sdk_core::PluginId;
use sdk_core::services::Linked;

use super::Parts;
use super::record::{BuildRecord, holds};
use crate::error::SaveError;
use crate::workspace::Package;

/// A plugin whose library is built.
#[derive(Clone, Debug)]
pub struct BuiltPlugin {
    /// Plugin that was built.
    pub package: Package,
    /// Its library.
    pub library: PathBuf,
    /// Files that rustc read.
    pub inputs: BTreeSet<PathBuf>,
    /// The compiler's warnings, rendered.
    pub warnings: String,
    /// What the library was linked from.
    pub linked: Linked,
    /// Time taken so far.
    pub parts: Parts,
    /// Hashes of the contents that the files read by rustc had at the build. Empty for a library that is reused without
    /// a check.
    pub(crate) sources: BTreeMap<PathBuf, u64>,
    /// The record to write once a probe has accepted it; `None` if it is recorded already.
    pub(crate) record: Option<BuildRecord>,
}

impl BuiltPlugin {
    /// Returns the plugin's id.
    pub fn id(&self) -> &PluginId {
        &self.package.id
    }

    /// Returns whether its sources are still those that it was built from.
    pub fn is_current(&self) -> bool {
        self.sources.iter().all(|(path, hash)| holds(path, *hash))
    }

    /// Returns the files that rustc read, each with the hash of its contents if that is known.
    pub fn hashed_inputs(&self) -> BTreeMap<PathBuf, Option<u64>> {
        let hashed = |path: &PathBuf| (path.clone(), self.sources.get(path).copied());
        self.inputs.iter().map(hashed).collect()
    }
}

/// A plugin that cannot go live, and the reason.
#[derive(Debug)]
pub struct Failure {
    /// Plugin; `None` if the reason concerns no single plugin.
    pub plugin: Option<PluginId>,
    /// Reason.
    pub error: SaveError,
}
