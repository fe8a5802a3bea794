//! Handover: the transfer of state from old generations to new ones, and the swap.
//!
//! # Theory of operation
//!
//! [`prepare`] gives new generations a copy of the state before they start. This finds states that do not fit while no
//! call waits. [`swap`] then holds new calls to the plugins whose state is transferred, waits for a limited time until
//! their calls in progress have ended, forbids changes, saves, restores, and swaps in one atomic store. Held calls
//! continue in the new generation. If anything fails before the store, they continue in the old generation, whose state
//! is unchanged. Saving and restoring run the plugins' code, so they run on a thread of their own, with a deadline, and
//! panics in them are contained.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::task::JoinError;

use crate::bus::ReloadEvent;
use crate::generation::{CallReport, Generation, Stage};
use crate::host::Host;
use crate::registry::{Change, Swapped};
use crate::routing_table::RoutingTable;
use crate::state::{MAX_BYTES, Phase, SavedState, StateError};
use crate::state_history::{Reason, StateHistory, StateSnapshot};
use crate::{Data, PluginId};

/// Longest time for saving and restoring. Together with the wait for calls it has to fit into Discord's 3 s.
const TRANSFER_WITHIN: Duration = Duration::from_secs(2);

/// How state is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandoverPolicy {
    /// Whether state is transferred at all. If not, every new generation starts with its default.
    pub preserve: bool,
    /// Longest wait for calls in progress.
    pub deadline: Duration,
    /// What happens if the new code cannot read the state.
    pub on_incompatible: OnIncompatible,
}

impl Default for HandoverPolicy {
    fn default() -> Self {
        Self { preserve: true, deadline: Duration::from_millis(250), on_incompatible: OnIncompatible::Refuse }
    }
}

/// What happens if a state cannot be saved, or cannot be restored in the new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnIncompatible {
    /// The swap is refused.
    Refuse,
    /// The new generation starts with its default. The old state is kept as a snapshot.
    Default,
    /// The new generation gets the newest snapshot that fits it, or its default. The old state is kept as a snapshot.
    Earlier,
}

/// The result of a handover.
pub struct HandedOver {
    /// The result of the swap.
    pub swapped: Swapped,
    /// The result for each state.
    pub states: Vec<Transferred>,
    /// Time for which calls were held; zero if no state was transferred.
    pub held: Duration,
    /// Calls that continued in generations whose state had been saved.
    pub outlived: Vec<(PluginId, u64, CallReport)>,
}

/// The result of the transfer of a plugin's state.
#[derive(Clone, Debug)]
pub struct Transferred {
    /// Plugin concerned.
    pub plugin: PluginId,
    /// Generation that it was saved from; `None` if it was stored for a plugin that was not live.
    pub from: Option<u64>,
    /// Generation that received it; `None` if it is stored until the plugin is live again.
    pub to: Option<u64>,
    /// The saved state; `None` if saving failed.
    pub saved: Option<Arc<SavedState>>,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of the transfer of a state.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The state was restored.
    Restored {
        /// Version that it was migrated from, if it differs.
        migrated_from: Option<u32>,
    },
    /// The state is stored until the plugin is live again.
    Parked,
    /// The state could not be saved or does not fit. An earlier snapshot was restored.
    Earlier {
        /// That snapshot's number.
        snapshot: u64,
        /// The reason.
        why: Arc<StateError>,
    },
    /// The state could not be saved or does not fit. The new generation, if there is one, started with its default.
    Default {
        /// The reason.
        why: Arc<StateError>,
    },
}

/// Why state was not transferred, or a change did not go live.
#[derive(Debug)]
#[non_exhaustive]
pub enum HandoverError {
    /// States cannot be saved or do not fit the new code, and the policy refuses that.
    States(Vec<StateError>),
    /// Saving and restoring took longer than allowed.
    TimedOut {
        /// Plugins whose states they are.
        plugins: Vec<PluginId>,
        /// Longest time.
        within: Duration,
    },
    /// Saving and restoring was not run to its end.
    Aborted {
        /// Plugins whose states they are.
        plugins: Vec<PluginId>,
        /// The runtime's reason.
        source: JoinError,
    },
    /// The generations cannot be live together. One sentence for each reason.
    Incompatible(Vec<String>),
}

