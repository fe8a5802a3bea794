//! Which crates of the workspace are plugins, and what a changed file means for them.
//!
//! cargo's own metadata is the source: packages directly under `commands/` and `events/` are plugins; path
//! dependencies of plugins that the host does not link are shared crates; what the host links, and the
//! workspace's own manifests, cannot be swapped.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sdk_core::PluginId;
use serde::{Deserialize, Serialize};

use crate::error::SaveError;

/// Features that select a development host, the same in every call to cargo so that all calls agree on what
/// the shared dependencies are built with.
pub const HOST_FEATURES: &[&str] = &["--no-default-features", "--features", "bot/hmr"];

/// Gives the workspace that `folder` is in.
pub fn find(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| is_workspace(folder)).map(Path::to_path_buf)
}

/// Says whether a folder holds a workspace of plugins.
pub fn is_workspace(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file() && folder.join("commands").is_dir() && folder.join("events").is_dir()
}

/// A plugin crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Folder under the workspace, `commands/general` say.
    pub id: PluginId,
    /// cargo's name of the package.
    pub name: String,
    /// Name of its library crate.
    pub krate: String,
    /// Absolute folder.
    pub root: PathBuf,
    /// Absolute folders of the shared crates it links, directly or not.
    pub shared: BTreeSet<PathBuf>,
    /// Absolute folders of the crates that its library holds a copy of, besides its own: those that the sdk's shared
    /// library does not hold.
    pub copies: BTreeSet<PathBuf>,
}

/// What a changed file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// These plugins are to be built anew, together; `manifest` says that cargo has to be asked.
    Plugins {
        /// Plugins that hold or use the file.
        plugins: BTreeSet<PluginId>,
        /// Whether a manifest, build script or shared crate changed.
        manifest: bool,
    },
    /// A plugin's folder may have come or gone.
    Membership,
    /// The host links this; only a restart brings it in.
    Host,
    /// Nothing that is built from.
    Nothing,
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
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    resolve: Resolve,
    workspace_members: Vec<String>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    manifest_path: PathBuf,
    source: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
struct DepKind {
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo about the workspace at `root`.
    ///
    /// # Errors
    /// When cargo cannot be run or does not accept a manifest; its words are in the error.
    pub async fn read(root: &Path) -> Result<Self, SaveError> {
        let output = tokio::process::Command::new(crate::cargo::program())
            .args(["metadata", "--format-version=1"])
            .args(HOST_FEATURES)
            .current_dir(root)
            .env_remove(crate::cargo::SECRET)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| SaveError::Spawn { program: "cargo".to_owned(), source })?;
        if !output.status.success() {
            return Err(SaveError::Cargo(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| SaveError::Cargo(format!("its metadata was not understood: {error}")))?;
        Ok(Self::from_metadata(root, &metadata))
    }

    /// Keeps what cargo said, for a host that starts again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, serde_json::to_vec(self).map_err(std::io::Error::other)?)
    }

