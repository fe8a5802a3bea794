//! Which generations are live, and the one way to change that.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::PluginId;
use crate::definition::DefinitionChanges;
use crate::generation::{Generation, Stage};
use crate::snapshot::Snapshot;

/// Holds the live snapshot and the account of all generations.
#[derive(Default)]
pub struct Registry {
    live: ArcSwap<Snapshot>,
    /// Has one handover follow another.
    pub(crate) handover: tokio::sync::Mutex<()>,
    ledger: Mutex<Ledger>,
    swaps: watch::Sender<u64>,
}

#[derive(Default)]
struct Ledger {
    last: BTreeMap<PluginId, u64>,
    retired: Vec<Weak<Generation>>,
}

/// A change of what is live: generations that come in, and plugins that go.
#[derive(Clone, Default)]
pub struct Change {
    /// Generations to make live; each takes the place of the live one of its plugin.
    pub install: Vec<Arc<Generation>>,
    /// Plugins to take out.
    pub remove: Vec<PluginId>,
}

impl Change {
    /// Gives what is live after the change, and the plugins that it concerns.
    fn applied_to(self, before: &Snapshot) -> Result<(Snapshot, Vec<PluginId>), Vec<String>> {
        let mut generations = before.generations().clone();
        let mut touched = self.remove;
        for plugin in &touched {
            generations.remove(plugin);
        }
        for generation in self.install {
            touched.push(generation.plugin().clone());
            generations.insert(generation.plugin().clone(), generation);
        }
        Ok((Snapshot::new(generations)?, touched))
    }
}

/// What a swap did.
pub struct Swapped {
    /// Per plugin: old generation, new generation, and how they differ.
    pub plugins: Vec<PluginSwap>,
    /// Time of the atomic store with the tables built before it.
    pub took: Duration,
}

/// What a swap did to one plugin.
pub struct PluginSwap {
    /// Plugin that changed.
    pub plugin: PluginId,
    /// Generation that was live before.
    pub old: Option<Arc<Generation>>,
    /// Generation that is live now.
    pub new: Option<Arc<Generation>>,
    /// How their command definitions differ.
    pub commands: DefinitionChanges,
    /// Subscriptions that only the old one had.
    pub unsubscribed: Vec<String>,
    /// Subscriptions that only the new one has.
    pub subscribed: Vec<String>,
}

impl Registry {
    /// Gives what is live now; an event loads it once and finishes on it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.live.load_full()
    }

    /// Gives the number that the next generation of `plugin` bears; one that never goes live uses none up.
    pub fn next_number(&self, plugin: &PluginId) -> u64 {
        self.ledger.lock().last.get(plugin).copied().unwrap_or_default() + 1
    }

    /// Gives what would be live after a change, in which the generations it brings find services already.
    ///
    /// # Errors
    /// As [`Snapshot::new`].
    pub fn prospect(&self, change: &Change) -> Result<Arc<Snapshot>, Vec<String>> {
        let (after, _) = change.clone().applied_to(&self.snapshot())?;
        let after = Arc::new(after);
        after.show_to(&change.install);
        Ok(after)
    }

    /// Makes a change live in one atomic store.
    ///
    /// The generations it replaces are out of dispatch when this returns; stopping them is the caller's next step.
    /// State does not cross here: that is what [`handover::swap`](crate::handover::swap) adds.
    ///
    /// # Errors
    /// As [`Snapshot::new`]; nothing has changed then.
    pub fn swap(&self, change: Change) -> Result<Swapped, Vec<String>> {
        let began = Instant::now();
        // Held over the whole change, so that two swaps follow each other.
        let mut ledger = self.ledger.lock();
        let before = self.live.load_full();
        let (after, touched) = change.applied_to(&before)?;
        let after = Arc::new(after);
        for (plugin, generation) in after.generations() {
            if generation.stage() != Stage::Live {
                generation.set_stage(Stage::Live);
            }
            let last = ledger.last.entry(plugin.clone()).or_default();
            *last = generation.number().max(*last);
        }
        after.show_to(after.generations().values());
        self.live.store(after.clone());
        let took = began.elapsed();

        let mut plugins = Vec::new();
        for plugin in touched {
            let old = before.generations().get(&plugin).cloned();
            let new = after.generations().get(&plugin).cloned();
            let is_kept = |old: &Arc<Generation>| new.as_ref().is_some_and(|new| Arc::ptr_eq(old, new));
            if let Some(old) = old.as_ref().filter(|old| !is_kept(old)) {
                // Not before the store: who is sent on from here finds the new one.
                old.set_stage(Stage::Retired);
                ledger.retired.push(Arc::downgrade(old));
            }
            plugins.push(PluginSwap::between(plugin, old, new));
        }
        ledger.retired.retain(|generation| generation.strong_count() > 0);
        drop(ledger);
        self.swaps.send_modify(|count| *count += 1);
        Ok(Swapped { plugins, took })
    }

    /// Gives the retired generations in which something still runs or is still referred to.
    pub fn lingering(&self) -> Vec<Arc<Generation>> {
        self.ledger.lock().retired.iter().filter_map(Weak::upgrade).collect()
    }

    /// Counts swaps, and tells of each one.
    pub fn swaps(&self) -> watch::Receiver<u64> {
        self.swaps.subscribe()
    }
}

impl PluginSwap {
    fn between(plugin: PluginId, old: Option<Arc<Generation>>, new: Option<Arc<Generation>>) -> Self {
        let definitions = |generation: &Option<Arc<Generation>>| {
            generation.as_ref().map(|generation| generation.definitions().clone()).unwrap_or_default()
        };
        let listens = |generation: &Option<Arc<Generation>>| {
            generation.as_ref().map(|generation| generation.subscriptions().describe()).unwrap_or_default()
        };
        let (before, after) = (listens(&old), listens(&new));
        Self {
            commands: DefinitionChanges::between(&definitions(&old), &definitions(&new)),
            unsubscribed: before.iter().filter(|words| !after.contains(words)).cloned().collect(),
            subscribed: after.iter().filter(|words| !before.contains(words)).cloned().collect(),
            plugin,
            old,
            new,
        }
    }
}