impl HandoverError {
    /// Returns one sentence for each problem.
    pub fn sentences(&self) -> Vec<String> {
        let names =
            |plugins: &[PluginId]| plugins.iter().map(PluginId::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::States(errors) => errors.iter().map(ToString::to_string).collect(),
            Self::TimedOut { plugins, within } => vec![format!(
                "the state of {} was not saved and restored within {} s",
                names(plugins),
                within.as_secs()
            )],
            Self::Aborted { plugins, source } => {
                vec![format!("the state of {} was not handed over: {source}", names(plugins))]
            }
            Self::Incompatible(problems) => problems.clone(),
        }
    }
}

impl fmt::Display for HandoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences().join("; "))
    }
}

impl Error for HandoverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::States(errors) => errors.first().map(|error| error as _),
            Self::Aborted { source, .. } => Some(source),
            Self::TimedOut { .. } | Self::Incompatible(_) => None,
        }
    }
}

/// Why a snapshot was not restored.
#[derive(Debug)]
#[non_exhaustive]
pub enum RestoreError {
    /// The plugin is not live.
    NotLive(PluginId),
    /// The plugin has no snapshot of that number.
    NoSnapshot {
        /// The plugin.
        plugin: PluginId,
        /// The number.
        number: u64,
    },
    /// The state in its place cannot be saved, or the snapshot does not fit.
    State(StateError),
    /// Saving and restoring took longer than allowed.
    TimedOut(PluginId),
    /// Saving and restoring was not run to its end.
    Aborted(PluginId, JoinError),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive(plugin) => write!(f, "{plugin} is not live"),
            Self::NoSnapshot { plugin, number } => {
                write!(f, "there is no snapshot {number} of the state of {plugin}")
            }
            Self::State(error) => error.fmt(f),
            Self::TimedOut(plugin) => write!(f, "the state of {plugin} was not put back in time"),
            Self::Aborted(plugin, error) => write!(f, "the state of {plugin} was not put back: {error}"),
        }
    }
}

impl Error for RestoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::State(error) => error.source(),
            Self::Aborted(_, error) => Some(error),
            Self::NotLive(_) | Self::NoSnapshot { .. } | Self::TimedOut(_) => None,
        }
    }
}

/// A plugin's old and new generation.
#[derive(Clone)]
struct StateTransfer {
    plugin: PluginId,
    old: Option<Arc<Generation>>,
    new: Option<Arc<Generation>>,
}

impl StateTransfer {
    fn all(live: &RoutingTable, change: &Change) -> Vec<Self> {
        let old = |plugin: &PluginId| live.generations().get(plugin).cloned();
        let coming = change.install.iter().map(|new| Self {
            plugin: new.plugin().clone(),
            old: old(new.plugin()),
            new: Some(new.clone()),
        });
        let is_coming = |plugin: &PluginId| change.install.iter().any(|new| new.plugin() == plugin);
        let going = change.remove.iter().filter(|plugin| !is_coming(plugin));
        let going = going.map(|plugin| Self { plugin: plugin.clone(), old: old(plugin), new: None });
        coming
            .chain(going)
            .filter(|transfer| has_state(transfer.old.as_ref()) || has_state(transfer.new.as_ref()))
            .collect()
    }

