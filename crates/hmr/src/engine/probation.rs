//! New generations on probation: a panic in one restores the code before it.
//!
//! Generations that went live in one swap were built to work together, so they are rolled back together. Restored code
//! is not put on probation again: a panic in it is contained like any other.

use std::collections::BTreeMap;

use sdk_core::PluginId;
use sdk_core::code::Code;
use sdk_core::generation::Generation;
use sdk_core::panics::PanicReport;
use sdk_core::registry::Swapped;
use sdk_core::routing_table::RoutingTable;
use tokio::task::{AbortHandle, JoinSet};

use super::{Loop, report};

/// Generations that went live in one swap, each with the code that it replaced.
pub(super) struct RollbackPoint(Vec<Member>);

pub(super) struct Member {
    plugin: PluginId,
    generation: u64,
    before: Code,
}

/// Generations on probation, and their rollback points.
#[derive(Default)]
pub(super) struct ProbationWatch {
    points: Vec<RollbackPoint>,
    /// Each returns a generation that has passed all calls of its probation, or `None` for one whose time is up.
    tasks: JoinSet<Option<(PluginId, u64)>>,
    /// The task of the newest generation of each plugin.
    newest: BTreeMap<PluginId, AbortHandle>,
}

impl ProbationWatch {
    /// Keeps the code that a swap has replaced, while it may have to be restored.
    pub(super) fn begin(&mut self, swapped: &Swapped, live: &RoutingTable) {
        let on_probation = |member: &Member| {
            let generation = live.generations().get(&member.plugin);
            generation.is_some_and(|one| one.number() == member.generation && one.probation().is_on())
        };
        self.points.retain(|RollbackPoint(members)| members.iter().any(on_probation));
        for generation in swapped.plugins.iter().filter_map(|swap| swap.new.as_ref()) {
            if generation.probation().is_on() {
                self.wait_for(generation);
            }
        }
        let members: Vec<_> = swapped
            .plugins
            .iter()
            .filter_map(|swap| {
                let (old, new) = (swap.old.as_ref()?, swap.new.as_ref()?);
                Some(Member {
                    plugin: swap.plugin.clone(),
                    generation: new.number(),
                    before: old.code().clone(),
                })
            })
            .collect();
        if members.iter().any(on_probation) {
            self.points.push(RollbackPoint(members));
        }
    }

    fn wait_for(&mut self, generation: &Generation) {
        let (plugin, number) = (generation.plugin().clone(), generation.number());
        let probation = generation.probation().clone();
        let name = plugin.clone();
        let waiting = self.tasks.spawn(async move { probation.passed().await.then_some((name, number)) });
        if let Some(older) = self.newest.insert(plugin, waiting) {
            older.abort();
        }
    }

    /// Removes and returns the rollback point of a generation.
    fn take(&mut self, plugin: &PluginId, number: u64) -> Option<RollbackPoint> {
        let concerns = |point: &RollbackPoint| {
            point.0.iter().any(|one| one.plugin == *plugin && one.generation == number)
        };
        let place = self.points.iter().position(concerns)?;
        Some(self.points.swap_remove(place))
    }

    /// Waits until the next generation has passed the calls of its probation, and returns it; `None` if none is on
    /// probation. Cancel safe.
    pub(super) async fn passed(&mut self) -> Option<(PluginId, u64)> {
        loop {
            if let Ok(Some(passed)) = self.tasks.join_next().await? {
                return Some(passed);
            }
        }
    }
}

impl Loop {
    /// Records that a crash does not count against a generation any more.
    pub(super) fn handle_passed(&mut self, plugin: &PluginId, number: u64) {
        self.keeper.passed(plugin, number);
        // Logged after the journal is written: from here on a crash is handled as the log states.
        tracing::debug!(%plugin, generation = number, "all calls of the probation have passed");
    }

    /// Handles a panic in a generation.
    pub(super) async fn handle_panic(&mut self, report: PanicReport) {
        let PanicReport { plugin, generation: number, panic, on_probation } = report;
        let live = self.host.registry().snapshot();
        let is = |plugin: &PluginId, number: u64| {
            live.generations().get(plugin).filter(|generation| generation.number() == number)
        };
        // A panic in a generation that is not live any more changes nothing.
        let Some(generation) = is(&plugin, number) else { return };
        self.host.registry().note(generation, panic.to_string());
        if !on_probation {
            return;
        }
        let Some(RollbackPoint(members)) = self.probation.take(&plugin, number) else { return };
        // A dependent that was instantiated again from its own code follows by itself.
        let codes: Vec<_> = members
            .into_iter()
            .filter(|member| {
                is(&member.plugin, member.generation)
                    .is_some_and(|generation| generation.code().of() != member.before.of())
            })
            .map(|member| (member.plugin, member.before))
            .collect();
        if codes.is_empty() {
            return;
        }
        let reason = if codes.iter().any(|(one, _)| *one == plugin) {
            panic.to_string()
        } else {
            format!("{panic} ({plugin} {number}, which went live with it)")
        };
        let going: Vec<_> = codes
            .iter()
            .filter_map(|(plugin, _)| Some((plugin.clone(), live.generations().get(plugin)?.number())))
            .collect();
        match self.bring_back(codes, &reason).await {
            Ok(_) => {
                for (plugin, number) in going {
                    self.host.registry().set_aside(&plugin, number);
                }
                self.retry_blocked().await;
            }
            Err(error) => {
                tracing::warn!(%plugin, live = number, %panic, %error, "rollback failed");
                let words =
                    format!("{plugin} {number} stays live after {panic}; the code before it: {error}");
                report::note(&self.host, &plugin, words);
            }
        }
    }
}
