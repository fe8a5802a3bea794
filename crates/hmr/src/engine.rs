//! The loop that ties saves, builds and swaps together.
//!
//! # Theory of operation
//!
//! One task owns all state. It waits for saves, for builds that end, and for requests; builds run in tasks of
//! their own, at most one for any plugin: a save that concerns a plugin being built drops that build, and takes
//! over the plugins that were to go live with it. A build that ends brings libraries a probe has accepted; the
//! loop loads them, runs their `start` hooks and swaps them in together, then has the generations they replace
//! stopped in the background.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sdk_core::PluginId;
use sdk_core::host::{Host, Reloader};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, Id, JoinSet};

use crate::cargo::Call;
use crate::error::HostError;
use crate::job::{Done, Failure, Order, Ready, Workshop, carry_out};
use crate::hosts::{Hosts, Staged};
use crate::journal::Keeper;
use crate::supervisor::child::Child;
use crate::supervisor::{NextHost, Recorder, Start};
use crate::watch::{Pace, Watcher};
use crate::workspace::{Package, Workspace};

mod builds;
mod group;
mod host;
mod live;
mod revive;
mod saves;
mod tell;

use group::{Building, Group};

/// How reloading works; the bot fills it from its configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether changes are watched for; without, plugins are loaded once.
    pub enabled: bool,
    /// Root folder of the workspace.
    pub workspace: PathBuf,
    /// cargo's target folder, in which this host was built.
    pub target: PathBuf,
    /// How changes are noticed.
    pub pace: Pace,
    /// Time that a `start` or `stop` hook has.
    pub hook_deadline: Duration,
    /// Whether diagnostics are printed in colour.
    pub colour: bool,
}

/// A running reload engine; dropping it ends it.
pub struct Engine {
    task: AbortHandle,
    folders: Vec<PathBuf>,
    left_out: BTreeSet<PluginId>,
    gives_way: watch::Receiver<Option<NextHost>>,
    child: Option<Child>,
}

impl Engine {
    /// Builds and loads all plugins, then watches their sources when that is asked for.
    ///
    /// Plugins that do not build or start are reported and left out; they come in with the save that mends them.
    ///
    /// # Errors
    /// When the workspace cannot be read or watched at all.
    pub async fn start(host: Host, options: Options) -> Result<Self, HostError> {
        let child = Child::this();
        let running = child.as_ref().map(|child| child.host.clone());
        let start = child.as_ref().map_or(Start::Fresh, |child| child.start.clone());
        let workspace = read_workspace(&options, running.as_ref(), &start).await?;
        let workshop = Workshop::new(options.target.clone(), options.colour).map_err(HostError::Probe)?;
        // Watched before the first build, so that no save in between is missed.
        let watcher =
            if options.enabled { Some(Watcher::new(workspace.watched(), options.pace)?) } else { None };
        let folders = watcher
            .as_ref()
            .map(|watcher| {
                watcher.watched().map(|path| path.strip_prefix(&workspace.root).unwrap_or(path).into())
            })
            .map(Iterator::collect)
            .unwrap_or_default();
        let (sender, requests) = mpsc::unbounded_channel();
        let (restarts, restarts_wanted) = mpsc::unbounded_channel();
        let (gives_way, given_way) = watch::channel(None);
        let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        if let Some(child) = &child {
            match Recorder::create(&child.flight_file()) {
                Ok(recorder) => host.set_recorder(Arc::new(recorder)),
                Err(error) => tracing::warn!(%error, "after a crash it will not be known what was under way"),
            }
        }
        let mut engine = Loop {
            host: host.clone(),
            options,
            workspace: Arc::new(workspace),
            workshop: Arc::new(workshop),
            known: BTreeMap::new(),
            builds: JoinSet::new(),
            orders: HashMap::new(),
            held: Vec::new(),
            run,
            count: 0,
            keeper: Keeper::new(running.as_ref().map(Staged::journal_file)),
            running,
            replacement: host::Replacement::default(),
            gives_way,
            edited: BTreeSet::new(),
        };
        let needed = Hosts::of(&engine.options.target).libraries();
        for package in engine.workspace.plugins.values() {
            engine.workshop.tidy(package, &needed);
        }
        let left_out = engine.load_all(&start).await;
        engine.take_up(&start);
        if let Some(watcher) = &watcher {
            host.set_reloader(Arc::new(Handle {
                requests: sender,
                restarts: engine.running.is_some().then(|| restarts.clone()),
                folders: watcher.watched().count(),
            }));
        }
        let task = tokio::spawn(async move {
            if let Some(watcher) = watcher {
                engine.run(watcher, requests, (restarts, restarts_wanted)).await;
            }
        });
        Ok(Self { task: task.abort_handle(), folders, left_out, gives_way: given_way, child })
    }

