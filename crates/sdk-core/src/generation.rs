//! A built and loaded version of a plugin: its instance, what it registered, and its calls and tasks.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serenity::all::{GatewayIntents, GuildId};

use crate::code::Code;
use crate::database::{DatabaseError, Migrated, PersonalData};
use crate::definition::{Definitions, definitions_of};
pub use crate::gate::CallReport;
use crate::gate::{Call, Counted, Gate, Replaced};
use crate::host_services::HostServices;
use crate::offers::Services;
use crate::options::Options;
use crate::panics::{Panic, Panicked, panic_text};
use crate::probation::Probation;
use crate::server::{self, SettingDeclaration};
use crate::services::{Linked, Offer};
use crate::state::{Phase, SavedState, StateCell, StateError, StateErrorKind, StateSlot};
use crate::tasks::{HookError, HookErrorKind, HookReport, Hooks, TaskReport};
use crate::{
    Data, Dependency, Error, FrameworkOptions, Manifest, Plugin, PluginEntry, PluginId, Subscriptions,
    preflight,
};

/// The stage of a generation's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Built, not yet in the live snapshot.
    Starting,
    /// In the live snapshot.
    Live,
    /// Out of the live snapshot. Calls in progress may still finish in it.
    Retired,
}

/// One generation of a plugin.
pub struct Generation {
    number: u64,
    code: Code,
    manifest: Manifest,
    instance: Box<dyn Plugin>,
    intents: GatewayIntents,
    definitions: Definitions,
    options: Options,
    pub(crate) subscriptions: Subscriptions,
    services: Vec<Offer>,
    server_settings: Vec<SettingDeclaration>,
    is_always_on: bool,
    pub(crate) data: Data,
    pub(crate) gate: Arc<Gate>,
    hooks: Hooks,
    stage: AtomicU8,
    born: Instant,
}

impl Code {
    /// Creates the generation `number` from it. None of its hooks or handlers runs yet.
    ///
    /// # Errors
    /// As [`Generation::new`].
    pub fn instantiate(&self, number: u64, host: &HostServices) -> Result<Arc<Generation>, Vec<String>> {
        Generation::of_code(self.clone(), number, host)
    }
}

impl Generation {
    /// Creates the generation `number` of a plugin and checks its definitions. None of its hooks or handlers runs yet.
    ///
    /// The plugin is linked into the binary. For one in a library of its own use [`loaded`](Self::loaded).
    ///
    /// # Errors
    /// One sentence per problem: a panic while the plugin was created, or a definition that Discord would refuse.
    pub fn new(entry: &PluginEntry, number: u64, host: &HostServices) -> Result<Arc<Self>, Vec<String>> {
        Self::loaded(entry, number, host, Linked::into_the_binary())
    }

