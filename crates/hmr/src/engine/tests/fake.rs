//! A toolchain whose plugins are functions of this process, and whose builds end when a test lets them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sdk_core::bus::Diagnostic;
use sdk_core::services::Linked;
use sdk_core::{PluginEntry, PluginId};
use tokio::sync::{mpsc, oneshot};

use super::plugins::Code;
use crate::build::Parts;
use crate::build::features::Shared;
use crate::build::host::{HostRequest, NewHost, Refusal};
use crate::build::rustc_call::RustcCall;
use crate::build::{BuiltPlugin, Captured, Compilation, Failure, Toolchain};
use crate::error::SaveError;
use crate::findings::Findings;
use crate::watch::hash_of;
use crate::workspace::{Package, Workspace};

/// A toolchain for tests. Cheap to clone.
#[derive(Clone)]
pub(super) struct FakeToolchain(Arc<Inner>);

struct Inner {
    root: PathBuf,
    state: Mutex<State>,
    held: mpsc::UnboundedSender<HeldBuild>,
    hosts: mpsc::UnboundedSender<HeldHost>,
}

#[derive(Default)]
struct State {
    /// Contents of each plugin's folder.
    sources: BTreeMap<PluginId, Source>,
    libraries: HashMap<PathBuf, (Code, &'static PluginEntry)>,
    is_holding: bool,
    /// Failures of the next probes.
    probes: VecDeque<SaveError>,
    /// The error of reading the workspace, if it cannot be read.
    damage: Option<String>,
    captures: usize,
    host_packages: BTreeSet<String>,
}

#[derive(Clone)]
struct Source {
    code: Result<Code, String>,
    shared: BTreeSet<PathBuf>,
}

/// A build that waits for the test.
pub(super) struct HeldBuild {
    pub(super) plugin: PluginId,
    answer: oneshot::Sender<()>,
}

impl HeldBuild {
    /// Lets the build end, with the code that was there when it began.
    pub(super) fn finish(self) {
        self.answer.send(()).expect("the build has been cancelled");
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.answer.is_closed()
    }

    /// Waits until the build is cancelled.
    pub(super) async fn cancelled(mut self) {
        self.answer.closed().await;
    }
}

/// A build of the host that waits for the test.
pub(super) struct HeldHost {
    pub(super) request: HostRequest,
    answer: oneshot::Sender<Result<NewHost, Refusal>>,
}

impl HeldHost {
    pub(super) fn end(self, outcome: Result<NewHost, Refusal>) {
        self.answer.send(outcome).expect("the build has been cancelled");
    }
}

impl FakeToolchain {
    /// Creates a toolchain for the workspace at `root`, with the builds that wait for the test.
    pub(super) fn new(
        root: &Path,
    ) -> (Self, mpsc::UnboundedReceiver<HeldBuild>, mpsc::UnboundedReceiver<HeldHost>) {
        let (held, builds) = mpsc::unbounded_channel();
        let (hosts, host_builds) = mpsc::unbounded_channel();
        let inner = Inner { root: root.to_path_buf(), state: Mutex::default(), held, hosts };
        (Self(Arc::new(inner)), builds, host_builds)
    }

    /// Writes the sources of a plugin. If `code` is an error, they do not compile, and it is the compiler's message.
    pub(super) fn write(&self, plugin: &str, code: Result<Code, &str>) {
        let folder = self.0.root.join(plugin);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("Cargo.toml"), "").unwrap();
        let text = code.map_or_else(ToOwned::to_owned, |code| code.version.to_owned());
        fs::write(folder.join("src/lib.rs"), text).unwrap();
        let mut state = self.0.state.lock();
        let shared = state.sources.get(&PluginId::new(plugin)).map(|source| source.shared.clone());
        let source = Source { code: code.map_err(ToOwned::to_owned), shared: shared.unwrap_or_default() };
        state.sources.insert(PluginId::new(plugin), source);
    }

    pub(super) fn remove(&self, plugin: &str) {
        fs::remove_dir_all(self.0.root.join(plugin)).unwrap();
        self.0.state.lock().sources.remove(&PluginId::new(plugin));
    }

    /// Makes plugins link a crate that they share.
    pub(super) fn share(&self, folder: &str, plugins: &[&str]) {
        for plugin in plugins {
            let mut state = self.0.state.lock();
            let source = state.sources.get_mut(&PluginId::new(plugin)).unwrap();
            source.shared.insert(self.0.root.join(folder));
        }
    }

    /// Makes builds wait for the test from now on.
    pub(super) fn hold_builds(&self) {
        self.0.state.lock().is_holding = true;
    }

    /// Makes the next probe fail.
    pub(super) fn fail_probe(&self, error: SaveError) {
        self.0.state.lock().probes.push_back(error);
    }

    /// Makes reading the workspace fail with an error, or succeed again.
    pub(super) fn damage(&self, damage: Option<&str>) {
        self.0.state.lock().damage = damage.map(ToOwned::to_owned);
    }

    /// Makes the host link a package.
    pub(super) fn link_to_host(&self, package: &str) {
        self.0.state.lock().host_packages.insert(package.to_owned());
    }

    /// Returns how often cargo would have been asked how plugins are built.
    pub(super) fn captures(&self) -> usize {
        self.0.state.lock().captures
    }

