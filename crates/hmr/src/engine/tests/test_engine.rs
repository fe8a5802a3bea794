//! An engine for tests.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use sdk_core::PluginId;
use sdk_core::bus::{ReloadEvent, Stamped};
use sdk_core::host::Host;
use sdk_core::settings::Settings;
use sdk_core::status::Reloaded;
use tempfile::TempDir;
use tokio::sync::{broadcast, mpsc};

use super::fake::{FakeToolchain, HeldBuild, HeldHost};
use super::plugins::{Code, WITHIN, order};
use crate::build::Toolchain as _;
use crate::engine::{Engine, Options, Surroundings};
use crate::hosts::Staged;
use crate::policy::Policy;
use crate::supervisor::Start;
use crate::watch::{Control, Filter, Saves, WatchMode};

/// The options that an engine is started with.
#[derive(Default)]
pub(super) struct Setup {
    policy: Policy,
    /// Whether it runs as a supervised host does.
    is_supervised: bool,
    shared: Vec<(&'static str, Vec<&'static str>)>,
}

impl Setup {
    /// Creates a setup with this policy.
    pub(super) fn with(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Creates a setup with a supervised host, which can be replaced.
    pub(super) fn supervised() -> Self {
        Self { is_supervised: true, ..Self::default() }
    }

    /// Makes plugins link a crate that they share.
    pub(super) fn share(mut self, folder: &'static str, plugins: &[&'static str]) -> Self {
        self.shared.push((folder, plugins.to_vec()));
        self
    }

    /// Starts an engine with these plugins. For an error in place of the code, the sources do not compile. Drops the
    /// events of the start.
    pub(super) async fn start(self, plugins: &[(&str, Result<Code, &str>)]) -> TestEngine {
        let mut engine = self.start_heard(plugins).await;
        engine.forget().await;
        engine
    }

    /// Starts an engine, and keeps the events of the start.
    pub(super) async fn start_heard(self, plugins: &[(&str, Result<Code, &str>)]) -> TestEngine {
        let folder = tempfile::tempdir().unwrap();
        let (toolchain, builds, hosts) = FakeToolchain::new(folder.path());
        for (plugin, code) in plugins {
            toolchain.write(plugin, *code);
        }
        for (folder, plugins) in &self.shared {
            toolchain.share(folder, plugins);
        }
        self.start_in(folder, toolchain, builds, hosts, Start::Fresh).await
    }

    async fn start_in(
        self,
        folder: TempDir,
        toolchain: FakeToolchain,
        builds: mpsc::UnboundedReceiver<HeldBuild>,
        hosts: mpsc::UnboundedReceiver<HeldHost>,
        start: Start,
    ) -> TestEngine {
        let host = Host::new("1.0.0", Settings::default());
        let events = host.bus().listen();
        let root = folder.path().to_path_buf();
        let running = self.is_supervised.then(|| {
            let program = root.join("target/hosts/1/hotcord");
            std::fs::create_dir_all(program.parent().unwrap()).unwrap();
            std::fs::write(&program, "").unwrap();
            Staged::of_program(&program).unwrap()
        });
        let mode = WatchMode { debounce: Duration::ZERO, poll: None };
        let workspace = toolchain.read_workspace(&root).await.unwrap();
        let (saves, saved) = mpsc::unbounded_channel::<Saves>();
        let saved = stream::unfold(saved, |mut saved| async move { Some((saved.recv().await?, saved)) });
        let watched = (Control::of(workspace.scope(), mode, Filter::default()), saved.boxed());
        let options = Options {
            enabled: true,
            workspace: root.clone(),
            target: root.join("target"),
            mode,
            filter: Filter::default(),
            policy: self.policy.shared(),
            on_settings: None,
            colour: false,
        };
        let surroundings = Surroundings {
            toolchain: Arc::new(toolchain.clone()),
            workspace,
            watched: Some(watched),
            running,
            start,
        };
        let engine = within(Engine::start_in(host.clone(), options, surroundings)).await;
        TestEngine { engine, host, toolchain, builds, hosts, saves, events, folder }
    }
}

/// A running engine with its host, and the test's end of the toolchain.
pub(super) struct TestEngine {
    pub(super) engine: Engine,
    pub(super) host: Host,
    pub(super) toolchain: FakeToolchain,
    builds: mpsc::UnboundedReceiver<HeldBuild>,
    hosts: mpsc::UnboundedReceiver<HeldHost>,
    saves: mpsc::UnboundedSender<Saves>,
    events: broadcast::Receiver<Stamped>,
    folder: TempDir,
}

impl TestEngine {
    /// Starts an engine with these plugins and the default policy.
    pub(super) async fn start(plugins: &[(&str, Code)]) -> Self {
        let plugins: Vec<_> = plugins.iter().map(|(plugin, code)| (*plugin, Ok(*code))).collect();
        Setup::default().start(&plugins).await
    }

    /// Ends the engine, and starts another one in its place, as a new host does.
    pub(super) async fn replace(self, start: Start) -> Self {
        let Self { engine, toolchain, builds, hosts, folder, .. } = self;
        drop(engine);
        let mut engine = Setup::supervised().start_in(folder, toolchain, builds, hosts, start).await;
        engine.forget().await;
        engine
    }

    /// Reports that files were saved, all at once.
    pub(super) fn save(&self, files: &[&str]) {
        let paths: BTreeSet<PathBuf> = files.iter().map(|file| self.folder.path().join(file)).collect();
        self.saves.send(Saves { paths, began: Instant::now() }).expect("the engine has ended");
    }

    /// Writes and saves other code for a plugin.
    pub(super) fn edit(&self, plugin: &str, code: Code) {
        self.toolchain.write(plugin, Ok(code));
        self.save(&[&format!("{plugin}/src/lib.rs")]);
    }

