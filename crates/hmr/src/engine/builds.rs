//! Builds as they begin and end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sdk_core::bus::{Cause, ReloadEvent};
use tokio::task::Id;

use super::group::{Answer, Building, Group};
use super::handle::Request;
use super::host::WAITS;
use super::tell::{self, print};
use super::{Loop, names};
use crate::build::{self, BuildRequest, BuildResult, Failure};
use crate::error::SaveError;

/// Wait before a first retry; each further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

impl Loop {
    pub(super) async fn handle_request(&mut self, request: Request) {
        let (plugin, answer) = match request {
            Request::Reload { plugin, answer } => (plugin, answer),
            Request::RollBack { plugin, to, answer } => {
                // Nobody waits any more when this fails.
                let _ = answer.send(self.roll_back(&plugin, to).await);
                return;
            }
        };
        let plugins: BTreeSet<_> = match plugin {
            None => self.workspace.plugins.keys().cloned().collect(),
            Some(plugin) if self.workspace.plugins.contains_key(&plugin) => [plugin].into(),
            Some(plugin) => {
                // Nobody waits any more when this fails.
                let _ = answer.send(vec![Err(format!("there is no plugin {plugin} in the workspace"))]);
                return;
            }
        };
        if self.waits_for_host() {
            let _ = answer.send(vec![Err(WAITS.to_owned())]);
            return;
        }
        self.order(Group { plugins, through_cargo: false }, Instant::now(), vec![answer]);
    }

    /// Starts to build, taking over what it supersedes and what was held back.
    pub(super) fn order(&mut self, group: Group, began: Instant, answers: Vec<Answer>) {
        self.order_after(Duration::ZERO, 0, group, began, answers);
    }

    /// Starts to build after `wait`; `retries` is how often the same has been tried again.
    fn order_after(
        &mut self,
        wait: Duration,
        retries: u32,
        mut group: Group,
        mut began: Instant,
        mut answers: Vec<Answer>,
    ) {
        loop {
            self.held.retain(|held| !group.absorb(held));
            let overtaken = self.orders.iter().find(|(_, building)| {
                building.packages.iter().any(|package| group.plugins.contains(&package.id))
            });
            let Some(building) = overtaken.map(|(id, _)| *id).and_then(|id| self.orders.remove(&id)) else {
                break;
            };
            tracing::debug!(plugins = ?names(&building.packages), "a newer save drops this build");
            building.abort.abort();
            began = began.max(building.began);
            group.absorb(&building.group());
            answers.extend(building.answers);
        }
        let packages: Vec<_> =
            group.plugins.iter().filter_map(|plugin| self.workspace.plugins.get(plugin).cloned()).collect();
        if packages.is_empty() {
            return;
        }
        let ids: Vec<_> = group.plugins.iter().cloned().collect();
        self.forget_waiting(&ids);
        let request = BuildRequest {
            packages: packages
                .iter()
                .map(|package| {
                    let call = self.known.get(&package.id).and_then(|known| known.call.clone());
                    (package.clone(), call)
                })
                .collect(),
            through_cargo: group.through_cargo,
            suffix: self.suffix(),
            began,
            may_reuse: false,
        };
        tracing::debug!(plugins = ?names(&packages), through_cargo = group.through_cargo, "building");
        self.host.bus().emit(ReloadEvent::ReloadStarted {
            plugins: packages.iter().map(|package| package.id.clone()).collect(),
            cause: match &answers[..] {
                _ if retries > 0 => Cause::Retry,
                [] => Cause::Save,
                _ => Cause::Request,
            },
        });
        let (toolchain, workspace) = (self.toolchain.clone(), self.workspace.clone());
        let abort = self.builds.spawn(async move {
            // As part of the build, so that a newer save drops the wait as well.
            tokio::time::sleep(wait).await;
            build::run(toolchain, workspace, request).await
        });
        let building = Building {
            packages,
            through_cargo: group.through_cargo,
            began,
            abort: abort.clone(),
            answers,
            retries,
        };
        self.orders.insert(abort.id(), building);
    }

