//! Added and removed plugins: the workspace as cargo describes it, and which parts of it are watched.

use std::collections::BTreeSet;

use sdk_core::PluginId;

use super::Loop;
use super::group::Group;
use crate::build::Failure;
use crate::error::SaveError;
use crate::watch::Of;

impl Loop {
    /// Asks cargo about the workspace again, and returns the plugins that link other packages than before.
    pub(super) async fn read_workspace(&mut self) -> Result<BTreeSet<PluginId>, SaveError> {
        let read = self.toolchain.read_workspace(&self.members.workspace.root).await;
        let change = self.members.replace(read)?;
        self.keep_workspace();
        self.follow();
        if change.is_hosts {
            self.handle_host_saves(["Cargo.lock".into()].into());
        }
        Ok(change.relinked)
    }

    /// Watches all files that a plugin is or was built from.
    pub(super) fn follow(&self) {
        let Some(watching) = &self.watching else { return };
        let mut scope = self.members.workspace.scope();
        // Files that a build script wrote are written again in each of cargo's builds.
        let inputs = self.plugins.inputs().filter(|(path, _)| !path.starts_with(&self.options.target));
        for (path, hash) in inputs {
            scope.files.entry(path.clone()).or_insert(*hash);
        }
        let folders = self.plugins.folders().filter(|folder| !folder.starts_with(&self.options.target));
        for folder in folders {
            scope.trees.insert(folder.clone(), Of::All);
        }
        watching.follow(scope);
        self.publish_folders();
    }

    /// Writes cargo's description of the workspace to disk, for a host that replaces this one.
    pub(super) fn keep_workspace(&self) {
        if let Some(host) = self.replacement.running()
            && let Err(error) = self.members.workspace.keep(&host.workspace_file())
        {
            tracing::debug!(%error, "the workspace is not kept");
        }
    }

    /// Removes plugins whose folder is gone, and builds those whose folder is new.
    pub(super) async fn handle_membership(&mut self, groups: &mut Vec<Group>) {
        let gone = self.members.gone();
        if !gone.is_empty() {
            // The remaining plugins of a cancelled group go live without those that are gone.
            for group in self.take_out(&gone).await {
                group.join(groups);
            }
            for group in groups.iter_mut().chain(&mut self.failed_groups) {
                group.plugins.retain(|plugin| !gone.contains(plugin));
            }
            self.members.remove(&gone);
            // The names that they used are free now.
            self.retry_blocked().await;
        }
        match self.read_workspace().await {
            Ok(relinked) => {
                let live = self.host.registry().snapshot();
                for plugin in self.members.workspace.plugins.keys() {
                    // A plugin that has never gone live may be complete now, and one that could not be removed may be
                    // another one.
                    let is_waiting = !live.generations().contains_key(plugin) || !self.plugins.has(plugin);
                    if relinked.contains(plugin) || is_waiting && !self.builds.has(plugin) {
                        Group::through_cargo(plugin.clone()).join(groups);
                    }
                }
            }
            Err(error) if gone.is_empty() => self.report_failure(&Failure { plugin: None, error }),
            Err(error) => self.members.report_gone(&gone, &error),
        }
    }

    /// Removes plugins from what is live. Returns the groups whose builds this cancelled.
    pub(super) async fn take_out(&mut self, gone: &BTreeSet<PluginId>) -> Vec<Group> {
        let mut ended = Vec::new();
        while let Some(building) = self.builds.cancel(gone) {
            ended.push(building.group());
        }
        self.plugins.forget(gone);
        let gone: Vec<_> = gone.iter().cloned().collect();
        self.blocked.forget(&gone);
        if let Err(problem) = self.remove(&gone).await {
            let names: Vec<_> = gone.iter().map(PluginId::as_str).collect();
            tracing::error!(plugins = names.join(", "), %problem, "still live although the folder is gone");
        }
        ended
    }
}