    /// Gives what was kept.
    pub fn kept(file: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(file).ok()?).ok()
    }

    fn from_metadata(root: &Path, metadata: &Metadata) -> Self {
        let by_id: HashMap<_, _> =
            metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let nodes: HashMap<_, _> =
            metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let folder = |id: &str| {
            by_id
                .get(id)
                .filter(|package| package.source.is_none())
                .and_then(|package| package.manifest_path.parent())
                .map(Path::to_path_buf)
        };
        // Folders of local crates that `id` links, itself included.
        let links = |id: &str| {
            let mut seen = BTreeSet::new();
            let mut next = vec![id.to_owned()];
            while let Some(id) = next.pop() {
                let Some(node) = nodes.get(id.as_str()) else { continue };
                if !seen.insert(id) {
                    continue;
                }
                next.extend(
                    node.deps
                        .iter()
                        .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev")))
                        .map(|dep| dep.pkg.clone()),
                );
            }
            seen.iter().filter_map(|id| folder(id)).collect::<BTreeSet<_>>()
        };
        let links_of = |name: &str| {
            let package =
                metadata.packages.iter().find(|package| package.name == name && package.source.is_none());
            package.map(|package| links(&package.id)).unwrap_or_default()
        };
        let (host, sdk) = (links_of("bot"), links_of("sdk-dylib"));
        let plugins = metadata
            .packages
            .iter()
            .filter(|package| metadata.workspace_members.contains(&package.id))
            .filter_map(|package| {
                let folder = package.manifest_path.parent()?;
                let id = plugin_id(root, folder)?;
                let library =
                    package.targets.iter().find(|target| target.kind.iter().any(|kind| kind == "lib"))?;
                let mut links = links(&package.id);
                links.remove(folder);
                let plugin = Package {
                    id: id.clone(),
                    name: package.name.clone(),
                    krate: library.name.replace('-', "_"),
                    root: folder.to_path_buf(),
                    shared: links.difference(&host).cloned().collect(),
                    copies: links.difference(&sdk).cloned().collect(),
                };
                Some((id, plugin))
            })
            .collect();
        Self { root: root.to_path_buf(), plugins, host }
    }

    /// Gives the folders to watch, with whether their whole trees are meant.
    pub fn watched(&self) -> BTreeMap<PathBuf, bool> {
        let mut watched: BTreeMap<_, _> = [(self.root.clone(), false)].into();
        for folder in ["commands", "events"] {
            watched.insert(self.root.join(folder), true);
        }
        // Shared crates come and go here.
        watched.insert(self.root.join("crates"), false);
        for path in self.host.iter().chain(self.plugins.values().flat_map(|plugin| &plugin.shared)) {
            watched.insert(path.clone(), true);
        }
        watched.retain(|path, _| path.is_dir());
        watched
    }

    /// Says what a change of the file at `path` asks for.
    ///
    /// `reads` tells whether the last build of a plugin read that file, as rustc's dep-info has it; `None` when
    /// the plugin has not been built.
    pub fn meaning(&self, path: &Path, reads: impl Fn(&PluginId, &Path) -> Option<bool>) -> Meaning {
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_manifest = name == "Cargo.toml" || name == "build.rs";
        if let Some(plugin) = self.plugins.values().find(|plugin| path.starts_with(&plugin.root)) {
            if path == plugin.root || path == plugin.root.join("Cargo.toml") && !path.exists() {
                return Meaning::Membership;
            }
            let inside = path.strip_prefix(&plugin.root).unwrap_or(path);
            let is_test = ["tests", "benches", "examples"].iter().any(|folder| inside.starts_with(folder));
            let is_read = reads(&plugin.id, path);
            let counts = match is_read {
                Some(true) => true,
                // A file that the last good build did not read changes nothing until one that it read does.
                Some(false) => is_manifest && inside.components().count() == 1,
                None => (is_source || is_manifest) && !is_test,
            };
            return if counts {
                Meaning::Plugins { plugins: [plugin.id.clone()].into(), manifest: is_manifest }
            } else {
                Meaning::Nothing
            };
        }
        let users: BTreeSet<_> = self
            .plugins
            .values()
            .filter(|plugin| plugin.shared.iter().any(|folder| path.starts_with(folder)))
            .map(|plugin| plugin.id.clone())
            .collect();
        if !users.is_empty() {
            let read = users.iter().any(|plugin| reads(plugin, path).unwrap_or(true));
            return if is_source || is_manifest || read {
                Meaning::Plugins { plugins: users, manifest: true }
            } else {
                Meaning::Nothing
            };
        }
        // A folder that is no plugin yet becomes one with its manifest and sources, in whatever order they are saved.
        let home = path.ancestors().find(|folder| plugin_id(&self.root, folder).is_some());
        if home.is_some_and(|folder| {
            name == "Cargo.toml" && folder == path.parent().unwrap_or(path)
                || folder.join("Cargo.toml").is_file()
        }) {
            return Meaning::Membership;
        }
        // A folder with plugins in it may have been removed as a whole.
        if self.plugins.values().any(|plugin| plugin.root.starts_with(path)) {
            return Meaning::Membership;
        }
        let in_host = self.host.iter().any(|folder| path.starts_with(folder));
        let at_root = path.parent() == Some(&self.root);
        if in_host && (is_source || is_manifest)
            || at_root && matches!(name, "Cargo.toml" | "rust-toolchain.toml")
        {
            return Meaning::Host;
        }
        Meaning::Nothing
    }
}

