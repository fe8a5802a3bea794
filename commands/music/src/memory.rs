//! What the plugin remembers of each server: its live messages, where to tell of trouble, and votes. Each of these is one, or
//! has a bound: lines of trouble, and voters, who are in a voice channel.

use std::collections::BTreeMap;

use sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serenity::{ChannelId, GuildId, MessageId};

use crate::pace::Pace;
use crate::votes::Votes;

/// Everything that is remembered over reloads and restarts.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Music {
    #[serde(default)]
    pub(crate) guilds: BTreeMap<GuildId, Guild>,
    #[serde(default)]
    pub(crate) pace: Pace,
}

impl State for Music {}

/// What is remembered of one server.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Guild {
    /// Channel of the last `/play` or `/join`, which is told of trouble.
    pub(crate) asked_in: Option<ChannelId>,
    /// The live answer of `/nowplaying`.
    pub(crate) now: Option<Place>,
    /// The live answer of `/queue`, and the page that it shows, from 0.
    pub(crate) queue: Option<(Place, usize)>,
    /// The message in the announce channel.
    pub(crate) announced: Option<Place>,
    /// The message that tells of trouble, while no track has begun since.
    pub(crate) trouble: Option<(Place, Vec<String>)>,
    /// How many lines of trouble came before those.
    pub(crate) more_trouble: usize,
    pub(crate) votes: Votes,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) channel: ChannelId,
    pub(crate) message: MessageId,
}

impl Place {
    pub(crate) fn of(message: &serenity::Message) -> Self {
        Self { channel: message.channel_id, message: message.id }
    }
}

/// Forgets a server that the bot is in no more.
pub(crate) fn forget(data: &Data, guild: GuildId) -> Result<(), Error> {
    data.state::<Music>().update(|music| drop(music.guilds.remove(&guild)))
}

/// Changes what is remembered of a server.
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
        let place = Place { channel: ChannelId::new(2), message: MessageId::new(3) };
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
