//! The start: every plugin is built, or recalled, and goes live on its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use sdk_core::PluginId;
use sdk_core::order::{Startup, Turn, circle_words};
use sdk_core::status::milliseconds;

use super::Loop;
use crate::build::{self, BuildRequest, BuiltPlugin, Failure};
use crate::error::SaveError;
use crate::supervisor::Start;
use crate::workspace::Package;

impl Loop {
    /// Builds all plugins and makes those live that it can. Returns the others.
    pub(super) async fn load_all(&mut self, start: &Start) -> BTreeSet<PluginId> {
        let began = Instant::now();
        let (mut ready, unknown) = if *start == Start::Fresh {
            (Vec::new(), self.members.workspace.plugins.values().cloned().collect())
        } else {
            self.recall(start)
        };
        ready.extend(self.build_first(unknown, 0, began).await);
        self.bring_in_all(ready, began).await;
        let live = self.host.registry().snapshot();
        let plugins: Vec<_> = live
            .generations()
            .values()
            .map(|generation| format!("{} {}", generation.plugin(), generation.number()))
            .collect();
        let (count, ms) = (plugins.len(), milliseconds(began.elapsed()));
        tracing::info!(count, ms, plugins = plugins.join(", "), "plugins live");
        let is_left_out = |plugin: &&PluginId| !live.generations().contains_key(*plugin);
        let left_out: BTreeSet<_> =
            self.members.workspace.plugins.keys().filter(is_left_out).cloned().collect();
        self.keeper.left_out(left_out.iter().cloned());
        left_out
    }

    /// Builds plugins, with `retries` earlier attempts that failed for a passing reason. Reports those that cannot be
    /// built.
    async fn build_first(
        &mut self,
        mut packages: Vec<Package>,
        mut retries: u32,
        began: Instant,
    ) -> Vec<BuiltPlugin> {
        let mut ready = Vec::new();
        while !packages.is_empty() {
            let request = BuildRequest {
                packages: packages.iter().map(|package| (package.clone(), None)).collect(),
                through_cargo: true,
                suffix: self.builds.suffix(),
                began,
                // The failure may lie in the library of an earlier run.
                may_reuse: retries == 0,
            };
            let result = build::run(self.toolchain.clone(), self.members.workspace.clone(), request).await;
            self.learn(&result);
            ready.extend(result.built);
            let (passing, lasting): (Vec<_>, Vec<_>) =
                result.failures.into_iter().partition(|failure| failure.error.is_passing());
            self.report_failures(&lasting);
            let concerns = |package: &Package| {
                passing.iter().any(|failure| failure.plugin.as_ref().is_none_or(|id| *id == package.id))
            };
            packages.retain(concerns);
            let ids: Vec<_> = packages.iter().map(|package| package.id.as_str()).collect();
            let errors: Vec<_> = passing.iter().map(|failure| &failure.error).collect();
            let Some(wait) = self.wait_for_retry(retries, &ids, &errors) else {
                self.report_failures(&passing);
                break;
            };
            tokio::time::sleep(wait).await;
            retries += 1;
        }
        ready
    }

    /// Makes each plugin live on its own, after those that it needs, so that one that fails keeps no other out.
    async fn bring_in_all(&mut self, built: Vec<BuiltPlugin>, began: Instant) {
        let mut built: BTreeMap<_, _> = built.into_iter().map(|built| (built.id().clone(), built)).collect();
        let mut generations = Vec::new();
        for built in built.values().cloned().collect::<Vec<_>>() {
            match self.load(&built) {
                Ok(generation) => generations.push(generation),
                // A plugin that cannot be loaded is reported, or retried, when it is to go live.
                Err(_) => self.bring_in(built, began).await,
            }
        }
        for turn in Startup::new(generations) {
            match turn {
                Turn::Start(free) => {
                    for generation in free {
                        if let Some(built) = built.remove(generation.plugin()) {
                            self.bring_in(built, began).await;
                        }
                    }
                }
                Turn::Circles(circles) => {
                    for circle in circles {
                        for plugin in &circle {
                            let error = SaveError::Unfit(vec![circle_words(&circle)]);
                            self.report_failure(&Failure { plugin: Some(plugin.clone()), error });
                            if let Some(built) = built.remove(plugin) {
                                self.blocked.add(vec![built]);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Makes a plugin live, or reports why it cannot go live. After a passing failure it is built again.
    async fn bring_in(&mut self, mut ready: BuiltPlugin, began: Instant) {
        let package = ready.package.clone();
        for retries in 0.. {
            let Err(error) = self.go_live(vec![ready], began).await else { return };
            let Some(wait) = self.wait_for_retry(retries, &[package.id.as_str()], &[&error]) else {
                self.report_failure(&Failure { plugin: Some(package.id.clone()), error });
                return;
            };
            tokio::time::sleep(wait).await;
            match self.build_first(vec![package.clone()], retries + 1, began).await.pop() {
                Some(again) => ready = again,
                None => return,
            }
        }
    }
}