    /// Gives the plugins that did not go live at the start.
    pub fn left_out(&self) -> &BTreeSet<PluginId> {
        &self.left_out
    }

    /// Waits until a new host is to take the place of this one, and gives it.
    pub async fn gives_way(&self) -> NextHost {
        let mut gives_way = self.gives_way.clone();
        let next = gives_way.wait_for(Option::is_some).await.ok().and_then(|next| next.clone());
        match next {
            Some(next) => next,
            // The engine has stopped.
            None => std::future::pending().await,
        }
    }

    /// Gives this process as a supervised host, if it is one.
    pub fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }

    /// Gives the watched folders, as seen from the workspace; empty when nothing is watched.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request from a command.
struct Request {
    plugin: Option<PluginId>,
    answer: oneshot::Sender<Vec<Result<String, String>>>,
}

/// The engine as plugins see it.
struct Handle {
    requests: mpsc::UnboundedSender<Request>,
    /// Where to ask for a restart; `None` when nobody would start the host again.
    restarts: Option<mpsc::UnboundedSender<bool>>,
    folders: usize,
}

impl Reloader for Handle {
    fn status(&self) -> String {
        format!("hot reload is on, {} folders are watched", self.folders)
    }

    fn reload(&self, plugin: Option<PluginId>) -> BoxFuture<'static, Vec<Result<String, String>>> {
        let (answer, answered) = oneshot::channel();
        let stopped = || vec![Err("the reload engine has stopped".to_owned())];
        if self.requests.send(Request { plugin, answer }).is_err() {
            return std::future::ready(stopped()).boxed();
        }
        async move { answered.await.unwrap_or_else(|_| stopped()) }.boxed()
    }

    fn restart(&self, when_quiet: bool) -> Result<(), String> {
        let restarts = self.restarts.as_ref().ok_or("this bot is not supervised; end it and start it again")?;
        restarts.send(when_quiet).map_err(|_| "the reload engine has stopped".to_owned())
    }
}

/// What the engine remembers of a plugin.
#[derive(Default)]
struct Known {
    call: Option<Call>,
    /// Files that the last good build read; `None` after a build that failed, when any source may mend it.
    inputs: Option<BTreeSet<PathBuf>>,
    warnings: String,
}

struct Loop {
    host: Host,
    options: Options,
    workspace: Arc<Workspace>,
    workshop: Arc<Workshop>,
    known: BTreeMap<PluginId, Known>,
    builds: JoinSet<Done>,
    orders: HashMap<Id, Building>,
    /// Groups that did not go live because of one of theirs, and do so with the save that mends it.
    held: Vec<Group>,
    run: u128,
    count: u64,
    /// What is live, for a host that takes this one's place.
    keeper: Keeper,
    /// Files that this host runs from; `None` without a supervisor.
    running: Option<Staged>,
    replacement: host::Replacement,
    gives_way: watch::Sender<Option<NextHost>>,
    /// Plugins that were edited while no host was there.
    edited: BTreeSet<PluginId>,
}

