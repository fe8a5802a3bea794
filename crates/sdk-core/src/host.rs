//! The bot's host: generations' services, the registry on top of them, and the gateway.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use serenity::all::{GatewayIntents, InteractionId, ShardManager};
use tokio::sync::broadcast;

use crate::PluginId;
use crate::answers::Answers;
use crate::cache::CacheKeeper;
use crate::changes::Changes;
use crate::database::Engine;
use crate::definition::CommandKey;
pub use crate::host_services::HttpOf;
use crate::host_services::{Above, HostServices, Parts};
use crate::observer::Observer;
use crate::registry::Registry;
use crate::services::ServiceDirectory;
use crate::settings::Settings;
use crate::state_history::StateHistory;
use crate::status::{CreationAccount, Creations, ReloadStatus, Reloaded, Withdrawn, WithdrawnCommand};
use crate::voice::{Players, Voice, VoiceEvent};

mod collect;
mod plugins;
mod server_admin;

pub use server_admin::{LiveSetting, ServerAdmin, Switch};

/// The host: everything that outlives generations. Cheap to clone.
///
/// It dereferences to the [`HostServices`] that its generations hold.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    services: HostServices,
    registry: Arc<Registry>,
    answers: Arc<Answers>,
    state_history: StateHistory,
    cache_keeper: Arc<CacheKeeper>,
    shards: OnceLock<Arc<ShardManager>>,
    shard_filter: OnceLock<ShardFilter>,
    intents: OnceLock<GatewayIntents>,
    reloader: OnceLock<Arc<dyn Reloader>>,
    registrar: OnceLock<Arc<dyn Registrar>>,
    creations: ArcSwap<Vec<CreationAccount>>,
    withdrawn: ArcSwap<Vec<WithdrawnCommand>>,
    closing: AtomicBool,
}

/// Returns whether events of a shard count in this process.
pub type ShardFilter = Box<dyn Fn(u32) -> bool + Send + Sync>;

/// Builds a [`Host`] from what exists before it.
pub struct HostBuilder {
    version: String,
    settings: Settings,
    changes: Changes,
    voice_events: broadcast::Sender<VoiceEvent>,
    players: Option<Arc<dyn Players>>,
    database: Option<Arc<dyn Engine>>,
    http_of: Option<HttpOf>,
    observer: Option<Arc<dyn Observer>>,
}

/// The reload engine as plugins can use it. A production host has none.
pub trait Reloader: Send + Sync {
    /// Returns what is watched, built and held back at this moment. Does not wait.
    fn status(&self) -> ReloadStatus;

    /// Builds and swaps a plugin now, or all plugins, changed or not.
    ///
    /// Returns for each plugin what went live, or the reason why it did not.
    fn reload(&self, plugin: Option<PluginId>) -> BoxFuture<'static, Vec<Result<Reloaded, RequestError>>>;

    /// Rolls a plugin back to the code of `generation`, or to that of the last generation before the live one.
    ///
    /// Returns a line for each plugin that was rolled back, or the reason why none was.
    fn rollback(
        &self,
        plugin: PluginId,
        generation: Option<u64>,
    ) -> BoxFuture<'static, Result<String, RequestError>>;

    /// Pauses or resumes watching. Resuming applies what has changed meanwhile. Returns a sentence about what was done.
    fn watch(&self, on: bool) -> BoxFuture<'static, Result<String, RequestError>>;

    /// Replaces the host process by a new one with the same plugins, at once or when no call has been in progress for a
    /// while. State, timers and the terminal stay.
    ///
    /// # Errors
    /// The reason why a restart is not possible.
    fn restart(&self, when_quiet: bool) -> Result<(), RequestError> {
        let _ = when_quiet;
        Err("this bot is not supervised; end it and start it again".into())
    }
}

/// Why a request to the reload engine or the registrar was not carried out: a sentence for the person who asked.
///
/// It is only shown. What the program itself judges has types of its own, such as
/// [`HandoverError`](crate::handover::HandoverError).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError(String);

impl<T: Into<String>> From<T> for RequestError {
    fn from(sentence: T) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RequestError {}

/// Registers commands at Discord, as plugins and the control socket can use it.
pub trait Registrar: Send + Sync {
    /// Removes at once all registered commands that no live plugin defines any more.
    ///
    /// Returns a sentence about what was removed, or the reason why nothing was.
    fn prune(&self) -> BoxFuture<'static, Result<String, RequestError>>;
}

impl HostBuilder {
    /// Returns the signal that something has changed which a checkpoint saves, for the player's engine.
    pub fn changes(&self) -> Changes {
        self.changes.clone()
    }

    /// Returns the channel on which the player's engine publishes its events.
    pub fn voice_events(&self) -> broadcast::Sender<VoiceEvent> {
        self.voice_events.clone()
    }

