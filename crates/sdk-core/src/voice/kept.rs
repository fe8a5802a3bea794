//! What is kept of voice over a restart: the guilds' settings, and each player as it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serenity::all::{ChannelId, GuildId};

use super::queue::Queue;
use super::settings::GuildSettings;
use super::status::PlayerStatus;
use super::track::Track;

/// Longest time without the bot after which it comes back into a channel by itself.
const BACK_WITHIN: Duration = Duration::from_mins(10);

/// How often the bot may die while a track is on before that track is not played again.
const DEATHS: u32 = 3;

/// All that is kept of voice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Settings of each guild that has any.
    pub settings: BTreeMap<GuildId, GuildSettings>,
    /// Players that are in a channel or have something to play.
    pub players: BTreeMap<GuildId, KeptPlayer>,
    /// Whether the bot ended in order, and no track can have been why.
    pub closed: bool,
}

/// A player as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptPlayer {
    /// Channel that the bot was in.
    pub channel: Option<ChannelId>,
    /// Its tracks.
    pub queue: Queue,
    /// Time into the current track.
    pub position: Duration,
    /// Whether somebody had paused it.
    pub paused: bool,
    /// Volume in per cent.
    pub volume: u16,
    /// When that was, in seconds since 1970.
    pub at: u64,
    /// How often the bot has died while the current track was on.
    #[serde(default)]
    pub deaths: u32,
}

impl KeptPlayer {
    /// Reads it from a status; `None` when there is nothing to keep.
    pub(super) fn of(status: &PlayerStatus, at: u64) -> Option<Self> {
        if status.channel.is_none() && status.current.is_none() && status.upcoming.is_empty() {
            return None;
        }
        let current = status.current.as_ref();
        Some(Self {
            channel: status.channel,
            queue: Queue::of(
                current.map(|current| current.track.clone()),
                &status.upcoming,
                &status.history,
                status.repeat,
            ),
            position: current.map(|current| current.position).unwrap_or_default(),
            paused: current.is_some_and(|current| current.paused && !current.paused_alone),
            volume: status.volume,
            at,
            deaths: 0,
        })
    }

    /// Counts a death of the bot, if a track was on then; says whether one was.
    pub(super) fn count_death(&mut self) -> bool {
        let was_on = self.queue.current().is_some();
        self.deaths += u32::from(was_on);
        was_on
    }

    /// Takes out the current track, if the bot has died on it so often that it may be why.
    pub(super) fn take_culprit(&mut self) -> Option<Arc<Track>> {
        if self.deaths < DEATHS {
            return None;
        }
        (self.deaths, self.position) = (0, Duration::ZERO);
        self.queue.drop_current()
    }

    /// Says whether the bot was there recently enough to come back by itself.
    pub(super) fn is_recent(&self) -> bool {
        now().saturating_sub(self.at) <= BACK_WITHIN.as_secs()
    }
}

/// Gives the time in seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
