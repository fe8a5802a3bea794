//! The effects of saved files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sdk_core::PluginId;

use super::group::Group;
use super::{Loop, OnSettings};
use crate::build::Failure;
use crate::watch::{Control, Saves};
use crate::workspace::ChangeKind;

impl Loop {
    /// Handles saved files.
    pub(super) async fn handle_saves(&mut self, saves: Saves) {
        let filter = self.watching.as_ref().map_or_else(|| self.options.filter.clone(), Control::filter);
        let mut groups = Vec::new();
        let (mut membership, mut lock_file, mut host) = (false, false, BTreeSet::new());
        for path in &saves.paths {
            let reads = |plugin: &PluginId, path: &Path| self.plugins.reads(plugin, path);
            // After a fix of a manifest, of any crate, cargo must be asked again.
            membership |= self.members.is_unread && path.ends_with("Cargo.toml");
            match self.members.workspace.classify(path, &filter, reads) {
                ChangeKind::Plugins { plugins, manifest } => {
                    // A file that the compiler has not read may be used in another way than as code.
                    let is_read = plugins.iter().all(|plugin| self.plugins.reads(plugin, path) == Some(true));
                    let in_any_case = manifest || !is_read;
                    Group { plugins, through_cargo: manifest, in_any_case }.join(&mut groups);
                }
                ChangeKind::Membership => membership = true,
                ChangeKind::LockFile => lock_file = true,
                ChangeKind::Host => {
                    _ = host.insert(
                        path.strip_prefix(&self.members.workspace.root).unwrap_or(path).to_path_buf(),
                    );
                }
                ChangeKind::Settings => {
                    if let (Some(OnSettings(take_over)), Some(watching)) =
                        (&self.options.on_settings, &self.watching)
                    {
                        take_over(watching);
                    }
                }
                ChangeKind::Nothing => {
                    tracing::debug!(path = %path.display(), "saved, and no plugin is built from it");
                }
            }
        }
        if membership {
            self.handle_membership(&mut groups).await;
        } else if lock_file || groups.iter().any(|group| group.through_cargo) {
            // A manifest may now name other shared crates, and a lock file other packages.
            match self.read_workspace().await {
                Ok(plugins) if !plugins.is_empty() => {
                    for plugin in plugins {
                        Group::through_cargo(plugin).join(&mut groups);
                    }
                }
                Ok(_) => {}
                Err(error) => self.report_failure(&Failure { plugin: None, error }),
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
            .map(|path| path.strip_prefix(&self.members.workspace.root).unwrap_or(path).to_path_buf())
            .collect();
        if !manifests.is_empty() && !self.members.is_unread {
            self.rebuild_for_features(manifests).await;
        }
        for group in groups {
            self.build_or_wait(group, saves.began);
        }
    }
}
