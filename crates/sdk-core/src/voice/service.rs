//! The host's voice, as plugins use it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serenity::all::{Context, GuildId};
use tokio::sync::broadcast;

use super::event::VoiceEvent;
use super::lyrics::{LRCLIB, LyricsClient, LyricsSetupError};
use super::player::Player;
use super::players::Players;
use super::saved::SavedVoice;
use super::settings::GuildSettings;
use super::source::{NoSources, Sources};
use super::status::FrameCounts;
use crate::settings::Settings;

/// The host's voice. Cheap to clone.
#[derive(Clone)]
pub struct Voice(Arc<Inner>);

/// Events by which a slow receiver may be behind.
const BEHIND: usize = 256;

struct Inner {
    players: Option<Arc<dyn Players>>,
    events: broadcast::Sender<VoiceEvent>,
    /// The saved state, for a host without players to save again.
    saved: Mutex<SavedVoice>,
}

impl Voice {
    /// Creates the host's voice with its engine, if it has one, which publishes its events on `events`.
    pub(crate) fn new(players: Option<Arc<dyn Players>>, events: broadcast::Sender<VoiceEvent>) -> Self {
        Self(Arc::new(Inner { players, events, saved: Mutex::default() }))
    }

    /// Creates the channel of an engine's events.
    pub(crate) fn channel() -> broadcast::Sender<VoiceEvent> {
        broadcast::Sender::new(BEHIND)
    }

    /// Returns a guild's player, and creates it on first use.
    pub fn player(&self, guild: GuildId) -> Player {
        self.engine().map_or_else(|| Player::closed(guild), |players| players.player(guild))
    }

    /// Returns a guild's player, if it was ever used.
    pub fn existing(&self, guild: GuildId) -> Option<Player> {
        self.engine()?.existing(guild)
    }

    /// Returns all players that were ever used.
    pub fn players(&self) -> Vec<Player> {
        self.engine().map(|players| players.players()).unwrap_or_default()
    }

    /// Returns a guild's settings of its player.
    pub fn settings(&self, guild: GuildId) -> GuildSettings {
        match self.engine() {
            Some(players) => players.settings(guild),
            None => self.0.saved.lock().settings.get(&guild).cloned().unwrap_or_default(),
        }
    }

    /// Sets a guild's settings of its player. They take effect at once. The engine limits volumes and the share of
    /// votes to the allowed values.
    pub fn set_settings(&self, guild: GuildId, settings: GuildSettings) {
        match self.engine() {
            Some(players) => players.set_settings(guild, settings),
            None => drop(self.0.saved.lock().settings.insert(guild, settings)),
        }
    }

    /// Returns the sources of audio.
    pub fn sources(&self) -> Arc<dyn Sources> {
        self.engine().map_or_else(|| Arc::new(NoSources) as _, |players| players.sources())
    }

    /// Returns a client of the server that `LRCLIB_URL` names, or else of [`LRCLIB`].
    ///
    /// # Errors
    /// When the variable is no http(s) address, or the host has no player.
    pub fn lyrics(&self, settings: &Settings) -> Result<Box<dyn LyricsClient>, LyricsSetupError> {
        let base = settings.variable("LRCLIB_URL").unwrap_or(LRCLIB);
        self.engine().ok_or(LyricsSetupError::NoPlayer)?.lyrics(base)
    }

    /// Returns the counts of the frames of all tracks since the host began, and of those that were late.
    pub fn frames(&self) -> FrameCounts {
        self.engine().map(|players| players.frames()).unwrap_or_default()
    }

    /// Returns the longest time that a mixer took for its last 20 ms: to send, mix, encode and encrypt.
    ///
    /// `None` while nothing plays, or if the mixers do not answer.
    pub async fn mixing_time(&self) -> Option<Duration> {
        self.engine()?.mixing_time().await
    }

    /// Returns a receiver of all events of players from now on.
    pub fn listen(&self) -> broadcast::Receiver<VoiceEvent> {
        self.0.events.subscribe()
    }

    /// Stops all players where they are, because the bot ends. State that is saved from then on is exact.
    pub async fn close(&self) {
        if let Some(players) = self.engine() {
            players.close().await;
        }
    }

    /// Returns the engine, if there is one.
    pub(crate) fn engine(&self) -> Option<&Arc<dyn Players>> {
        self.0.players.as_ref()
    }

    /// Returns the state to save for a restart.
    pub(crate) fn saved(&self) -> SavedVoice {
        self.engine().map_or_else(|| self.0.saved.lock().clone(), |players| players.saved())
    }

    /// Restores saved state. Returns whether it must be saved again before any source is opened.
    pub(crate) fn restore(&self, saved: SavedVoice) -> bool {
        match self.engine() {
            Some(players) => players.restore(saved),
            None => {
                *self.0.saved.lock() = saved;
                false
            }
        }
    }

    pub(crate) fn set_context(&self, context: &Context) {
        if let Some(players) = self.engine() {
            players.set_context(context);
        }
    }

    pub(crate) fn guild_came(&self, guild: GuildId) {
        if let Some(players) = self.engine() {
            players.guild_came(guild);
        }
    }

    pub(crate) fn guild_gone(&self, guild: GuildId) {
        if let Some(players) = self.engine() {
            players.guild_gone(guild);
        }
    }

    pub(crate) fn listeners_changed(&self, guild: GuildId) {
        if let Some(players) = self.engine() {
            players.listeners_changed(guild);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::source::{Caller, LibraryStatus, Limits, Query, SourceError};
    use crate::voice::{ConnectionState, SavedPlayer, SavedQueue, VoiceError, VoiceEventKind};

    const GUILD: GuildId = GuildId::new(1);

    #[tokio::test]
    async fn without_players_nothing_plays_and_what_was_saved_stays() {
        let events = Voice::channel();
        let voice = Voice::new(None, events.clone());
        let player = voice.player(GUILD);
        assert_eq!(player.pause().await, Err(VoiceError::Closing));
        assert_eq!(player.status().connection, ConnectionState::Disconnected);
        assert!(player.updates().next().await.is_none(), "nothing changes any more");
        assert!(voice.existing(GUILD).is_none() && voice.players().is_empty());
        // Its listeners hear whoever has the channel.
        let mut heard = voice.listen();
        let event = VoiceEvent { guild: GUILD, channel: None, kind: VoiceEventKind::GuildGone };
        events.send(event).unwrap();
        assert!(matches!(heard.recv().await.unwrap().kind, VoiceEventKind::GuildGone));

        let sources = voice.sources();
        assert_eq!(sources.status().library, LibraryStatus::Absent);
        let caller = Caller { guild: GUILD, user: 2.into() };
        let found = sources.resolve(Query::from_text("song"), Limits::default(), caller).await;
        assert_eq!(found, Err(SourceError::NothingFound));
        assert!(voice.lyrics(&Settings::default()).is_err());

        let player = SavedPlayer {
            channel: None,
            queue: SavedQueue::default(),
            position: Duration::ZERO,
            paused: false,
            volume: 50,
            at: 1,
            deaths: 2,
        };
        let saved = SavedVoice { players: [(GUILD, player)].into(), ..SavedVoice::default() };
        assert!(!voice.restore(saved.clone()));
        assert_eq!(voice.saved(), saved);
        let settings = GuildSettings { volume: 70, ..GuildSettings::default() };
        voice.set_settings(GUILD, settings.clone());
        assert_eq!(voice.settings(GUILD), settings);
        assert_eq!(voice.saved().settings[&GUILD], settings);
    }
}
