//! The interface of the player's engine for the host.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serenity::all::{Context, GuildId, VoiceGatewayManager};

use super::lyrics::{LyricsClient, LyricsSetupError};
use super::player::Player;
use super::saved::SavedVoice;
use super::settings::GuildSettings;
use super::source::Sources;
use super::status::FrameCounts;

/// All guilds' players: [`Voice`](super::Voice) forwards its calls to them, and the kernel reports the gateway's events
/// to them.
///
/// Voice events of the shards come through [`VoiceGatewayManager`], in the shard's task, before the event is
/// dispatched.
pub trait Players: VoiceGatewayManager {
    /// Returns a guild's player, and creates it on first use.
    fn player(&self, guild: GuildId) -> Player;

    /// Returns a guild's player, if it was ever used.
    fn existing(&self, guild: GuildId) -> Option<Player>;

    /// Returns all players that were ever used.
    fn players(&self) -> Vec<Player>;

    /// Returns a guild's settings of its player.
    fn settings(&self, guild: GuildId) -> GuildSettings;

    /// Sets a guild's settings of its player, limited to the allowed values. They take effect at once.
    fn set_settings(&self, guild: GuildId, settings: GuildSettings);

    /// Returns the sources of audio.
    fn sources(&self) -> Arc<dyn Sources>;

    /// Returns a client of the lyrics server at `base`, to whose path `/api/...` is added.
    ///
    /// # Errors
    /// When `base` is no http(s) address, or the HTTP client cannot be created.
    fn lyrics(&self, base: &str) -> Result<Box<dyn LyricsClient>, LyricsSetupError>;

    /// Returns the counts of the frames of all tracks since the host began.
    fn frames(&self) -> FrameCounts;

    /// Returns the longest time that a mixer took for its last 20 ms; `None` while nothing plays.
    fn mixing_time(&self) -> BoxFuture<'_, Option<Duration>>;

    /// Stops all players where they are, because the bot ends. State that is saved from then on is exact.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// Returns the state to save for a restart.
    fn saved(&self) -> SavedVoice;

    /// Restores saved state. Each player continues once its guild is available.
    ///
    /// Returns whether a death of the bot was counted. That must be saved before any source is opened, since it may
    /// cause the next one.
    fn restore(&self, saved: SavedVoice) -> bool;

    /// Sets the cache and the HTTP client of a session that became ready.
    fn set_context(&self, context: &Context);

    /// Handles that a guild and its voice states are in the cache.
    fn guild_came(&self, guild: GuildId);

    /// Handles that the bot is not in a guild any more, and removes all that belongs to it, including settings.
    fn guild_gone(&self, guild: GuildId);

    /// Handles that a user may have joined or left a voice channel.
    fn listeners_changed(&self, guild: GuildId);
}
