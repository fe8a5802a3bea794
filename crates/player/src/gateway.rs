//! serenity's side of voice: forwards events of its shards to the players.

use futures_channel::mpsc::UnboundedSender;
use serenity::all::{GuildId, ShardRunnerMessage, UserId, VoiceGatewayManager, VoiceState};
use serenity::async_trait;

use super::engine::Engine;

#[async_trait]
impl VoiceGatewayManager for Engine {
    async fn initialise(&self, shard_count: u32, user_id: UserId) {
        self.shards().identify(shard_count, user_id);
    }

    async fn register_shard(&self, shard_id: u32, sender: UnboundedSender<ShardRunnerMessage>) {
        self.shards().register(shard_id, sender);
        self.session(shard_id);
    }

    async fn deregister_shard(&self, shard_id: u32) {
        self.shards().deregister(shard_id);
    }

    async fn server_update(&self, guild_id: GuildId, endpoint: &Option<String>, token: &str) {
        self.server(guild_id, endpoint.as_deref(), token);
    }

    async fn state_update(&self, guild_id: GuildId, voice_state: &VoiceState) {
        self.own_state(guild_id, voice_state);
    }
}
