//! What outlives generations: registry, settings, store, timers, and the gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serenity::all::{GatewayIntents, Http, InteractionId, ShardManager};

use crate::PluginId;
use crate::answers::Answers;
use crate::bus::Bus;
use crate::checkpoint::Changes;
use crate::definition::CommandKey;
use crate::dispatch::cache::CacheKeeper;
use crate::edits::Edits;
use crate::flight::{Flight, Recorder};
use crate::observer::Observer;
use crate::registry::Registry;
use crate::scheduler::Scheduler;
use crate::settings::Settings;
use crate::snapshots::Snapshots;
use crate::status::{CreationAccount, Creations, ReloadStatus, Reloaded, Withdrawn, WithdrawnCommand};
use crate::store::Store;
use crate::voice::{Players, Voice};

/// The host's services. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    began: Instant,
    version: String,
    settings: ArcSwap<Settings>,
    registry: Registry,
    bus: Bus,
    changes: Changes,
    store: Store,
    edits: Edits,
    answers: Arc<Answers>,
    scheduler: Scheduler,
    snapshots: Snapshots,
    voice: Voice,
    serenity: ArcSwapOption<serenity::all::Context>,
    cache_keeper: Arc<CacheKeeper>,
    http_of: OnceLock<HttpOf>,
    https: Mutex<BTreeMap<PluginId, Arc<Http>>>,
    shards: OnceLock<Arc<ShardManager>>,
    intents: OnceLock<GatewayIntents>,
    reloader: OnceLock<Arc<dyn Reloader>>,
    recorder: OnceLock<Arc<dyn Recorder>>,
    observer: OnceLock<Arc<dyn Observer>>,
    state_file: OnceLock<PathBuf>,
    creations: ArcSwap<Vec<CreationAccount>>,
    withdrawn: ArcSwap<Vec<WithdrawnCommand>>,
    registrar: OnceLock<Arc<dyn Registrar>>,
    closing: AtomicBool,
}

/// Creates the HTTP client for one plugin's requests; `None` if the plugin has none of its own.
pub type HttpOf = Box<dyn Fn(&PluginId) -> Option<Http> + Send + Sync>;

/// The reload engine as plugins can use it. A production host has none.
pub trait Reloader: Send + Sync {
    /// Returns what is watched, built and held back at this moment. Does not wait.
    fn status(&self) -> ReloadStatus;

    /// Builds and swaps a plugin now, or all plugins, changed or not.
    ///
    /// Returns for each plugin what went live, or a sentence with the reason why it did not.
    fn reload(&self, plugin: Option<PluginId>) -> BoxFuture<'static, Vec<Result<Reloaded, String>>>;

    /// Rolls a plugin back to the code of `generation`, or to that of the last generation before the live one.
    ///
    /// Returns a line for each plugin that was rolled back, or a sentence with the reason why none was.
    fn rollback(
        &self,
        plugin: PluginId,
        generation: Option<u64>,
    ) -> BoxFuture<'static, Result<String, String>>;

    /// Pauses or resumes watching. Resuming applies what has changed meanwhile. Returns a sentence about what was done.
    fn watch(&self, on: bool) -> BoxFuture<'static, Result<String, String>>;

    /// Replaces the host process by a new one with the same plugins, at once or when no call has been in progress for a
    /// while. State, timers and the terminal stay.
    ///
    /// # Errors
    /// The reason why a restart is not possible.
    fn restart(&self, when_quiet: bool) -> Result<(), String> {
        let _ = when_quiet;
        Err("this bot is not supervised; end it and start it again".to_owned())
    }
}

/// Registers commands at Discord, as plugins and the control socket can use it.
pub trait Registrar: Send + Sync {
    /// Removes at once all registered commands that no live plugin defines any more.
    ///
    /// Returns a sentence about what was removed, or the reason why nothing was.
    fn prune(&self) -> BoxFuture<'static, Result<String, String>>;
}

