//! Access to channels: what bots get when it comes or goes.
//!
//! Sources: "Obfuscated Channels" (CHANNEL_UPDATE) and "Gaining Access to Channels" (THREAD_LIST_SYNC) in Discord's
//! documentation.

use std::collections::{BTreeSet, HashSet};

use serde_json::json;

use super::{Live, Notice};
use crate::gateway::Intents;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};

/// The channels that the bots of a guild see.
#[derive(Debug)]
pub struct Access(Vec<(Snowflake, HashSet<Snowflake>)>);

impl Live<'_> {
    /// Returns what the bots of a guild see, to compare with later.
    pub fn access(&self, guild: Snowflake) -> Access {
        let Some(found) = self.guilds.get(&guild) else { return Access(Vec::new()) };
        Access(self.bots_in(guild).into_iter().map(|bot| (bot, self.seen_in(bot, found))).collect())
    }

    /// Sends bots the events of the channels that they see now and did not before, or the other way round:
    /// CHANNEL_UPDATE with the channel's data or without, then THREAD_LIST_SYNC.
    ///
    /// `sent` is the channel of which they have just got an event anyway.
    pub fn access_changed(&self, guild: Snowflake, before: &Access, sent: Option<Snowflake>) {
        self.feed.push(Notice::Guild(guild));
        let Some(found) = self.guilds.get(&guild) else { return };
        for (bot, seen) in &before.0 {
            if !found.members.contains_key(bot) {
                continue;
            }
            let now = self.seen_in(*bot, found);
            if now == *seen {
                continue;
            }
            let changed = found.channels.iter().filter(|id| seen.contains(id) != now.contains(id));
            for channel in changed.filter(|id| Some(**id) != sent).filter_map(|id| self.channels.get(id)) {
                let shown = self.shown_to(*bot, channel);
                self.dispatch(Some(*bot), "CHANNEL_UPDATE", Some(guild), Intents::GUILDS, shown);
            }
            self.sync_threads(*bot, guild, now.difference(seen));
        }
    }

    /// Sends a bot the active threads of channels that it sees now.
    fn sync_threads<'a>(
        &self,
        bot: Snowflake,
        guild: Snowflake,
        gained: impl Iterator<Item = &'a Snowflake>,
    ) {
        let Some(found) = self.guilds.get(&guild) else { return };
        let has_threads = |channel: &&Channel| {
            matches!(channel.kind, kind::TEXT | kind::ANNOUNCEMENT | kind::FORUM | kind::MEDIA)
        };
        let gained: BTreeSet<Snowflake> = gained
            .filter_map(|id| self.channels.get(id))
            .filter(has_threads)
            .map(|channel| channel.id)
            .collect();
        let threads: Vec<&Channel> = found
            .threads
            .iter()
            .filter_map(|id| self.channels.get(id))
            .filter(|thread| is_active(thread) && thread.parent_id.is_some_and(|id| gained.contains(&id)))
            .filter(|thread| self.permissions_in(bot, thread).contains(Permissions::VIEW_CHANNEL))
            .collect();
        if threads.is_empty() {
            return;
        }
        let event = json!({
            "guild_id": guild,
            "channel_ids": gained,
            "threads": threads.iter().map(|thread| thread.json()).collect::<Vec<_>>(),
            "members": threads.iter().filter_map(|thread| thread.thread_member(bot)).collect::<Vec<_>>(),
        });
        self.dispatch(Some(bot), "THREAD_LIST_SYNC", Some(guild), Intents::GUILDS, event);
    }

    /// Sends the event of a guild's channel to all bots in the guild, each in its form.
    pub(super) fn dispatch_shown(&self, name: &'static str, channel: &Channel) {
        let Some(guild) = channel.guild_id else { return };
        let shown = |bot| Some(self.shown_to(bot, channel));
        self.dispatch_each(self.bots_in(guild), name, Some(guild), Intents::GUILDS, shown);
    }
}

fn is_active(channel: &Channel) -> bool {
    channel.thread.as_ref().is_some_and(|thread| !thread.archived)
}