    /// Sets the player's engine. Without one, nothing plays.
    #[must_use]
    pub fn player(mut self, players: Arc<dyn Players>) -> Self {
        self.players = Some(players);
        self
    }

    /// Sets the engine of the database, if there is one.
    #[must_use]
    pub fn database(mut self, engine: Option<Arc<dyn Engine>>) -> Self {
        self.database = engine;
        self
    }

    /// Sets the function that creates plugins' HTTP clients, by which requests are attributed to a plugin.
    #[must_use]
    pub fn http_of(mut self, http_of: HttpOf) -> Self {
        self.http_of = Some(http_of);
        self
    }

    /// Sets the observer of dispatch, if there is one.
    #[must_use]
    pub fn observer(mut self, observer: Option<Arc<dyn Observer>>) -> Self {
        self.observer = observer;
        self
    }

    /// Builds the host.
    pub fn build(self) -> Host {
        let registry = Arc::new(Registry::default());
        let inner = Arc::new_cyclic(|this: &Weak<Inner>| {
            let host: Weak<dyn Any + Send + Sync> = this.clone();
            let directory: Weak<Registry> = Arc::downgrade(&registry);
            let above = Above {
                panics: registry.panic_reports().clone(),
                ended: registry.end_signal().clone(),
                directory: directory as Weak<dyn ServiceDirectory>,
                host,
            };
            let state_history = StateHistory::new(self.changes.clone());
            let services = HostServices::new(Parts {
                version: self.version,
                settings: self.settings,
                changes: self.changes,
                database: self.database,
                voice: Voice::new(self.players, self.voice_events),
                http_of: self.http_of,
                observer: self.observer,
                above,
            });
            Inner {
                services,
                registry: registry.clone(),
                answers: Arc::default(),
                state_history,
                cache_keeper: Arc::default(),
                shards: OnceLock::new(),
                shard_filter: OnceLock::new(),
                intents: OnceLock::new(),
                reloader: OnceLock::new(),
                registrar: OnceLock::new(),
                creations: ArcSwap::default(),
                withdrawn: ArcSwap::default(),
                closing: AtomicBool::new(false),
            }
        });
        Host(inner)
    }
}

impl Deref for Host {
    type Target = HostServices;

    fn deref(&self) -> &HostServices {
        &self.0.services
    }
}

impl Host {
    /// Creates a host without a player, a database or an observer. `version` is the bot's.
    pub fn new(version: &str, settings: Settings) -> Self {
        Self::builder(version, settings).build()
    }

    /// Returns a builder of a host. `version` is the bot's.
    pub fn builder(version: &str, settings: Settings) -> HostBuilder {
        HostBuilder {
            version: version.to_owned(),
            settings,
            changes: Changes::default(),
            voice_events: Voice::channel(),
            players: None,
            database: None,
            http_of: None,
            observer: None,
        }
    }

    /// Returns the registry of generations.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Returns the record of initial responses. Code that sends requests to Discord has to keep it up to date.
    pub fn answers(&self) -> Arc<Answers> {
        self.0.answers.clone()
    }

    /// Returns whether the process has answered an interaction or is about to.
    pub(crate) fn is_being_answered(&self, interaction: InteractionId) -> bool {
        self.0.answers.has(interaction)
    }

    /// Returns the saved states: those handed over, those saved by hand, and those of plugins that are not live.
    pub fn state_history(&self) -> &StateHistory {
        &self.0.state_history
    }

    /// Returns the reload engine; `None` in production and where reloading is off.
    pub fn reloader(&self) -> Option<&Arc<dyn Reloader>> {
        self.0.reloader.get()
    }

    /// Sets the reload engine. Only the first call has an effect.
    pub fn set_reloader(&self, reloader: Arc<dyn Reloader>) {
        let _ = self.0.reloader.set(reloader);
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

    pub(crate) fn cache_keeper(&self) -> &Arc<CacheKeeper> {
        &self.0.cache_keeper
    }

    /// Sets what decides whether events of a shard count in this process, where another one may have taken it over. Only
    /// the first call has an effect.
    pub fn set_shard_filter(&self, filter: ShardFilter) {
        let _ = self.0.shard_filter.set(filter);
    }

    /// Returns whether events of a shard count in this process.
    pub(crate) fn handles_shard(&self, shard: u32) -> bool {
        self.0.shard_filter.get().is_none_or(|filter| filter(shard))
    }

    /// Returns the shard manager, once the client is built.
    pub fn shards(&self) -> Option<&Arc<ShardManager>> {
        self.0.shards.get()
    }

    pub(crate) fn set_shards(&self, shards: Arc<ShardManager>) {
        let _ = self.0.shards.set(shards);
    }
}

#[cfg(test)]
mod tests;
