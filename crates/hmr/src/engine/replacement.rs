//! A new host in progress, and the plugins that wait for it.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;

use sdk_core::PluginId;
use tokio::sync::watch;
use tokio::task::{Id, JoinHandle, JoinSet};

use super::group::Group;
use crate::build::features::Shared;
use crate::build::host::{NewHost, Refusal};
use crate::error::SaveError;
use crate::hosts::Staged;
use crate::supervisor::NextHost;
use crate::workspace::Workspace;

/// The features that the host is built with, once cargo has returned them.
pub(super) type Features = JoinHandle<Result<Shared, SaveError>>;

/// A new host in progress.
pub(super) struct Replacement {
    /// Files that this host runs from; `None` without a supervisor, since no host can then replace this one.
    running: Option<Staged>,
    /// Files that have changed since this host was built, relative to the workspace.
    changed: BTreeSet<PathBuf>,
    /// Whether any of them is of what plugins are built with.
    concerns_sdk: bool,
    tasks: JoinSet<Result<NewHost, Refusal>>,
    /// The current build. Earlier ones have been cancelled.
    current: Option<Id>,
    /// Host that takes over as soon as no plugin is being built.
    next: Option<Staged>,
    /// Plugins whose saves go live with the new host.
    waiting: Vec<Group>,
    /// Those of them for which this was logged.
    reported: BTreeSet<PluginId>,
    /// Features that this host is built with; `None` while cargo has not been asked.
    features: Option<Features>,
    /// Why a plugin's dependency causes a rebuild of the host, while it lasts.
    rebuilding: Option<String>,
    successor: watch::Sender<Option<NextHost>>,
}

impl Replacement {
    pub(super) fn new(
        running: Option<Staged>,
        features: Option<Features>,
        successor: watch::Sender<Option<NextHost>>,
    ) -> Self {
        Self {
            running,
            changed: BTreeSet::new(),
            concerns_sdk: false,
            tasks: JoinSet::new(),
            current: None,
            next: None,
            waiting: Vec::new(),
            reported: BTreeSet::new(),
            features,
            rebuilding: None,
            successor,
        }
    }

    pub(super) fn running(&self) -> Option<&Staged> {
        self.running.as_ref()
    }

    /// Returns the plugins that wait for the new host.
    pub(super) fn waiting(&self) -> &[Group] {
        &self.waiting
    }

    /// Returns the files that require a new host.
    pub(super) fn because(&self) -> Vec<String> {
        self.changed.iter().map(|path| path.display().to_string()).collect()
    }

    /// Returns why a plugin's dependency causes a rebuild of the host, while it lasts.
    pub(super) fn rebuilding(&self) -> Option<&String> {
        self.rebuilding.as_ref()
    }

    /// Records why a plugin's dependency causes a rebuild of the host.
    pub(super) fn set_rebuilding(&mut self, words: String) {
        self.rebuilding = Some(words);
    }

    /// Takes the features that cargo has returned for the host.
    pub(super) fn take_features(&mut self) -> Option<Features> {
        self.features.take()
    }

    /// Records the features that the host is built with.
    pub(super) fn set_features(&mut self, features: Shared) {
        self.features = Some(tokio::spawn(async move { Ok(features) }));
    }

    /// Records files that require a new host.
    pub(super) fn add(&mut self, changed: BTreeSet<PathBuf>, workspace: &Workspace) {
        self.concerns_sdk |= changed.iter().any(|path| !workspace.is_host_only(path));
        self.changed.extend(changed);
    }

    /// Returns whether a change concerns what plugins link.
    pub(super) fn concerns_sdk(&self) -> bool {
        self.concerns_sdk
    }

    /// Cancels the build in progress.
    pub(super) fn cancel(&mut self) {
        self.tasks.abort_all();
        self.next = None;
    }

    /// Starts a build, which becomes the current one.
    pub(super) fn start(&mut self, build: impl Future<Output = Result<NewHost, Refusal>> + Send + 'static) {
        self.current = Some(self.tasks.spawn(build).id());
    }

    /// Waits for the current build to end, and returns its result; `None` if none is in progress. Cancel safe.
    pub(super) async fn built(&mut self) -> Option<Result<NewHost, Refusal>> {
        loop {
            // A build that was cancelled ends with an error.
            let Ok((id, built)) = self.tasks.join_next_with_id().await? else { continue };
            if self.current != Some(id) {
                continue;
            }
            self.current = None;
            if !matches!(built, Err(Refusal::Superseded)) {
                self.rebuilding = None;
            }
            return Some(built);
        }
    }

    /// Forgets the changed files: the host is the same.
    pub(super) fn forget_changes(&mut self) {
        self.changed.clear();
        self.concerns_sdk = false;
    }

    /// Sets the host that takes over as soon as no plugin is being built.
    pub(super) fn set_next(&mut self, host: Option<Staged>) {
        self.next = host;
    }

    /// Returns whether a host is being built, or is about to take over.
    pub(super) fn is_under_way(&self) -> bool {
        self.current.is_some() || self.next.is_some()
    }

    /// Returns whether plugins that are built now would be lost, or may be built against files that cargo is replacing.
    pub(super) fn holds_plugins(&self) -> bool {
        self.next.is_some() || self.current.is_some() && self.concerns_sdk()
    }

    /// Makes plugins wait for the new host. Returns those for which this was not logged yet.
    pub(super) fn hold(&mut self, group: Group) -> Vec<PluginId> {
        let new = group.plugins.iter().filter(|plugin| self.reported.insert((*plugin).clone()));
        let new = new.cloned().collect();
        group.join(&mut self.waiting);
        new
    }

    /// Makes plugins whose builds were cancelled wait for the new host.
    pub(super) fn hold_unreported(&mut self, group: Group) {
        group.join(&mut self.waiting);
    }

    /// Takes out the plugins that have waited.
    pub(super) fn take_waiting(&mut self) -> Vec<Group> {
        std::mem::take(&mut self.waiting)
    }

    /// Forgets which plugins wait.
    pub(super) fn forget_reported(&mut self) {
        self.reported.clear();
    }

    /// Gives way to the next host, if there is one.
    pub(super) fn give_way(&self) {
        let Some(host) = self.next.clone() else { return };
        let mut because = self.because();
        if because.is_empty() {
            because.push("a request".to_owned());
        }
        // The bot may already be ending, and then nothing receives this.
        let _ = self.successor.send(Some(NextHost { host, because }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_plugins_link_concerns_the_sdk() {
        let root = PathBuf::from("/w");
        let host_only = ["bot", "crates/hmr"].map(|folder| root.join(folder)).into();
        let workspace = Workspace { root, host_only, ..Workspace::default() };
        let concerns = |path: &str| {
            let mut replacement = Replacement::new(None, None, watch::Sender::new(None));
            replacement.add([PathBuf::from(path)].into(), &workspace);
            replacement.concerns_sdk()
        };
        assert!(!concerns("bot/src/main.rs") && !concerns("crates/hmr/Cargo.toml"));
        assert!(
            concerns("crates/sdk-core/src/lib.rs") && concerns("Cargo.toml") && concerns("bottle/src/lib.rs")
        );
    }
}