    fn workspace(&self) -> Result<Workspace, SaveError> {
        let state = self.0.state.lock();
        if let Some(damage) = &state.damage {
            return Err(SaveError::Cargo(damage.clone()));
        }
        let package = |(id, source): (&PluginId, &Source)| {
            let package = Package {
                id: id.clone(),
                name: id.as_str().replace('/', "-"),
                krate: id.as_str().replace('/', "_"),
                root: self.0.root.join(id.as_str()),
                shared: source.shared.clone(),
                copies: BTreeSet::new(),
            };
            (id.clone(), package)
        };
        Ok(Workspace {
            root: self.0.root.clone(),
            plugins: state.sources.iter().map(package).collect(),
            host: ["bot", "crates/sdk-core"].map(|folder| self.0.root.join(folder)).into(),
            host_only: [self.0.root.join("bot")].into(),
            host_packages: state.host_packages.clone(),
            ..Workspace::default()
        })
    }

    /// Compiles the code in a plugin's folder as it is when the build begins.
    async fn compile(&self, plugin: Compilation<'_>) -> Result<BuiltPlugin, SaveError> {
        let package = plugin.package;
        let file = package.root.join("src/lib.rs");
        let hash = hash_of(&file).ok().flatten();
        let (code, is_held) = {
            let state = self.0.state.lock();
            let source = state.sources.get(&package.id).ok_or_else(|| failed("its folder is gone"))?;
            (source.code.clone(), state.is_holding)
        };
        if is_held {
            let (answer, answered) = oneshot::channel();
            let held = HeldBuild { plugin: package.id.clone(), answer };
            self.0.held.send(held).map_err(|_| failed("the test has ended"))?;
            answered.await.map_err(|_| failed("the test has dropped this build"))?;
        }
        let code = code.map_err(|message| failed(&message))?;
        let folder = plugin.workspace.root.join("target/plugins").join(&package.name);
        let library = folder.join(format!("lib{}-{}.so", package.krate, plugin.suffix));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&library, code.version).unwrap();
        self.0.state.lock().libraries.insert(library.clone(), (code, code.entry(&package.name)));
        let copies = BTreeMap::from([(package.id.to_string(), hash_of(&library).unwrap().unwrap_or(0))]);
        Ok(BuiltPlugin {
            package: package.clone(),
            library,
            inputs: [file.clone()].into(),
            warnings: String::new(),
            linked: Linked::into_a_library(copies),
            parts: Parts::default(),
            sources: hash.map(|hash| (file, hash)).into_iter().collect(),
            record: None,
        })
    }
}

/// Returns the error of a compiler that has found one error.
fn failed(message: &str) -> SaveError {
    let found =
        Diagnostic { level: "error".to_owned(), message: message.to_owned(), ..Diagnostic::default() };
    SaveError::Compile(Findings { errors: 1, first: vec![found], ..Findings::default() })
}

impl Toolchain for FakeToolchain {
    fn read_workspace<'a>(&'a self, _: &'a Path) -> BoxFuture<'a, Result<Workspace, SaveError>> {
        std::future::ready(self.workspace()).boxed()
    }

    fn read_features<'a>(&'a self, _: &'a Workspace) -> BoxFuture<'a, Result<Shared, SaveError>> {
        std::future::ready(Ok(Shared::default())).boxed()
    }

    fn capture<'a>(
        &'a self,
        _: &'a Workspace,
        packages: &'a [Package],
    ) -> BoxFuture<'a, Result<Captured, SaveError>> {
        let mut state = self.0.state.lock();
        state.captures += 1;
        let mut captured = Captured::default();
        for package in packages {
            match state.sources.get(&package.id).map(|source| &source.code) {
                Some(Err(message)) => {
                    let failure = Failure { plugin: Some(package.id.clone()), error: failed(message) };
                    captured.failures.push(failure);
                }
                _ => drop(captured.calls.insert(package.id.clone(), RustcCall::default())),
            }
        }
        std::future::ready(Ok(captured)).boxed()
    }

    fn build<'a>(&'a self, plugin: Compilation<'a>) -> BoxFuture<'a, Result<BuiltPlugin, SaveError>> {
        self.compile(plugin).boxed()
    }

    fn probe<'a>(&'a self, _: &'a BuiltPlugin) -> BoxFuture<'a, Result<(), SaveError>> {
        std::future::ready(self.0.state.lock().probes.pop_front().map_or(Ok(()), Err)).boxed()
    }

    fn load(&self, plugin: &BuiltPlugin) -> Result<&'static PluginEntry, SaveError> {
        let library = self.0.state.lock().libraries.get(&plugin.library).copied();
        library
            .map(|(_, entry)| entry)
            .ok_or_else(|| SaveError::Unreadable(format!("{} is gone", plugin.library.display())))
    }

    fn is_same_code(&self, live: &Path, built: &BuiltPlugin) -> bool {
        let libraries = &self.0.state.lock().libraries;
        libraries[live].0 == libraries[&built.library].0
    }

    fn keep_instead(&self, _: &Path, built: &BuiltPlugin) {
        fs::remove_file(&built.library).unwrap();
    }

    fn build_host(&self, request: HostRequest) -> BoxFuture<'_, Result<NewHost, Refusal>> {
        let (answer, answered) = oneshot::channel();
        let is_held = self.0.hosts.send(HeldHost { request, answer }).is_ok();
        async move {
            match answered.await {
                Ok(outcome) if is_held => outcome,
                _ => std::future::pending().await,
            }
        }
        .boxed()
    }

    fn fits_host(&self) -> bool {
        true
    }
}
