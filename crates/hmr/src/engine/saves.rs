//! What saved files ask for.

use std::collections::BTreeSet;
use std::sync::Arc;

use sdk_core::PluginId;

use super::group::Group;
use super::{Loop, OnSettings};
use crate::job::Failure;
use crate::watch::Saves;
use crate::workspace::{Meaning, Workspace};

impl Loop {
    /// Acts on saved files, and says whether the folders to watch may have changed.
    pub(super) async fn handle_saves(&mut self, saves: Saves) -> bool {
        let mut groups = Vec::new();
        let (mut membership, mut host) = (false, BTreeSet::new());
        for path in &saves.paths {
            if *path == self.workspace.root.join(".env") {
                if let Some(OnSettings(take_over)) = &self.options.on_settings {
                    take_over();
                }
                continue;
            }
            let known = &self.known;
            let reads = |plugin: &PluginId, path: &std::path::Path| {
                Some(known.get(plugin)?.inputs.as_ref()?.contains(path))
            };
            match self.workspace.meaning(path, reads) {
                Meaning::Plugins { plugins, manifest } => {
                    Group { plugins, through_cargo: manifest }.join(&mut groups);
                }
                Meaning::Membership => membership = true,
                Meaning::Host => {
                    _ = host.insert(path.strip_prefix(&self.workspace.root).unwrap_or(path).to_path_buf());
                }
                Meaning::Nothing => {
                    tracing::debug!(path = %path.display(), "saved, and no plugin is built from it");
                }
            }
        }
        let looked_up = membership || groups.iter().any(|group| group.through_cargo);
        if membership {
            self.handle_membership(&mut groups).await;
        } else if looked_up {
            // A manifest may name other shared crates now.
            match Workspace::read(&self.workspace.root).await {
                Ok(workspace) => self.workspace = Arc::new(workspace),
                Err(error) => self.tell_failure(&Failure { plugin: None, error }),
            }
        }
        if !host.is_empty() {
            self.handle_host_saves(host);
        }
        if looked_up {
            self.keep_workspace();
        }
        for group in groups {
            self.order_or_wait(group, saves.began);
        }
        looked_up
    }

    /// Keeps what cargo said of the workspace, for a host that takes this one's place.
    fn keep_workspace(&self) {
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
        match Workspace::read(&self.workspace.root).await {
            Ok(workspace) => {
                for plugin in workspace.plugins.keys() {
                    // One that has never gone live may be complete now.
                    if !self.host.registry().snapshot().generations().contains_key(plugin) {
                        Group { plugins: [plugin.clone()].into(), through_cargo: true }.join(groups);
                    }
                }
                self.workspace = Arc::new(workspace);
            }
            Err(error) if gone.is_empty() => self.tell_failure(&Failure { plugin: None, error }),
            Err(_) => {
                let names: Vec<_> = gone.iter().map(PluginId::as_str).collect();
                tracing::warn!(
                    "{} is out; its lines in commands/ or events/ (Cargo.toml and lib.rs) have to go too before \
                     cargo can be asked again",
                    names.join(", ")
                );
            }
        }
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
