//! What saved files ask for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sdk_core::PluginId;

use super::group::Group;
use super::{Loop, OnSettings};
use crate::build::Failure;
use crate::watch::{Control, Saves};
use crate::workspace::{Meaning, Workspace};

impl Loop {
    /// Acts on saved files.
    pub(super) async fn handle_saves(&mut self, saves: Saves) {
        let filter = self.watching.as_ref().map_or_else(|| self.options.filter.clone(), Control::filter);
        let mut groups = Vec::new();
        let (mut membership, mut lock_file, mut host) = (false, false, BTreeSet::new());
        for path in &saves.paths {
            let known = &self.known;
            let reads = |plugin: &PluginId, path: &Path| {
                let known = known.get(plugin)?;
                let is_read = known.inputs.contains_key(path);
                (is_read || known.is_good).then_some(is_read)
            };
            // A mended manifest, of whatever crate, is what cargo has to be asked again for.
            membership |= self.is_unread && path.ends_with("Cargo.toml");
            match self.workspace.meaning(path, &filter, reads) {
                Meaning::Plugins { plugins, manifest } => {
                    Group { plugins, through_cargo: manifest }.join(&mut groups);
                }
                Meaning::Membership => membership = true,
                Meaning::LockFile => lock_file = true,
                Meaning::Host => {
                    _ = host.insert(path.strip_prefix(&self.workspace.root).unwrap_or(path).to_path_buf());
                }
                Meaning::Settings => {
                    if let (Some(OnSettings(take_over)), Some(watching)) =
                        (&self.options.on_settings, &self.watching)
                    {
                        take_over(watching);
                    }
                }
                Meaning::Nothing => {
                    tracing::debug!(path = %path.display(), "saved, and no plugin is built from it");
                }
            }
        }
        if membership {
            self.handle_membership(&mut groups).await;
        } else if lock_file || groups.iter().any(|group| group.through_cargo) {
            // A manifest may name other shared crates now, and a lock file other packages.
            match self.read_workspace().await {
                Ok(plugins) if !plugins.is_empty() => {
                    for plugin in plugins {
                        Group { plugins: [plugin].into(), through_cargo: true }.join(&mut groups);
                    }
                }
                Ok(_) => {}
                Err(error) => self.tell_failure(&Failure { plugin: None, error }),
            }
        }
        if !host.is_empty() {
            self.handle_host_saves(host);
        }
        let is_manifest = |path: &&PathBuf| path.ends_with("Cargo.toml") || path.ends_with("Cargo.lock");
        let manifests: BTreeSet<_> = saves
            .paths
            .iter()
            .filter(is_manifest)
            .map(|path| path.strip_prefix(&self.workspace.root).unwrap_or(path).to_path_buf())
            .collect();
        if !manifests.is_empty() && !self.is_unread {
            self.rebuild_for_features(manifests).await;
        }
        for group in groups {
            self.order_or_wait(group, saves.began);
        }
    }

    /// Keeps what cargo said of the workspace, for a host that takes this one's place.
    pub(super) fn keep_workspace(&self) {
        if let Some(host) = &self.running
            && let Err(error) = self.workspace.keep(&host.workspace_file())
        {
            tracing::debug!(%error, "the workspace is not kept");
        }
    }

    /// Takes out plugins whose folder is gone, and wants those built whose folder is new.
    pub(super) async fn handle_membership(&mut self, groups: &mut Vec<Group>) {
        let gone: BTreeSet<_> = self
            .workspace
            .plugins
            .values()
            .filter(|package| !package.root.join("Cargo.toml").exists())
            .map(|package| package.id.clone())
            .collect();
        if !gone.is_empty() {
            // What was to go live with one that is gone does so without it.
            for group in self.take_out(&gone).await {
                group.join(groups);
            }
            for group in groups.iter_mut().chain(&mut self.held) {
                group.plugins.retain(|plugin| !gone.contains(plugin));
            }
            let mut workspace = Workspace::clone(&self.workspace);
            workspace.plugins.retain(|plugin, _| !gone.contains(plugin));
            self.workspace = Arc::new(workspace);
            // A name that they had is free now.
            self.settle().await;
        }
        match self.read_workspace().await {
            Ok(relinked) => {
                let live = self.host.registry().snapshot();
                for plugin in self.workspace.plugins.keys() {
                    // One that has never gone live may be complete now, and one that could not be taken out may be
                    // another one.
                    let is_waiting =
                        !live.generations().contains_key(plugin) || !self.known.contains_key(plugin);
                    if relinked.contains(plugin) || is_waiting && !self.is_building(plugin) {
                        Group { plugins: [plugin.clone()].into(), through_cargo: true }.join(groups);
                    }
                }
            }
            Err(error) if gone.is_empty() => self.tell_failure(&Failure { plugin: None, error }),
            Err(error) => tracing::warn!("{}", self.words_for_gone(&gone, &error)),
        }
    }

    fn is_building(&self, plugin: &PluginId) -> bool {
        self.orders.values().any(|building| building.packages.iter().any(|package| package.id == *plugin))
    }

    /// Takes plugins out of what is live; gives the groups whose builds that has ended.
    pub(super) async fn take_out(&mut self, gone: &BTreeSet<PluginId>) -> Vec<Group> {
        let ended: Vec<_> = self
            .orders
            .extract_if(|_, building| building.packages.iter().any(|package| gone.contains(&package.id)))
            .map(|(_, building)| {
                building.abort.abort();
                building.group()
            })
            .collect();
        self.known.retain(|plugin, _| !gone.contains(plugin));
        let gone: Vec<_> = gone.iter().cloned().collect();
        self.forget_waiting(&gone);
        if let Err(problem) = self.remove(&gone).await {
            let names: Vec<_> = gone.iter().map(PluginId::as_str).collect();
            let (verb, whose) =
                if names.len() == 1 { ("stays", "its folder is") } else { ("stay", "their folders are") };
            tracing::error!("{} {verb} live although {whose} gone: {problem}", names.join(", "));
        }
        ended
    }
}
