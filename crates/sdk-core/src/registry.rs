//! Which generations are live, and the one way to change that.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, watch};

use crate::PluginId;
use crate::definition::DefinitionChanges;
use crate::generation::{Generation, Stage};
use crate::ledger::{Former, Ledger, Memory, PluginLedger};
use crate::panics::{PanicReport, Panics};
use crate::snapshot::Snapshot;

/// Holds the live snapshot and the account of all generations.
#[derive(Default)]
pub struct Registry {
    live: ArcSwap<Snapshot>,
    /// Has one handover follow another.
    pub(crate) handover: tokio::sync::Mutex<()>,
    ledger: Mutex<Ledger>,
    swaps: watch::Sender<u64>,
    panics: Panics,
    ended: Notify,
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
        self.ledger.lock().next_number(plugin)
    }

    /// Has the next generation of `plugin` bear a number above `number`, as a former process has come that far.
    pub fn continue_from(&self, plugin: &PluginId, number: u64) {
        self.ledger.lock().continue_from(plugin, number);
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
        for generation in after.generations().values() {
            if generation.stage() != Stage::Live {
                generation.set_stage(Stage::Live);
            }
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
                ledger.was_retired(old);
            }
            if let Some(new) = &new {
                ledger.went_live(new);
            }
            plugins.push(PluginSwap::between(plugin, old, new));
        }
        drop(ledger);
        self.swaps.send_modify(|count| *count += 1);
        Ok(Swapped { plugins, took })
    }

    /// Gives the generations that are not live and in which something still runs or is still referred to.
    pub fn lingering(&self) -> Vec<Arc<Generation>> {
        self.ledger.lock().lingering()
    }

    /// Gives the account of all generations, by plugin.
    pub fn ledger(&self) -> Vec<PluginLedger> {
        self.ledger.lock().tell()
    }

    /// Gives the generations of a plugin that were live and whose code can be brought back, the newest first.
    pub fn formers(&self, plugin: &PluginId) -> Vec<Former> {
        self.ledger.lock().formers(plugin)
    }

    /// Notes in the ledger what went wrong in a generation.
    pub fn note(&self, generation: &Arc<Generation>, error: impl Into<String>) {
        self.ledger.lock().note(generation, error.into());
    }

    /// Notes in the ledger that a generation was set aside because it panicked on probation.
    pub fn set_aside(&self, plugin: &PluginId, number: u64) {
        self.ledger.lock().set_aside(plugin, number);
    }

    /// Notes in the ledger what the library that was built for the generation `code_of` takes up.
    pub fn set_memory(&self, plugin: &PluginId, code_of: u64, memory: Memory) {
        self.ledger.lock().set_memory(plugin, code_of, memory);
    }

    /// Says whether a live generation runs the code that was built for the generation `code_of`.
    pub fn is_code_live(&self, plugin: &PluginId, code_of: u64) -> bool {
        self.ledger.lock().is_code_live(plugin, code_of)
    }

    /// Gives the bytes of address space that the library of each generation's code takes up, where that is known.
    pub fn mapped_bytes(&self) -> BTreeMap<(PluginId, u64), u64> {
        let plugins = self.ledger().into_iter();
        let rows = plugins.flat_map(|one| one.rows.into_iter().map(move |row| (one.plugin.clone(), row)));
        rows.filter_map(|(plugin, row)| Some(((plugin, row.generation), row.mapped_bytes?))).collect()
    }

    /// Gives the bytes of memory, this process's alone, of code that no live generation runs.
    pub fn retired_bytes(&self) -> u64 {
        self.ledger.lock().retired_bytes()
    }

    /// Waits until nothing refers to a generation any more.
    pub async fn ended(&self, generation: &Weak<Generation>) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if generation.strong_count() == 0 {
                return;
            }
            ended.await;
        }
    }

    pub(crate) fn tell_ended(&self) {
        self.ended.notify_waiters();
    }

    /// Hears of all panics in generations from now on; the first call counts.
    pub fn panics(&self) -> UnboundedReceiver<PanicReport> {
        self.panics.listen()
    }

    pub(crate) fn panic_reports(&self) -> &Panics {
        &self.panics
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
