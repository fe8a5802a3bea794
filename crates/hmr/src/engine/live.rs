//! From built libraries to live generations, and the end of those they replace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sdk_core::PluginId;
use sdk_core::bus::{Cause, ReloadEvent};
use sdk_core::generation::Generation;
use sdk_core::handover::{OnIncompatible, Transferred};
use sdk_core::host::Host;
use sdk_core::registry::{Change, Swapped};
use sdk_core::status::Reloaded;
use sdk_core::{handover, order};

use super::{Loop, dependents, report};
use crate::build::{BuiltPlugin, Parts, discard};
use crate::error::SaveError;
use crate::journal::Version;

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// New code goes live, on probation. State that does not fit is handled as configured.
    Deploy,
    /// Earlier code goes live again, with the newest state that fits it.
    Rollback,
}

impl Loop {
    /// Loads, starts and swaps in built plugins; all of them or none.
    pub(super) async fn make_live(
        &mut self,
        ready: Vec<BuiltPlugin>,
        began: Instant,
    ) -> Result<Vec<Reloaded>, SaveError> {
        let libraries: BTreeMap<_, _> =
            ready.iter().map(|ready| (ready.package.id.clone(), ready.library.clone())).collect();
        self.keeper.coming(
            libraries
                .iter()
                .map(|(plugin, library)| {
                    let generation = self.number_of(plugin, library);
                    (plugin.clone(), Version { generation, library: library.clone() })
                })
                .collect(),
        );
        let outcome = self.swap_in(ready, libraries, began).await;
        if outcome.is_err() {
            self.keeper.not_coming();
        }
        outcome
    }

    /// Returns the number of a plugin's next generation. A host that replaced another one continues its numbers.
    fn number_of(&self, plugin: &PluginId, library: &Path) -> u64 {
        let next = self.host.registry().next_number(plugin);
        let Some(entry) = self.keeper.journal().plugins.get(plugin) else { return next };
        match &entry.live {
            Some(live) if live.library == library && next == 1 => live.generation,
            _ => next.max(entry.last + 1),
        }
    }

    /// Does what [`make_live`](Self::make_live) does. The journal is written before the swap is reported.
    async fn swap_in(
        &mut self,
        ready: Vec<BuiltPlugin>,
        libraries: BTreeMap<PluginId, PathBuf>,
        began: Instant,
    ) -> Result<Vec<Reloaded>, SaveError> {
        let loading = Instant::now();
        let parts: BTreeMap<_, _> =
            ready.iter().map(|ready| (ready.package.id.clone(), ready.parts)).collect();
        let built = ready.iter().map(|ready| self.load(ready)).collect::<Result<Vec<_>, _>>()?;
        let (swapped, _) = self.change(built, Vec::new(), Kind::Deploy, &ready).await?;
        self.probation.begin(&swapped, &self.host.registry().snapshot());
        let preflight = loading.elapsed().saturating_sub(swapped.took);
        let took = began.elapsed();
        let came = swapped
            .plugins
            .iter()
            .filter_map(|swap| Some((swap.plugin.clone(), swap.new.as_ref()?.number())));
        let came: Vec<_> = came.collect();
        self.note_live(&came, &libraries);
        let reloaded = swapped
            .plugins
            .iter()
            .map(|swap| {
                let own = parts.get(&swap.plugin).copied();
                let all = Parts { preflight, swap: swapped.took, ..own.unwrap_or_default() };
                let with = own.is_none().then(|| dependents::with(parts.keys()));
                self.report_swap(swap, took, &all, with.as_deref())
            })
            .collect();
        for ready in ready {
            let id = &ready.package.id;
            if let Some((_, number)) = came.iter().find(|(plugin, _)| plugin == id) {
                self.libraries.came_in(id, *number, ready.library);
            }
        }
        self.stop_old(swapped);
        Ok(reloaded)
    }

    /// Records in the journal which plugins have gone live, and removes the libraries that are not needed any more.
    fn note_live(&mut self, came: &[(PluginId, u64)], libraries: &BTreeMap<PluginId, PathBuf>) {
        let policy = self.options.policy.load();
        let probation = if policy.probation_calls == 0 { Duration::ZERO } else { policy.probation };
        let came = came
            .iter()
            .map(|(plugin, generation)| (plugin.clone(), *generation, libraries.get(plugin).cloned()));
        for library in self.keeper.live(came, probation) {
            discard(&library);
        }
    }

    /// Removes plugins whose folder is gone.
    pub(super) async fn remove(&mut self, gone: &[PluginId]) -> Result<(), SaveError> {
        let began = Instant::now();
        let live = self.host.registry().snapshot();
        let gone: Vec<_> =
            gone.iter().filter(|plugin| live.generations().contains_key(*plugin)).cloned().collect();
        if gone.is_empty() {
            return Ok(());
        }
        let (swapped, _) = self.change(Vec::new(), gone.clone(), Kind::Deploy, &[]).await?;
        for plugin in &gone {
            self.keeper.gone(plugin);
        }
        for swap in &swapped.plugins {
            let with = swap.new.is_some().then(|| dependents::with(gone.iter()));
            self.report_swap(swap, began.elapsed(), &Parts::default(), with.as_deref());
        }
        self.stop_old(swapped);
        Ok(())
    }

