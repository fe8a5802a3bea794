//! The plugin crates of the workspace, and the effect of a changed file on them.
//!
//! The source is cargo's own metadata: packages directly under `commands/` and `events/` are plugins; path dependencies
//! of plugins that the host does not link are shared crates; what the host links, and the workspace's own manifests,
//! cannot be swapped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sdk_core::PluginId;
use serde::{Deserialize, Serialize};

use crate::error::SaveError;
use crate::process;
use crate::watch::{Of, Scope};

mod change_kind;
mod metadata;

pub use change_kind::ChangeKind;
use metadata::Metadata;

/// Packages of a development host, besides its plugins. `workspace-hack` names the features of dependencies that the
/// sandbox, the tests and others need, so that all of them share one build of each dependency.
pub const HOST_PACKAGES: &[&str] = &["-p", "bot", "-p", "workspace-hack"];

/// Features that select a development host. They are the same in every call to cargo, so that all calls build the
/// shared dependencies with the same features.
pub const HOST_FEATURES: &[&str] = &["--no-default-features", "--features", "bot/hmr"];

/// Returns the workspace that `folder` is in.
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| is_workspace(folder)).map(Path::to_path_buf)
}

/// Returns whether a folder holds a workspace of plugins.
pub fn is_workspace(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file() && folder.join("commands").is_dir() && folder.join("events").is_dir()
}

/// A plugin crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Folder under the workspace, such as `commands/general`.
    pub id: PluginId,
    /// cargo's name of the package.
    pub name: String,
    /// Name of its library crate.
    pub krate: String,
    /// Absolute folder.
    pub root: PathBuf,
    /// Absolute folders of the shared crates it links, directly or not.
    pub shared: BTreeSet<PathBuf>,
    /// Absolute folders of the crates of which its library holds a copy, besides its own: those that the sdk's shared
    /// library does not hold.
    pub copies: BTreeSet<PathBuf>,
}

/// The workspace as cargo describes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Workspace {
    /// Absolute root folder.
    pub root: PathBuf,
    /// Plugins, by id.
    pub plugins: BTreeMap<PluginId, Package>,
    /// Absolute folders of the crates that the host links.
    pub host: BTreeSet<PathBuf>,
    /// Those of them that no plugin is built with.
    #[serde(default)]
    pub host_only: BTreeSet<PathBuf>,
    /// Packages that the host links and cargo fetched, by cargo's ids, which hold version and source.
    pub host_packages: BTreeSet<String>,
    /// Packages that a plugin links in addition to those, in the same form.
    pub plugin_packages: BTreeMap<PluginId, BTreeSet<String>>,
}

/// Files at the root that are watched by themselves.
const ROOT_FILES: &[&str] = &[
    ".cargo/config.toml",
    ".env",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
];

impl Workspace {
    /// Asks cargo about the workspace at `root`.
    ///
    /// # Errors
    /// When cargo cannot be run or does not accept a manifest. The error contains cargo's message.
    pub async fn read(root: &Path) -> Result<Self, SaveError> {
        let mut cargo = process::cargo_in(root);
        cargo.args(["metadata", "--format-version=1"]).args(HOST_FEATURES);
        let metadata: Metadata = serde_json::from_slice(&process::output_of_cargo(cargo).await?)
            .map_err(|error| SaveError::Cargo(format!("its metadata was not understood: {error}")))?;
        Ok(metadata.workspace(root))
    }

    /// Writes cargo's description to disk, for a host that starts again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, serde_json::to_vec(self).map_err(std::io::Error::other)?)
    }

    /// Reads the description that was written to disk.
    pub fn kept(file: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(file).ok()?).ok()
    }

    /// Returns what to watch: of the crates that the host links and of the plugins' folders, sources; of the crates
    /// that plugins share, all files, since any of them may fix one that does not compile.
    pub fn scope(&self) -> Scope {
        let kinds = ["commands", "events"].map(|kind| self.root.join(kind));
        let sources = self.host.iter().cloned().chain(kinds).map(|folder| (folder, Of::Sources));
        let shared = self.plugins.values().flat_map(|plugin| &plugin.shared);
        Scope {
            root: self.root.clone(),
            trees: sources.chain(shared.map(|folder| (folder.clone(), Of::All))).collect(),
            files: ROOT_FILES.iter().map(|file| (self.root.join(file), None)).collect(),
        }
    }

    /// Returns whether a path relative to the root lies in a crate of the host that no plugin is built with.
    pub fn is_host_only(&self, path: &Path) -> bool {
        let path = self.root.join(path);
        self.host_only.iter().any(|folder| path.starts_with(folder))
    }

    /// Returns the plugins that link other packages than in `old`, besides those that the host links.
    pub fn relinked(&self, old: &Self) -> BTreeSet<PluginId> {
        let others = self.plugin_packages.iter().filter(|(plugin, packages)| {
            old.plugin_packages.get(*plugin).is_some_and(|old| old != *packages)
        });
        others.map(|(plugin, _)| plugin.clone()).collect()
    }
}

/// Returns the package names that all plugin folders below `root` must have, without asking cargo.
pub fn plugin_packages(root: &Path) -> Vec<String> {
    plugin_folders(root).keys().map(|plugin| plugin.as_str().replace('/', "-")).collect()
}

/// Returns the folders below `root` that look like plugins, without asking cargo.
pub(crate) fn plugin_folders(root: &Path) -> BTreeMap<PluginId, PathBuf> {
    let folders = ["commands", "events"].map(|kind| std::fs::read_dir(root.join(kind)));
    let paths = folders.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
    paths
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some((plugin_id(root, &path)?, path)))
        .collect()
}

/// Returns the id of a plugin folder: one directly under `commands/` or `events/`.
fn plugin_id(root: &Path, folder: &Path) -> Option<PluginId> {
    let inside = folder.strip_prefix(root).ok()?;
    let mut parts = inside.iter().filter_map(|part| part.to_str());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(kind @ ("commands" | "events")), Some(name), None) => {
            Some(PluginId::new(format!("{kind}/{name}")))
        }
        _ => None,
    }
}
