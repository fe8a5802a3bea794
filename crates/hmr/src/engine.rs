//! The loop that connects saves, builds and swaps.
//!
//! # Theory of operation
//!
//! One task owns all state. It waits for saves, for builds that end, and for requests. Builds run in tasks of their
//! own, at most one for any plugin: a save that concerns a plugin being built drops that build, and takes over the
//! plugins that were to go live with it. A build that ends returns libraries that a probe has accepted. The loop loads
//! them, runs their `start` hooks and swaps them in together, then stops the generations they replace in the
//! background.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use sdk_core::PluginId;
use sdk_core::host::Host;
use sdk_core::status::ReloadStatus;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::build::{Builder, Records, Toolchain};
use crate::error::HostError;
use crate::hosts::{Hosts, Staged};
use crate::journal::Keeper;
use crate::policy::SharedPolicy;
use crate::supervisor::child::Child;
use crate::supervisor::{NextHost, Recorder, Start};
use crate::watch::{Control, Filter, Saves, WatchMode, Watcher};
use crate::workspace::{Package, Workspace};

mod blocked;
mod builds;
mod dependents;
mod first_load;
mod group;
mod handle;
mod host;
mod live;
mod members;
mod membership;
mod memory;
mod plugin_record;
mod probation;
mod reload_line;
mod replacement;
mod report;
mod requests;
mod results;
mod revive;
mod rollback;
mod saves;
#[cfg(test)]
mod tests;

use blocked::Blocked;
use builds::Builds;
use group::Group;
use handle::{Handle, Request};
use members::Members;
use memory::Libraries;
use plugin_record::PluginRecords;
use probation::ProbationWatch;
use replacement::Replacement;

/// The engine's options. The bot fills them from its configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether changes are watched for. Otherwise plugins are loaded once.
    pub enabled: bool,
    /// Root folder of the workspace.
    pub workspace: PathBuf,
    /// cargo's target folder, in which this host was built.
    pub target: PathBuf,
    /// How changes are noticed.
    pub mode: WatchMode,
    /// Which files count.
    pub filter: Filter,
    /// The limits of reloading. They can be replaced while the engine runs.
    pub policy: SharedPolicy,
    /// Called when the workspace's `.env` was saved, with the handle on the watcher.
    pub on_settings: Option<OnSettings>,
    /// Whether diagnostics are printed in colour.
    pub colour: bool,
}

/// A function of the bot that applies a saved `.env`.
#[derive(Clone)]
pub struct OnSettings(pub Arc<dyn Fn(&Control) + Send + Sync>);

impl fmt::Debug for OnSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnSettings").finish_non_exhaustive()
    }
}

/// A running reload engine. Dropping it ends it.
pub struct Engine {
    task: AbortHandle,
    watching: Option<Control>,
    left_out: BTreeSet<PluginId>,
    successor: watch::Receiver<Option<NextHost>>,
    child: Option<Child>,
}

impl Engine {
    /// Builds and loads all plugins, then watches their sources if that is enabled.
    ///
    /// Plugins that do not build or start are reported and left out. They go live with the save that fixes them.
    ///
    /// # Errors
    /// When the workspace cannot be read or watched at all.
    pub async fn start(host: Host, options: Options) -> Result<Self, HostError> {
        if let Err(error) = crate::signals::set_back() {
            tracing::warn!(%error, "compilers ignore the signals that this process was started to ignore");
        }
        let child = Child::this();
        if let Some(child) = &child {
            match Recorder::create(&child.flight_file()) {
                Ok(recorder) => host.set_recorder(Arc::new(recorder)),
                Err(error) => tracing::warn!(%error, "after a crash it will not be known what was under way"),
            }
        }
        let running = child.as_ref().map(|child| child.host.clone());
        let start = child.as_ref().map_or(Start::Fresh, |child| child.start.clone());
        let builder = Builder::new(options.target.clone(), options.colour).map_err(HostError::Probe)?;
        let toolchain: Arc<dyn Toolchain> = Arc::new(builder);
        let workspace = read_workspace(&*toolchain, &options, running.as_ref(), &start).await?;
        // Watched before the first build, so that no save in between is missed.
        let watcher = options
            .enabled
            .then(|| Watcher::new(workspace.scope(), options.mode, options.filter.clone()))
            .transpose()?;
        let watched = watcher.map(Watcher::into_saves);
        let surroundings = Surroundings { toolchain, workspace, watched, running, start };
        let mut engine = Self::start_in(host, options, surroundings).await;
        engine.child = child;
        Ok(engine)
    }

