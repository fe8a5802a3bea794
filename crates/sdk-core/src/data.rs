//! A generation's handle to the host: poise's user data, also passed to hooks and handlers.

use std::any::type_name;
use std::borrow::Cow;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use poise::PartialContext;
use serde::Serialize;
use serde_json::Value;
use serenity::all::{ComponentInteraction, Context, GuildId, Message, ModalInteraction, UserId};

use crate::bus::Bus;
use crate::collectors::Collectors;
use crate::database::{Document, Documents, Scope, Sql};
use crate::flight::Flight;
use crate::host_services::HostServices;
use crate::panics::panic_text;
use crate::probation::Probation;
use crate::server::Server;
use crate::services::{Asked, Linked, NoService, Service, ServiceDirectory};
use crate::settings::Settings;
use crate::state::{State, StateCell, StateHandle};
use crate::store::PluginStore;
use crate::tasks::Tasks;
use crate::voice::Voice;
use crate::{Dependency, Error, PluginId, Refusal};

type DynamicPrefix =
    fn(PartialContext<'_, Data, Error>) -> BoxFuture<'_, Result<Option<Cow<'static, str>>, Error>>;
type StrippedPrefix =
    for<'a> fn(&'a Context, &'a Message, &'a Data) -> BoxFuture<'a, Result<Option<&'a str>, Error>>;

/// A plugin's own prefix callbacks, which the host's callbacks call.
#[derive(Clone, Copy, Default)]
pub(crate) struct PrefixHooks {
    pub(crate) dynamic: Option<DynamicPrefix>,
    pub(crate) stripped: Option<StrippedPrefix>,
}

/// The type of `ctx.data()` in a command. Cheap to clone.
#[derive(Clone)]
pub struct Data(Arc<Inner>);

struct Inner {
    plugin: PluginId,
    generation: u64,
    services: HostServices,
    tasks: Tasks,
    probation: Probation,
    collectors: Collectors,
    state: Option<StateCell>,
    prefix_hooks: PrefixHooks,
    dependencies: Vec<Dependency>,
    linked: Linked,
    /// The last snapshot that contained this generation. A call in progress during a swap still holds it.
    snapshot: ArcSwapOption<Weak<dyn ServiceDirectory>>,
}

