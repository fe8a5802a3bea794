//! States that were saved: when they were handed over, by hand, or because their plugin is not live.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::PluginId;
use crate::checkpoint::Changes;
use crate::generation::Generation;
use crate::state::SavedState;
use crate::status::since_1970;

/// Snapshots kept of each plugin, of those that came by themselves and of the others alike.
const KEPT: usize = 16;

/// A plugin's state at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateSnapshot {
    /// Number among the plugin's snapshots, from 1.
    pub number: u64,
    /// Generation that it was taken from.
    pub generation: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    /// Size as JSON.
    pub bytes: usize,
    /// Why it was taken.
    pub reason: Reason,
    /// The state.
    pub state: Arc<SavedState>,
}

/// Why a snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It was handed over to the next generation.
    Handover,
    /// Somebody asked for it.
    ByHand,
    /// The next generation could not read it and began from its default or from an earlier state.
    Unfit,
    /// An earlier one was put back in its stead.
    PutBack,
}

impl Reason {
    /// Gives the reason in words that follow "taken".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Handover => "at a reload",
            Self::ByHand => "by hand",
            Self::Unfit => "because the next generation could not read it",
            Self::PutBack => "before another one was put back",
        }
    }
}

/// All plugins' saved states; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Snapshots(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    plugins: Mutex<BTreeMap<PluginId, Saved>>,
    changes: Changes,
}

/// What is saved of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Saved {
    /// State of a plugin that is not live, or is live and declares none; in a file, of any plugin.
    #[serde(rename = "state")]
    pub(crate) at_rest: Option<Arc<SavedState>>,
    pub(crate) last: u64,
    /// Those that reloads have left.
    #[serde(skip)]
    pub(crate) handed_over: VecDeque<StateSnapshot>,
    /// Those that somebody may come back for.
    pub(crate) kept: VecDeque<StateSnapshot>,
}

impl Snapshots {
    pub(crate) fn new(changes: Changes) -> Self {
        Self(Arc::new(Inner { plugins: Mutex::default(), changes }))
    }

    /// Takes a snapshot of a generation's state by hand.
    ///
    /// # Errors
    /// In a sentence, when it declares no state or that cannot be saved.
    pub fn take(&self, generation: &Generation) -> Result<StateSnapshot, String> {
        let saved = generation.save_state()?;
        let saved = saved.ok_or_else(|| format!("{} declares no state", generation.plugin()))?;
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

    /// Gives one of a plugin's snapshots.
    pub fn get(&self, plugin: &PluginId, number: u64) -> Option<StateSnapshot> {
        self.list(plugin).into_iter().find(|snapshot| snapshot.number == number)
    }

    /// Gives the newest snapshot that was taken from one of a plugin's generations.
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
            // Most reloads change nothing; one copy will do.
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

    /// Gives the state of a plugin that is not live.
    pub fn at_rest(&self, plugin: &PluginId) -> Option<Arc<SavedState>> {
        self.0.plugins.lock().get(plugin)?.at_rest.clone()
    }

    pub(crate) fn set_at_rest(&self, plugin: &PluginId, state: Option<Arc<SavedState>>) {
        self.0.plugins.lock().entry(plugin.clone()).or_default().at_rest = state;
        self.0.changes.mark();
    }

    /// Gives everything that a checkpoint keeps.
    pub(crate) fn all(&self) -> BTreeMap<PluginId, Saved> {
        self.0.plugins.lock().clone()
    }

    /// Takes over what a checkpoint has kept.
    pub(crate) fn set_all(&self, all: BTreeMap<PluginId, Saved>) {
        *self.0.plugins.lock() = all;
    }
}
