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
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sdk_core::PluginId;
use sdk_core::generation::Generation;
use sdk_core::host::{Host, Reloader};
use sdk_core::registry::{Change, Swapped};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, Id, JoinSet};

use crate::cargo::Call;
use crate::error::{HostError, SaveError};
use crate::job::{Done, Failure, Order, Ready, Workshop, carry_out};
use crate::library;
use crate::policy::SharedPolicy;
use crate::report;
use crate::watch::{Pace, Saves, Watcher};
use crate::workspace::{Meaning, Package, Workspace};

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
    /// What may change while the engine runs; read anew for each reload.
    pub policy: SharedPolicy,
    /// Whether diagnostics are printed in colour.
    pub colour: bool,
}

/// A running reload engine; dropping it ends it.
pub struct Engine {
    task: AbortHandle,
    folders: Vec<PathBuf>,
    left_out: BTreeSet<PluginId>,
}

impl Engine {
    /// Builds and loads all plugins, then watches their sources when that is asked for.
    ///
    /// Plugins that do not build or start are reported and left out; they come in with the save that mends them.
    ///
    /// # Errors
    /// When the workspace cannot be read or watched at all.
    pub async fn start(host: Host, options: Options) -> Result<Self, HostError> {
        let workspace = Workspace::read(&options.workspace).await.map_err(HostError::Workspace)?;
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
        let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
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
            awaiting_restart: BTreeSet::new(),
        };
        for package in engine.workspace.plugins.values() {
            engine.workshop.tidy(package);
        }
        let left_out = engine.load_all().await;
        if let Some(watcher) = &watcher {
            host.set_reloader(Arc::new(Handle { requests: sender, folders: watcher.watched().count() }));
        }
        let task = tokio::spawn(async move {
            if let Some(watcher) = watcher {
                engine.run(watcher, requests).await;
            }
        });
        Ok(Self { task: task.abort_handle(), folders, left_out })
    }

    /// Gives the plugins that did not go live at the start.
    pub fn left_out(&self) -> &BTreeSet<PluginId> {
        &self.left_out
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
}

/// What the engine remembers of a plugin.
#[derive(Default)]
struct Known {
    call: Option<Call>,
    /// Files that the last good build read; `None` after a build that failed, when any source may mend it.
    inputs: Option<BTreeSet<PathBuf>>,
    library: Option<PathBuf>,
    warnings: String,
}

/// Plugins that are being built together.
struct Building {
    packages: Vec<Package>,
    through_cargo: bool,
    began: Instant,
    abort: AbortHandle,
    answers: Vec<oneshot::Sender<Vec<Result<String, String>>>>,
}

impl Building {
    fn group(&self) -> Group {
        Group {
            plugins: self.packages.iter().map(|package| package.id.clone()).collect(),
            through_cargo: self.through_cargo,
        }
    }
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
    run: u64,
    count: u64,
    /// Files of the host that changed, each told once.
    awaiting_restart: BTreeSet<PathBuf>,
}

/// Plugins that are to be built and go live together: one, or all that share a crate that changed.
#[derive(Clone, Debug, Default)]
struct Group {
    plugins: BTreeSet<PluginId>,
    through_cargo: bool,
}

impl Group {
    /// Takes in another group when they have a plugin in common.
    fn absorb(&mut self, other: &Self) -> bool {
        let meets = !self.plugins.is_disjoint(&other.plugins);
        if meets {
            self.plugins.extend(other.plugins.iter().cloned());
            self.through_cargo |= other.through_cargo;
        }
        meets
    }

    /// Adds the group to a list in which no two have a plugin in common.
    fn join(mut self, groups: &mut Vec<Self>) {
        // What it takes in may meet another one in turn.
        while let Some(place) = groups.iter().position(|group| !group.plugins.is_disjoint(&self.plugins)) {
            self.absorb(&groups.swap_remove(place));
        }
        groups.push(self);
    }
}