    /// Does what [`start`](Self::start) does, with any toolchain, saves and files.
    async fn start_in(host: Host, options: Options, surroundings: Surroundings) -> Self {
        let Surroundings { toolchain, workspace, watched, running, start } = surroundings;
        let (watching, saves) = watched.unzip();
        let (sender, requests) = mpsc::unbounded_channel();
        let (restarts, restarts_wanted) = mpsc::unbounded_channel();
        let (successor, given_successor) = watch::channel(None);
        let is_supervised = running.is_some();
        let keeper = Keeper::new(running.as_ref().map(Staged::journal_file));
        let libraries = Libraries::new(host.clone(), options.policy.clone());
        let members = Members::new(workspace);
        let features = watching.is_some().then(|| {
            let (toolchain, workspace) = (toolchain.clone(), members.workspace.clone());
            tokio::spawn(async move { toolchain.read_features(&workspace).await })
        });
        let mut engine = Loop {
            host: host.clone(),
            watching: watching.clone(),
            members,
            plugins: PluginRecords::default(),
            builds: Builds::new(toolchain.clone()),
            failed_groups: Vec::new(),
            blocked: Blocked::default(),
            probation: ProbationWatch::default(),
            replacement: Replacement::new(running, features, successor),
            toolchain,
            records: Records::of(&options.target),
            options,
            keeper,
            libraries,
            edited: BTreeSet::new(),
            is_loading_all: true,
            status: Arc::default(),
        };
        let needed = Hosts::of(&engine.options.target).libraries();
        for package in engine.members.workspace.plugins.values() {
            engine.records.tidy(package, &needed);
        }
        if let Some(watching) = &watching {
            engine.publish_start();
            host.set_reloader(Arc::new(Handle {
                requests: sender,
                restarts: is_supervised.then(|| restarts.clone()),
                watching: watching.clone(),
                status: engine.status.clone(),
                bus: host.bus().clone(),
            }));
        }
        let left_out = engine.load_all(&start).await;
        engine.is_loading_all = false;
        engine.take_up(&start);
        engine.publish();
        let task = tokio::spawn(async move {
            if let Some(saves) = saves {
                engine.run(saves, requests, (restarts, restarts_wanted)).await;
            }
        });
        Self { task: task.abort_handle(), watching, left_out, successor: given_successor, child: None }
    }

    /// Returns the plugins that did not go live at the start.
    pub fn left_out(&self) -> &BTreeSet<PluginId> {
        &self.left_out
    }

    /// Waits until a new host is to replace this one, and returns it.
    pub async fn wait_for_successor(&self) -> NextHost {
        let mut successor = self.successor.clone();
        let next = successor.wait_for(Option::is_some).await.ok().and_then(|next| next.clone());
        match next {
            Some(next) => next,
            // The engine has stopped.
            None => std::future::pending().await,
        }
    }

