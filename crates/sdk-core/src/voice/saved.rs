//! The saved state of voice for a restart: the guilds' settings, and each player.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serenity::all::{ChannelId, GuildId};

use super::queue::Loop;
use super::settings::GuildSettings;
use super::track::Track;

/// The saved state of voice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedVoice {
    /// Settings of each guild that has any.
    pub settings: BTreeMap<GuildId, GuildSettings>,
    /// Players that are in a channel or have something to play.
    pub players: BTreeMap<GuildId, SavedPlayer>,
    /// Whether the bot shut down cleanly, so that no track can be the cause of its end.
    pub closed: bool,
}

/// The saved state of a player.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlayer {
    /// Channel that the bot was in.
    pub channel: Option<ChannelId>,
    /// Its tracks.
    pub queue: SavedQueue,
    /// Time into the current track.
    pub position: Duration,
    /// Whether a user had paused it.
    pub paused: bool,
    /// Volume in per cent.
    pub volume: u16,
    /// When it was saved, in seconds since 1970.
    pub at: u64,
    /// How often the bot has died during the current track.
    #[serde(default)]
    pub deaths: u32,
}

/// A guild's tracks in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedQueue {
    /// The current track.
    pub current: Option<Arc<Track>>,
    /// The upcoming tracks, in order.
    pub upcoming: Vec<Arc<Track>>,
    /// The tracks that were played, the latest last.
    pub history: Vec<Arc<Track>>,
    /// Repeat mode.
    pub repeat: Loop,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Playable;

    #[test]
    fn what_a_bot_before_has_saved_is_read() {
        let track = |path: &str| Track::new(path, Playable::Library { path: path.to_owned() }).into();
        let queue = SavedQueue {
            current: Some(track("b")),
            upcoming: vec![track("c"), track("d")],
            history: vec![track("a")],
            repeat: Loop::Queue,
        };
        let player = SavedPlayer {
            channel: Some(ChannelId::new(2)),
            queue,
            position: Duration::from_millis(1_500),
            paused: true,
            volume: 50,
            at: 1_700_000_000,
            deaths: 1,
        };
        let saved = SavedVoice { players: [(GuildId::new(1), player)].into(), ..SavedVoice::default() };
        let text = serde_json::to_value(&saved).unwrap();
        assert_eq!(serde_json::from_value::<SavedVoice>(text.clone()).unwrap(), saved);
        // The format of the file, which may not change.
        let track = |path: &str| {
            serde_json::json!({
                "title": path, "artist": null, "duration": null, "is_about": false, "url": null, "artwork": null,
                "requester": null, "playable": { "from": "library", "path": path },
            })
        };
        let player = serde_json::json!({
            "channel": "2", "position": { "secs": 1, "nanos": 500_000_000 }, "paused": true, "volume": 50,
            "at": 1_700_000_000, "deaths": 1,
            "queue": {
                "current": track("b"), "upcoming": [track("c"), track("d")], "history": [track("a")], "repeat": "queue",
            },
        });
        assert_eq!(text, serde_json::json!({ "settings": {}, "players": { "1": player }, "closed": false }));
    }
}
