//! Starting builds, and handling their results.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sdk_core::bus::{Cause, ReloadEvent};
use sdk_core::status::milliseconds;

use super::builds::{Answer, Building};
use super::group::Group;
use super::report;
use super::{Loop, names};
use crate::build::{BuildResult, BuiltPlugin, Failure};
use crate::error::SaveError;
use crate::findings::print;

/// Wait before a first retry. Each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);

impl Loop {
    /// Starts a build, which takes over the builds that it supersedes and the groups that were held back.
    pub(super) fn start_build(&mut self, group: Group, began: Instant, answers: Vec<Answer>) {
        self.start_build_after(Duration::ZERO, 0, group, began, answers);
    }

    /// Starts a build after `wait`. `retries` is how often the same build has been retried.
    fn start_build_after(
        &mut self,
        wait: Duration,
        retries: u32,
        mut group: Group,
        mut began: Instant,
        mut answers: Vec<Answer>,
    ) {
        loop {
            self.failed_groups.retain(|failed| !group.absorb(failed));
            let Some(building) = self.builds.cancel(&group.plugins) else { break };
            tracing::debug!(plugins = ?names(&building.packages), "a newer save cancels this build");
            began = began.max(building.began);
            group.absorb(&building.group());
            answers.extend(building.answers);
        }
        let workspace = self.members.workspace.clone();
        let packages: Vec<_> =
            group.plugins.iter().filter_map(|plugin| workspace.plugins.get(plugin).cloned()).collect();
        if packages.is_empty() {
            return;
        }
        let plugins: Vec<_> = group.plugins.iter().cloned().collect();
        self.blocked.forget(&plugins);
        tracing::debug!(plugins = ?names(&packages), through_cargo = group.through_cargo, "building");
        self.host.bus().emit(ReloadEvent::ReloadStarted {
            plugins: packages.iter().map(|package| package.id.clone()).collect(),
            cause: match &answers[..] {
                _ if retries > 0 => Cause::Retry,
                [] => Cause::Save,
                _ => Cause::Request,
            },
        });
        let Group { through_cargo, in_any_case, .. } = group;
        let building = Building { packages, through_cargo, in_any_case, began, answers, retries };
        self.builds.start(building, wait, workspace, |plugin| self.plugins.call(plugin));
    }

    /// Retries a build that failed in a way that a half-written file may cause. Returns it if it has been retried often
    /// enough or failed in another way.
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
        self.start_build_after(wait, retries, building.group(), building.began, building.answers);
        None
    }

    /// Returns the wait before the next attempt, and reports it, if all errors may pass by themselves and there have
    /// been fewer `retries` than configured.
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
        let (plugins, again_in_ms, retry) = (plugins.join(", "), milliseconds(wait), retries + 1);
        tracing::warn!(plugins, error = %errors, again_in_ms, retry, most, "tried again after a while");
        let words = format!("{plugins}: {errors}; tried again in {again_in_ms} ms ({retry} of {most})");
        report::note(&self.host, None, words);
        Some(wait)
    }

    /// Handles the end of a build.
    pub(super) async fn handle_build_result(&mut self, building: Building, result: BuildResult) {
        self.learn(&result);
        if result.failures.iter().any(|failure| matches!(failure.error, SaveError::Superseded)) {
            // The event of the newer save may arrive for one of them only.
            self.start_build(building.group(), building.began, building.answers);
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
            self.report_failures(&result.failures);
            answers.extend(result.failures.iter().map(|failure| Err(self.describe_failure(failure).into())));
            for built in &result.built {
                let plugin = built.id();
                tracing::warn!(%plugin, "stays as it is too: they go live together");
                let words = format!("{plugin} stays as it is too: they go live together");
                report::note(&self.host, plugin, words.clone());
                answers.push(Err(words.into()));
            }
        } else if let Some(libraries) = self.unchanged(&building, &result.built) {
            for (built, library) in result.built.iter().zip(libraries) {
                self.toolchain.keep_instead(&library, built);
                self.report_unchanged(built.id(), building.began.elapsed());
            }
        } else {
            match self.go_live(result.built, building.began).await {
                Ok(reloaded) => answers.extend(reloaded.into_iter().map(Ok)),
                Err(SaveError::Superseded) => {
                    self.start_build(building.group(), building.began, building.answers);
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
                    self.report_failure(&failure);
                    answers.push(Err(self.describe_failure(&failure).into()));
                }
            }
        }
        if failed && group.plugins.len() > 1 && building.answers.is_empty() {
            group.join(&mut self.failed_groups);
        }
        for answer in building.answers {
            // The command that sent the request may have given up.
            let _ = answer.send(answers.clone());
        }
        if !failed {
            self.retry_blocked().await;
        }
        self.give_way_when_idle();
    }

    /// Returns the libraries of the live generations if a save has changed no code of any of these plugins.
    ///
    /// After a build through cargo, files that are not in the library may have changed, such as one that a build script
    /// makes. So that goes live in any case, as does a reload that was requested.
    fn unchanged(&self, building: &Building, built: &[BuiltPlugin]) -> Option<Vec<PathBuf>> {
        let is_current = !built.is_empty() && built.iter().all(BuiltPlugin::is_current);
        if building.in_any_case || !is_current {
            return None;
        }
        let live = self.host.registry().snapshot();
        built
            .iter()
            .map(|built| {
                let generation = live.generations().get(built.id())?;
                let library = self.libraries.file(built.id(), generation.code().of())?;
                self.toolchain.is_same_code(&library, built).then_some(library)
            })
            .collect()
    }

    /// Records the result of a build, and prints new warnings.
    pub(super) fn learn(&mut self, result: &BuildResult) {
        for warnings in self.plugins.learn(result) {
            print(&warnings);
        }
        self.follow();
    }
}
