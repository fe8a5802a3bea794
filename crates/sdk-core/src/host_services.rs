//! What generations hold of the host: settings, data, timers, events, the gateway, and ways to report upwards.
//!
//! # Theory of operation
//!
//! Dependencies point one way: a generation holds [`HostServices`], the registry holds generations, and a
//! [`Host`](crate::host::Host) holds both. The three things that a generation needs of what stands above it are here
//! without their types: panics go to [`Panics`], the end of a generation to `Ended`, and a service is looked up in a
//! `ServiceDirectory`. The last one and the host are held weakly, so that dropping the host frees everything.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use serenity::all::Http;
use tokio::sync::Notify;

use crate::PluginId;
use crate::bus::Bus;
use crate::changes::Changes;
use crate::database::Engine;
use crate::edits::Edits;
use crate::flight::{Flight, Recorder};
use crate::observer::Observer;
use crate::panics::Panics;
use crate::scheduler::Scheduler;
use crate::server::Servers;
use crate::services::ServiceDirectory;
use crate::settings::Settings;
use crate::store::Store;
use crate::voice::Voice;

/// What generations use of the host. Cheap to clone.
#[derive(Clone)]
pub struct HostServices(Arc<Inner>);

struct Inner {
    began: Instant,
    version: String,
    settings: ArcSwap<Settings>,
    bus: Bus,
    changes: Changes,
    store: Store,
    servers: Servers,
    database: Option<Arc<dyn Engine>>,
    edits: Edits,
    scheduler: Scheduler,
    voice: Voice,
    serenity: ArcSwapOption<serenity::all::Context>,
    http_of: Option<HttpOf>,
    https: Mutex<BTreeMap<PluginId, Arc<Http>>>,
    recorder: OnceLock<Arc<dyn Recorder>>,
    observer: Option<Arc<dyn Observer>>,
    above: Above,
}

/// Creates the HTTP client for one plugin's requests; `None` if the plugin has none of its own.
pub type HttpOf = Box<dyn Fn(&PluginId) -> Option<Http> + Send + Sync>;

/// The parts that a host is built from and that its generations use.
pub(crate) struct Parts {
    pub(crate) version: String,
    pub(crate) settings: Settings,
    pub(crate) changes: Changes,
    pub(crate) database: Option<Arc<dyn Engine>>,
    pub(crate) voice: Voice,
    pub(crate) http_of: Option<HttpOf>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) above: Above,
}

/// What a generation needs of the registry and the host, which own it.
pub(crate) struct Above {
    /// Receives reports of panics.
    pub(crate) panics: Panics,
    /// Notified when a generation is no longer referenced.
    pub(crate) ended: Ended,
    /// The services of what is live.
    pub(crate) directory: Weak<dyn ServiceDirectory>,
    /// The host, for the methods of [`Data`](crate::Data) that `host.rs` adds. Only that module knows its type.
    pub(crate) host: Weak<dyn Any + Send + Sync>,
}

/// The signal that a generation is no longer referenced. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended(Arc<Notify>);

impl Ended {
    pub(crate) fn notify(&self) {
        self.0.notify_waiters();
    }

    /// Waits until `is_over` holds, which is checked now and after each signal.
    pub(crate) async fn wait_until(&self, is_over: impl Fn() -> bool) {
        loop {
            let ended = self.0.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if is_over() {
                return;
            }
            ended.await;
        }
    }
}

impl HostServices {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { version, settings, changes, database, voice, http_of, observer, above } = parts;
        Self(Arc::new(Inner {
            began: Instant::now(),
            version,
            settings: ArcSwap::from_pointee(settings),
            bus: Bus::default(),
            store: Store::new(changes.clone()),
            servers: Servers::new(database.clone()),
            database,
            edits: Edits::default(),
            scheduler: Scheduler::default(),
            changes,
            voice,
            serenity: ArcSwapOption::empty(),
            http_of,
            https: Mutex::default(),
            recorder: OnceLock::new(),
            observer,
            above,
        }))
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

    /// Returns the bus on which all events about plugins are published.
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// Returns the signal that something has changed which a checkpoint saves.
    pub fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Returns the values of all plugins.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Returns what servers have set: settings of plugins, what is switched off, and prefixes.
    pub fn servers(&self) -> &Servers {
        &self.0.servers
    }

    /// Returns the engine of the database, if the host has one.
    pub fn database(&self) -> Option<&Arc<dyn Engine>> {
        self.0.database.as_ref()
    }

    /// Returns the record of text commands and their answers.
    pub(crate) fn edits(&self) -> &Edits {
        &self.0.edits
    }

    /// Returns the timers.
    pub fn scheduler(&self) -> &Scheduler {
        &self.0.scheduler
    }

    /// Returns the players of all guilds.
    pub fn voice(&self) -> &Voice {
        &self.0.voice
    }

    /// Sets the recorder of what is in progress. Only the first call has an effect.
    pub fn set_recorder(&self, recorder: Arc<dyn Recorder>) {
        let _ = self.0.recorder.set(recorder);
    }

    /// Records that a call, hook or task of a plugin begins. It lasts until the returned value is dropped.
    pub(crate) fn flight(&self, plugin: &PluginId, generation: u64, what: fmt::Arguments<'_>) -> Flight {
        Flight::begin(self.0.recorder.get(), plugin, generation, what)
    }

    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.0.observer.as_ref()
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

    /// Returns serenity's context with the plugin's own HTTP client, which is created once.
    pub(crate) fn context_of(
        &self,
        plugin: &PluginId,
        ctx: &serenity::all::Context,
    ) -> serenity::all::Context {
        let mut ctx = ctx.clone();
        if let Some(make) = &self.0.http_of {
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

    /// Returns what receives reports of panics.
    pub(crate) fn panics(&self) -> &Panics {
        &self.0.above.panics
    }

    /// Returns the signal that a generation is no longer referenced.
    pub(crate) fn ended(&self) -> &Ended {
        &self.0.above.ended
    }

    /// Returns the services of what is live; `None` once the host has been dropped.
    pub(crate) fn directory(&self) -> Option<Arc<dyn ServiceDirectory>> {
        self.0.above.directory.upgrade()
    }

    /// Returns the host; `None` once it has been dropped.
    pub(crate) fn host(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.above.host.upgrade()
    }
}
