//! Plugins that are built and go live together.

use std::collections::BTreeSet;
use std::time::Instant;

use sdk_core::PluginId;
use sdk_core::status::Reloaded;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::workspace::Package;

/// Plugins that are to be built and go live together: one, or all that share a crate that changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) plugins: BTreeSet<PluginId>,
    pub(super) through_cargo: bool,
}

impl Group {
    /// Takes in another group when they have a plugin in common.
    pub(super) fn absorb(&mut self, other: &Self) -> bool {
        let meets = !self.plugins.is_disjoint(&other.plugins);
        if meets {
            self.plugins.extend(other.plugins.iter().cloned());
            self.through_cargo |= other.through_cargo;
        }
        meets
    }

    /// Adds the group to a list in which no two have a plugin in common.
    pub(super) fn join(mut self, groups: &mut Vec<Self>) {
        // What it takes in may meet another one in turn.
        while let Some(place) = groups.iter().position(|group| !group.plugins.is_disjoint(&self.plugins)) {
            self.absorb(&groups.swap_remove(place));
        }
        groups.push(self);
    }
}

/// Where what became of a reload is told to who asked for it.
pub(super) type Answer = oneshot::Sender<Vec<Result<Reloaded, String>>>;

/// Plugins that are being built together.
pub(super) struct Building {
    pub(super) packages: Vec<Package>,
    pub(super) through_cargo: bool,
    pub(super) began: Instant,
    pub(super) abort: AbortHandle,
    pub(super) answers: Vec<Answer>,
    /// How often the same has been tried again.
    pub(super) retries: u32,
}

impl Building {
    pub(super) fn group(&self) -> Group {
        Group {
            plugins: self.packages.iter().map(|package| package.id.clone()).collect(),
            through_cargo: self.through_cargo,
        }
    }
}
