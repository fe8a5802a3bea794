//! The gateway's side of voice: the bot's identity, and the senders to the shard of each guild.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use futures_channel::mpsc::UnboundedSender;
use parking_lot::Mutex;
use serde_json::json;
use serenity::all::{ChannelId, GuildId, ShardRunnerMessage, UserId};

/// The bot's user and shards, as serenity reports them.
#[derive(Debug, Default)]
pub(super) struct Shards {
    identity: OnceLock<(u32, UserId)>,
    senders: Mutex<BTreeMap<u32, UnboundedSender<ShardRunnerMessage>>>,
}

/// The guild's shard has no session at this moment.
#[derive(Debug)]
pub(super) struct NoSession;

impl Shards {
    pub(super) fn identify(&self, shards: u32, user: UserId) {
        let _ = self.identity.set((shards, user));
    }

    pub(super) fn register(&self, shard: u32, sender: UnboundedSender<ShardRunnerMessage>) {
        self.senders.lock().insert(shard, sender);
    }

    pub(super) fn deregister(&self, shard: u32) {
        self.senders.lock().remove(&shard);
    }

    /// Returns the bot's own user, once there was a session.
    pub(super) fn user(&self) -> Option<UserId> {
        self.identity.get().map(|(_, user)| *user)
    }

    /// Returns the shard that a guild belongs to. Source: "Sharding" in Discord's documentation.
    pub(super) fn of(&self, guild: GuildId) -> Option<u32> {
        let (shards, _) = self.identity.get()?;
        u32::try_from((guild.get() >> 22) % u64::from((*shards).max(1))).ok()
    }

    /// Returns whether the guild's shard has a session.
    pub(super) fn has_session(&self, guild: GuildId) -> bool {
        self.of(guild).is_some_and(|shard| self.senders.lock().contains_key(&shard))
    }

    /// Asks Discord to move the bot into a channel, or out of all. The bot is deafened.
    pub(super) fn move_to(&self, guild: GuildId, channel: Option<ChannelId>) -> Result<(), NoSession> {
        let shard = self.of(guild).ok_or(NoSession)?;
        let update = json!({
            "op": 4,
            "d": { "guild_id": guild, "channel_id": channel, "self_mute": false, "self_deaf": true },
        });
        let message = ShardRunnerMessage::Message(update.to_string().into());
        let senders = self.senders.lock();
        senders.get(&shard).ok_or(NoSession)?.unbounded_send(message).map_err(|_| NoSession)
    }
}
