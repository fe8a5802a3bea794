//! From built libraries to live generations, and the end of those they replace.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sdk_core::PluginId;
use sdk_core::bus::{Cause, ReloadEvent};
use sdk_core::generation::Generation;
use sdk_core::host::Host;
use sdk_core::registry::{Change, Swapped};
use sdk_core::status::Reloaded;
use sdk_core::{handover, order};

use super::{Loop, dependents, tell};
use crate::error::SaveError;
use crate::job::Ready;
use crate::{library, report};

impl Loop {
    /// Loads, starts and swaps in what was built; all of it or nothing.
    pub(super) async fn make_live(
        &mut self,
        ready: Vec<Ready>,
        began: Instant,
    ) -> Result<Vec<Reloaded>, SaveError> {
        let loading = Instant::now();
        let parts: BTreeMap<_, _> =
            ready.iter().map(|ready| (ready.package.id.clone(), ready.parts)).collect();
        let built = ready.iter().map(|ready| self.load(ready)).collect::<Result<Vec<_>, _>>()?;
        let swapped = self.change(built, Vec::new()).await?;
        let preflight = loading.elapsed().saturating_sub(swapped.took);
        let took = began.elapsed();
        let reloaded = swapped
            .plugins
            .iter()
            .map(|swap| {
                let own = parts.get(&swap.plugin).copied();
                let all = report::Parts { preflight, swap: swapped.took, ..own.unwrap_or_default() };
                let because = if own.is_some() { String::new() } else { dependents::with(parts.keys()) };
                self.tell_swap(swap, took, &all, &because)
            })
            .collect();
        for ready in ready {
            let known = self.known.entry(ready.package.id).or_default();
            let old = known.library.replace(ready.built.library.clone());
            if let Some(old) = old.filter(|old| *old != ready.built.library) {
                // Its code stays mapped; the file is of no more use.
                let _ = std::fs::remove_file(&old);
            }
        }
        self.stop_old(swapped);
        Ok(reloaded)
    }

    /// Takes out plugins whose folder is gone.
    pub(super) async fn remove(&self, gone: &[PluginId]) -> Result<(), SaveError> {
        let began = Instant::now();
        let live = self.host.registry().snapshot();
        let gone: Vec<_> =
            gone.iter().filter(|plugin| live.generations().contains_key(*plugin)).cloned().collect();
        if gone.is_empty() {
            return Ok(());
        }
        let swapped = self.change(Vec::new(), gone.clone()).await?;
        for swap in &swapped.plugins {
            let because = if swap.new.is_some() { dependents::with(gone.iter()) } else { String::new() };
            self.tell_swap(swap, began.elapsed(), &report::Parts::default(), &because);
        }
        self.stop_old(swapped);
        Ok(())
    }

    /// Starts generations, with those that depend on what changes, and swaps them in; all of it or nothing.
    async fn change(
        &self,
        install: Vec<Arc<Generation>>,
        remove: Vec<PluginId>,
    ) -> Result<Swapped, SaveError> {
        let dependents = self.dependents(&install, &remove)?;
        let with: Vec<_> = dependents.iter().map(|generation| generation.plugin().clone()).collect();
        let change = Change { install: [install, dependents].concat(), remove };
        // Held until the swap: what has started finds services in it.
        let prospect = self.host.registry().prospect(&change).map_err(SaveError::Unfit)?;
        if !with.is_empty() {
            self.host.bus().emit(ReloadEvent::ReloadStarted { plugins: with, cause: Cause::Dependency });
        }
        let policy = self.options.policy.load_full();
        let (deadline, handover) = (policy.hook_deadline, policy.handover());
        handover::prepare(&self.host, &change.install, handover).await.map_err(SaveError::State)?;
        let mut started = Vec::<Arc<Generation>>::new();
        for generation in order::to_start(&change.install) {
            if let Err(problem) = generation.start(deadline).await {
                self.stop_unused(started);
                let is_alone = change.install.len() == 1;
                let whose = if is_alone { String::new() } else { format!("{}: ", generation.plugin()) };
                return Err(SaveError::Start(whose + &problem));
            }
            started.push(generation);
        }
        let live = self.host.registry().snapshot();
        for note in prospect.notes().iter().filter(|note| !live.notes().contains(note)) {
            tell::warn(&self.host, None, note.clone());
        }
        match handover::swap(&self.host, change, handover).await {
            Ok(handed_over) => Ok(handed_over.swapped),
            Err(problems) => {
                self.stop_unused(started);
                Err(SaveError::State(problems))
            }
        }
    }

    /// Loads what was built and makes a generation of it, which does not run yet.
    pub(super) fn load(&self, ready: &Ready) -> Result<Arc<Generation>, SaveError> {
        let id = &ready.package.id;
        let entry = library::load(&ready.built.library, &ready.package.krate)?;
        if entry.id() != *id {
            return Err(SaveError::Library(format!(
                "the package in {id} has to be named {}, as its folder is",
                id.as_str().replace('/', "-")
            )));
        }
        let number = self.host.registry().next_number(id);
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
        let deadline = self.options.policy.load().hook_deadline;
        let host = self.host.clone();
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
    // What it stops may still be in use by calls that began before the swap.
    if !generation.quiet(deadline).await {
        let calls = generation.calls_under_way();
        tell::warn(host, plugin, format!("{plugin} {number} is stopped with {calls} calls still under way"));
    }
    for problem in generation.stop(deadline).await {
        tell::warn(host, plugin, format!("{plugin} {number} is out of dispatch, but {problem}"));
    }
}
