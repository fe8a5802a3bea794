//! A change of the host itself: a new one is built while this one runs on, and replaces it once it is accepted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sdk_core::PluginId;
use sdk_core::bus::ReloadEvent;
use sdk_core::host::Host;
use tokio::sync::mpsc;

use super::Loop;
use super::group::Group;
use super::report::note;
use crate::build::features::{self, Shared};
use crate::build::host::{HostRequest, NewHost, Refusal};
use crate::findings::print;

/// Time without a call after which a host counts as quiet.
const QUIET: Duration = Duration::from_secs(3);

/// Reported for a plugin that cannot be built for this host any more.
pub(super) const WAITS: &str = "the change comes in with the new host";

impl Loop {
    /// Handles saves of files that the host is built from.
    pub(super) fn handle_host_saves(&mut self, paths: BTreeSet<PathBuf>) {
        let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        let automatic = self.replacement.running().is_some();
        self.host.bus().emit(ReloadEvent::RestartRequired { because: names.clone(), automatic });
        let files = names.join(", ");
        if automatic {
            tracing::info!(files, "the host has changed: a new one is built while this one runs on");
            self.replacement.add(paths, &self.members.workspace);
            self.build_host();
        } else {
            tracing::info!(files, "the host has changed: a restart brings the change in");
        }
    }

    /// Builds the host again, with a warning, if these manifests make cargo build what it links with other features.
    ///
    /// If this were left to the build of a plugin, cargo would first replace the running host's sdk library, and the
    /// plugin would not fit.
    pub(super) async fn rebuild_for_features(&mut self, manifests: BTreeSet<PathBuf>) {
        let Some(before) = self.replacement.take_features() else { return };
        let before = match before.await {
            Ok(Ok(before)) => before,
            // cargo did not accept the workspace as it was, so there is nothing to compare with.
            Ok(Err(_)) | Err(_) => Shared::default(),
        };
        let now = match self.toolchain.read_features(&self.members.workspace).await {
            Ok(now) => now,
            Err(error) => {
                tracing::debug!(%error, "cargo does not say what it would build");
                self.replacement.set_features(before);
                return;
            }
        };
        let changes = now.changes(&before);
        self.replacement.set_features(now);
        if changes.is_empty() {
            return;
        }
        let words = features::words(&changes);
        let automatic = self.replacement.running().is_some();
        if automatic {
            self.replacement.set_rebuilding(words.clone());
            // For a reader of the warning who asks for the status.
            self.publish();
        }
        let features = words.as_str();
        tracing::warn!(%features, "the host is built with other features");
        note(&self.host, None, words);
        let because = manifests.iter().map(|path| path.display().to_string()).collect();
        self.host.bus().emit(ReloadEvent::RestartRequired { because, automatic });
        if automatic {
            self.replacement.add(manifests, &self.members.workspace);
            self.build_host();
        }
    }

    /// Builds the host again, in place of a build in progress.
    fn build_host(&mut self) {
        let Some(running) = self.replacement.running().cloned() else { return };
        self.replacement.cancel();
        if self.replacement.concerns_sdk() {
            // The builds in progress link what cargo is about to replace.
            for building in self.builds.cancel_all() {
                self.replacement.hold_unreported(building.group());
                for answer in building.answers {
                    let _ = answer.send(vec![Err(WAITS.into())]);
                }
            }
        }
        let request = HostRequest {
            root: self.members.workspace.root.clone(),
            running,
            journal: self.keeper.journal().clone(),
            suffix: self.builds.suffix(),
        };
        let toolchain = self.toolchain.clone();
        self.replacement.start(async move { toolchain.build_host(request).await });
    }

    /// Handles the end of a build of the host.
    pub(super) fn handle_new_host(&mut self, built: Result<NewHost, Refusal>) {
        match built {
            Ok(NewHost::Same) => {
                let files = self.replacement.because().join(", ");
                tracing::info!(files, "no change in the host: the running one stays");
                note(&self.host, None, format!("no change in the host: {files}"));
                self.replacement.forget_changes();
                self.build_waiting();
            }
            Ok(NewHost::Built(host)) => {
                tracing::info!(
                    host = host.number(),
                    "the new host is built with all its plugins and takes over"
                );
                self.replacement.set_next(Some(host));
                self.give_way_when_idle();
            }
            Err(Refusal::Superseded) => self.build_host(),
            Err(Refusal::Failed { words, findings }) => {
                print(&findings.rendered);
                tracing::error!(error = %words, "the running host stays");
                let reason = format!("the running host stays: {words}");
                let failed = ReloadEvent::ReloadFailed {
                    plugin: None,
                    live: None,
                    reason,
                    diagnostics: findings.first,
                };
                self.host.bus().emit(failed);
                self.build_waiting();
            }
        }
    }

    /// Returns whether plugins that are built now could not be loaded, or would be lost.
    pub(super) fn waits_for_host(&self) -> bool {
        self.replacement.holds_plugins()
            || self.replacement.running().is_some() && !self.toolchain.fits_host()
    }

    /// Builds plugins now, or with the new host.
    pub(super) fn build_or_wait(&mut self, group: Group, began: Instant) {
        if !self.waits_for_host() {
            self.start_build(group, began, Vec::new());
            return;
        }
        self.wait_for_host(group);
        if !self.replacement.is_under_way() {
            // This save may be the one that the new host was waiting for.
            self.build_host();
        }
    }

    fn wait_for_host(&mut self, group: Group) {
        let new = self.replacement.hold(group);
        if !new.is_empty() {
            let names: Vec<_> = new.iter().map(PluginId::as_str).collect();
            tracing::info!(plugins = names.join(", "), "{WAITS}");
        }
    }

    /// Builds the plugins that have waited for the host, if they fit the running one.
    fn build_waiting(&mut self) {
        let waiting = self.replacement.take_waiting();
        if self.waits_for_host() {
            for group in waiting {
                self.wait_for_host(group);
            }
            return;
        }
        self.replacement.forget_reported();
        for group in waiting {
            self.start_build(group, Instant::now(), Vec::new());
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
        } else if !self.replacement.is_under_way() {
            self.replacement.set_next(self.replacement.running().cloned());
            self.give_way_when_idle();
        }
    }

    /// Gives way to the next host, unless a plugin is being built. In that case it gives way when the build ends.
    pub(super) fn give_way_when_idle(&mut self) {
        if self.builds.is_empty() {
            self.replacement.give_way();
        }
    }
}

/// Waits until no call has been in progress for [`QUIET`].
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
