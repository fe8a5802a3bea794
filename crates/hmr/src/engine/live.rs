//! From built libraries to live generations, and the end of those they replace.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sdk_core::PluginId;
use sdk_core::generation::Generation;
use sdk_core::registry::{Change, Swapped};

use super::Loop;
use crate::error::SaveError;
use crate::job::Ready;
use crate::journal::Version;
use crate::{library, report};

impl Loop {
    /// Loads, starts and swaps in what was built; all of it or nothing.
    pub(super) async fn make_live(
        &mut self,
        ready: Vec<Ready>,
        began: Instant,
    ) -> Result<Vec<String>, SaveError> {
        let versions: Vec<_> = ready
            .iter()
            .map(|ready| {
                let generation = self.number_of(&ready.package.id, &ready.built.library);
                (ready.package.id.clone(), Version { generation, library: ready.built.library.clone() })
            })
            .collect();
        self.keeper.coming(versions.iter().cloned());
        let outcome = self.swap_in(ready, &versions, began).await;
        if outcome.is_ok() {
            for library in self.keeper.live(versions) {
                // Its code stays mapped; the file is of no more use.
                let _ = std::fs::remove_file(&library);
            }
        } else {
            self.keeper.not_coming();
        }
        outcome
    }

    /// Gives the number of a plugin's next generation; in a host that took another one's place it goes on from there.
    fn number_of(&self, plugin: &PluginId, library: &Path) -> u64 {
        let next = self.host.registry().next_number(plugin);
        let Some(entry) = self.keeper.journal().plugins.get(plugin) else { return next };
        match &entry.live {
            Some(live) if live.library == library => live.generation,
            _ => next.max(entry.last + 1),
        }
    }

    async fn swap_in(
        &mut self,
        ready: Vec<Ready>,
        versions: &[(PluginId, Version)],
        began: Instant,
    ) -> Result<Vec<String>, SaveError> {
        let preflight = Instant::now();
        let mut parts = BTreeMap::new();
        let mut generations = Vec::new();
        for (ready, (_, version)) in ready.iter().zip(versions) {
            let entry = library::load(&ready.built.library, &ready.package.krate)?;
            if entry.id() != ready.package.id {
                return Err(SaveError::Library(format!(
                    "the package in {} has to be named {}, as its folder is",
                    ready.package.id,
                    ready.package.id.as_str().replace('/', "-")
                )));
            }
            generations.push(Generation::new(entry, version.generation, &self.host).map_err(SaveError::Preflight)?);
            parts.insert(ready.package.id.clone(), ready.parts);
        }
        self.host.registry().check(&generations).map_err(SaveError::Preflight)?;
        let mut started = Vec::<Arc<Generation>>::new();
        for generation in in_order(&generations) {
            if let Err(problem) = generation.start(self.options.hook_deadline).await {
                self.stop_unused(started);
                return Err(SaveError::Start(problem));
            }
            started.push(generation.clone());
        }
        let preflight = preflight.elapsed();
        let swapped = match self.host.registry().swap(Change { install: generations, remove: Vec::new() }) {
            Ok(swapped) => swapped,
            Err(problems) => {
                self.stop_unused(started);
                return Err(SaveError::Preflight(problems));
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
        let deadline = self.options.hook_deadline;
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
