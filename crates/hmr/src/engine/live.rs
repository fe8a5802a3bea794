//! From built libraries to live generations, and the end of those they replace.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sdk_core::generation::Generation;
use sdk_core::handover;
use sdk_core::registry::{Change, Swapped};

use super::Loop;
use crate::error::SaveError;
use crate::job::Ready;
use crate::{library, report};

impl Loop {
    /// Loads, starts and swaps in what was built; all of it or nothing.
    pub(super) async fn make_live(
        &mut self,
        ready: Vec<Ready>,
        began: Instant,
    ) -> Result<Vec<String>, SaveError> {
        let preflight = Instant::now();
        let mut parts = BTreeMap::new();
        let mut generations = Vec::new();
        for ready in &ready {
            let entry = library::load(&ready.built.library, &ready.package.krate)?;
            let number = self.host.registry().next_number(&ready.package.id);
            if entry.id() != ready.package.id {
                return Err(SaveError::Library(format!(
                    "the package in {} has to be named {}, as its folder is",
                    ready.package.id,
                    ready.package.id.as_str().replace('/', "-")
                )));
            }
            generations.push(Generation::new(entry, number, &self.host).map_err(SaveError::Preflight)?);
            parts.insert(ready.package.id.clone(), ready.parts);
        }
        self.host.registry().check(&generations).map_err(SaveError::Preflight)?;
        let handover = self.options.policy.load().handover();
        handover::prepare(&self.host, &generations, handover).await.map_err(SaveError::State)?;
        let mut started = Vec::<Arc<Generation>>::new();
        for generation in in_order(&generations) {
            if let Err(problem) = generation.start(self.options.policy.load().hook_deadline).await {
                self.stop_unused(started);
                return Err(SaveError::Start(problem));
            }
            started.push(generation.clone());
        }
        let preflight = preflight.elapsed();
        let change = Change { install: generations, remove: Vec::new() };
        let swapped = match handover::swap(&self.host, change, handover).await {
            Ok(handed_over) => handed_over.swapped,
            Err(problems) => {
                self.stop_unused(started);
                return Err(SaveError::State(problems));
            }
        };
        let took = began.elapsed();
        let lines = swapped
            .plugins
            .iter()
            .map(|swap| {
                let parts = report::Parts {
                    preflight,
                    swap: swapped.took,
                    ..parts.get(&swap.plugin).copied().unwrap_or_default()
                };
                report::line(swap, took, &parts)
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
        Ok(lines)
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
        for generation in generations {
            tokio::spawn(async move {
                // What it stops may still be in use by calls that began before the swap.
                if !generation.quiet(deadline).await {
                    let (plugin, number, calls) =
                        (generation.plugin(), generation.number(), generation.calls_under_way());
                    tracing::warn!("{plugin} {number} is stopped with {calls} calls still under way");
                }
                for problem in generation.stop(deadline).await {
                    let (plugin, number) = (generation.plugin(), generation.number());
                    tracing::warn!("{plugin} {number} is out of dispatch, but {problem}");
                }
            });
        }
    }
}

/// Gives generations so that each comes after those of them that it needs; the order of a circle is left as it is.
fn in_order(generations: &[Arc<Generation>]) -> Vec<&Arc<Generation>> {
    let mut waiting: Vec<_> = generations.iter().collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let needs_waiting = |generation: &Arc<Generation>| {
            generation.manifest().dependencies.iter().any(|dependency| {
                waiting.iter().any(|other| {
                    other.plugin() == &dependency.plugin && other.plugin() != generation.plugin()
                })
            })
        };
        let place = waiting.iter().position(|generation| !needs_waiting(generation)).unwrap_or_default();
        ordered.push(waiting.remove(place));
    }
    ordered
}