impl Loop {
    /// Builds all plugins and makes each live that can be; gives the others.
    async fn load_all(&mut self) -> BTreeSet<PluginId> {
        let began = Instant::now();
        let packages: Vec<_> = self.workspace.plugins.values().cloned().collect();
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
        // A plugin goes live after those that it needs; each on its own, so that one that fails keeps out no other.
        let mut waiting = done.ready;
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
        self.workspace
            .plugins
            .keys()
            .filter(|plugin| !live.generations().contains_key(*plugin))
            .cloned()
            .collect()
    }

    async fn run(mut self, mut watcher: Watcher, mut requests: mpsc::UnboundedReceiver<Request>) {
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

    /// Acts on saved files, and says whether the folders to watch may have changed.
    async fn handle_saves(&mut self, saves: Saves) -> bool {
        let mut groups = Vec::new();
        let (mut membership, mut host) = (false, BTreeSet::new());
        for path in &saves.paths {
            let known = &self.known;
            let reads = |plugin: &PluginId, path: &std::path::Path| {
                Some(known.get(plugin)?.inputs.as_ref()?.contains(path))
            };
            match self.workspace.meaning(path, reads) {
                Meaning::Plugins { plugins, manifest } => {
                    Group { plugins, through_cargo: manifest }.join(&mut groups);
                }
                Meaning::Membership => membership = true,
                Meaning::Host => {
                    _ = host.insert(path.strip_prefix(&self.workspace.root).unwrap_or(path).to_path_buf());
                }
                Meaning::Nothing => {
                    tracing::debug!(path = %path.display(), "saved, and no plugin is built from it");
                }
            }
        }
        host.retain(|path| !self.awaiting_restart.contains(path));
        if !host.is_empty() {
            let names: Vec<_> = host.iter().map(|path| path.display().to_string()).collect();
            let belongs = if names.len() == 1 { "belongs" } else { "belong" };
            tracing::warn!("{} {belongs} to the host: a restart brings the change in", names.join(", "));
            self.awaiting_restart.append(&mut host);
        }
        let looked_up = membership || groups.iter().any(|group| group.through_cargo);
        if membership {
            self.handle_membership(&mut groups).await;
        } else if looked_up {
            // A manifest may name other shared crates now.
            match Workspace::read(&self.workspace.root).await {
                Ok(workspace) => self.workspace = Arc::new(workspace),
                Err(error) => self.tell_failure(&Failure { plugin: None, error }),
            }
        }
        for group in groups {
            self.order(group, saves.began, Vec::new());
        }
        looked_up
    }

    /// Takes out plugins whose folder is gone, and wants those built whose folder is new.
    async fn handle_membership(&mut self, groups: &mut Vec<Group>) {
        let gone: BTreeSet<_> = self
            .workspace
            .plugins
            .values()
            .filter(|package| !package.root.join("Cargo.toml").exists())
            .map(|package| package.id.clone())
            .collect();
        if !gone.is_empty() {
            // What was to go live with one that is gone does so without it.
            for group in self.take_out(&gone) {
                group.join(groups);
            }
            for group in groups.iter_mut().chain(&mut self.held) {
                group.plugins.retain(|plugin| !gone.contains(plugin));
            }
            let mut workspace = Workspace::clone(&self.workspace);
            workspace.plugins.retain(|plugin, _| !gone.contains(plugin));
            self.workspace = Arc::new(workspace);
        }
        match Workspace::read(&self.workspace.root).await {
            Ok(workspace) => {
                for plugin in workspace.plugins.keys() {
                    // One that has never gone live may be complete now.
                    if !self.host.registry().snapshot().generations().contains_key(plugin) {
                        Group { plugins: [plugin.clone()].into(), through_cargo: true }.join(groups);
                    }
                }
                self.workspace = Arc::new(workspace);
            }
            Err(error) if gone.is_empty() => self.tell_failure(&Failure { plugin: None, error }),
            Err(_) => {
                let names: Vec<_> = gone.iter().map(PluginId::as_str).collect();
                tracing::warn!(
                    "{} is out; its lines in commands/ or events/ (Cargo.toml and lib.rs) have to go too before \
                     cargo can be asked again",
                    names.join(", ")
                );
            }
        }
    }

    /// Takes plugins out of what is live; gives the groups whose builds that has ended.
    fn take_out(&mut self, gone: &BTreeSet<PluginId>) -> Vec<Group> {
        let began = Instant::now();
        let ended: Vec<_> = self
            .orders
            .extract_if(|_, building| building.packages.iter().any(|package| gone.contains(&package.id)))
            .map(|(_, building)| {
                building.abort.abort();
                building.group()
            })
            .collect();
        let live = self.host.registry().snapshot();
        let remove: Vec<_> =
            gone.iter().filter(|plugin| live.generations().contains_key(plugin)).cloned().collect();
        self.known.retain(|plugin, _| !gone.contains(plugin));
        match self.host.registry().swap(Change { install: Vec::new(), remove }) {
            Ok(swapped) => {
                for swap in &swapped.plugins {
                    tracing::info!("{}", report::line(swap, began.elapsed(), &report::Parts::default()));
                }
                self.stop_old(swapped);
            }
            Err(problems) => {
                let names: Vec<_> = gone.iter().map(PluginId::as_str).collect();
                tracing::error!(
                    "{} stays live although its folder is gone: {}",
                    names.join(", "),
                    problems.join("; ")
                );
            }
        }
        ended
    }

    fn handle_request(&mut self, request: Request) {
        let plugins: BTreeSet<_> = match request.plugin {
            None => self.workspace.plugins.keys().cloned().collect(),
            Some(plugin) if self.workspace.plugins.contains_key(&plugin) => [plugin].into(),
            Some(plugin) => {
                // Nobody waits any more when this fails.
                let _ =
                    request.answer.send(vec![Err(format!("there is no plugin {plugin} in the workspace"))]);
                return;
            }
        };
        self.order(Group { plugins, through_cargo: false }, Instant::now(), vec![request.answer]);
    }

    /// Starts to build, taking over what it supersedes and what was held back.
    fn order(
        &mut self,
        mut group: Group,
        mut began: Instant,
        mut answers: Vec<oneshot::Sender<Vec<Result<String, String>>>>,
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
        let order = Order {
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
        let abort = self.builds.spawn(carry_out(self.workshop.clone(), self.workspace.clone(), order));
        let building =
            Building { packages, through_cargo: group.through_cargo, began, abort: abort.clone(), answers };
        self.orders.insert(abort.id(), building);
    }

    async fn handle_done(&mut self, id: Id, done: Done) {
        // An order that was overtaken just as it ended.
        let Some(building) = self.orders.remove(&id) else { return };
        self.learn(&done);
        if done.failures.iter().any(|failure| matches!(failure.error, SaveError::Superseded)) {
            // The event of the newer save may come for one of them alone.
            self.order(building.group(), building.began, building.answers);
            return;
        }
        let group = building.group();
        let mut answers = Vec::new();
        let mut failed = !done.failures.is_empty();
        if failed {
            self.tell_failures(&done.failures);
            answers.extend(done.failures.iter().map(|failure| Err(self.failure_words(failure))));
            if !done.ready.is_empty() {
                let names: Vec<_> = done.ready.iter().map(|ready| ready.package.id.as_str()).collect();
                let words = format!("{} stays as it is too: they go live together", names.join(", "));
                tracing::warn!("{words}");
                answers.push(Err(words));
            }
        } else {
            match self.make_live(done.ready, building.began).await {
                Ok(lines) => {
                    for line in lines {
                        tracing::info!("{line}");
                        answers.push(Ok(line));
                    }
                }
                Err(error) => {
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
    }

    /// Notes what a build told: calls, inputs, and warnings, which are printed when they are new.
    fn learn(&mut self, done: &Done) {
        for (plugin, call) in &done.calls {
            self.known.entry(plugin.clone()).or_default().call = Some(call.clone());
        }
        for failure in &done.failures {
            if let Some(known) = failure.plugin.as_ref().and_then(|plugin| self.known.get_mut(plugin)) {
                known.inputs = None;
            }
        }
        for ready in &done.ready {
            let known = self.known.entry(ready.package.id.clone()).or_default();
            known.inputs = Some(ready.built.inputs.clone());
            if known.warnings != ready.built.warnings {
                known.warnings.clone_from(&ready.built.warnings);
                print(&known.warnings);
            }
        }
    }

    /// Loads, starts and swaps in what was built; all of it or nothing.
    async fn make_live(&mut self, ready: Vec<Ready>, began: Instant) -> Result<Vec<String>, SaveError> {
        let preflight = Instant::now();
        let mut parts = BTreeMap::new();
        let mut generations = Vec::new();
        for ready in &ready {
            let entry = library::load(&ready.built.library, &ready.package.krate)?;
            let number = self.host.registry().next_number(&ready.package.id);
            if entry.id() != ready.package.id {
                return Err(SaveError::Library(format!(
                    "the package in {} has to be named {}, as its folder is",
                    ready.package.id,
                    ready.package.id.as_str().replace('/', "-")
                )));
            }
            generations.push(Generation::new(entry, number, &self.host).map_err(SaveError::Preflight)?);
            parts.insert(ready.package.id.clone(), ready.parts);
        }
        self.host.registry().check(&generations).map_err(SaveError::Preflight)?;
        let deadline = self.options.policy.load().hook_deadline;
        let mut started = Vec::<Arc<Generation>>::new();
        for generation in in_order(&generations) {
            if let Err(problem) = generation.start(deadline).await {
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
        for ready in ready {
            let known = self.known.entry(ready.package.id).or_default();
            let old = known.library.replace(ready.built.library.clone());
            if let Some(old) = old.filter(|old| *old != ready.built.library) {
                // Its code stays mapped; the file is of no more use.
                let _ = std::fs::remove_file(&old);
            }
        }
        self.stop_old(swapped);
        Ok(lines)
    }

    /// Stops the generations that a swap has replaced, in the background.
    fn stop_old(&self, swapped: Swapped) {
        self.stop_in_background(swapped.plugins.into_iter().filter_map(|swap| swap.old).collect());
    }

    /// Stops generations that were started for a swap that did not happen.
    fn stop_unused(&self, generations: Vec<Arc<Generation>>) {
        self.stop_in_background(generations);
    }

    fn stop_in_background(&self, generations: Vec<Arc<Generation>>) {
        let deadline = self.options.policy.load().hook_deadline;
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

    fn failure_words(&self, failure: &Failure) -> String {
        let live =
            |plugin: &PluginId| self.host.registry().snapshot().generations().get(plugin).map(|g| g.number());
        match &failure.plugin {
            None => failure.error.to_string(),
            Some(plugin) => match live(plugin) {
                Some(number) => format!("{plugin} {number} stays live: {}", failure.error),
                None => format!("{plugin} is not live: {}", failure.error),
            },
        }
    }

    fn tell_failure(&self, failure: &Failure) {
        self.tell_failures(std::slice::from_ref(failure));
    }

    /// Tells why each of several is not live; what the compiler said of a crate that they share, once.
    fn tell_failures(&self, failures: &[Failure]) {
        let mut printed = BTreeSet::new();
        for failure in failures {
            if let SaveError::Compile { rendered, .. } = &failure.error
                && printed.insert(rendered)
            {
                print(rendered);
            }
        }
        for failure in failures {
            if matches!(failure.error, SaveError::Superseded) {
                tracing::debug!(plugin = ?failure.plugin, "superseded");
            } else {
                tracing::error!("{}", self.failure_words(failure));
            }
        }
    }
}

/// Prints the compiler's own words to the terminal.
fn print(words: &str) {
    if !words.is_empty() {
        // A terminal that is gone is no reason to stop.
        let _ = std::io::stderr().lock().write_all(words.as_bytes());
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

fn names(packages: &[Package]) -> Vec<&str> {
    packages.iter().map(|package| package.id.as_str()).collect()
}