    /// Writes and saves code that does not compile.
    pub(super) fn break_code(&self, plugin: &str, message: &str) {
        self.toolchain.write(plugin, Err(message));
        self.save(&[&format!("{plugin}/src/lib.rs")]);
    }

    /// Waits for the next build that a held toolchain has begun and that is not cancelled, and returns it.
    pub(super) async fn next_build(&mut self) -> HeldBuild {
        within(async {
            loop {
                let build = self.builds.recv().await.expect("the toolchain lives on");
                if !build.is_cancelled() {
                    return build;
                }
            }
        })
        .await
    }

    /// Waits for the next build of the host, and returns it.
    pub(super) async fn next_host(&mut self) -> HeldHost {
        within(self.hosts.recv()).await.expect("the toolchain lives on")
    }

    /// Waits for the next event for which `pick` returns a value, and returns that.
    pub(super) async fn next<T>(&mut self, pick: impl Fn(&ReloadEvent) -> Option<T>) -> T {
        within(async {
            loop {
                let event = self.events.recv().await.expect("the bus keeps up").event;
                if let Some(picked) = pick(&event) {
                    return picked;
                }
            }
        })
        .await
    }

    /// Waits until a plugin goes live, or is removed, and returns the numbers of its old and new generation.
    pub(super) async fn completed(&mut self, name: &str) -> (Option<u64>, Option<u64>) {
        self.next(|event| match event {
            ReloadEvent::ReloadCompleted { plugin, from, to, .. } if plugin.as_str() == name => {
                Some((*from, *to))
            }
            _ => None,
        })
        .await
    }

    /// Waits until a reload fails, and returns its plugin and the reason.
    pub(super) async fn failed(&mut self) -> (Option<String>, String) {
        self.next(|event| match event {
            ReloadEvent::ReloadFailed { plugin, reason, .. } => {
                Some((plugin.as_ref().map(ToString::to_string), reason.clone()))
            }
            _ => None,
        })
        .await
    }

    /// Waits for a note that contains `part`, and returns it.
    pub(super) async fn noted(&mut self, part: &str) -> String {
        self.next(|event| match event {
            ReloadEvent::Note { message, .. } if message.contains(part) => Some(message.clone()),
            _ => None,
        })
        .await
    }

    /// Makes a live plugin do something.
    pub(super) fn order(&self, plugin: &str, what: &str) {
        let generation = self.live(plugin).expect("it is live").0;
        self.tell(plugin, &order(what, generation));
    }

    /// Sends a text to a plugin.
    pub(super) fn tell(&self, plugin: &str, words: &str) {
        let plugin = Some(PluginId::new(plugin));
        self.host.bus().emit(ReloadEvent::Note { plugin, message: words.to_owned() });
    }

    /// Returns the number and the version of a plugin's live generation.
    pub(super) fn live(&self, plugin: &str) -> Option<(u64, String)> {
        let live = self.host.registry().snapshot();
        let generation = live.generations().get(&PluginId::new(plugin))?;
        Some((generation.number(), generation.manifest().version.clone()))
    }

    /// Returns the versions of all live plugins.
    pub(super) fn versions(&self) -> Vec<String> {
        let live = self.host.registry().snapshot();
        let version = |(plugin, generation): (&PluginId, &Arc<sdk_core::generation::Generation>)| {
            format!("{plugin} {}", generation.manifest().version)
        };
        live.generations().iter().map(version).collect()
    }

    /// Returns how many swaps there have been.
    pub(super) fn swaps(&self) -> u64 {
        *self.host.registry().swaps().borrow()
    }

    /// Requests a reload.
    pub(super) async fn reload(&self, plugin: Option<&str>) -> Vec<Result<Reloaded, String>> {
        let results = within(self.host.reloader().unwrap().reload(plugin.map(PluginId::new))).await;
        results.into_iter().map(|result| result.map_err(|error| error.to_string())).collect()
    }

    /// Requests a rollback.
    pub(super) async fn roll_back(&self, plugin: &str, to: Option<u64>) -> Result<String, String> {
        let outcome = within(self.host.reloader().unwrap().rollback(PluginId::new(plugin), to)).await;
        outcome.map_err(|error| error.to_string())
    }

    /// Waits until all saves have been handled and no build is in progress.
    pub(super) async fn idle(&self) {
        loop {
            // The engine answers in order, except that a save may still be on its way to it.
            for _ in 0..2 {
                let _ = self.roll_back("commands/none", None).await;
            }
            if self.host.reloader().unwrap().status().building.is_empty() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the engine is idle, and drops the events so far.
    pub(super) async fn forget(&mut self) {
        self.idle().await;
        self.events = self.host.bus().listen();
    }

    /// Waits until the engine is idle, and returns the events since the last one that was waited for, as text.
    pub(super) async fn rest(&mut self) -> Vec<String> {
        self.idle().await;
        let mut rest = Vec::new();
        while let Ok(stamped) = self.events.try_recv() {
            rest.push(match stamped.event {
                ReloadEvent::ReloadStarted { plugins, cause } => format!("build {plugins:?} {cause:?}"),
                ReloadEvent::ReloadCompleted { plugin, to, .. } => format!("{plugin} {to:?}"),
                ReloadEvent::ReloadFailed { plugin, reason, .. } => format!("{plugin:?} failed: {reason}"),
                ReloadEvent::RolledBack { plugin, to, .. } => format!("{plugin} back as {to}"),
                ReloadEvent::RestartRequired { because, .. } => format!("restart for {because:?}"),
                _ => continue,
            });
        }
        rest
    }
}

/// Awaits a future, and panics after [`WITHIN`].
pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(WITHIN, future).await.expect("it happens in time")
}
