//! Builds in progress: at most one for any plugin.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sdk_core::PluginId;
use sdk_core::host::RequestError;
use sdk_core::status::Reloaded;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, Id, JoinSet};

use super::group::Group;
use super::names;
use crate::build::rustc_call::RustcCall;
use crate::build::{self, BuildRequest, BuildResult, Toolchain};
use crate::workspace::{Package, Workspace};

/// The channel for the result of a reload, if one was requested.
pub(super) type Answer = oneshot::Sender<Vec<Result<Reloaded, RequestError>>>;

/// Plugins that are being built together.
pub(super) struct Building {
    pub(super) packages: Vec<Package>,
    pub(super) through_cargo: bool,
    /// Whether they go live even if their code is the same.
    pub(super) in_any_case: bool,
    pub(super) began: Instant,
    pub(super) answers: Vec<Answer>,
    /// How often the same build has been retried.
    pub(super) retries: u32,
}

impl Building {
    pub(super) fn group(&self) -> Group {
        Group {
            plugins: self.plugins().cloned().collect(),
            through_cargo: self.through_cargo,
            in_any_case: self.in_any_case,
        }
    }

    pub(super) fn plugins(&self) -> impl Iterator<Item = &PluginId> {
        self.packages.iter().map(|package| &package.id)
    }

    fn concerns(&self, plugins: &BTreeSet<PluginId>) -> bool {
        self.plugins().any(|plugin| plugins.contains(plugin))
    }
}

/// Builds in progress. Dropping them ends their compilers.
pub(super) struct Builds {
    toolchain: Arc<dyn Toolchain>,
    tasks: JoinSet<BuildResult>,
    in_flight: HashMap<Id, (AbortHandle, Building)>,
    /// A number that makes this process's file names differ from those of others.
    run: u128,
    count: u64,
}

impl Builds {
    pub(super) fn new(toolchain: Arc<dyn Toolchain>) -> Self {
        // Two hosts may start within a second.
        let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        Self { toolchain, tasks: JoinSet::new(), in_flight: HashMap::new(), run, count: 0 }
    }

    /// Returns the end of a file's name that no other build has.
    pub(super) fn suffix(&mut self) -> String {
        self.count += 1;
        format!("{:x}-{}", self.run, self.count)
    }

    /// Starts a build after `wait`. `call` returns how a plugin is compiled, if that is known.
    pub(super) fn start(
        &mut self,
        building: Building,
        wait: Duration,
        workspace: Arc<Workspace>,
        call: impl Fn(&PluginId) -> Option<RustcCall>,
    ) {
        let with_call = |package: &Package| (package.clone(), call(&package.id));
        let request = BuildRequest {
            packages: building.packages.iter().map(with_call).collect(),
            through_cargo: building.through_cargo,
            suffix: self.suffix(),
            began: building.began,
            may_reuse: false,
        };
        let toolchain = self.toolchain.clone();
        let task = self.tasks.spawn(async move {
            // Part of the build, so that a newer save cancels the wait as well.
            tokio::time::sleep(wait).await;
            build::run(toolchain, workspace, request).await
        });
        self.in_flight.insert(task.id(), (task, building));
    }

    /// Cancels a build of any of these plugins, and returns it.
    pub(super) fn cancel(&mut self, plugins: &BTreeSet<PluginId>) -> Option<Building> {
        let (id, _) = self.in_flight.iter().find(|(_, (_, building))| building.concerns(plugins))?;
        let id = *id;
        let (task, building) = self.in_flight.remove(&id)?;
        task.abort();
        Some(building)
    }

    /// Cancels all builds, and returns them.
    pub(super) fn cancel_all(&mut self) -> Vec<Building> {
        let all = self.in_flight.drain().map(|(_, (task, building))| {
            task.abort();
            building
        });
        all.collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Returns whether a plugin is being built.
    pub(super) fn has(&self, plugin: &PluginId) -> bool {
        self.in_flight.values().any(|(_, building)| building.plugins().any(|other| other == plugin))
    }

    /// Returns the plugins that are being built, in the groups that go live together.
    pub(super) fn plugins(&self) -> Vec<Vec<PluginId>> {
        self.in_flight.values().map(|(_, building)| building.plugins().cloned().collect()).collect()
    }

    /// Waits for the next build to end, and returns it with its result, or with `None` if its task has panicked.
    /// Returns `None` if no build is in progress. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<(Building, Option<BuildResult>)> {
        loop {
            match self.tasks.join_next_with_id().await? {
                Ok((id, result)) => {
                    // A build that was cancelled just as it ended has been removed.
                    if let Some((_, building)) = self.in_flight.remove(&id) {
                        return Some((building, Some(result)));
                    }
                }
                Err(error) => {
                    if let Some((_, building)) = self.in_flight.remove(&error.id()) {
                        tracing::error!(%error, plugins = ?names(&building.packages), "a build task panicked");
                        return Some((building, None));
                    }
                }
            }
        }
    }
}