    /// Saves and restores the state. Runs the plugin's code. Returns the outcome; `None` if there is no state to
    /// transfer.
    fn transfer(
        &self,
        history: &StateHistory,
        policy: HandoverPolicy,
    ) -> Result<Option<Transferred>, StateError> {
        let old = self.old.as_ref().filter(|old| is_preserved(old));
        if self.old.is_some() && !policy.preserve {
            return Ok(None);
        }
        let taken = match old {
            Some(old) => old.save_state().map(|saved| saved.map(Arc::new)),
            None => Ok(history.parked(&self.plugin)),
        };
        let new = self.new.as_ref().filter(|new| new.state_slot().is_some());
        let transferred = |saved, outcome| {
            let (from, to) = (old.map(|old| old.number()), new.map(|new| new.number()));
            Ok(Some(Transferred { plugin: self.plugin.clone(), from, to, saved, outcome }))
        };
        let Some(new) = new else {
            return match taken {
                Ok(Some(saved)) if old.is_some() => transferred(Some(saved), Outcome::Parked),
                Ok(_) => Ok(None),
                Err(why) => transferred(None, Outcome::Default { why: Arc::new(why) }),
            };
        };
        if !is_preserved(new) {
            return Ok(None);
        }
        let (saved, why) = match taken {
            Ok(None) => return Ok(None),
            Ok(Some(saved)) => match new.restore_state((*saved).clone()) {
                Ok(migrated_from) => return transferred(Some(saved), Outcome::Restored { migrated_from }),
                Err(why) => (Some(saved), why),
            },
            Err(why) => (None, why),
        };
        match policy.on_incompatible {
            OnIncompatible::Refuse => return Err(why),
            OnIncompatible::Default => {}
            OnIncompatible::Earlier => {
                for earlier in history.list(&self.plugin) {
                    if new.restore_state((*earlier.state).clone()).is_ok() {
                        let (snapshot, why) = (earlier.number, Arc::new(why));
                        return transferred(saved, Outcome::Earlier { snapshot, why });
                    }
                }
            }
        }
        new.reset_state()?;
        transferred(saved, Outcome::Default { why: Arc::new(why) })
    }
}

fn has_state(generation: Option<&Arc<Generation>>) -> bool {
    generation.is_some_and(|generation| generation.state_slot().is_some())
}

fn is_preserved(generation: &Arc<Generation>) -> bool {
    generation.state_slot().is_some_and(crate::state::StateSlot::is_preserved)
}

/// Generations whose new calls are held. When this is dropped, calls continue in those that have not been replaced.
struct Hold(Vec<Arc<Generation>>);

impl Hold {
    fn new(generations: Vec<Arc<Generation>>) -> Self {
        for generation in &generations {
            generation.gate.pause();
            tracing::debug!(plugin = %generation.plugin(), generation = generation.number(), "holding calls");
        }
        Self(generations)
    }