impl Host {
    /// Creates a host. `version` is the bot's.
    pub fn new(version: &str, settings: Settings) -> Self {
        let changes = Changes::default();
        Self(Arc::new(Inner {
            began: Instant::now(),
            version: version.to_owned(),
            settings: ArcSwap::from_pointee(settings),
            registry: Registry::default(),
            bus: Bus::default(),
            store: Store::new(changes.clone()),
            edits: Edits::default(),
            answers: Arc::default(),
            scheduler: Scheduler::new(changes.clone()),
            snapshots: Snapshots::new(changes.clone()),
            voice: Voice::default(),
            changes,
            serenity: ArcSwapOption::empty(),
            cache_keeper: Arc::default(),
            http_of: OnceLock::new(),
            https: Mutex::default(),
            shards: OnceLock::new(),
            intents: OnceLock::new(),
            reloader: OnceLock::new(),
            recorder: OnceLock::new(),
            observer: OnceLock::new(),
            state_file: OnceLock::new(),
            creations: ArcSwap::default(),
            withdrawn: ArcSwap::default(),
            registrar: OnceLock::new(),
            closing: AtomicBool::new(false),
        }))
    }

    /// Returns the record of initial responses. Code that sends requests to Discord has to keep it up to date.
    pub fn answers(&self) -> Arc<Answers> {
        self.0.answers.clone()
    }

    /// Returns whether the process has answered an interaction or is about to.
    pub(crate) fn is_being_answered(&self, interaction: InteractionId) -> bool {
        self.0.answers.has(interaction)
    }

    /// Returns the bot's version.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Returns the time since the host began.
    pub fn uptime(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Returns the current settings.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    /// Replaces the settings.
    pub fn set_settings(&self, settings: Settings) {
        self.0.settings.store(Arc::new(settings));
    }

    /// Returns the registry of generations.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Returns the bus on which all events about plugins are published.
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// Returns the values of all plugins.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Returns the record of text commands and their answers.
    pub(crate) fn edits(&self) -> &Edits {
        &self.0.edits
    }

    /// Returns the saved states: those handed over, those saved by hand, and those of plugins that are not live.
    pub fn snapshots(&self) -> &Snapshots {
        &self.0.snapshots
    }

    /// Returns the players of all guilds.
    pub fn voice(&self) -> &Voice {
        &self.0.voice
    }

    /// Sets the player's engine. Only the first call has an effect. Call it before
    /// [`Checkpoint::open`](crate::checkpoint::Checkpoint::open).
    pub fn set_player(&self, players: Arc<dyn Players>) {
        self.0.voice.set_players(players);
    }

    /// Returns the signal that something has changed which a checkpoint saves.
    pub fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Returns the timers.
    pub fn scheduler(&self) -> &Scheduler {
        &self.0.scheduler
    }

    /// Returns the reload engine; `None` in production and where reloading is off.
    pub fn reloader(&self) -> Option<&Arc<dyn Reloader>> {
        self.0.reloader.get()
    }

    /// Sets the reload engine. Only the first call has an effect.
    pub fn set_reloader(&self, reloader: Arc<dyn Reloader>) {
        let _ = self.0.reloader.set(reloader);
    }

    /// Returns the file that keeps values over a restart, if there is one.
    pub fn state_file(&self) -> Option<&Path> {
        self.0.state_file.get().map(PathBuf::as_path)
    }

    /// Sets the file that keeps values over a restart. Only the first call has an effect.
    pub fn set_state_file(&self, file: PathBuf) {
        let _ = self.0.state_file.set(file);
    }

    /// Sets the recorder of what is in progress. Only the first call has an effect.
    pub fn set_recorder(&self, recorder: Arc<dyn Recorder>) {
        let _ = self.0.recorder.set(recorder);
    }

    /// Sets the observer of dispatch. Only the first call has an effect.
    pub fn set_observer(&self, observer: Arc<dyn Observer>) {
        let _ = self.0.observer.set(observer);
    }

    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.0.observer.get()
    }

    /// Records that a call, hook or task of a plugin begins. It lasts until the returned value is dropped.
    pub(crate) fn flight(&self, plugin: &PluginId, generation: u64, what: fmt::Arguments<'_>) -> Flight {
        Flight::begin(self.0.recorder.get(), plugin, generation, what)
    }

