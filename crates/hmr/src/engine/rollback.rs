//! Rollback to code that was live before.
//!
//! The code of every generation stays mapped, so a rollback is a swap like any other: a fresh instance under a new
//! number is started and given the state of the generation that it replaces. If that state does not fit the old code,
//! it is given the newest saved state that does.

use std::sync::Arc;
use std::time::Instant;

use sdk_core::PluginId;
use sdk_core::bus::ReloadEvent;
use sdk_core::code::Code;
use sdk_core::generation::Generation;
use sdk_core::handover::Outcome;
use sdk_core::ledger::Former;
use sdk_core::routing_table::RoutingTable;
use sdk_core::status::milliseconds;

use super::live::Kind;
use super::{Loop, dependents, reload_line};
use crate::build::Parts;
use crate::error::SaveError;

impl Loop {
    /// Makes earlier code of a plugin live again: that of generation `to`, or of the last generation before the live
    /// one.
    pub(super) async fn roll_back(
        &mut self,
        plugin: &PluginId,
        to: Option<u64>,
    ) -> Result<String, RollbackError> {
        let live = self.host.registry().snapshot();
        let formers = self.host.registry().formers(plugin);
        let Some(running) = live.generations().get(plugin) else {
            return Err(RollbackError::NotLive(plugin.clone()));
        };
        let code = target(running, &formers, to)?.code.clone();
        let codes = self.with_companions(&live, plugin, code)?;
        let lines = self.bring_back(codes, "asked for by hand").await.map_err(|source| {
            RollbackError::Refused { plugin: plugin.clone(), live: running.number(), source }
        })?;
        self.retry_blocked().await;
        Ok(lines.join("\n"))
    }

    /// Adds the code of plugins that share a crate with `code` and were built with another version of it.
    fn with_companions(
        &self,
        live: &RoutingTable,
        plugin: &PluginId,
        code: Code,
    ) -> Result<Vec<(PluginId, Code)>, RollbackError> {
        let mut codes = vec![(plugin.clone(), code)];
        let mut next = 0;
        while let Some((one, code)) = codes.get(next).cloned() {
            next += 1;
            for (other, generation) in live.generations() {
                let Some(krate) = conflict(live, &one, other, &code, generation.code()) else { continue };
                if codes.iter().any(|(plugin, _)| plugin == other) {
                    continue;
                }
                let formers = self.host.registry().formers(other);
                let fits = |former: &&Former| {
                    !former.is_set_aside && conflict(live, &one, other, &code, &former.code).is_none()
                };
                let Some(former) = formers.iter().find(fits) else {
                    return Err(RollbackError::NoCompanion {
                        plugin: one,
                        code_of: code.of(),
                        krate: krate.to_owned(),
                        other: other.clone(),
                        live: generation.number(),
                    });
                };
                codes.push((other.clone(), former.code.clone()));
            }
        }
        let with_each_other = codes.iter().find_map(|(one, code)| {
            codes.iter().find_map(|(other, theirs)| conflict(live, one, other, code, theirs))
        });
        match with_each_other {
            Some(krate) => Err(RollbackError::NoneTogether { krate: krate.to_owned() }),
            None => Ok(codes),
        }
    }

    /// Creates generations from earlier code, and makes them live in one swap. Returns a line for each.
    pub(super) async fn bring_back(
        &mut self,
        codes: Vec<(PluginId, Code)>,
        reason: &str,
    ) -> Result<Vec<String>, SaveError> {
        let began = Instant::now();
        let registry = self.host.registry();
        let install = codes
            .iter()
            .map(|(plugin, code)| code.instantiate(registry.next_number(plugin), &self.host))
            .collect::<Result<Vec<_>, _>>()
            .map_err(SaveError::Preflight)?;
        let (swapped, states) = self.change(install, Vec::new(), Kind::Rollback, &[]).await?;
        // A newer build that waits for others must not undo this.
        let plugins: Vec<_> = codes.iter().map(|(plugin, _)| plugin.clone()).collect();
        self.blocked.forget(&plugins);
        let mut lines = Vec::new();
        for swap in &swapped.plugins {
            let (Some(old), Some(new)) = (&swap.old, &swap.new) else { continue };
            if !codes.iter().any(|(plugin, _)| *plugin == swap.plugin) {
                let with = dependents::with(codes.iter().map(|(plugin, _)| plugin));
                self.report_swap(swap, began.elapsed(), &Parts::default(), Some(&with));
                continue;
            }
            let (plugin, from, to) = (&swap.plugin, old.number(), new.number());
            let (ms, code_of) = (milliseconds(began.elapsed()), new.code().of());
            let mut line =
                format!("{plugin} {from} -> {to} live in {ms} ms, back to the code of {code_of}: {reason}");
            let state = states.iter().find(|state| state.plugin == swap.plugin);
            let state = state.and_then(|state| state_words(&state.outcome, from));
            if let Some(words) = &state {
                line += &format!("; {words}");
            }
            let changes = reload_line::changes_line(swap);
            if let Some(changes) = &changes {
                line += &format!(" {changes}");
            }
            tracing::warn!(
                %plugin,
                from,
                to,
                ms,
                code_of,
                reason,
                state = state.as_deref(),
                changes = changes.as_deref(),
                "rolled back"
            );
            let library = self.libraries.file(&swap.plugin, new.code().of());
            self.keeper.back(&swap.plugin, new.number(), library);
            self.host.bus().emit(ReloadEvent::RolledBack {
                plugin: swap.plugin.clone(),
                from,
                to,
                code_of,
                reason: reason.to_owned(),
            });
            lines.push(line);
        }
        self.stop_old(swapped);
        Ok(lines)
    }
}

