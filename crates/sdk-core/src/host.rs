//! What stays while generations come and go: registry, settings, store, timers, and the gateway.

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

/// The host's services; cheap to clone.
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

/// Makes the HTTP client for one plugin's requests; `None` when it has none of its own.
pub type HttpOf = Box<dyn Fn(&PluginId) -> Option<Http> + Send + Sync>;

/// A reload engine, as plugins may use it; a production host has none.
pub trait Reloader: Send + Sync {
    /// Says what is watched, built and held back at this moment; waits for nothing.
    fn status(&self) -> ReloadStatus;

    /// Builds and swaps a plugin now, or all plugins, changed or not.
    ///
    /// Gives what went live, or a sentence why it did not, for each plugin.
    fn reload(&self, plugin: Option<PluginId>) -> BoxFuture<'static, Vec<Result<Reloaded, String>>>;

    /// Makes earlier code of a plugin live again: that of `generation`, or of the last one before what is live.
    ///
    /// Gives a line for each plugin that went back, or a sentence why none did.
    fn rollback(
        &self,
        plugin: PluginId,
        generation: Option<u64>,
    ) -> BoxFuture<'static, Result<String, String>>;

    /// Stops watching, or goes on with it and takes in what has changed meanwhile; says in a sentence what it did.
    fn watch(&self, on: bool) -> BoxFuture<'static, Result<String, String>>;

    /// Replaces the host process by a new one with the same plugins, at once or as soon as no call has been under
    /// way for a while; state, timers and the terminal stay.
    ///
    /// # Errors
    /// Why that cannot be.
    fn restart(&self, when_quiet: bool) -> Result<(), String> {
        let _ = when_quiet;
        Err("this bot is not supervised; end it and start it again".to_owned())
    }
}

/// Whoever registers commands at Discord, as plugins and the control socket may use it.
pub trait Registrar: Send + Sync {
    /// Removes all commands at once that are registered though no live plugin defines them any more.
    ///
    /// Returns what was removed in a sentence, or why it was not.
    fn prune(&self) -> BoxFuture<'static, Result<String, String>>;
}

impl Host {
    /// Makes a host; `version` is the bot's.
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

    /// Returns the account of initial responses, which whoever sends requests to Discord for the bot keeps.
    pub fn answers(&self) -> Arc<Answers> {
        self.0.answers.clone()
    }

    /// Returns whether the process has answered an interaction, or is about to.
    pub(crate) fn is_being_answered(&self, interaction: InteractionId) -> bool {
        self.0.answers.has(interaction)
    }

    /// Gives the bot's version.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Gives the time since the host began.
    pub fn uptime(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Gives the settings of this moment.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    /// Replaces the settings.
    pub fn set_settings(&self, settings: Settings) {
        self.0.settings.store(Arc::new(settings));
    }

    /// Gives the registry of generations.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Gives the bus on which everything that happens to plugins is told.
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// Gives all plugins' values.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Returns the account of text commands and their answers.
    pub(crate) fn edits(&self) -> &Edits {
        &self.0.edits
    }

    /// Gives the states that were saved: handed over, taken by hand, or left by plugins that are not live.
    pub fn snapshots(&self) -> &Snapshots {
        &self.0.snapshots
    }

    /// Gives all guilds' players.
    pub fn voice(&self) -> &Voice {
        &self.0.voice
    }

    /// Takes the player's engine; the first call counts. To be called before [`Checkpoint::open`](crate::checkpoint::Checkpoint::open).
    pub fn set_player(&self, players: Arc<dyn Players>) {
        self.0.voice.set_players(players);
    }

    /// Gives the note that something has changed which a checkpoint keeps.
    pub fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Gives the timers.
    pub fn scheduler(&self) -> &Scheduler {
        &self.0.scheduler
    }

    /// Gives the reload engine; `None` in production and where reloading is off.
    pub fn reloader(&self) -> Option<&Arc<dyn Reloader>> {
        self.0.reloader.get()
    }

    /// Names the reload engine; the first call counts.
    pub fn set_reloader(&self, reloader: Arc<dyn Reloader>) {
        let _ = self.0.reloader.set(reloader);
    }

    /// Gives the file that keeps values over a restart, if one does.
    pub fn state_file(&self) -> Option<&Path> {
        self.0.state_file.get().map(PathBuf::as_path)
    }

    /// Names the file that keeps values over a restart; the first call counts.
    pub fn set_state_file(&self, file: PathBuf) {
        let _ = self.0.state_file.set(file);
    }

    /// Names who keeps notes of what is under way; the first call counts.
    pub fn set_recorder(&self, recorder: Arc<dyn Recorder>) {
        let _ = self.0.recorder.set(recorder);
    }

    /// Names who hears what dispatch did; the first call counts.
    pub fn set_observer(&self, observer: Arc<dyn Observer>) {
        let _ = self.0.observer.set(observer);
    }

    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.0.observer.get()
    }

