//! The plugin's state of each server: its live messages, where to report problems, and votes. Each of these is a single
//! value or bounded: lines about problems, and voters, who are in a voice channel.

use std::collections::BTreeMap;

use sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serenity::{ChannelId, GuildId, MessageId};

use crate::pace::Pace;
use crate::votes::Votes;

/// The plugin's state, kept over reloads and restarts.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Music {
    #[serde(default)]
    pub(crate) guilds: BTreeMap<GuildId, Guild>,
    #[serde(default)]
    pub(crate) pace: Pace,
}

impl State for Music {}

/// The state of one server.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Guild {
    /// Channel of the last `/play` or `/join`, where problems are reported.
    pub(crate) asked_in: Option<ChannelId>,
    /// The live answer of `/nowplaying`.
    pub(crate) now: Option<MessageRef>,
    /// The live answer of `/queue`, and its page, from 0.
    pub(crate) queue: Option<(MessageRef, usize)>,
    /// The message in the announce channel.
    pub(crate) announced: Option<MessageRef>,
    /// The message about problems, until the next track starts.
    pub(crate) trouble: Option<(MessageRef, Vec<String>)>,
    /// Number of lines about problems that came before those.
    pub(crate) more_trouble: usize,
    pub(crate) votes: Votes,
}

/// The channel and id of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct MessageRef {
    pub(crate) channel: ChannelId,
    pub(crate) message: MessageId,
}

impl MessageRef {
    pub(crate) fn of(message: &serenity::Message) -> Self {
        Self { channel: message.channel_id, message: message.id }
    }
}

/// Forgets a server that the bot has left.
pub(crate) fn forget(data: &Data, guild: GuildId) -> Result<(), Error> {
    data.state::<Music>().update(|music| drop(music.guilds.remove(&guild)))
}

/// Changes the state of a server. Returns what `change` returns.
pub(crate) fn change<R>(
    data: &Data,
    guild: GuildId,
    change: impl FnOnce(&mut Guild) -> R,
) -> Result<R, Error> {
    data.state::<Music>().update(|music| change(music.guilds.entry(guild).or_default()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serenity::UserId;

    use super::*;

    #[test]
    fn memory_survives_the_state_file() {
        let place = MessageRef { channel: ChannelId::new(2), message: MessageId::new(3) };
        let mut guild = Guild {
            asked_in: Some(ChannelId::new(1)),
            now: Some(place),
            queue: Some((place, 4)),
            announced: Some(place),
            trouble: Some((place, vec!["broken".to_owned()])),
            more_trouble: 3,
            votes: Votes::default(),
        };
        guild.votes.cast(7, UserId::new(8), &BTreeSet::new(), 50);
        let kept =
            serde_json::to_value(Music { guilds: [(GuildId::new(9), guild)].into(), pace: Pace::default() })
                .unwrap();
        let read: Music = sdk::state::from_value(kept.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), kept);
        assert_eq!(read.guilds[&GuildId::new(9)].queue, Some((place, 4)));
        let empty: Music = sdk::state::from_value(serde_json::json!({ "guilds": { "9": {} } })).unwrap();
        assert_eq!(empty.guilds[&GuildId::new(9)], Guild::default());
    }
}