    /// Starts generations, with those that depend on the change, and swaps them in; all of them or none.
    pub(super) async fn change(
        &self,
        install: Vec<Arc<Generation>>,
        remove: Vec<PluginId>,
        kind: Kind,
        ready: &[BuiltPlugin],
    ) -> Result<(Swapped, Vec<Transferred>), SaveError> {
        let dependents = self.dependents(&install, &remove)?;
        let with: Vec<_> = dependents.iter().map(|generation| generation.plugin().clone()).collect();
        let change = Change { install: [install, dependents].concat(), remove };
        // Held until the swap: generations that have started find services in it.
        let prospect = self.host.registry().prospect(&change).map_err(SaveError::Unfit)?;
        if !with.is_empty() {
            self.host.bus().emit(ReloadEvent::ReloadStarted { plugins: with, cause: Cause::Dependency });
        }
        let policy = self.options.policy.load_full();
        let (deadline, mut handover) = (policy.hook_deadline, policy.handover());
        if kind == Kind::Rollback {
            handover.on_incompatible = OnIncompatible::Earlier;
        }
        handover::prepare(&self.host, &change.install, handover)
            .await
            .map_err(|error| SaveError::State(error.sentences()))?;
        let before = self.host.registry().snapshot();
        let mut started = Vec::<Arc<Generation>>::new();
        for generation in order::to_start(&change.install) {
            if kind == Kind::Deploy && before.generations().contains_key(generation.plugin()) {
                // Begins here, since tasks that `start` spawns may panic before the swap.
                generation.probation().begin(policy.probation_calls, policy.probation);
            }
            if let Err(problem) = generation.start(deadline).await {
                if !(generation.hooks().is_empty() && generation.tasks().is_empty()) {
                    // It never went live, and stays in the ledger while anything of it runs.
                    self.host.registry().note(&generation, problem.to_string());
                }
                self.stop_unused(started);
                let is_alone = change.install.len() == 1;
                let whose = if is_alone { String::new() } else { format!("{}: ", generation.plugin()) };
                return Err(SaveError::Start(format!("{whose}{problem}")));
            }
            started.push(generation);
        }
        // A `start` hook takes time. Only the newest save may go live.
        if !ready.iter().all(BuiltPlugin::is_current) {
            self.stop_unused(started);
            return Err(SaveError::Superseded);
        }
        let live = self.host.registry().snapshot();
        for note in prospect.notes().iter().filter(|note| !live.notes().contains(note)) {
            tracing::warn!(%note, "an optional dependency is left out");
            report::note(&self.host, None, note.clone());
        }
        match handover::swap(&self.host, change, handover).await {
            Ok(handed_over) => Ok((handed_over.swapped, handed_over.states)),
            Err(error) => {
                self.stop_unused(started);
                Err(SaveError::State(error.sentences()))
            }
        }
    }

    /// Loads a built plugin and creates a generation of it, which does not run yet.
    pub(super) fn load(&self, ready: &BuiltPlugin) -> Result<Arc<Generation>, SaveError> {
        let id = &ready.package.id;
        let entry = self.toolchain.load(ready)?;
        if entry.id() != *id {
            return Err(SaveError::Library(format!(
                "the package in {id} has to be named {}, as its folder is",
                id.as_str().replace('/', "-")
            )));
        }
        let number = self.number_of(id, &ready.library);
        Generation::loaded(entry, number, &self.host, ready.linked.clone()).map_err(SaveError::Preflight)
    }

    /// Stops the generations that a swap has replaced, in the background.
    pub(super) fn stop_old(&self, swapped: Swapped) {
        self.stop_in_background(swapped.plugins.into_iter().filter_map(|swap| swap.old).collect());
    }

    /// Stops generations that were started for a swap that did not happen.
    pub(super) fn stop_unused(&self, generations: Vec<Arc<Generation>>) {
        self.stop_in_background(generations);
    }

    pub(super) fn stop_in_background(&self, generations: Vec<Arc<Generation>>) {
        let (host, deadline) = (self.host.clone(), self.options.policy.load().hook_deadline);
        for generation in &generations {
            self.libraries.retired(generation);
        }
        tokio::spawn(async move {
            for step in order::to_stop(generations) {
                join_all(step.iter().map(|generation| stop(&host, generation, deadline))).await;
            }
        });
    }
}

/// Stops one generation that is out of dispatch.
async fn stop(host: &Host, generation: &Arc<Generation>, deadline: Duration) {
    let (plugin, number) = (generation.plugin(), generation.number());
    // Calls that began before the swap may still use what the hook stops.
    if !generation.wait_idle(deadline).await {
        let calls: Vec<_> = generation.calls().iter().map(ToString::to_string).collect();
        let calls = calls.join(", ");
        tracing::warn!(%plugin, generation = number, calls, "stopped with calls still under way");
        report::note(
            host,
            plugin,
            format!("{plugin} {number} is stopped with calls still under way: {calls}"),
        );
    }
    for problem in generation.stop(deadline).await {
        host.registry().note(generation, problem.clone());
        tracing::warn!(%plugin, generation = number, %problem, "out of dispatch, but not stopped");
        report::note(host, plugin, format!("{plugin} {number} is out of dispatch, but {problem}"));
    }
}