    /// Returns how many commands were created within the last day, by scope.
    pub fn creations(&self) -> Vec<Creations> {
        self.0.creations.load().iter().map(CreationAccount::now).collect()
    }

    /// Replaces the record of the commands created in one scope.
    pub fn set_creations(&self, account: &CreationAccount) {
        self.0.creations.rcu(|all| {
            let mut all = Vec::clone(all);
            match all.iter_mut().find(|other| other.scope == account.scope) {
                Some(other) => other.clone_from(account),
                None => all.push(account.clone()),
            }
            all
        });
    }

    /// Returns the registered commands that no live plugin defines any more.
    pub fn withdrawn(&self) -> Vec<Withdrawn> {
        self.0.withdrawn.load().iter().map(WithdrawnCommand::now).collect()
    }

    /// Returns whether a command is registered although no live plugin defines it any more.
    pub(crate) fn is_withdrawn(&self, key: &CommandKey) -> bool {
        self.0.withdrawn.load().iter().any(|withdrawn| withdrawn.key == *key)
    }

    /// Replaces the list of registered commands that no live plugin defines any more.
    pub fn set_withdrawn(&self, withdrawn: Vec<WithdrawnCommand>) {
        self.0.withdrawn.store(Arc::new(withdrawn));
    }

    /// Returns the registrar of commands, once one is set.
    pub fn registrar(&self) -> Option<&Arc<dyn Registrar>> {
        self.0.registrar.get()
    }

    /// Sets the registrar of commands. Only the first call has an effect.
    pub fn set_registrar(&self, registrar: Arc<dyn Registrar>) {
        let _ = self.0.registrar.set(registrar);
    }

    /// Stops dispatching events, because the bot is about to exit. Users are told to try again.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
    }

    /// Returns whether the bot is about to exit.
    pub fn is_closing(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }

    /// Returns the intents that the gateway session requested, once it has.
    pub fn intents(&self) -> Option<GatewayIntents> {
        self.0.intents.get().copied()
    }

    /// Sets the intents that the gateway session requests. Only the first call has an effect.
    pub fn set_intents(&self, intents: GatewayIntents) {
        let _ = self.0.intents.set(intents);
    }

    /// Returns serenity's context of the last session that became ready.
    pub fn serenity_context(&self) -> Option<Arc<serenity::all::Context>> {
        self.0.serenity.load_full()
    }

    pub(crate) fn set_serenity_context(&self, context: serenity::all::Context) {
        self.0.voice.set_context(&context);
        self.0.serenity.store(Some(Arc::new(context)));
        self.0.scheduler.wake();
    }

    pub(crate) fn cache_keeper(&self) -> &Arc<CacheKeeper> {
        &self.0.cache_keeper
    }

    /// Sets the function that creates plugins' HTTP clients, by which requests are attributed to a plugin. Only the
    /// first call has an effect.
    pub fn set_http_of(&self, http_of: HttpOf) {
        let _ = self.0.http_of.set(http_of);
    }

    /// Returns serenity's context with the plugin's own HTTP client, which is created once.
    pub(crate) fn context_of(
        &self,
        plugin: &PluginId,
        ctx: &serenity::all::Context,
    ) -> serenity::all::Context {
        let mut ctx = ctx.clone();
        if let Some(make) = self.0.http_of.get() {
            let mut https = self.0.https.lock();
            if let Some(http) = https.get(plugin) {
                ctx.http = http.clone();
            } else if let Some(http) = make(plugin) {
                ctx.http = Arc::new(http);
                https.insert(plugin.clone(), ctx.http.clone());
            }
        }
        ctx
    }

    /// Returns the shard manager, once the client is built.
    pub fn shards(&self) -> Option<&Arc<ShardManager>> {
        self.0.shards.get()
    }

    pub(crate) fn set_shards(&self, shards: Arc<ShardManager>) {
        let _ = self.0.shards.set(shards);
    }
}