    /// Waits until no call runs in them. Returns the calls that still run at the deadline.
    async fn wait_idle(&self, deadline: Duration) -> Vec<(PluginId, u64, CallReport)> {
        join_all(self.0.iter().map(|generation| generation.gate.wait_idle(deadline, true))).await;
        let running = |generation: &Arc<Generation>| {
            let calls = generation.calls().into_iter().filter(|call| !call.waits);
            calls.map(|call| (generation.plugin().clone(), generation.number(), call)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(running).collect()
    }

    /// Forbids changes of their state.
    fn freeze(&self) {
        for generation in &self.0 {
            generation.set_state_phase(Phase::Moved);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        for generation in self.0.iter().filter(|generation| generation.stage() == Stage::Live) {
            generation.set_state_phase(Phase::Live);
            generation.gate.resume();
        }
    }
}

/// Copies the state of plugins, the current or the stored one, into their new generations, so that they can start with
/// it.
///
/// # Errors
/// If a state does not fit and the policy refuses that, or if saving and restoring takes too long.
pub async fn prepare(
    host: &Host,
    generations: &[Arc<Generation>],
    policy: HandoverPolicy,
) -> Result<(), HandoverError> {
    let change = Change { install: generations.to_vec(), remove: Vec::new() };
    let transfers = StateTransfer::all(&host.registry().snapshot(), &change);
    transfer(host, transfers, policy).await.map(drop)
}

/// Transfers state and makes a change live.
///
/// When this returns, the replaced generations are out of dispatch. The caller has to stop them.
///
/// # Errors
/// As [`prepare`], and if the generations cannot be live together, as
/// [`Registry::swap`](crate::registry::Registry::swap). Nothing has changed then.
pub async fn swap(host: &Host, change: Change, policy: HandoverPolicy) -> Result<HandedOver, HandoverError> {
    let _turn = host.registry().handover.lock().await;
    let transfers = StateTransfer::all(&host.registry().snapshot(), &change);
    let began = Instant::now();
    let held: Vec<_> = transfers
        .iter()
        .filter_map(|transfer| transfer.old.clone())
        .filter(|old| policy.preserve && is_preserved(old))
        .collect();
    let any_held = !held.is_empty();
    let hold = Hold::new(held);
    let outlived = hold.wait_idle(policy.deadline).await;
    hold.freeze();
    let states = transfer(host, transfers, policy).await?;
    let swapped = host.registry().swap(change).map_err(HandoverError::Incompatible)?;
    drop(hold);
    let held = if any_held { began.elapsed() } else { Duration::ZERO };
    for state in &states {
        store_and_report(host, state, held);
    }
    for (plugin, number, call) in &outlived {
        let message = format!(
            "{call} was still under way when the state of {plugin} {number} was handed over; it ends in the old code \
             and can no longer change that state"
        );
        tracing::warn!("{message}");
        host.bus().emit(ReloadEvent::Note { plugin: Some(plugin.clone()), message });
    }
    Ok(HandedOver { swapped, states, held, outlived })
}

/// Saves and restores on a thread of its own, all states or none. Returns the outcomes.
async fn transfer(
    host: &Host,
    transfers: Vec<StateTransfer>,
    policy: HandoverPolicy,
) -> Result<Vec<Transferred>, HandoverError> {
    if transfers.is_empty() {
        return Ok(Vec::new());
    }
    let plugins: Vec<_> = transfers.iter().map(|transfer| transfer.plugin.clone()).collect();
    let history = host.state_history().clone();
    let work = tokio::task::spawn_blocking(move || {
        let (mut states, mut problems) = (Vec::new(), Vec::new());
        for transfer in transfers {
            match transfer.transfer(&history, policy) {
                Ok(state) => states.extend(state),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(states) } else { Err(HandoverError::States(problems)) }
    });
    match tokio::time::timeout(TRANSFER_WITHIN, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(source)) => Err(HandoverError::Aborted { plugins, source }),
        Err(_) => Err(HandoverError::TimedOut { plugins, within: TRANSFER_WITHIN }),
    }
}

/// Stores the saved state and publishes the outcome.
fn store_and_report(host: &Host, state: &Transferred, held: Duration) {
    let Transferred { plugin, from, to, saved, outcome } = state;
    let history = host.state_history();
    let mut kept = None;
    if let Some(saved) = saved {
        let fits = matches!(outcome, Outcome::Restored { .. } | Outcome::Parked);
        match from {
            Some(from) => {
                let reason = if fits { Reason::Handover } else { Reason::Incompatible };
                let snapshot = history.add(plugin, *from, reason, saved.clone());
                host.bus().emit(ReloadEvent::StatePreserved {
                    plugin: plugin.clone(),
                    generation: *from,
                    version: saved.version,
                    bytes: snapshot.bytes,
                });
                if snapshot.bytes > MAX_BYTES {
                    let (bytes, most) = (snapshot.bytes, MAX_BYTES);
                    tracing::warn!(%plugin, bytes, most, "a state is larger than it should be; its plugin bounds it");
                }
                kept = Some(snapshot);
            }
            None if !fits => kept = Some(history.add(plugin, 0, Reason::Incompatible, saved.clone())),
            None => {}
        }
        let parked = matches!(outcome, Outcome::Parked).then(|| saved.clone());
        history.set_parked(plugin, parked);
    }
    if let (Some(to), Outcome::Restored { migrated_from }) = (to, outcome) {
        report_restored(host, plugin, *to, *migrated_from);
    }
    let lost = match (outcome, to) {
        (Outcome::Default { why }, Some(to)) => {
            Some(format!("{plugin} {to} begins with its default state: {why}"))
        }
        (Outcome::Default { why }, None) => Some(format!("{plugin} leaves no state: {why}")),
        (Outcome::Earlier { snapshot, why }, _) => {
            Some(format!("{plugin} goes on with snapshot {snapshot} of its state: {why}"))
        }
        (Outcome::Restored { .. } | Outcome::Parked, _) => None,
    };
    if let Some(mut message) = lost {
        if let Some(kept) = kept {
            message += &format!("; what it was is kept as snapshot {}", kept.number);
        }
        tracing::warn!("{message}");
        host.bus().emit(ReloadEvent::Note { plugin: Some(plugin.clone()), message });
        return;
    }
    let (version, bytes) = (saved.as_ref().map(|saved| saved.version), kept.map(|kept| kept.bytes));
    tracing::debug!(%plugin, ?from, ?to, ?version, ?bytes, ?outcome, held_ms = held.as_millis(), "state handed over");
}

fn report_restored(host: &Host, plugin: &PluginId, generation: u64, migrated_from: Option<u32>) {
    let live = host.registry().snapshot();
    let slot = live.generations().get(plugin).and_then(|generation| generation.state_slot().copied());
    let version = slot.map_or(0, |slot| slot.version());
    if let Some(from) = migrated_from {
        tracing::info!("{plugin} {generation}: state migrated from version {from} to {version}");
    }
    let plugin = plugin.clone();
    host.bus().emit(ReloadEvent::StateRestored { plugin, generation, version, migrated_from });
}

/// The result of restoring a snapshot.
#[derive(Clone, Debug)]
pub struct RestoredSnapshot {
    /// Generation that has the state now.
    pub generation: u64,
    /// Version that the state was migrated from, if it differs.
    pub migrated_from: Option<u32>,
    /// Snapshot of the state that it replaced.
    pub before: StateSnapshot,
}

/// Restores a snapshot in the live generation of its plugin. The state that it replaces is kept as a snapshot.
///
/// # Errors
/// If there is no such snapshot, the plugin is not live, or the snapshot does not fit. The state is then unchanged.
pub async fn restore_snapshot(
    host: &Host,
    plugin: &PluginId,
    number: u64,
) -> Result<RestoredSnapshot, RestoreError> {
    let _turn = host.registry().handover.lock().await;
    let live = host.registry().snapshot();
    let generation = live.generations().get(plugin).ok_or_else(|| RestoreError::NotLive(plugin.clone()))?;
    let history = host.state_history();
    let snapshot = history
        .get(plugin, number)
        .ok_or_else(|| RestoreError::NoSnapshot { plugin: plugin.clone(), number })?;
    let hold = Hold::new(vec![generation.clone()]);
    hold.wait_idle(HandoverPolicy::default().deadline).await;
    let (worker, saved) = (generation.clone(), (*snapshot.state).clone());
    let work = tokio::task::spawn_blocking(move || {
        let before = worker.save_state()?.ok_or_else(|| StateError::undeclared(worker.plugin()))?;
        Ok::<_, StateError>((before, worker.restore_state(saved)?))
    });
    let (before, migrated_from) = match tokio::time::timeout(TRANSFER_WITHIN, work).await {
        Ok(Ok(outcome)) => outcome.map_err(RestoreError::State)?,
        Ok(Err(error)) => return Err(RestoreError::Aborted(plugin.clone(), error)),
        Err(_) => return Err(RestoreError::TimedOut(plugin.clone())),
    };
    drop(hold);
    let before = history.add(plugin, generation.number(), Reason::Restored, Arc::new(before));
    host.changes().mark();
    report_restored(host, plugin, generation.number(), migrated_from);
    Ok(RestoredSnapshot { generation: generation.number(), migrated_from, before })
}

impl Data {
    /// Restores a snapshot of the state of a live plugin, as [`restore_snapshot`] does.
    ///
    /// # Errors
    /// As [`restore_snapshot`].
    pub async fn restore_state_snapshot(
        &self,
        plugin: &PluginId,
        number: u64,
    ) -> Result<RestoredSnapshot, RestoreError> {
        match Host::of(self) {
            Some(host) => restore_snapshot(&host, plugin, number).await,
            None => Err(RestoreError::NotLive(plugin.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
