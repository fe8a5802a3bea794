//! Built plugins that do not fit what is live, and wait for others that they fit with.

use sdk_core::PluginId;

use crate::build::BuiltPlugin;

/// Built plugins that wait, in batches that go live together.
#[derive(Default)]
pub(super) struct Blocked(Vec<Vec<BuiltPlugin>>);

impl Blocked {
    pub(super) fn add(&mut self, batch: Vec<BuiltPlugin>) {
        self.0.push(batch);
    }

    pub(super) fn take(&mut self) -> Vec<Vec<BuiltPlugin>> {
        std::mem::take(&mut self.0)
    }

    /// Drops the batches with plugins that are built again or gone.
    pub(super) fn forget(&mut self, plugins: &[PluginId]) {
        self.0.retain(|batch| !batch.iter().any(|built| plugins.contains(built.id())));
    }

    /// Returns the batches that a plugin may go live together with: each one, then all of them.
    pub(super) fn combinations(&self) -> Vec<Vec<BuiltPlugin>> {
        let all = (self.0.len() > 1).then(|| self.0.concat());
        self.0.iter().cloned().chain(all).collect()
    }
}