    /// Creates the generation `number` of a plugin whose library was linked from `linked`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn loaded(
        entry: &PluginEntry,
        number: u64,
        host: &HostServices,
        linked: Linked,
    ) -> Result<Arc<Self>, Vec<String>> {
        Self::of_code(Code { entry: *entry, linked, of: number }, number, host)
    }

    pub(crate) fn of_code(code: Code, number: u64, host: &HostServices) -> Result<Arc<Self>, Vec<String>> {
        let Code { entry, linked, .. } = &code;
        let made = catch_unwind(AssertUnwindSafe(|| {
            let instance = entry.instance();
            let manifest = entry.manifest(&*instance);
            let state = instance.state().map(StateCell::new);
            // A problem is better reported now than when there are values to lose.
            let tried = state.as_ref().map(|state| state.save().and_then(|saved| state.restore(saved)));
            let options = Options::new(&*instance, host);
            let hooks = options.as_ref().map(Options::hooks).unwrap_or_default();
            let identity = (manifest.id.clone(), manifest.dependencies.clone());
            let data = Data::new(identity, number, host.clone(), linked.clone(), state, hooks);
            let mut subscriptions = Subscriptions::default();
            instance.subscriptions(&mut subscriptions);
            let intents = instance.intents() | subscriptions.intents();
            let mut services = Services::new(data.clone());
            instance.services(&mut services);
            let switch = (instance.server_settings(), instance.is_always_on());
            (instance, manifest, data, options, subscriptions, intents, services.into_parts(), switch, tried)
        }));
        let (instance, manifest, data, options, subscriptions, intents, offered, switch, tried) = made
            .map_err(|panic| {
                vec![format!(
                    "it panicked while its commands and subscriptions were made: {}",
                    panic_text(&*panic)
                )]
            })?;
        let options = options?;
        let ((services, unsound), (server_settings, is_always_on)) = (offered, switch);
        let (definitions, doubled) = definitions_of(options.commands());
        let mut problems: Vec<_> =
            doubled.iter().map(|key| format!("{key} is defined twice in {}", manifest.id)).collect();
        problems.extend(preflight::check_definitions(&definitions));
        problems.extend(doubled_keys(&subscriptions));
        problems.extend(unsound);
        problems.extend(server::problems(&server_settings));
        problems.extend(manifest.dependencies.iter().filter_map(Dependency::problem));
        if let Some(Err(error)) = tried {
            problems.push(format!("its state's default is not read back as it is saved: {error}"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let intents = intents | options.intents();
        Ok(Arc::new(Self {
            number,
            code,
            manifest,
            instance,
            intents,
            definitions,
            options,
            subscriptions,
            services,
            server_settings,
            is_always_on,
            data,
            gate: Arc::default(),
            hooks: Hooks::default(),
            stage: AtomicU8::new(Stage::Starting as u8),
            born: Instant::now(),
        }))
    }

    /// Creates a new generation from the same code.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn again(&self, number: u64, host: &HostServices) -> Result<Arc<Self>, Vec<String>> {
        self.code.instantiate(number, host)
    }

    /// Returns the plugin's id.
    pub fn plugin(&self) -> &PluginId {
        &self.manifest.id
    }

    /// Returns the generation's number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns name, version and dependencies.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns its commands, with their functions.
    pub fn commands(&self) -> &[crate::Command] {
        self.options.commands()
    }

    /// Returns poise's options for one event.
    pub(crate) fn options(&self) -> Arc<FrameworkOptions> {
        self.options.current(&*self.instance, self.data.services())
    }

    pub(crate) fn has_text_commands(&self) -> bool {
        self.options.has_text_commands()
    }

    /// Returns whether it handles messages: text commands, or messages that are not commands.
    pub(crate) fn reads_messages(&self) -> bool {
        self.options.reads_messages()
    }

    /// Returns whether it handles messages that are not commands.
    pub(crate) fn handles_other_messages(&self) -> bool {
        self.options.handles_other_messages()
    }

    /// Returns a context whose requests are attributed to this plugin.
    pub(crate) fn own_context(&self, ctx: &serenity::all::Context) -> serenity::all::Context {
        self.data.services().context_of(self.plugin(), ctx)
    }

    /// Returns whether its code decides what a prefix is.
    pub(crate) fn asks_for_prefix(&self) -> bool {
        self.options.asks_for_prefix()
    }

    /// Returns whether names of its text commands match regardless of case.
    pub(crate) fn ignores_case(&self) -> bool {
        self.options.ignores_case()
    }

    /// Returns whether its options have an `event_handler`.
    pub(crate) fn handles_events(&self) -> bool {
        self.options.handles_events()
    }

    /// Returns the definitions of its commands.
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Returns its subscriptions.
    pub fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// Returns the services that it offers.
    pub fn services(&self) -> &[Offer] {
        &self.services
    }

    /// Returns the settings that it declares.
    pub fn server_settings(&self) -> &[SettingDeclaration] {
        &self.server_settings
    }

    /// Returns whether no server can switch it off.
    pub fn is_always_on(&self) -> bool {
        self.is_always_on
    }

    /// Returns whether a server has switched off the plugin, or one of its commands, if one is given by its name.
    pub(crate) fn is_off(&self, guild: Option<GuildId>, command: Option<&str>) -> bool {
        let servers = self.data.services().servers();
        guild.is_some_and(|guild| !self.is_always_on && servers.is_off(guild, self.plugin(), command))
    }

    /// Returns what its library was linked from.
    pub fn linked(&self) -> &Linked {
        self.code.linked()
    }

    /// Returns its code, from which other generations can be created.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// Returns its probation.
    pub fn probation(&self) -> &Probation {
        self.data.probation()
    }

    /// Returns the hooks that have not ended. A hook that blocks its thread never ends.
    pub fn hooks(&self) -> Vec<HookReport> {
        self.hooks.running()
    }

    /// Returns the gateway intents that it needs.
    pub fn intents(&self) -> GatewayIntents {
        self.intents
    }

    /// Returns the number of calls in progress.
    pub fn calls_under_way(&self) -> usize {
        self.gate.count()
    }

    /// Lists the calls in progress, the oldest first.
    pub fn calls(&self) -> Vec<CallReport> {
        self.gate.calls()
    }

    /// Returns its running tasks.
    pub fn tasks(&self) -> Vec<TaskReport> {
        self.data.tasks().running()
    }

    /// Returns the time since it was created.
    pub fn age(&self) -> Duration {
        self.born.elapsed()
    }

    /// Returns its stage.
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Starting,
            1 => Stage::Live,
            _ => Stage::Retired,
        }
    }

    /// Sets its stage. A retired generation redirects calls to the newest snapshot.
    pub(crate) fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
        let phase = match stage {
            Stage::Starting => Phase::Starting,
            Stage::Live => {
                self.gate.open();
                self.data.collectors().open();
                Phase::Live
            }
            Stage::Retired => {
                self.gate.redirect();
                self.data.collectors().close();
                Phase::Moved
            }
        };
        self.set_state_phase(phase);
    }

    /// Sets the phase of the state, which determines whether the state can be changed.
    pub(crate) fn set_state_phase(&self, phase: Phase) {
        if let Some(state) = self.data.state_cell() {
            state.set_phase(phase);
        }
    }

    /// Begins a call. Waits while the state is transferred. Fails if another generation has replaced this one.
    pub(crate) async fn enter(self: &Arc<Self>, what: &str) -> Result<Call, Replaced> {
        Ok(self.recorded(Call::begin(&self.gate, what).await?, what))
    }

    /// Begins a call that is part of another call in progress. It never waits at the gate.
    pub(crate) fn enter_within(self: &Arc<Self>, what: &str) -> Call {
        self.recorded(Call::within(&self.gate, what), what)
    }

    fn recorded(self: &Arc<Self>, counted: Counted, what: &str) -> Call {
        let flight = self.data.services().flight(self.plugin(), self.number, format_args!("{what}"));
        counted.call(flight, self.probation().clone()).keep(self.clone())
    }

    /// Waits until no call is in progress, at most `deadline`. Returns whether none is.
    pub async fn wait_idle(&self, deadline: Duration) -> bool {
        self.gate.wait_idle(deadline, false).await
    }

    /// Returns what its plugin's tables have about users and guilds; nothing if its code panics.
    pub(crate) fn personal_data(&self) -> &'static [PersonalData] {
        let declared = catch_unwind(AssertUnwindSafe(|| self.instance.personal_data()));
        declared.unwrap_or_else(|panic| {
            tracing::error!(plugin = %self.plugin(), panic = panic_text(&*panic), "personal_data panicked");
            &[]
        })
    }

    /// Returns its declaration of state, if any.
    pub fn state_slot(&self) -> Option<&StateSlot> {
        self.data.state_cell().map(StateCell::slot)
    }

    /// Saves its state. Returns `None` if it declares none.
    ///
    /// # Errors
    /// If the state cannot be serialised or serialising it panics.
    pub fn save_state(&self) -> Result<Option<SavedState>, StateError> {
        let Some(state) = self.data.state_cell() else { return Ok(None) };
        let kind = StateErrorKind::Save { generation: self.number, version: state.slot().version() };
        let saved = contained(|| state.save());
        saved.map(Some).map_err(|source| StateError::new(self.plugin(), kind, source))
    }

    /// Restores a saved state. Returns the version that it was migrated from, if it was migrated.
    ///
    /// # Errors
    /// If the state does not fit: the text has both versions and the place in the state. The generation's state is then
    /// unchanged.
    pub fn restore_state(&self, saved: SavedState) -> Result<Option<u32>, StateError> {
        let plugin = self.plugin();
        let Some(state) = self.data.state_cell() else { return Err(StateError::undeclared(plugin)) };
        let (from, to) = (saved.version, state.slot().version());
        let kind = if from == to {
            StateErrorKind::Restore { version: from }
        } else {
            StateErrorKind::Migrate { from, to }
        };
        contained(|| state.restore(saved)).map_err(|source| StateError::new(plugin, kind, source))?;
        Ok((from != to).then_some(from))
    }

    /// Resets the state to its default.
    ///
    /// # Errors
    /// If creating the default panics.
    pub fn reset_state(&self) -> Result<(), StateError> {
        let Some(state) = self.data.state_cell() else { return Ok(()) };
        contained(|| state.reset())
            .map_err(|source| StateError::new(self.plugin(), StateErrorKind::Default, source))
    }

    /// Runs the plugin's migrations that were not run yet, then its `start` hook.
    ///
    /// # Errors
    /// If a migration fails, none of them is then applied; or if the hook fails, panics or exceeds `deadline`. The tasks
    /// that it spawned are then cancelled.
    pub async fn start(self: &Arc<Self>, deadline: Duration) -> Result<(), HookError> {
        self.migrate().await.map_err(|kind| HookError::new("start", kind))?;
        let this = self.clone();
        let outcome = bounded("start", deadline, async move {
            let flight = this.data.services().flight(this.plugin(), this.number, format_args!("start hook"));
            let _running = this.hooks.begin("start");
            flight.follow(this.instance.start(&this.data)).await
        })
        .await;
        if outcome.is_err() {
            self.data.tasks().cancel(deadline).await;
        }
        outcome
    }

    async fn migrate(&self) -> Result<(), HookErrorKind> {
        let (plugin, generation) = (self.plugin(), self.number);
        let migrations = contained(|| Ok(self.instance.migrations())).map_err(HookErrorKind::Failed)?;
        if migrations.is_empty() {
            return Ok(());
        }
        let engine = self.data.services().database();
        let engine = engine.ok_or_else(|| HookErrorKind::Migrations(DatabaseError::none()))?;
        let Migrated { applied, unknown } =
            engine.migrate(plugin, migrations).await.map_err(HookErrorKind::Migrations)?;
        if !applied.is_empty() {
            let applied = applied.join(", ");
            tracing::info!(%plugin, generation, applied, "migrations were applied");
        }
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            tracing::warn!(%plugin, generation, unknown, "the database has migrations that this code does not know; data is not rolled back with code");
        }
        Ok(())
    }

    /// Runs the plugin's `stop` hook, then cancels its tasks, each bounded by `deadline`.
    ///
    /// Returns the problems and the tasks that did not end, one sentence each.
    pub async fn stop(self: &Arc<Self>, deadline: Duration) -> Vec<String> {
        let mut problems = Vec::new();
        let this = self.clone();
        let outcome = bounded("stop", deadline, async move {
            let flight = this.data.services().flight(this.plugin(), this.number, format_args!("stop hook"));
            let _running = this.hooks.begin("stop");
            flight.follow(this.instance.stop(&this.data)).await
        });
        problems.extend(outcome.await.err().map(|error| error.to_string()));
        for task in self.data.tasks().cancel(deadline).await {
            problems.push(format!("task {task} did not end within {} ms", deadline.as_millis()));
        }
        problems
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.data.services().ended().notify();
    }
}

