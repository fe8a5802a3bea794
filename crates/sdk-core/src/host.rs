//! What stays while generations come and go: registry, settings, store, timers, and the gateway.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::future::BoxFuture;
use serenity::all::{GatewayIntents, ShardManager};

use crate::PluginId;
use crate::bus::Bus;
use crate::checkpoint::Changes;
use crate::edits::Edits;
use crate::flight::{Flight, Recorder};
use crate::observer::Observer;
use crate::registry::Registry;
use crate::scheduler::Scheduler;
use crate::settings::Settings;
use crate::snapshots::Snapshots;
use crate::status::{CreationAccount, Creations, ReloadStatus, Reloaded};
use crate::store::Store;
use crate::voice::Voice;

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
    scheduler: Scheduler,
    snapshots: Snapshots,
    voice: Voice,
    serenity: ArcSwapOption<serenity::all::Context>,
    shards: OnceLock<Arc<ShardManager>>,
    intents: OnceLock<GatewayIntents>,
    reloader: OnceLock<Arc<dyn Reloader>>,
    recorder: OnceLock<Arc<dyn Recorder>>,
    observer: OnceLock<Arc<dyn Observer>>,
    state_file: OnceLock<PathBuf>,
    creations: ArcSwapOption<CreationAccount>,
    closing: AtomicBool,
}

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
            scheduler: Scheduler::new(changes.clone()),
            snapshots: Snapshots::new(changes.clone()),
            voice: Voice::new(changes.clone()),
            changes,
            serenity: ArcSwapOption::empty(),
            shards: OnceLock::new(),
            intents: OnceLock::new(),
            reloader: OnceLock::new(),
            recorder: OnceLock::new(),
            observer: OnceLock::new(),
            state_file: OnceLock::new(),
            creations: ArcSwapOption::empty(),
            closing: AtomicBool::new(false),
        }))
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

    /// Gives how many commands were created within the last day, once somebody keeps account of it.
    pub fn creations(&self) -> Option<Creations> {
        self.0.creations.load().as_deref().map(CreationAccount::now)
    }

    /// Replaces the account of created commands.
    pub fn set_creations(&self, account: CreationAccount) {
        self.0.creations.store(Some(Arc::new(account)));
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

    /// Gives the shard manager, once the client is built.
    pub fn shards(&self) -> Option<&Arc<ShardManager>> {
        self.0.shards.get()
    }

    pub(crate) fn set_shards(&self, shards: Arc<ShardManager>) {
        let _ = self.0.shards.set(shards);
    }
}
