//! The plugins of the workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use sdk_core::PluginId;
use sdk_core::routing_table::RoutingTable;

use crate::error::SaveError;
use crate::workspace::{Workspace, plugin_folders};

/// The workspace as cargo described it last.
pub(super) struct Members {
    pub(super) workspace: Arc<Workspace>,
    /// Whether cargo did not accept the workspace when it was last asked.
    pub(super) is_unread: bool,
    /// Packages that this host, or a new one in progress, is built with.
    host_packages: BTreeSet<String>,
}

/// How the workspace differs from before.
pub(super) struct MembersChange {
    /// Plugins that link other packages than before.
    pub(super) relinked: BTreeSet<PluginId>,
    /// Whether the host links other packages than before.
    pub(super) is_hosts: bool,
}

impl Members {
    pub(super) fn new(workspace: Workspace) -> Self {
        let host_packages = workspace.host_packages.clone();
        Self { workspace: Arc::new(workspace), is_unread: false, host_packages }
    }

    /// Applies cargo's new description of the workspace.
    ///
    /// Whether a lock file concerns the host depends on the packages that the host links, not on who wrote the file:
    /// cargo itself writes it if a plugin's manifest names a new dependency, and then nothing of the host's has
    /// changed.
    pub(super) fn replace(&mut self, read: Result<Workspace, SaveError>) -> Result<MembersChange, SaveError> {
        self.is_unread = read.is_err();
        let workspace = read?;
        let relinked = workspace.relinked(&self.workspace);
        let is_hosts = workspace.host_packages != self.host_packages;
        self.host_packages.clone_from(&workspace.host_packages);
        self.workspace = Arc::new(workspace);
        Ok(MembersChange { relinked, is_hosts })
    }

    /// Returns the plugins whose folder is gone.
    pub(super) fn gone(&self) -> BTreeSet<PluginId> {
        let packages = self.workspace.plugins.values();
        let gone = packages.filter(|package| !package.root.join("Cargo.toml").exists());
        gone.map(|package| package.id.clone()).collect()
    }

    pub(super) fn remove(&mut self, gone: &BTreeSet<PluginId>) {
        let mut workspace = Workspace::clone(&self.workspace);
        workspace.plugins.retain(|plugin, _| !gone.contains(plugin));
        self.workspace = Arc::new(workspace);
    }

    /// Returns live plugins whose folder is gone.
    pub(super) fn orphans(&self, live: &RoutingTable) -> BTreeSet<PluginId> {
        let is_orphan = |plugin: &&PluginId| {
            !self.workspace.plugins.contains_key(*plugin)
                && !self.workspace.root.join(plugin.as_str()).join("Cargo.toml").exists()
        };
        live.generations().keys().filter(is_orphan).cloned().collect()
    }

    /// Logs what keeps cargo from reading the workspace now that these plugins' folders are gone.
    pub(super) fn report_gone(&self, gone: &BTreeSet<PluginId>, error: &SaveError) {
        let root = &self.workspace.root;
        let plugins = list(gone.iter().map(PluginId::as_str));
        let kinds: BTreeSet<_> = gone.iter().filter_map(kind_of).collect();
        let away: Vec<_> =
            kinds.iter().copied().filter(|kind| !root.join(kind).join("Cargo.toml").exists()).collect();
        if !away.is_empty() {
            let folder = list(away.iter().map(|kind| format!("{kind}/")));
            tracing::warn!(plugins, folder, "removed with their folder, and back as soon as it comes back");
            return;
        }
        let listed = |plugin: &&PluginId| is_listed(root, plugin);
        let lists: BTreeSet<_> = gone.iter().filter(listed).filter_map(kind_of).collect();
        if lists.is_empty() {
            tracing::warn!(plugins, %error, "removed, and cargo does not read the workspace without them");
            return;
        }
        let lists = list(lists.iter().map(|kind| format!("{kind}/Cargo.toml and {kind}/lib.rs")));
        let new: Vec<_> = plugin_folders(root)
            .into_iter()
            .filter(|(plugin, _)| !self.workspace.plugins.contains_key(plugin))
            .filter(|(plugin, _)| gone.iter().any(|gone| kind_of(gone) == kind_of(plugin)))
            .collect();
        if new.is_empty() {
            tracing::warn!(
                plugins,
                lists,
                "removed; the lines that name them have to go too before cargo can be asked again"
            );
            return;
        }
        let misnamed: Vec<_> = new
            .iter()
            .filter_map(|(plugin, folder)| {
                let wanted = plugin.as_str().replace('/', "-");
                let name = package_name(folder).filter(|name| *name != wanted)?;
                Some(format!("{wanted} (it is {name} now)"))
            })
            .collect();
        let packages = (!misnamed.is_empty()).then(|| list(misnamed));
        let new = list(new.iter().map(|(plugin, _)| plugin.as_str()));
        tracing::warn!(
            plugins,
            new,
            lists,
            packages = packages.as_deref(),
            "removed; the new come in when the lists and their packages name them"
        );
    }
}

fn list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    names.into_iter().map(|name| name.as_ref().to_owned()).collect::<Vec<_>>().join(", ")
}

/// Returns the folder that a plugin's folder is in.
fn kind_of(plugin: &PluginId) -> Option<&str> {
    plugin.as_str().split_once('/').map(|(kind, _)| kind)
}

/// Returns whether the manifest for all plugins of its kind names a plugin's folder.
fn is_listed(root: &Path, plugin: &PluginId) -> bool {
    plugin.as_str().split_once('/').is_some_and(|(kind, name)| {
        let list = fs::read_to_string(root.join(kind).join("Cargo.toml")).unwrap_or_default();
        list.contains(&format!("path = \"{name}\""))
    })
}

/// Reads the package name in a folder's manifest, without cargo.
fn package_name(folder: &Path) -> Option<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[package]").skip(1);
    lines.take_while(|line| !line.starts_with('[')).find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| value.trim().trim_matches('"').to_owned())
    })
}
