//! A change of the host itself: a new one is built while this one runs on, and takes its place when it is green.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sdk_core::PluginId;
use sdk_core::bus::ReloadEvent;
use sdk_core::host::Host;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};

use super::Loop;
use super::group::Group;
use super::tell::{print, warn};
use crate::build::features::{self, Shared};
use crate::build::host::{HostRequest, NewHost, Refusal};
use crate::hosts::Staged;
use crate::supervisor::NextHost;

/// Time without a call after which a host counts as quiet.
const QUIET: Duration = Duration::from_secs(3);

/// Crates of the host that no plugin links.
const APART: [&str; 3] = ["bot", "crates/hmr", "crates/sandbox"];

/// A new host in the making.
#[derive(Default)]
pub(super) struct Replacement {
    /// Files that this host was not built from, as seen from the workspace.
    changed: BTreeSet<PathBuf>,
    pub(super) work: JoinSet<Result<NewHost, Refusal>>,
    /// The build that counts; those before it have been dropped.
    current: Option<Id>,
    /// Host that takes over as soon as no plugin is being built.
    next: Option<Staged>,
    /// Plugins whose saves the new host brings in.
    waiting: Vec<Group>,
    told: BTreeSet<PluginId>,
}

impl Replacement {
    /// Gives the plugins that wait for the new host.
    pub(super) fn waiting(&self) -> &[Group] {
        &self.waiting
    }

    /// Gives the files that ask for a new host.
    pub(super) fn because(&self) -> Vec<String> {
        self.changed.iter().map(|path| path.display().to_string()).collect()
    }

    fn concerns_sdk(&self) -> bool {
        self.changed.iter().any(|path| !APART.iter().any(|apart| path.starts_with(apart)))
    }
}

impl Loop {
    /// Acts on saves of files that the host is built from.
    pub(super) fn handle_host_saves(&mut self, paths: BTreeSet<PathBuf>) {
        let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        let belongs = if names.len() == 1 { "belongs" } else { "belong" };
        let automatic = self.running.is_some();
        self.host.bus().emit(ReloadEvent::RestartRequired { because: names.clone(), automatic });
        let then = if automatic {
            "a new host is built while this one runs on"
        } else {
            "a restart brings the change in"
        };
        tracing::info!("{} {belongs} to the host: {then}", names.join(", "));
        if automatic {
            self.replacement.changed.extend(paths);
            self.build_host();
        }
    }

    /// Has the host built anew, and says so, when these manifests have cargo build what it links with other features.
    ///
    /// Left to the build of a plugin, cargo would put another sdk library in the place of the running host's first, and
    /// the plugin would not fit.
    pub(super) async fn rebuild_for_features(&mut self, manifests: BTreeSet<PathBuf>) {
        let Some(before) = self.features.take() else { return };
        let before = match before.await {
            Ok(Ok(before)) => before,
            // cargo did not take the workspace as it was, so there is nothing to compare with.
            Ok(Err(_)) | Err(_) => Shared::default(),
        };
        let now = match self.toolchain.read_features(&self.workspace).await {
            Ok(now) => now,
            Err(error) => {
                tracing::debug!(%error, "cargo does not say what it would build");
                self.features = Some(tokio::spawn(async move { Ok(before) }));
                return;
            }
        };
        let changes = now.changes(&before);
        self.features = Some(tokio::spawn(async move { Ok(now) }));
        if changes.is_empty() {
            return;
        }
        let words = features::words(&changes);
        let automatic = self.running.is_some();
        if automatic {
            self.rebuilding = Some(words.clone());
            // For whoever asks when they read the warning.
            self.publish();
        }
        warn(&self.host, None, words);
        let because = manifests.iter().map(|path| path.display().to_string()).collect();
        self.host.bus().emit(ReloadEvent::RestartRequired { because, automatic });
        if automatic {
            self.replacement.changed.extend(manifests);
            self.build_host();
        }
    }

    /// Builds the host anew, in place of a build under way.
    fn build_host(&mut self) {
        let Some(running) = self.running.clone() else { return };
        self.replacement.work.abort_all();
        self.replacement.next = None;
        if self.replacement.concerns_sdk() {
            // What is being built links what cargo is about to replace.
            for (_, building) in self.orders.drain() {
                building.abort.abort();
                building.group().join(&mut self.replacement.waiting);
                for answer in building.answers {
                    let _ = answer.send(vec![Err(WAITS.to_owned())]);
                }
            }
        }
        let request = HostRequest {
            root: self.workspace.root.clone(),
            running,
            journal: self.keeper.journal().clone(),
            suffix: self.suffix(),
        };
        let toolchain = self.toolchain.clone();
        let build = async move { toolchain.build_host(request).await };
        self.replacement.current = Some(self.replacement.work.spawn(build).id());
    }

