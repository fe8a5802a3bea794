//! A plugin that was built, and one that could not be.

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
    /// Hashes of what the files that rustc read held when it was built; nothing of one that is taken as it is.
    pub(crate) sources: BTreeMap<PathBuf, u64>,
    /// What is to be recorded of it once a probe has accepted it; nothing of one that is recorded already.
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

    /// Returns the files that rustc read, with the hash of what they held where that is known.
    pub fn hashed_inputs(&self) -> BTreeMap<PathBuf, Option<u64>> {
        let hashed = |path: &PathBuf| (path.clone(), self.sources.get(path).copied());
        self.inputs.iter().map(hashed).collect()
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