    /// Builds once more what failed in a way that a file caught half-written may cause; gives the order back when it
    /// has been tried often enough or failed in another way.
    fn try_again<'a>(
        &mut self,
        building: Building,
        errors: impl Iterator<Item = &'a SaveError>,
    ) -> Option<Building> {
        let errors: Vec<_> = errors.collect();
        let Some(wait) = self.wait_for_retry(building.retries, &names(&building.packages), &errors) else {
            return Some(building);
        };
        let retries = building.retries + 1;
        self.order_after(wait, retries, building.group(), building.began, building.answers);
        None
    }

    /// Gives the wait before the next attempt, and tells of it, when all errors may pass by themselves and there have not
    /// been as many `retries` as configured.
    pub(super) fn wait_for_retry(
        &self,
        retries: u32,
        plugins: &[&str],
        errors: &[&SaveError],
    ) -> Option<Duration> {
        let most = self.options.policy.load().retries;
        if retries >= most || errors.is_empty() || !errors.iter().all(|error| error.is_passing()) {
            return None;
        }
        let wait = FIRST_WAIT * (1 << retries.min(8));
        let errors = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let words = format!(
            "{}: {errors}; tried again in {} ms ({} of {most})",
            plugins.join(", "),
            wait.as_millis(),
            retries + 1
        );
        tell::warn(&self.host, None, words);
        Some(wait)
    }

    pub(super) async fn handle_done(&mut self, id: Id, result: BuildResult) {
        // An order that was overtaken just as it ended.
        let Some(building) = self.orders.remove(&id) else { return };
        self.learn(&result);
        if result.failures.iter().any(|failure| matches!(failure.error, SaveError::Superseded)) {
            // The event of the newer save may come for one of them alone.
            self.order(building.group(), building.began, building.answers);
            return;
        }
        let Some(building) = self.try_again(building, result.failures.iter().map(|failure| &failure.error))
        else {
            return;
        };
        let mut building = building;
        let group = building.group();
        let mut answers = Vec::new();
        let mut failed = !result.failures.is_empty();
        if failed {
            self.tell_failures(&result.failures);
            answers.extend(result.failures.iter().map(|failure| Err(self.failure_words(failure))));
            if !result.built.is_empty() {
                for ready in &result.built {
                    let words = format!("{} stays as it is too: they go live together", ready.package.id);
                    tell::warn(&self.host, &ready.package.id, words.clone());
                    answers.push(Err(words));
                }
            }
        } else {
            match self.go_live(result.built, building.began).await {
                Ok(reloaded) => answers.extend(reloaded.into_iter().map(Ok)),
                Err(SaveError::Superseded) => {
                    self.order(building.group(), building.began, building.answers);
                    return;
                }
                Err(error) => {
                    match self.try_again(building, std::iter::once(&error)) {
                        Some(back) => building = back,
                        None => return,
                    }
                    failed = true;
                    let alone = if group.plugins.len() == 1 { group.plugins.first() } else { None };
                    let failure = Failure { plugin: alone.cloned(), error };
                    self.tell_failure(&failure);
                    answers.push(Err(self.failure_words(&failure)));
                }
            }
        }
        if failed && group.plugins.len() > 1 && building.answers.is_empty() {
            group.join(&mut self.held);
        }
        for answer in building.answers {
            // The command that asked may have given up.
            let _ = answer.send(answers.clone());
        }
        if !failed {
            self.settle().await;
        }
        self.give_way_when_idle();
    }

    /// Notes what a build told: calls, inputs, and warnings, which are printed when they are new.
    pub(super) fn learn(&mut self, result: &BuildResult) {
        for (plugin, call) in &result.calls {
            self.known.entry(plugin.clone()).or_default().call = Some(call.clone());
        }
        for failure in &result.failures {
            if let Some(known) = failure.plugin.as_ref().and_then(|plugin| self.known.get_mut(plugin)) {
                known.is_good = false;
            }
        }
        for ready in &result.built {
            let known = self.known.entry(ready.package.id.clone()).or_default();
            known.inputs = ready.hashed_inputs();
            known.is_good = true;
            if known.warnings != ready.warnings {
                known.warnings.clone_from(&ready.warnings);
                print(&known.warnings);
            }
        }
        self.follow();
    }
}