/// Gives the names that the packages of all plugin folders below `root` must have, without asking cargo.
pub fn plugin_packages(root: &Path) -> Vec<String> {
    let folders = ["commands", "events"].map(|kind| std::fs::read_dir(root.join(kind)));
    let paths = folders.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
    let mut names: Vec<_> = paths
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some(plugin_id(root, &path)?.as_str().replace('/', "-")))
        .collect();
    names.sort_unstable();
    names
}

/// Gives the id of a plugin folder: one directly under `commands/` or `events/`.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        let plugin = |id: &str, shared: &[&str]| {
            let package = Package {
                id: PluginId::new(id),
                name: id.replace('/', "-"),
                krate: id.replace('/', "_"),
                root: Path::new("/w").join(id),
                shared: shared.iter().map(|folder| Path::new("/w").join(folder)).collect(),
                copies: BTreeSet::new(),
            };
            (package.id.clone(), package)
        };
        Workspace {
            root: "/w".into(),
            plugins: [
                plugin("commands/one", &["crates/words"]),
                plugin("events/two", &["crates/words"]),
                plugin("events/three", &[]),
            ]
            .into(),
            host: ["/w/bot".into(), "/w/crates/sdk-core".into()].into(),
        }
    }

    fn plugins(ids: &[&str], manifest: bool) -> Meaning {
        Meaning::Plugins { plugins: ids.iter().map(PluginId::new).collect(), manifest }
    }

    #[test]
    fn a_source_file_means_its_own_plugin() {
        let meaning = |path: &str, read| workspace().meaning(Path::new(path), |_, _| read);
        assert_eq!(meaning("/w/commands/one/src/a.rs", Some(true)), plugins(&["commands/one"], false));
        assert_eq!(meaning("/w/commands/one/src/a.rs", None), plugins(&["commands/one"], false));
        assert_eq!(meaning("/w/commands/one/text.md", Some(true)), plugins(&["commands/one"], false));
        assert_eq!(meaning("/w/commands/one/Cargo.toml", None), Meaning::Membership, "it is not there");
        assert_eq!(meaning("/w/commands/one/build.rs", Some(false)), plugins(&["commands/one"], true));
    }

    #[test]
    fn what_is_not_built_from_means_nothing() {
        let meaning = |path: &str, read| workspace().meaning(Path::new(path), |_, _| read);
        assert_eq!(meaning("/w/commands/one/notes.txt", Some(false)), Meaning::Nothing);
        assert_eq!(meaning("/w/commands/one/src/unused.rs", Some(false)), Meaning::Nothing);
        assert_eq!(meaning("/w/commands/one/tests/a.rs", None), Meaning::Nothing);
        assert_eq!(meaning("/w/commands/one/src/.a.rs.swp", Some(false)), Meaning::Nothing);
        assert_eq!(meaning("/w/commands/lib.rs", Some(false)), Meaning::Nothing);
        assert_eq!(meaning("/w/Cargo.lock", None), Meaning::Nothing);
    }

    #[test]
    fn a_shared_crate_means_all_that_use_it() {
        let meaning = workspace().meaning(Path::new("/w/crates/words/src/lib.rs"), |_, _| Some(true));
        assert_eq!(meaning, plugins(&["commands/one", "events/two"], true));
    }

    #[test]
    fn what_the_host_links_means_a_restart() {
        let meaning = |path: &str| workspace().meaning(Path::new(path), |_, _| None);
        assert_eq!(meaning("/w/crates/sdk-core/src/lib.rs"), Meaning::Host);
        assert_eq!(meaning("/w/bot/src/main.rs"), Meaning::Host);
        assert_eq!(meaning("/w/Cargo.toml"), Meaning::Host);
    }

    #[test]
    fn a_new_or_vanished_folder_means_membership() {
        let meaning = |path: &str| workspace().meaning(Path::new(path), |_, _| None);
        assert_eq!(meaning("/w/commands/fresh/Cargo.toml"), Meaning::Membership);
        assert_eq!(meaning("/w/events"), Meaning::Membership);
        assert_eq!(meaning("/w/events/three"), Meaning::Membership);
    }
}