    /// Returns this process as a supervised host, if it is one.
    pub fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }

    /// Returns a handle to stop and start watching, and to change how it is done; `None` if nothing is watched.
    pub fn watching(&self) -> Option<&Control> {
        self.watching.as_ref()
    }

    /// Returns the watched folders, relative to the workspace. Empty if nothing is watched.
    pub fn folders(&self) -> Vec<PathBuf> {
        let Some(scope) = self.watching.as_ref().map(Control::scope) else { return Vec::new() };
        scope.trees.keys().map(|path| path.strip_prefix(&scope.root).unwrap_or(path).to_path_buf()).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The dependencies of an engine: the real ones, or a test's own.
struct Surroundings {
    toolchain: Arc<dyn Toolchain>,
    /// The workspace as it is at the start.
    workspace: Workspace,
    /// The watcher's handle and the saves that it reports; `None` if nothing is watched.
    watched: Option<(Control, BoxStream<'static, Saves>)>,
    /// Files that this host runs from; `None` without a supervisor.
    running: Option<Staged>,
    start: Start,
}

/// The state of the engine, which only its task changes. Each part has a type of its own, and the loop routes between
/// them.
struct Loop {
    host: Host,
    options: Options,
    toolchain: Arc<dyn Toolchain>,
    records: Records,
    watching: Option<Control>,
    members: Members,
    plugins: PluginRecords,
    builds: Builds,
    /// Groups that did not go live because of one of their plugins. They go live with the save that fixes it.
    failed_groups: Vec<Group>,
    blocked: Blocked,
    probation: ProbationWatch,
    replacement: Replacement,
    /// The journal of what is live, for a host that replaces this one.
    keeper: Keeper,
    libraries: Libraries,
    /// Plugins that were edited while no host ran.
    edited: BTreeSet<PluginId>,
    /// Whether this is the start, which is one line in the log.
    is_loading_all: bool,
    /// The status, for readers while the loop is busy.
    status: Arc<Mutex<ReloadStatus>>,
}

impl Loop {
    async fn run(
        mut self,
        mut watched: BoxStream<'static, Saves>,
        mut requests: mpsc::UnboundedReceiver<Request>,
        (restarts, mut restarts_wanted): (mpsc::UnboundedSender<bool>, mpsc::UnboundedReceiver<bool>),
    ) {
        let (sender, mut saves) = mpsc::unbounded_channel();
        let mut panics = self.host.registry().panics();
        // Received at once, however long the loop is busy.
        let watching = async move {
            while let Some(saved) = watched.next().await {
                if sender.send(saved).is_err() {
                    break;
                }
            }
        };
        let working = async {
            loop {
                tokio::select! {
                    biased;
                    Some(saved) = saves.recv() => self.handle_saves(saved).await,
                    Some(report) = panics.recv() => self.handle_panic(report).await,
                    Some((plugin, number)) = self.probation.passed() => self.handle_passed(&plugin, number),
                    Some(request) = requests.recv() => self.handle_request(request).await,
                    Some(when_quiet) = restarts_wanted.recv() => self.handle_restart(when_quiet, &restarts),
                    Some(built) = self.replacement.built() => self.handle_new_host(built),
                    Some((building, result)) = self.builds.next() => if let Some(result) = result {
                        self.handle_build_result(building, result).await;
                    },
                }
                self.publish();
            }
        };
        tokio::join!(watching, working);
    }
}

/// Asks cargo about the workspace, or reads its earlier answer if another host ran here just before.
async fn read_workspace(
    toolchain: &dyn Toolchain,
    options: &Options,
    running: Option<&Staged>,
    start: &Start,
) -> Result<Workspace, HostError> {
    let kept =
        running.filter(|_| *start != Start::Fresh).and_then(|host| Workspace::kept(&host.workspace_file()));
    if let Some(workspace) = kept.filter(|workspace| workspace.root == options.workspace) {
        return Ok(workspace);
    }
    let workspace = toolchain.read_workspace(&options.workspace).await.map_err(HostError::Workspace)?;
    if let Some(host) = running
        && let Err(error) = workspace.keep(&host.workspace_file())
    {
        tracing::debug!(%error, "cargo will be asked again after a crash");
    }
    Ok(workspace)
}

fn names(packages: &[Package]) -> Vec<&str> {
    packages.iter().map(|package| package.id.as_str()).collect()
}
