//! What the player's engine does for the host.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serenity::all::{Context, GuildId, VoiceGatewayManager};
use tokio::sync::broadcast;

use super::event::VoiceEvent;
use super::lyrics::LyricsClient;
use super::player::Player;
use super::saved::SavedVoice;
use super::settings::GuildSettings;
use super::source::Sources;
use super::status::FrameCounts;

/// All guilds' players: what [`Voice`](super::Voice) hands calls to, and what the kernel tells of the gateway.
///
/// What shards hear of voice comes through [`VoiceGatewayManager`], in the shard's task, before the event is dispatched.
pub trait Players: VoiceGatewayManager {
    /// Returns a guild's player, and makes it on first use.
    fn player(&self, guild: GuildId) -> Player;

    /// Returns a guild's player, if it was ever used.
    fn existing(&self, guild: GuildId) -> Option<Player>;

    /// Returns all players that were ever used.
    fn players(&self) -> Vec<Player>;

    /// Returns how a guild wants its player to behave.
    fn settings(&self, guild: GuildId) -> GuildSettings;

    /// Sets how a guild wants its player to behave, cut to what may be; it takes effect at once.
    fn set_settings(&self, guild: GuildId, settings: GuildSettings);

    /// Returns where audio comes from.
    fn sources(&self) -> Arc<dyn Sources>;

    /// Returns a client of the lyrics server at `base`, to whose path `/api/...` is added.
    ///
    /// # Errors
    /// In words that go on from the name of a variable, when `base` is no http(s) address.
    fn lyrics(&self, base: &str) -> Result<Box<dyn LyricsClient>, String>;

    /// Returns a receiver of everything that happens to players from now on.
    fn listen(&self) -> broadcast::Receiver<VoiceEvent>;

    /// Returns the counts of the frames of all tracks since the host began.
    fn frames(&self) -> FrameCounts;

    /// Returns the longest time that one of the mixers took for its last 20 ms; `None` while nothing plays.
    fn mixing_time(&self) -> BoxFuture<'_, Option<Duration>>;

    /// Has all players stand still where they are, because the bot ends; what is saved from then on is exact.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// Returns all that is to be saved over a restart.
    fn saved(&self) -> SavedVoice;

    /// Takes over what was saved; each player goes on when its guild comes.
    ///
    /// Returns whether the bot has died, which is to be written down before anything is opened: it may be why.
    fn restore(&self, saved: SavedVoice) -> bool;

    /// Takes the cache and the HTTP client of a session that became ready.
    fn set_context(&self, context: &Context);

    /// Handles that a guild and its voice states are in the cache.
    fn guild_came(&self, guild: GuildId);

    /// Handles that the bot is in a guild no more, and forgets all that belongs to it, settings included.
    fn guild_gone(&self, guild: GuildId);

    /// Handles that somebody may have joined or left a voice channel.
    fn listeners_changed(&self, guild: GuildId);
}
