//! New generations on probation: a panic in one brings back the code before it.
//!
//! What went live in one swap was built to work together, so it goes back together. What was brought back is not put
//! on probation again: a panic in it is contained like any other.

use std::collections::BTreeMap;

use sdk_core::PluginId;
use sdk_core::generation::Generation;
use sdk_core::ledger::Code;
use sdk_core::panics::PanicReport;
use sdk_core::registry::Swapped;
use tokio::task::{AbortHandle, JoinSet};

use super::{Loop, tell};

/// Generations that went live in one swap, with the code that each took the place of.
pub(super) struct Trial(Vec<Member>);

struct Member {
    plugin: PluginId,
    generation: u64,
    before: Code,
}

/// The newest generation of each plugin, for as long as it may stand all calls of its probation.
#[derive(Default)]
pub(super) struct Tested {
    /// Gives a generation that has stood them, nothing for one whose time is up.
    pub(super) work: JoinSet<Option<(PluginId, u64)>>,
    newest: BTreeMap<PluginId, AbortHandle>,
}

impl Tested {
    fn wait_for(&mut self, generation: &Generation) {
        let (plugin, number) = (generation.plugin().clone(), generation.number());
        let probation = generation.probation().clone();
        let name = plugin.clone();
        let waiting = self.work.spawn(async move { probation.passed().await.then_some((name, number)) });
        if let Some(older) = self.newest.insert(plugin, waiting) {
            older.abort();
        }
    }
}

impl Loop {
    /// Remembers what a swap has replaced, while that may have to come back.
    pub(super) fn put_on_trial(&mut self, swapped: &Swapped) {
        let live = self.host.registry().snapshot();
        let on_probation = |member: &Member| {
            let generation = live.generations().get(&member.plugin);
            generation.is_some_and(|one| one.number() == member.generation && one.probation().is_on())
        };
        self.trials.retain(|Trial(members)| members.iter().any(on_probation));
        for generation in swapped.plugins.iter().filter_map(|swap| swap.new.as_ref()) {
            if generation.probation().is_on() {
                self.tested.wait_for(generation);
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
            self.trials.push(Trial(members));
        }
    }

    /// Notes that a crash does not count against a generation any more.
    pub(super) fn handle_passed(&mut self, plugin: &PluginId, number: u64) {
        self.keeper.passed(plugin, number);
        // Told once it is written down: from here on a crash counts as told.
        tracing::debug!("{plugin} {number} has stood the calls of its probation");
    }

    /// Acts on a panic in a generation.
    pub(super) async fn handle_panic(&mut self, report: PanicReport) {
        let PanicReport { plugin, generation: number, panic, on_probation } = report;
        let live = self.host.registry().snapshot();
        let is = |plugin: &PluginId, number: u64| {
            live.generations().get(plugin).filter(|generation| generation.number() == number)
        };
        // In one that is not live any more it changes nothing.
        let Some(generation) = is(&plugin, number) else { return };
        self.host.registry().note(generation, panic.to_string());
        let concerned =
            |trial: &Trial| trial.0.iter().any(|one| one.plugin == plugin && one.generation == number);
        let Some(place) = self.trials.iter().position(concerned).filter(|_| on_probation) else { return };
        let Trial(members) = self.trials.swap_remove(place);
        // A dependent that was made anew from its own code comes along by itself.
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
                self.settle().await;
            }
            Err(error) => {
                let words =
                    format!("{plugin} {number} stays live after {panic}; the code before it: {error}");
                tell::warn(&self.host, &plugin, words);
            }
        }
    }
}