impl Data {
    pub(crate) fn new(
        (plugin, dependencies): (PluginId, Vec<Dependency>),
        generation: u64,
        services: HostServices,
        linked: Linked,
        state: Option<StateCell>,
        prefix_hooks: PrefixHooks,
    ) -> Self {
        let probation = Probation::new(plugin.clone(), generation, services.panics().clone());
        Self(Arc::new(Inner {
            plugin,
            generation,
            services,
            tasks: Tasks::of(probation.clone()),
            probation,
            collectors: Collectors::default(),
            state,
            prefix_hooks,
            dependencies,
            linked,
            snapshot: ArcSwapOption::empty(),
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

    pub(crate) fn services(&self) -> &HostServices {
        &self.0.services
    }

    /// Returns the bot's version.
    pub fn version(&self) -> &str {
        self.0.services.version()
    }

    /// Returns the time since the bot began.
    pub fn uptime(&self) -> Duration {
        self.0.services.uptime()
    }

    /// Returns the bus on which all events about plugins are published.
    pub fn bus(&self) -> &Bus {
        self.0.services.bus()
    }

    /// Returns the current settings.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.services.settings()
    }

    /// Returns a handle to the state that the plugin declares in [`Plugin::state`](crate::Plugin::state).
    pub fn state<S: State>(&self) -> StateHandle<'_, S> {
        StateHandle::new(&self.0.plugin, self.state_cell(), self.0.services.changes())
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
        let ctx = self.0.services.serenity_context()?;
        Some(self.0.services.context_of(&self.0.plugin, &ctx))
    }

    /// Returns this plugin's values in the host, which outlive every reload.
    pub fn store(&self) -> PluginStore {
        self.0.services.store().of(&self.0.plugin)
    }

    /// Returns this plugin's settings in a server: `ctx.data().server(guild).get(CHANNEL).await?`.
    pub fn server(&self, guild: GuildId) -> Server {
        self.0.services.servers().settings_of(self.0.plugin.clone(), guild, self.settings())
    }

    /// Returns this plugin's document of a guild: `ctx.data().guild::<Settings>(guild).get().await?`.
    pub fn guild<T: Document>(&self, guild: GuildId) -> Documents<T> {
        self.documents(Scope::Guild(guild))
    }

    /// Returns this plugin's document of a user, the same in all guilds.
    pub fn user<T: Document>(&self, user: UserId) -> Documents<T> {
        self.documents(Scope::User(user))
    }

    /// Returns this plugin's document of a user in one guild.
    pub fn member<T: Document>(&self, guild: GuildId, user: UserId) -> Documents<T> {
        self.documents(Scope::Member(guild, user))
    }

    /// Returns this plugin's document that belongs to no guild or user.
    pub fn global<T: Document>(&self) -> Documents<T> {
        self.documents(Scope::Global)
    }

    fn documents<T: Document>(&self, scope: Scope) -> Documents<T> {
        Documents::new(self.0.services.database().cloned(), self.0.plugin.clone(), scope)
    }

    /// Returns access to the database by SQL.
    pub fn sql(&self) -> Sql {
        Sql::new(self.0.services.database().cloned())
    }

    /// Returns the players of all guilds: `ctx.data().voice().player(guild)`.
    pub fn voice(&self) -> &Voice {
        self.0.services.voice()
    }

    /// Returns this generation's probation.
    pub(crate) fn probation(&self) -> &Probation {
        &self.0.probation
    }

    /// Spawns a task of this generation. The task is cancelled when the generation stops.
    #[track_caller]
    pub fn spawn(&self, name: &str, future: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(name, self.flight(name).run(future));
    }

    fn flight(&self, task: &str) -> Flight {
        self.0.services.flight(&self.0.plugin, self.0.generation, format_args!("task {task}"))
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
            self.flight(name).run(async move {
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
    /// The timer is set at once. The future waits until it is written, so that it then survives the end of the process;
    /// while the database does not answer, it does not wait, and the timer is written later.
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
    ) -> BoxFuture<'static, Result<(), Error>> {
        self.schedule_value(name, key, delay, serde_json::to_value(payload))
    }

    /// Not generic, so that plugins do not compile it again.
    fn schedule_value(
        &self,
        name: &str,
        key: &str,
        delay: Duration,
        payload: serde_json::Result<Value>,
    ) -> BoxFuture<'static, Result<(), Error>> {
        let delay = self.settings().environment.delay(delay);
        let scheduler = self.0.services.scheduler().clone();
        let set = payload
            .map_err(Error::from)
            .and_then(|payload| scheduler.set(&self.0.plugin, name, key, delay, payload));
        async move {
            scheduler.written(set?).await;
            Ok(())
        }
        .boxed()
    }

    /// Cancels a timer. Returns whether it was still pending.
    pub fn unschedule(&self, name: &str, key: &str) -> bool {
        self.0.services.scheduler().remove(&self.0.plugin, name, key)
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
        let plugin = self.plugin();
        let Some(dependency) = self.0.dependencies.iter().find(|dependency| dependency.is_on_service(name))
        else {
            return Err(NoService(format!(
                "{plugin} asks for the service {name} without naming it in its dependencies; add \
                 Dependency::optional_service(\"{name}\", \"*\")"
            )));
        };
        let Some(directory) = self.directory() else {
            return Err(NoService(format!("{plugin} asks for the service {name} after the host has ended")));
        };
        let found = directory.find(&Asked { plugin, linked: &self.0.linked, dependency, name })?;
        match found.offer.cast::<T>() {
            Some(service) => Ok(Service::new(service, found.call)),
            None => Err(NoService(format!(
                "{} offers the service {name} as {}, and {plugin} takes it for {}",
                found.provider,
                found.offer.trait_name(),
                type_name::<T>()
            ))),
        }
    }

    /// Returns the last snapshot that contained this generation while it exists, otherwise what is live.
    fn directory(&self) -> Option<Arc<dyn ServiceDirectory>> {
        let shown = self.0.snapshot.load().as_ref().and_then(|shown| shown.upgrade());
        shown.or_else(|| self.0.services.directory())
    }

    pub(crate) fn show(&self, snapshot: Weak<dyn ServiceDirectory>) {
        self.0.snapshot.store(Some(Arc::new(snapshot)));
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