    /// Notes that something of a plugin begins.
    pub(crate) fn flight(&self, plugin: &PluginId, generation: u64, what: fmt::Arguments<'_>) -> Flight {
        Flight::begin(self.0.recorder.get(), plugin, generation, what)
    }

    /// Returns how many commands were created within the last day, by where they are registered.
    pub fn creations(&self) -> Vec<Creations> {
        self.0.creations.load().iter().map(CreationAccount::now).collect()
    }

    /// Replaces the account of the commands that were created in one scope.
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

    /// Returns the commands that are registered though no live plugin defines them any more.
    pub fn withdrawn(&self) -> Vec<Withdrawn> {
        self.0.withdrawn.load().iter().map(WithdrawnCommand::now).collect()
    }

    /// Returns whether a command is registered though no live plugin defines it any more.
    pub(crate) fn is_withdrawn(&self, key: &CommandKey) -> bool {
        self.0.withdrawn.load().iter().any(|withdrawn| withdrawn.key == *key)
    }

    /// Replaces the list of commands that are registered though no live plugin defines them any more.
    pub fn set_withdrawn(&self, withdrawn: Vec<WithdrawnCommand>) {
        self.0.withdrawn.store(Arc::new(withdrawn));
    }

    /// Returns who registers commands, once somebody does.
    pub fn registrar(&self) -> Option<&Arc<dyn Registrar>> {
        self.0.registrar.get()
    }

    /// Names who registers commands; the first call counts.
    pub fn set_registrar(&self, registrar: Arc<dyn Registrar>) {
        let _ = self.0.registrar.set(registrar);
    }

    /// Stops handing out events, because the bot is about to end; users are told to try again.
    pub fn close(&self) {
        self.0.closing.store(true, Ordering::Release);
    }

    /// Says whether the bot is about to end.
    pub fn is_closing(&self) -> bool {
        self.0.closing.load(Ordering::Acquire)
    }

    /// Gives the intents that the gateway session asked for, once it has.
    pub fn intents(&self) -> Option<GatewayIntents> {
        self.0.intents.get().copied()
    }

    /// Notes the intents that the gateway session asks for; the first call counts.
    pub fn set_intents(&self, intents: GatewayIntents) {
        let _ = self.0.intents.set(intents);
    }

    /// Gives serenity's context of the last session that became ready.
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

    /// Names who makes plugins' HTTP clients, by which requests are known to be theirs; the first call counts.
    pub fn set_http_of(&self, http_of: HttpOf) {
        let _ = self.0.http_of.set(http_of);
    }

    /// Returns serenity's context with the plugin's own HTTP client, the same one each time.
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

    /// Gives the shard manager, once the client is built.
    pub fn shards(&self) -> Option<&Arc<ShardManager>> {
        self.0.shards.get()
    }

    pub(crate) fn set_shards(&self, shards: Arc<ShardManager>) {
        let _ = self.0.shards.set(shards);
    }
}
