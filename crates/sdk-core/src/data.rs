//! A generation's handle to the host: poise's user data, also passed to hooks and handlers.

use std::any::type_name;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serenity::all::{ComponentInteraction, ModalInteraction, UserId};

use crate::collectors::Collectors;
use crate::dispatch::panic_text;
use crate::fit::unfit_service;
use crate::flight::Flight;
use crate::gate::Call;
use crate::generation::Generation;
use crate::host::Host;
use crate::options::PrefixHooks;
use crate::probation::Probation;
use crate::services::{Linked, NoService, Offer, Service};
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::state::{State, StateCell, StateHandle};
use crate::store::PluginStore;
use crate::tasks::Tasks;
use crate::voice::Voice;
use crate::{Dependency, Error, Manifest, PluginId, Refusal};

/// The type of `ctx.data()` in a command. Cheap to clone.
#[derive(Clone)]
pub struct Data(Arc<Inner>);

struct Inner {
    plugin: PluginId,
    generation: u64,
    host: Host,
    tasks: Tasks,
    probation: Probation,
    collectors: Collectors,
    state: Option<StateCell>,
    prefix_hooks: PrefixHooks,
    dependencies: Vec<Dependency>,
    linked: Linked,
    /// The last snapshot that contained this generation. A call in progress during a swap still holds it.
    snapshot: ArcSwap<Weak<Snapshot>>,
}

impl Data {
    pub(crate) fn new(
        manifest: &Manifest,
        generation: u64,
        host: Host,
        linked: Linked,
        state: Option<StateCell>,
        prefix_hooks: PrefixHooks,
    ) -> Self {
        let probation =
            Probation::new(manifest.id.clone(), generation, host.registry().panic_reports().clone());
        Self(Arc::new(Inner {
            plugin: manifest.id.clone(),
            generation,
            host,
            tasks: Tasks::of(probation.clone()),
            probation,
            collectors: Collectors::default(),
            state,
            prefix_hooks,
            dependencies: manifest.dependencies.clone(),
            linked,
            snapshot: ArcSwap::default(),
        }))
    }

    /// Returns the plugin that this handle belongs to.
    pub fn plugin(&self) -> &PluginId {
        &self.0.plugin
    }