/// Describes the origin of the state that the old code continues with.
fn state_words(outcome: &Outcome, from: u64) -> Option<String> {
    match outcome {
        Outcome::Restored { .. } => Some(format!("it goes on with the state of {from}")),
        Outcome::Earlier { snapshot, .. } => {
            Some(format!("it goes on with snapshot {snapshot} of its state, as that of {from} does not fit"))
        }
        Outcome::Default { .. } => {
            Some(format!("it begins anew, as no saved state fits, nor that of {from}"))
        }
        Outcome::Parked => None,
    }
}

/// Returns the generation to roll back to.
fn target<'a>(
    running: &Arc<Generation>,
    formers: &'a [Former],
    to: Option<u64>,
) -> Result<&'a Former, RollbackError> {
    let (plugin, live, code) = (running.plugin().clone(), running.number(), running.code().of());
    let Some(to) = to else {
        let is_before = |former: &&Former| former.code.of() < code && !former.is_set_aside;
        return formers
            .iter()
            .filter(is_before)
            .max_by_key(|former| former.code.of())
            .ok_or(RollbackError::NoneBefore { plugin, live });
    };
    if to == live {
        return Err(RollbackError::IsLive { plugin, live });
    }
    match formers.iter().find(|former| former.generation == to) {
        None => {
            let known = formers.iter().map(|former| former.generation).collect();
            Err(RollbackError::NoGeneration { plugin, to, known })
        }
        Some(former) if former.code.of() == code => Err(RollbackError::RunsIt { plugin, live, to }),
        Some(former) => Ok(former),
    }
}

/// Why earlier code of a plugin is not made live again.
#[derive(Debug, thiserror::Error)]
pub(super) enum RollbackError {
    #[error("{0} is not live")]
    NotLive(PluginId),
    #[error("{plugin} has no code before that of {live} to go back to")]
    NoneBefore { plugin: PluginId, live: u64 },
    #[error("{plugin} {live} is live already")]
    IsLive { plugin: PluginId, live: u64 },
    #[error("{plugin} has no generation {to} to go back to; there are {}", list(known))]
    NoGeneration { plugin: PluginId, to: u64, known: Vec<u64> },
    #[error("{plugin} {live}, which is live, runs the code of {to} already")]
    RunsIt { plugin: PluginId, live: u64, to: u64 },
    #[error(
        "{plugin} {code_of} was built with another {krate} than {other} {live} is, and no generation of {other} goes with \
         it; save {krate} as it was instead"
    )]
    NoCompanion { plugin: PluginId, code_of: u64, krate: String, other: PluginId, live: u64 },
    #[error("no generations of the plugins that share {krate} go together")]
    NoneTogether { krate: String },
    #[error("{plugin} {live} stays live: {source}")]
    Refused { plugin: PluginId, live: u64, source: SaveError },
}

fn list(generations: &[u64]) -> String {
    generations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Returns a crate that both plugins share and of which they would then have two versions, while they have one now.
fn conflict<'a>(
    live: &RoutingTable,
    one: &PluginId,
    other: &PluginId,
    code: &'a Code,
    theirs: &'a Code,
) -> Option<&'a str> {
    let now = |plugin| live.generations().get(plugin).map(|generation| generation.linked());
    let (Some(mine_now), Some(theirs_now)) = (now(one), now(other)) else { return None };
    if one == other || mine_now.differs_in(theirs_now).is_some() {
        return None;
    }
    code.linked().differs_in(theirs.linked())
}