    /// Acts on the end of a build of the host.
    pub(super) fn handle_made(&mut self, id: Id, made: Result<NewHost, Refusal>) {
        if self.replacement.current != Some(id) {
            return;
        }
        self.replacement.current = None;
        if !matches!(made, Err(Refusal::Superseded)) {
            self.rebuilding = None;
        }
        match made {
            Ok(NewHost::Same) => {
                tracing::debug!(changed = ?self.replacement.changed, "the host is as it was");
                self.replacement.changed.clear();
                self.order_waiting();
            }
            Ok(NewHost::Built(host)) => {
                tracing::info!("host {} is built with all its plugins and takes over", host.number());
                self.replacement.next = Some(host);
                self.give_way_when_idle();
            }
            Err(Refusal::Superseded) => self.build_host(),
            Err(Refusal::Failed { words, findings }) => {
                print(&findings.rendered);
                let reason = format!("the running host stays: {words}");
                tracing::error!("{reason}");
                let failed = ReloadEvent::ReloadFailed {
                    plugin: None,
                    live: None,
                    reason,
                    diagnostics: findings.first,
                };
                self.host.bus().emit(failed);
                self.order_waiting();
            }
        }
    }

    /// Says whether plugins that are built now could not be loaded, or would be lost.
    pub(super) fn waits_for_host(&self) -> bool {
        let Replacement { next, current, .. } = &self.replacement;
        next.is_some()
            || current.is_some() && self.replacement.concerns_sdk()
            || self.running.is_some() && !self.toolchain.fits_host()
    }

    /// Has plugins built now, or with the new host.
    pub(super) fn order_or_wait(&mut self, group: Group, began: Instant) {
        if !self.waits_for_host() {
            self.order(group, began, Vec::new());
            return;
        }
        self.wait_for_host(group);
        if self.replacement.current.is_none() && self.replacement.next.is_none() {
            // This save may be the one that the new host was waiting for.
            self.build_host();
        }
    }

    fn wait_for_host(&mut self, group: Group) {
        let new: Vec<_> =
            group.plugins.iter().filter(|plugin| self.replacement.told.insert((*plugin).clone())).collect();
        if !new.is_empty() {
            let names: Vec<_> = new.into_iter().map(PluginId::as_str).collect();
            tracing::info!("{}: {WAITS}", names.join(", "));
        }
        group.join(&mut self.replacement.waiting);
    }

    /// Has those plugins built that have waited for the host, if they fit the one that runs.
    fn order_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.replacement.waiting);
        if self.waits_for_host() {
            for group in waiting {
                self.wait_for_host(group);
            }
            return;
        }
        self.replacement.told.clear();
        for group in waiting {
            self.order(group, Instant::now(), Vec::new());
        }
    }

    /// Replaces this host by one of the same build, at once or when it is quiet.
    pub(super) fn handle_restart(&mut self, when_quiet: bool, again: &mpsc::UnboundedSender<bool>) {
        if when_quiet {
            let (host, again) = (self.host.clone(), again.clone());
            tokio::spawn(async move {
                quiet(&host).await;
                let _ = again.send(false);
            });
        } else if self.replacement.current.is_none() && self.replacement.next.is_none() {
            self.replacement.next.clone_from(&self.running);
            self.give_way_when_idle();
        }
    }

    /// Gives way to the next host, unless a plugin is being built; then its end is waited for.
    pub(super) fn give_way_when_idle(&mut self) {
        if !self.orders.is_empty() {
            return;
        }
        let Some(host) = self.replacement.next.clone() else { return };
        let mut because = self.replacement.because();
        if because.is_empty() {
            because.push("a request".to_owned());
        }
        // Nobody listens when the bot is already ending.
        let _ = self.gives_way.send(Some(NextHost { host, because }));
    }
}

/// What is said of a plugin that cannot be built for this host any more.
pub(super) const WAITS: &str = "the change comes in with the new host";

/// Waits until no call has been under way for a while.
async fn quiet(host: &Host) {
    let is_quiet = || host.registry().snapshot().generations().values().all(|one| one.calls_under_way() == 0);
    let mut since = tokio::time::Instant::now();
    while since.elapsed() < QUIET {
        tokio::time::sleep(QUIET / 30).await;
        if !is_quiet() {
            since = tokio::time::Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_plugins_link_concerns_the_sdk() {
        let concerns = |path: &str| {
            let changed = [PathBuf::from(path)].into();
            Replacement { changed, ..Replacement::default() }.concerns_sdk()
        };
        assert!(!concerns("bot/src/main.rs") && !concerns("crates/hmr/Cargo.toml"));
        assert!(
            concerns("crates/sdk-core/src/lib.rs") && concerns("Cargo.toml") && concerns("bottle/src/lib.rs")
        );
    }
}
