//! serenity's gateway hooks: session and voice events of a shard, handled in the shard's task.

use futures_channel::mpsc::UnboundedSender;
use serenity::all::{GuildId, ShardRunnerMessage, UserId, VoiceGatewayManager, VoiceState};
use serenity::async_trait;

use crate::host::Host;

/// Passes events of shards to the host's cache keeper and players.
///
/// serenity awaits these in the shard's task, before it dispatches the event.
pub struct Gateway(Host);

impl Gateway {
    /// Creates the hooks of this host, for `ClientBuilder::voice_manager_arc`.
    pub fn new(host: Host) -> Self {
        Self(host)
    }
}

#[async_trait]
impl VoiceGatewayManager for Gateway {
    async fn initialise(&self, shard_count: u32, user_id: UserId) {
        if let Some(players) = self.0.voice().engine() {
            players.initialise(shard_count, user_id).await;
        }
    }

    async fn register_shard(&self, shard_id: u32, sender: UnboundedSender<ShardRunnerMessage>) {
        if let Some(shards) = self.0.shards() {
            self.0.cache_keeper().session_begins(shard_id, shards).await;
        }
        if let Some(players) = self.0.voice().engine() {
            players.register_shard(shard_id, sender).await;
        }
    }

    async fn deregister_shard(&self, shard_id: u32) {
        if let Some(players) = self.0.voice().engine() {
            players.deregister_shard(shard_id).await;
        }
    }

    async fn server_update(&self, guild_id: GuildId, endpoint: &Option<String>, token: &str) {
        if let Some(players) = self.0.voice().engine() {
            players.server_update(guild_id, endpoint, token).await;
        }
    }

    async fn state_update(&self, guild_id: GuildId, voice_state: &VoiceState) {
        if let Some(players) = self.0.voice().engine() {
            players.state_update(guild_id, voice_state).await;
        }
    }
}
