//! One built and loaded version of a plugin: its instance, what it registered, and what runs in it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use poise::FrameworkOptions;
use serenity::all::GatewayIntents;
use tokio::sync::Notify;

use crate::definition::{Definitions, definitions_of};
use crate::dispatch::panic_text;
use crate::host::Host;
use crate::options::Options;
use crate::services::{Linked, Offer, Services};
use crate::tasks::TaskReport;
use crate::{Data, Dependency, Error, Manifest, Plugin, PluginEntry, PluginId, Subscriptions, preflight};

/// Where a generation stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Built, not yet in the live snapshot.
    Starting,
    /// In the live snapshot.
    Live,
    /// Out of the live snapshot; calls under way may still finish in it.
    Retired,
}

/// One generation of a plugin.
pub struct Generation {
    number: u64,
    entry: PluginEntry,
    linked: Linked,
    manifest: Manifest,
    instance: Box<dyn Plugin>,
    intents: GatewayIntents,
    definitions: Definitions,
    options: Options,
    pub(crate) subscriptions: Subscriptions,
    services: Vec<Offer>,
    pub(crate) data: Data,
    calls: AtomicUsize,
    quiet: Notify,
    stage: AtomicU8,
    born: Instant,
}

/// A call that is under way in a generation; it ends when this is dropped.
pub(crate) struct Call(Arc<Generation>);

impl Drop for Call {
    fn drop(&mut self) {
        if self.0.calls.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.quiet.notify_waiters();
        }
    }
}

impl Generation {
    /// Makes the generation `number` of a plugin and checks what it defines; nothing of it runs yet.
    ///
    /// The plugin is linked into the binary; for one in a library of its own there is [`loaded`](Self::loaded).
    ///
    /// # Errors
    /// One sentence per mistake: a panic while it was made, or a definition that Discord would refuse.
    pub fn new(entry: &PluginEntry, number: u64, host: &Host) -> Result<Arc<Self>, Vec<String>> {
        Self::loaded(entry, number, host, Linked::into_the_binary())
    }

