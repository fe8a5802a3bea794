//! The live generations, and the only way to change them.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use crate::PluginId;
use crate::definition::DefinitionChanges;
use crate::generation::{Generation, Stage};
use crate::host_services::Ended;
use crate::ledger::{Former, Ledger, Memory, PluginLedger};
use crate::panics::{PanicReport, Panics};
use crate::routing_table::RoutingTable;
use crate::services::{Asked, NoService, Provided, ServiceDirectory};

/// Holds the live snapshot and the ledger of all generations.
#[derive(Default)]
pub struct Registry {
    live: ArcSwap<RoutingTable>,
    /// Serialises handovers.
    pub(crate) handover: tokio::sync::Mutex<()>,
    ledger: Mutex<Ledger>,
    swaps: watch::Sender<u64>,
    panics: Panics,
    ended: Ended,
}

/// A change of what is live: generations to install and plugins to remove.
#[derive(Clone, Default)]
pub struct Change {
    /// Generations to make live. Each replaces the live one of its plugin.
    pub install: Vec<Arc<Generation>>,
    /// Plugins to remove.
    pub remove: Vec<PluginId>,
}

impl Change {
    /// Returns what is live after the change, and the plugins concerned.
    fn applied_to(self, before: &RoutingTable) -> Result<(RoutingTable, Vec<PluginId>), Vec<String>> {
        let mut generations = before.generations().clone();
        let mut touched = self.remove;
        for plugin in &touched {
            generations.remove(plugin);
        }
        for generation in self.install {
            touched.push(generation.plugin().clone());
            generations.insert(generation.plugin().clone(), generation);
        }
        Ok((RoutingTable::new(generations)?, touched))
    }
}

/// The result of a swap.
pub struct Swapped {
    /// Per plugin: old generation, new generation, and how they differ.
    pub plugins: Vec<PluginSwap>,
    /// Time of the atomic store and of building the tables before it.
    pub took: Duration,
}

/// The result of a swap for one plugin.
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
    /// Returns what is live now. An event loads it once and keeps it to its end.
    pub fn snapshot(&self) -> Arc<RoutingTable> {
        self.live.load_full()
    }

    /// Returns the number of the next generation of `plugin`. A generation that never goes live uses up no number.
    pub fn next_number(&self, plugin: &PluginId) -> u64 {
        self.ledger.lock().next_number(plugin)
    }

    /// Makes the next generation of `plugin` have a number above `number`, which a former process has reached.
    pub fn continue_from(&self, plugin: &PluginId, number: u64) {
        self.ledger.lock().continue_from(plugin, number);
    }

    /// Returns what would be live after a change. The generations to install find services there already.
    ///
    /// # Errors
    /// As [`RoutingTable::new`].
    pub fn prospect(&self, change: &Change) -> Result<Arc<RoutingTable>, Vec<String>> {
        let (after, _) = change.clone().applied_to(&self.snapshot())?;
        let after = Arc::new(after);
        after.show_to(&change.install);
        Ok(after)
    }

    /// Makes a change live in one atomic store.
    ///
    /// When this returns, the replaced generations are out of dispatch. The caller has to stop them. State is not
    /// transferred here, but in [`handover::swap`](crate::handover::swap).
    ///
    /// # Errors
    /// As [`RoutingTable::new`]. Nothing has changed then.
    pub fn swap(&self, change: Change) -> Result<Swapped, Vec<String>> {
        let began = Instant::now();
        // Held during the whole change, so that swaps happen one after the other.
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
                // After the store, so that redirected calls find the new generation.
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

    /// Returns the generations that are not live but in which something still runs, or that are still referenced.
    pub fn lingering(&self) -> Vec<Arc<Generation>> {
        self.ledger.lock().lingering()
    }

    /// Returns the ledger of all generations, by plugin.
    pub fn ledger(&self) -> Vec<PluginLedger> {
        self.ledger.lock().tell()
    }

    /// Returns the generations of a plugin that were live and whose code can be restored, the newest first.
    pub fn formers(&self, plugin: &PluginId) -> Vec<Former> {
        self.ledger.lock().formers(plugin)
    }

    /// Records an error of a generation in the ledger.
    pub fn note(&self, generation: &Arc<Generation>, error: impl Into<String>) {
        self.ledger.lock().note(generation, error.into());
    }

    /// Records in the ledger that a generation was set aside because it panicked on probation.
    pub fn set_aside(&self, plugin: &PluginId, number: u64) {
        self.ledger.lock().set_aside(plugin, number);
    }

    /// Records in the ledger the memory of the library that was built for the generation `code_of`.
    pub fn set_memory(&self, plugin: &PluginId, code_of: u64, memory: Memory) {
        self.ledger.lock().set_memory(plugin, code_of, memory);
    }

    /// Returns whether a live generation runs the code that was built for the generation `code_of`.
    pub fn is_code_live(&self, plugin: &PluginId, code_of: u64) -> bool {
        self.ledger.lock().is_code_live(plugin, code_of)
    }

    /// Returns the bytes of address space of the library of each generation's code, where known.
    pub fn mapped_bytes(&self) -> BTreeMap<(PluginId, u64), u64> {
        let plugins = self.ledger().into_iter();
        let rows = plugins.flat_map(|one| one.rows.into_iter().map(move |row| (one.plugin.clone(), row)));
        rows.filter_map(|(plugin, row)| Some(((plugin, row.generation), row.mapped_bytes?))).collect()
    }

    /// Returns the bytes of memory, private to this process, of code that no live generation runs.
    pub fn retired_bytes(&self) -> u64 {
        self.ledger.lock().retired_bytes()
    }

    /// Waits until a generation is no longer referenced.
    pub async fn ended(&self, generation: &Weak<Generation>) {
        self.ended.wait_until(|| generation.strong_count() == 0).await;
    }

    /// Returns the signal that a generation is no longer referenced.
    pub(crate) fn end_signal(&self) -> &Ended {
        &self.ended
    }

    /// Returns a receiver of all panics in generations from now on. Only the first call's receiver gets any.
    pub fn panics(&self) -> UnboundedReceiver<PanicReport> {
        self.panics.listen()
    }

    pub(crate) fn panic_reports(&self) -> &Panics {
        &self.panics
    }

    /// Returns a receiver of the number of swaps, which changes with each swap.
    pub fn swaps(&self) -> watch::Receiver<u64> {
        self.swaps.subscribe()
    }
}

/// Its directory is that of what is live at the moment of each call.
impl ServiceDirectory for Registry {
    fn find(&self, asked: &Asked<'_>) -> Result<Provided, NoService> {
        self.snapshot().find(asked)
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