    /// Returns the number of the generation that this handle belongs to, from 1.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Returns the host: registry, gateway, uptime.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// Returns the current settings.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.host.settings()
    }

    /// Returns a handle to the state that the plugin declares in [`Plugin::state`](crate::Plugin::state).
    pub fn state<S: State>(&self) -> StateHandle<'_, S> {
        StateHandle::new(self)
    }

    pub(crate) fn prefix_hooks(&self) -> PrefixHooks {
        self.0.prefix_hooks
    }

    pub(crate) fn state_cell(&self) -> Option<&StateCell> {
        self.0.state.as_ref()
    }

    /// Returns serenity's context of the last session, for tasks and services; `None` before the first session.
    ///
    /// Its requests are attributed to this plugin, as with a handler's own context.
    pub fn serenity_context(&self) -> Option<serenity::all::Context> {
        let ctx = self.0.host.serenity_context()?;
        Some(self.0.host.context_of(&self.0.plugin, &ctx))
    }

    /// Returns this plugin's values in the host, which outlive every reload.
    pub fn store(&self) -> PluginStore {
        self.0.host.store().of(&self.0.plugin)
    }

    /// Returns the players of all guilds: `ctx.data().voice().player(guild)`.
    pub fn voice(&self) -> &Voice {
        self.0.host.voice()
    }

    /// Returns this generation's probation.
    pub(crate) fn probation(&self) -> &Probation {
        &self.0.probation
    }

    /// Spawns a task of this generation. The task is cancelled when the generation stops.
    #[track_caller]
    pub fn spawn(&self, name: &str, future: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(name, self.flight(name).carry(future));
    }

    fn flight(&self, task: &str) -> Flight {
        self.0.host.flight(&self.0.plugin, self.0.generation, format_args!("task {task}"))
    }

    /// Calls `work` every `period` until this generation stops; the first call is one period from now.
    #[track_caller]
    pub fn every<F>(&self, name: &str, period: Duration, work: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<(), Error>> + Send,
    {
        let (plugin, task, probation) = (self.0.plugin.clone(), name.to_owned(), self.0.probation.clone());
        let spawned_at = Location::caller();
        self.0.tasks.spawn(
            name,
            self.flight(name).carry(async move {
                let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                ticks.tick().await;
                loop {
                    ticks.tick().await;
                    let called = match catch_unwind(AssertUnwindSafe(&work)) {
                        Ok(working) => AssertUnwindSafe(working).catch_unwind().await,
                        Err(panic) => Err(panic),
                    };
                    match called {
                        Ok(Ok(())) => {}
                        // A refusal is not a failure.
                        Ok(Err(error)) if Refusal::is(&error) => {
                            tracing::debug!(%plugin, task, %spawned_at, %error, "a repeated task refused");
                        }
                        Ok(Err(error)) => {
                            tracing::error!(%plugin, task, %spawned_at, %error, "a repeated task failed");
                        }
                        // The task continues at its next time.
                        Err(panic) => {
                            let panic = probation.panicked(&format!("task {task}"), panic_text(&*panic));
                            tracing::error!(%plugin, %spawned_at, "{panic}");
                        }
                    }
                }
            }),
        );
    }

    /// Calls this plugin's timer handler `name` after `delay`, in the generation that is live then. A timer with the
    /// same name and key is replaced.
    ///
    /// In tests the delay is shortened, see [`Environment::delay`](crate::settings::Environment::delay).
    ///
    /// # Errors
    /// If `payload` cannot be serialised or is too large, or if the plugin has too many timers; see
    /// [`Scheduler::set`](crate::scheduler::Scheduler::set).
    pub fn schedule(
        &self,
        name: &str,
        key: &str,
        delay: Duration,
        payload: &impl Serialize,
    ) -> Result<(), Error> {
        let delay = self.settings().environment.delay(delay);
        self.0.host.scheduler().set(&self.0.plugin, name, key, delay, serde_json::to_value(payload)?)
    }

    /// Cancels a timer. Returns whether it was still pending.
    pub fn unschedule(&self, name: &str, key: &str) -> bool {
        self.0.host.scheduler().remove(&self.0.plugin, name, key)
    }

    /// Returns a service of another plugin by its name: `data.service::<dyn Greeter>("greeter")?`.
    ///
    /// It is the newest one, except in a call of a retired generation, which keeps the services of the snapshot on
    /// which it began.
    ///
    /// # Errors
    /// If no live plugin offers the service, if its version or trait does not match, or if this plugin does not list it
    /// in its dependencies.
    pub fn service<T: ?Sized + 'static>(&self, name: &str) -> Result<Service<T>, NoService> {
        let snapshot = self.snapshot();
        let (provider, offer) = self.find_service(&snapshot, name)?;
        match offer.cast::<T>() {
            Some(service) => {
                let what = format!("service {name} for {}", self.plugin());
                Ok(Service::new(service, Call::inside(provider, &what)))
            }
            None => Err(NoService(format!(
                "{} offers the service {name} as {}, and {} takes it for {}",
                provider.plugin(),
                offer.trait_name(),
                self.plugin(),
                type_name::<T>()
            ))),
        }
    }

    fn find_service<'a>(
        &self,
        snapshot: &'a Snapshot,
        name: &str,
    ) -> Result<(&'a Arc<Generation>, &'a Offer), NoService> {
        let plugin = self.plugin();
        let Some(dependency) = self.0.dependencies.iter().find(|dependency| dependency.is_on_service(name))
        else {
            return Err(NoService(format!(
                "{plugin} asks for the service {name} without naming it in its dependencies; add \
                 Dependency::optional_service(\"{name}\", \"*\")"
            )));
        };
        let Some((provider, offer)) = snapshot.service(name) else {
            return Err(NoService(format!(
                "no live plugin offers the service {name} that {plugin} asks for"
            )));
        };
        match unfit_service(plugin, &self.0.linked, dependency, provider, offer) {
            Some(words) => Err(NoService(words)),
            None => Ok((provider, offer)),
        }
    }

    /// Returns the last snapshot that contained this generation while it exists, otherwise the live one.
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot.load().upgrade().unwrap_or_else(|| self.0.host.registry().snapshot())
    }

    pub(crate) fn show(&self, snapshot: Weak<Snapshot>) {
        self.0.snapshot.store(Arc::new(snapshot));
    }

    /// Waits for a press or a choice whose custom id begins with `prefix`, only from `by` if given.
    ///
    /// The wait begins with this call, so call it before you send the button and await it afterwards. Returns `None`
    /// when `within` has passed, or at once when this generation is replaced. A later press goes to
    /// [`Subscriptions::component`](crate::Subscriptions::component). Include the id of the command's interaction in
    /// the prefix.
    pub fn next_press(
        &self,
        prefix: &str,
        by: Option<UserId>,
        within: Duration,
    ) -> BoxFuture<'_, Option<ComponentInteraction>> {
        self.0.collectors.next(prefix, by, within).boxed()
    }

    /// Waits for a modal, as [`next_press`](Self::next_press) does for a press.
    pub fn next_modal(
        &self,
        prefix: &str,
        by: Option<UserId>,
        within: Duration,
    ) -> BoxFuture<'_, Option<ModalInteraction>> {
        self.0.collectors.next(prefix, by, within).boxed()
    }

    pub(crate) fn collectors(&self) -> &Collectors {
        &self.0.collectors
    }

    /// Returns the tasks that this generation has started.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }
}