    /// Makes the generation `number` of a plugin whose library was linked from `linked`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn loaded(
        entry: &PluginEntry,
        number: u64,
        host: &Host,
        linked: Linked,
    ) -> Result<Arc<Self>, Vec<String>> {
        let made = catch_unwind(AssertUnwindSafe(|| {
            let instance = entry.instance();
            let manifest = entry.manifest(&*instance);
            let data = Data::new(&manifest, number, host.clone(), linked.clone());
            let commands = instance.commands();
            let mut subscriptions = Subscriptions::default();
            instance.subscriptions(&mut subscriptions);
            let intents = instance.intents() | subscriptions.intents();
            let mut services = Services::new(data.clone());
            instance.services(&mut services);
            (instance, manifest, data, commands, subscriptions, intents, services.into_parts())
        }));
        let (instance, manifest, data, commands, subscriptions, intents, (services, unsound)) = made
            .map_err(|panic| {
                vec![format!(
                    "it panicked while its commands and subscriptions were made: {}",
                    panic_text(&*panic)
                )]
            })?;
        let (definitions, doubled) = definitions_of(&commands);
        let mut problems: Vec<_> =
            doubled.iter().map(|key| format!("{key} is defined twice in {}", manifest.id)).collect();
        problems.extend(preflight::check_definitions(&definitions));
        problems.extend(doubled_keys(&subscriptions));
        problems.extend(unsound);
        problems.extend(manifest.dependencies.iter().filter_map(Dependency::problem));
        if !problems.is_empty() {
            return Err(problems);
        }
        let options = Options::new(commands, &host.settings().owners);
        Ok(Arc::new(Self {
            number,
            entry: *entry,
            linked,
            manifest,
            instance,
            intents,
            definitions,
            options,
            subscriptions,
            services,
            data,
            calls: AtomicUsize::new(0),
            quiet: Notify::new(),
            stage: AtomicU8::new(Stage::Starting as u8),
            born: Instant::now(),
        }))
    }

    /// Makes a new generation from the same code.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn again(&self, number: u64, host: &Host) -> Result<Arc<Self>, Vec<String>> {
        Self::loaded(&self.entry, number, host, self.linked.clone())
    }

    /// Gives the plugin's id.
    pub fn plugin(&self) -> &PluginId {
        &self.manifest.id
    }

    /// Gives the generation's number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Gives name, version and dependencies.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Gives its commands, with their functions.
    pub fn commands(&self) -> &[crate::Command] {
        self.options.commands()
    }

    /// Gives poise's options for one event.
    pub(crate) fn options(&self) -> Arc<FrameworkOptions<Data, Error>> {
        self.options.with(&self.data.settings().owners, &*self.instance)
    }

    /// Gives the definitions of its commands.
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Gives what it listens to.
    pub fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// Gives the services that it offers.
    pub fn services(&self) -> &[Offer] {
        &self.services
    }

    /// Gives what its library was linked from.
    pub fn linked(&self) -> &Linked {
        &self.linked
    }

    /// Gives the gateway intents that it needs.
    pub fn intents(&self) -> GatewayIntents {
        self.intents
    }

    /// Counts the calls under way in it.
    pub fn calls_under_way(&self) -> usize {
        self.calls.load(Ordering::Acquire)
    }

    /// Gives the tasks running in it.
    pub fn tasks(&self) -> Vec<TaskReport> {
        self.data.tasks().running()
    }

    /// Gives the time since it was made.
    pub fn age(&self) -> Duration {
        self.born.elapsed()
    }

    /// Gives where it stands.
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Starting,
            1 => Stage::Live,
            _ => Stage::Retired,
        }
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
    }

    pub(crate) fn call(self: &Arc<Self>) -> Call {
        self.calls.fetch_add(1, Ordering::AcqRel);
        Call(self.clone())
    }

    /// Waits until no call is under way in it, or until `deadline` has passed; says whether none is.
    pub async fn quiet(&self, deadline: Duration) -> bool {
        let quiet = async {
            loop {
                let quiet = self.quiet.notified();
                tokio::pin!(quiet);
                quiet.as_mut().enable();
                if self.calls_under_way() == 0 {
                    return;
                }
                quiet.await;
            }
        };
        tokio::time::timeout(deadline, quiet).await.is_ok()
    }

    /// Runs the plugin's `start` hook.
    ///
    /// # Errors
    /// When the hook fails, panics or exceeds `deadline`; what it had spawned is then cancelled.
    pub async fn start(self: &Arc<Self>, deadline: Duration) -> Result<(), String> {
        let this = self.clone();
        let outcome = bounded("start", deadline, async move { this.instance.start(&this.data).await }).await;
        if outcome.is_err() {
            self.data.tasks().cancel(deadline).await;
        }
        outcome
    }

    /// Runs the plugin's `stop` hook, then cancels its tasks, each bounded by `deadline`.
    ///
    /// Returns what went wrong and which tasks would not end, one sentence each.
    pub async fn stop(self: &Arc<Self>, deadline: Duration) -> Vec<String> {
        let mut problems = Vec::new();
        let this = self.clone();
        if let Err(problem) =
            bounded("stop", deadline, async move { this.instance.stop(&this.data).await }).await
        {
            problems.push(problem);
        }
        for task in self.data.tasks().cancel(deadline).await {
            problems.push(format!("task {task} did not end within {} ms", deadline.as_millis()));
        }
        problems
    }
}

/// Runs a hook so that a panic or an endless wait in it is told instead of passed on.
///
/// It runs on a thread of its own: one that never gives its thread back must not take one from the events, nor hold up
/// who waits for it.
async fn bounded(
    hook: &str,
    deadline: Duration,
    call: impl Future<Output = Result<(), Error>> + Send + 'static,
) -> Result<(), String> {
    /// What a hook that only waits too long is given to be told so by its own clock.
    const GRACE: Duration = Duration::from_millis(100);
    let late = || Err(format!("its {hook} hook did not end within {} ms", deadline.as_millis()));
    let runtime = tokio::runtime::Handle::current();
    let task = tokio::task::spawn_blocking(move || {
        runtime.block_on(async { tokio::time::timeout(deadline, call).await })
    });
    match tokio::time::timeout(deadline + GRACE, task).await {
        Ok(Ok(Ok(Ok(())))) => Ok(()),
        Ok(Ok(Ok(Err(error)))) => Err(format!("its {hook} hook failed: {error}")),
        Ok(Err(ended)) => {
            let panic = ended.try_into_panic().ok();
            Err(format!("its {hook} hook panicked: {}", panic.as_deref().map_or("(no text)", panic_text)))
        }
        Ok(Ok(Err(_))) | Err(_) => late(),
    }
}

fn doubled_keys(subscriptions: &Subscriptions) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |word: &str, keys: Vec<&str>| {
        let mut seen = BTreeSet::new();
        for key in keys {
            if !seen.insert(key) {
                problems.push(format!("two {word} handlers are registered for '{key}'"));
            }
        }
    };
    check("component", subscriptions.components.iter().map(|handler| handler.key.as_str()).collect());
    check("modal", subscriptions.modals.iter().map(|handler| handler.key.as_str()).collect());
    check("timer", subscriptions.timers.iter().map(|handler| handler.key.as_str()).collect());
    problems
}
