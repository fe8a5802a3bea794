//! Access to channels: bots that gain it get the active threads there (Threads, "Gaining Access to Channels").

use std::collections::BTreeSet;

use serde_json::json;

use super::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};

/// The channels that the bots of a guild see.
#[derive(Debug)]
pub struct Access(Vec<(Snowflake, BTreeSet<Snowflake>)>);

impl Live<'_> {
    /// Returns what the bots of a guild see, to compare with later. Nothing if the guild has no active thread.
    pub fn access(&self, guild: Snowflake) -> Access {
        let Some(found) = self.guilds.get(&guild) else { return Access(Vec::new()) };
        if !found.threads.iter().any(|id| self.channels.get(id).is_some_and(is_active)) {
            return Access(Vec::new());
        }
        let seen = |bot: Snowflake| {
            let channels = found.channels.iter().filter_map(|id| self.channels.get(id));
            let with_threads = channels.filter(|channel| {
                matches!(channel.kind, kind::TEXT | kind::ANNOUNCEMENT | kind::FORUM | kind::MEDIA)
                    && self.permissions_in(bot, channel).contains(Permissions::VIEW_CHANNEL)
            });
            (bot, with_threads.map(|channel| channel.id).collect())
        };
        Access(self.bots_in(guild).into_iter().map(seen).collect())
    }

    /// Sends THREAD_LIST_SYNC to the bots of a guild that see more channels with active threads than before.
    pub fn sync_threads(&self, guild: Snowflake, before: &Access) {
        if before.0.is_empty() {
            return;
        }
        let Some(found) = self.guilds.get(&guild) else { return };
        for (bot, now) in self.access(guild).0 {
            let known = before.0.iter().find(|(other, _)| *other == bot);
            let gained: BTreeSet<_> =
                now.into_iter().filter(|id| known.is_none_or(|(_, seen)| !seen.contains(id))).collect();
            let threads: Vec<&Channel> = found
                .threads
                .iter()
                .filter_map(|id| self.channels.get(id))
                .filter(|thread| is_active(thread) && thread.parent_id.is_some_and(|id| gained.contains(&id)))
                .filter(|thread| self.permissions_in(bot, thread).contains(Permissions::VIEW_CHANNEL))
                .collect();
            if !threads.is_empty() {
                let event = json!({
                    "guild_id": guild,
                    "channel_ids": gained,
                    "threads": threads.iter().map(|thread| thread.json()).collect::<Vec<_>>(),
                    "members": threads.iter().filter_map(|thread| thread.thread_member(bot)).collect::<Vec<_>>(),
                });
                let intents = crate::gateway::Intents::GUILDS;
                self.dispatch(Some(bot), "THREAD_LIST_SYNC", Some(guild), intents, event);
            }
        }
    }
}

fn is_active(channel: &Channel) -> bool {
    channel.thread.as_ref().is_some_and(|thread| !thread.archived)
}
