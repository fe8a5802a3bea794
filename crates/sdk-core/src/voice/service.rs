//! The host's voice: all guilds' players, their settings, and where audio comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serenity::all::GuildId;
use tokio::sync::broadcast;

use crate::checkpoint::Changes;

use super::event::VoiceEvent;
use super::player::Player;
use super::settings::GuildSettings;
use super::source::Sources;

/// Events that a slow listener may be behind.
const BEHIND: usize = 256;

/// The host's voice; cheap to clone.
#[derive(Clone)]
pub struct Voice(Arc<Inner>);

struct Inner {
    players: Mutex<BTreeMap<GuildId, Player>>,
    settings: Mutex<BTreeMap<GuildId, GuildSettings>>,
    sources: ArcSwap<Sources>,
    events: broadcast::Sender<VoiceEvent>,
}

impl Voice {
    pub(crate) fn new(_changes: Changes) -> Self {
        Self(Arc::new(Inner {
            players: Mutex::default(),
            settings: Mutex::default(),
            sources: ArcSwap::default(),
            events: broadcast::Sender::new(BEHIND),
        }))
    }

    /// Gives a guild's player, making it on first use.
    pub fn player(&self, guild: GuildId) -> Player {
        todo!("{guild}")
    }

    /// Gives a guild's player, if it was ever used.
    pub fn existing(&self, guild: GuildId) -> Option<Player> {
        self.0.players.lock().get(&guild).cloned()
    }

    /// Gives all players that were ever used.
    pub fn players(&self) -> Vec<Player> {
        self.0.players.lock().values().cloned().collect()
    }

    /// Gives how a guild wants its player to behave.
    pub fn settings(&self, guild: GuildId) -> GuildSettings {
        self.0.settings.lock().get(&guild).cloned().unwrap_or_default()
    }

    /// Sets how a guild wants its player to behave; it takes effect at once.
    pub fn set_settings(&self, guild: GuildId, settings: GuildSettings) {
        self.0.settings.lock().insert(guild, settings);
    }

    /// Gives where audio comes from.
    pub fn sources(&self) -> Arc<Sources> {
        self.0.sources.load_full()
    }

    /// Replaces where audio comes from; what plays goes on.
    pub fn set_sources(&self, sources: Sources) {
        self.0.sources.store(Arc::new(sources));
    }

    /// Hears everything that happens to players from now on.
    pub fn listen(&self) -> broadcast::Receiver<VoiceEvent> {
        self.0.events.subscribe()
    }
}
