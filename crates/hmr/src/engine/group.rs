//! Plugins that are built and go live together.

use std::collections::BTreeSet;

use sdk_core::PluginId;

/// Plugins that are to be built and go live together: one, or all that share a crate that changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) plugins: BTreeSet<PluginId>,
    pub(super) through_cargo: bool,
    /// Whether they go live even if their code is the same: something else may have changed, or it was requested.
    pub(super) in_any_case: bool,
}

impl Group {
    /// Returns a plugin that is built through cargo, alone.
    pub(super) fn through_cargo(plugin: PluginId) -> Self {
        Self { plugins: [plugin].into(), through_cargo: true, in_any_case: true }
    }

    /// Adds another group's plugins if both have a plugin in common. Returns whether they have.
    pub(super) fn absorb(&mut self, other: &Self) -> bool {
        let meets = !self.plugins.is_disjoint(&other.plugins);
        if meets {
            self.plugins.extend(other.plugins.iter().cloned());
            self.through_cargo |= other.through_cargo;
            self.in_any_case |= other.in_any_case;
        }
        meets
    }

    /// Adds the group to a list in which no two groups have a plugin in common.
    pub(super) fn join(mut self, groups: &mut Vec<Self>) {
        // The merged group may overlap with another one in turn.
        while let Some(place) = groups.iter().position(|group| !group.plugins.is_disjoint(&self.plugins)) {
            self.absorb(&groups.swap_remove(place));
        }
        groups.push(self);
    }
}
