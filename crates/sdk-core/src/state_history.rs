//! Saved states: from handovers, saved by hand, or of plugins that are not live.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::PluginId;
use crate::changes::Changes;
use crate::clock::since_1970;
use crate::generation::Generation;
use crate::state::{SavedState, StateError};

/// Snapshots kept of each plugin, separately for those of handovers and for all others.
const KEPT: usize = 16;

/// A plugin's state at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateSnapshot {
    /// Number among the plugin's snapshots, from 1.
    pub number: u64,
    /// Generation that it was saved from.
    pub generation: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    /// Size as JSON.
    pub bytes: usize,
    /// Why it was saved.
    pub reason: Reason,
    /// The state.
    pub state: Arc<SavedState>,
}

/// Why a snapshot was saved. The names in a database are older than those here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The state was handed over to the next generation.
    Handover,
    /// A user requested it.
    ByHand,
    /// The next generation could not read it and started with its default or an earlier state.
    #[serde(rename = "unfit")]
    Incompatible,
    /// An earlier snapshot was restored in its place.
    #[serde(rename = "put-back")]
    Restored,
}

impl Reason {
    /// Returns the reason in words that follow "taken".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Handover => "at a reload",
            Self::ByHand => "by hand",
            Self::Incompatible => "because the next generation could not read it",
            Self::Restored => "before another one was put back",
        }
    }
}

/// The saved states of all plugins. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct StateHistory(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    plugins: Mutex<BTreeMap<PluginId, Saved>>,
    changes: Changes,
}

/// The saved states of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Saved {
    /// State of a plugin that is not live, or is live and declares none; as stored, of any plugin.
    #[serde(rename = "state")]
    pub(crate) parked: Option<Arc<SavedState>>,
    pub(crate) last: u64,
    /// Snapshots of handovers.
    #[serde(skip)]
    pub(crate) handed_over: VecDeque<StateSnapshot>,
    /// Snapshots that a user may want to restore.
    pub(crate) kept: VecDeque<StateSnapshot>,
}

impl StateHistory {
    pub(crate) fn new(changes: Changes) -> Self {
        Self(Arc::new(Inner { plugins: Mutex::default(), changes }))
    }

    /// Saves a snapshot of a generation's state by hand.
    ///
    /// # Errors
    /// If the generation declares no state or the state cannot be saved.
    pub fn take(&self, generation: &Generation) -> Result<StateSnapshot, StateError> {
        let saved = generation.save_state()?;
        let saved = saved.ok_or_else(|| StateError::undeclared(generation.plugin()))?;
        Ok(self.add(generation.plugin(), generation.number(), Reason::ByHand, Arc::new(saved)))
    }

    /// Lists a plugin's snapshots, the newest first.
    pub fn list(&self, plugin: &PluginId) -> Vec<StateSnapshot> {
        let plugins = self.0.plugins.lock();
        let Some(saved) = plugins.get(plugin) else { return Vec::new() };
        let mut all: Vec<_> = saved.handed_over.iter().chain(&saved.kept).cloned().collect();
        all.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.number));
        all
    }

    /// Returns one of a plugin's snapshots.
    pub fn get(&self, plugin: &PluginId, number: u64) -> Option<StateSnapshot> {
        self.list(plugin).into_iter().find(|snapshot| snapshot.number == number)
    }

    /// Returns the newest snapshot that was saved from one of a plugin's generations.
    pub fn of_generation(&self, plugin: &PluginId, generation: u64) -> Option<StateSnapshot> {
        self.list(plugin).into_iter().find(|snapshot| snapshot.generation == generation)
    }

    pub(crate) fn add(
        &self,
        plugin: &PluginId,
        generation: u64,
        reason: Reason,
        mut state: Arc<SavedState>,
    ) -> StateSnapshot {
        let mut plugins = self.0.plugins.lock();
        let saved = plugins.entry(plugin.clone()).or_default();
        if let Some(same) = saved.handed_over.back().filter(|last| last.state == state) {
            // Most reloads change nothing, so the copy is shared.
            state = same.state.clone();
        }
        saved.last += 1;
        let snapshot = StateSnapshot {
            number: saved.last,
            generation,
            at: since_1970(),
            bytes: state.bytes(),
            reason,
            state,
        };
        let list = if reason == Reason::Handover { &mut saved.handed_over } else { &mut saved.kept };
        list.push_back(snapshot.clone());
        if list.len() > KEPT {
            list.pop_front();
        }
        drop(plugins);
        self.0.changes.mark();
        snapshot
    }

    /// Returns the state of a plugin that is not live.
    pub fn parked(&self, plugin: &PluginId) -> Option<Arc<SavedState>> {
        self.0.plugins.lock().get(plugin)?.parked.clone()
    }

    pub(crate) fn set_parked(&self, plugin: &PluginId, state: Option<Arc<SavedState>>) {
        self.0.plugins.lock().entry(plugin.clone()).or_default().parked = state;
        self.0.changes.mark();
    }

    /// Returns everything that a checkpoint saves.
    pub(crate) fn all(&self) -> BTreeMap<PluginId, Saved> {
        self.0.plugins.lock().clone()
    }

    /// Restores what a checkpoint has saved.
    pub(crate) fn set_all(&self, all: BTreeMap<PluginId, Saved>) {
        *self.0.plugins.lock() = all;
    }
}