impl Loop {
    /// Builds all plugins and makes each live that can be; gives the others.
    async fn load_all(&mut self, start: &Start) -> BTreeSet<PluginId> {
        let began = Instant::now();
        let packages = if *start == Start::Fresh {
            self.workspace.plugins.values().cloned().collect()
        } else {
            self.revive(began).await
        };
        if !packages.is_empty() {
            let order = Order {
                packages: packages.into_iter().map(|package| (package, None)).collect(),
                through_cargo: true,
                suffix: self.suffix(),
                began,
                may_reuse: true,
            };
            let done = carry_out(self.workshop.clone(), self.workspace.clone(), order).await;
            self.learn(&done);
            self.tell_failures(&done.failures);
            self.bring_in(done.ready, began).await;
        }
        let live = self.host.registry().snapshot();
        tracing::info!(
            "{} plugins live in {} ms: {}",
            live.generations().len(),
            began.elapsed().as_millis(),
            live.generations()
                .values()
                .map(|generation| format!("{} {}", generation.plugin(), generation.number()))
                .collect::<Vec<_>>()
                .join(", ")
        );
        let left_out: BTreeSet<_> = self
            .workspace
            .plugins
            .keys()
            .filter(|plugin| !live.generations().contains_key(*plugin))
            .cloned()
            .collect();
        self.keeper.left_out(left_out.iter().cloned());
        left_out
    }

    /// Makes live what can be, and tells of the rest.
    async fn bring_in(&mut self, mut waiting: Vec<Ready>, began: Instant) {
        // A plugin goes live after those that it needs; each on its own, so that one that fails keeps out no other.
        while !waiting.is_empty() {
            let mut refused = Vec::new();
            let count = waiting.len();
            for ready in waiting {
                let id = ready.package.id.clone();
                if let Err(error) = self.make_live(vec![ready.clone()], began).await {
                    refused.push((ready, Failure { plugin: Some(id), error }));
                }
            }
            if refused.len() == count {
                for (_, failure) in &refused {
                    self.tell_failure(failure);
                }
                break;
            }
            waiting = refused.into_iter().map(|(ready, _)| ready).collect();
        }
    }

    async fn run(
        mut self,
        mut watcher: Watcher,
        mut requests: mpsc::UnboundedReceiver<Request>,
        (restarts, mut restarts_wanted): (mpsc::UnboundedSender<bool>, mpsc::UnboundedReceiver<bool>),
    ) {
        let (sender, mut saves) = mpsc::unbounded_channel();
        let (folders, mut more_folders) = mpsc::unbounded_channel::<BTreeMap<PathBuf, bool>>();
        let watching = async move {
            loop {
                tokio::select! {
                    biased;
                    Some(more) = more_folders.recv() => if let Err(error) = watcher.watch(more) {
                        tracing::error!("{error}");
                    },
                    saved = watcher.next() => if sender.send(saved).is_err() { return },
                }
            }
        };
        let working = async {
            loop {
                tokio::select! {
                    biased;
                    Some(saved) = saves.recv() => {
                        if self.handle_saves(saved).await {
                            let _ = folders.send(self.workspace.watched());
                        }
                    }
                    Some(request) = requests.recv() => self.handle_request(request),
                    Some(when_quiet) = restarts_wanted.recv() => self.handle_restart(when_quiet, &restarts),
                    Some(Ok((id, made))) = self.replacement.work.join_next_with_id() => self.handle_made(id, made),
                    Some(ended) = self.builds.join_next_with_id() => match ended {
                        Ok((id, done)) => self.handle_done(id, done).await,
                        Err(error) => {
                            let building = self.orders.remove(&error.id());
                            if let (true, Some(building)) = (error.is_panic(), building) {
                                tracing::error!(%error, plugins = ?names(&building.packages), "a build task panicked");
                            }
                        }
                    },
                }
            }
        };
        tokio::join!(watching, working);
    }

    fn suffix(&mut self) -> String {
        self.count += 1;
        format!("{:x}-{}", self.run, self.count)
    }
}

/// Asks cargo about the workspace, or recalls what it said when another host ran here just before.
async fn read_workspace(
    options: &Options,
    running: Option<&Staged>,
    start: &Start,
) -> Result<Workspace, HostError> {
    let kept = running.filter(|_| *start != Start::Fresh).and_then(|host| Workspace::kept(&host.workspace_file()));
    if let Some(workspace) = kept.filter(|workspace| workspace.root == options.workspace) {
        return Ok(workspace);
    }
    let workspace = Workspace::read(&options.workspace).await.map_err(HostError::Workspace)?;
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