/// Runs a plugin's code that serialises or deserialises. A panic is returned as an error.
fn contained<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Panicked::of(&*panic).into()))
}

/// Runs a hook. A panic or an endless wait in it is returned as an error.
///
/// It runs on a thread of its own: a hook that blocks its thread must not take one from the events, nor block the
/// caller.
async fn bounded(
    hook: &'static str,
    deadline: Duration,
    call: impl Future<Output = Result<(), Error>> + Send + 'static,
) -> Result<(), HookError> {
    /// Additional time in which a hook that only waits too long is reported by its own timeout.
    const GRACE: Duration = Duration::from_millis(100);
    let runtime = tokio::runtime::Handle::current();
    let task = tokio::task::spawn_blocking(move || {
        let ended = || runtime.block_on(async { tokio::time::timeout(deadline, call).await });
        // Caught on the thread that knows the panic's location.
        catch_unwind(AssertUnwindSafe(ended)).map_err(|panic| Panic::caught(hook, panic_text(&*panic)))
    });
    let kind = match tokio::time::timeout(deadline + GRACE, task).await {
        Ok(Ok(Ok(Ok(Ok(()))))) => return Ok(()),
        Ok(Ok(Ok(Ok(Err(error))))) => HookErrorKind::Failed(error),
        Ok(Ok(Err(panic))) => HookErrorKind::Panicked(panic),
        Ok(Err(ended)) => HookErrorKind::Aborted(ended),
        Ok(Ok(Ok(Err(_)))) | Err(_) => HookErrorKind::TimedOut(deadline),
    };
    Err(HookError::new(hook, kind))
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

#[cfg(test)]
mod tests;
