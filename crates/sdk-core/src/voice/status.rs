//! How a player stands at one moment, for answers and live messages.

use std::sync::Arc;
use std::time::Duration;

use serenity::all::{ChannelId, GuildId};

use super::queue::Loop;
use super::track::Track;

/// How a player stands at one moment; cheap to clone.
#[derive(Clone, Debug)]
pub struct PlayerStatus {
    /// The player's guild.
    pub guild: GuildId,
    /// Voice channel that the bot is in or on its way to.
    pub channel: Option<ChannelId>,
    /// State of the voice connection.
    pub connection: ConnectionState,
    /// What is on.
    pub current: Option<Current>,
    /// What comes next, in order; commands count it from 1.
    pub upcoming: Arc<[Arc<Track>]>,
    /// What was on, the latest last.
    pub history: Arc<[Arc<Track>]>,
    /// Whether the track or the queue repeats.
    pub repeat: Loop,
    /// The bot is in the audience of a stage, and the music waits until it may speak.
    pub waits_to_speak: bool,
    /// Volume in per cent.
    pub volume: u16,
    /// Users in the channel beside bots.
    pub listeners: usize,
}

impl PlayerStatus {
    /// Makes the status of a player in no channel.
    pub fn of(guild: GuildId) -> Self {
        Self {
            guild,
            channel: None,
            connection: ConnectionState::Disconnected,
            current: None,
            upcoming: Arc::default(),
            history: Arc::default(),
            repeat: Loop::Off,
            waits_to_speak: false,
            volume: 0,
            listeners: 0,
        }
    }

    /// Returns whether nothing but the time has changed.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |ours: &[Arc<Track>], theirs: &[Arc<Track>]| {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, two)| Arc::ptr_eq(one, two))
        };
        let current = match (&self.current, &other.current) {
            (Some(ours), Some(theirs)) => ours.is_like(theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        let rest = |status: &Self| {
            let PlayerStatus { channel, connection, repeat, waits_to_speak, volume, listeners, .. } = *status;
            (channel, connection, repeat, waits_to_speak, volume, listeners)
        };
        current
            && rest(self) == rest(other)
            && same(&self.upcoming, &other.upcoming)
            && same(&self.history, &other.history)
    }

    /// Gives how long it takes until all that waits has been played; `None` when a length is not known.
    pub fn remaining(&self) -> Option<Duration> {
        let current = match &self.current {
            Some(current) => current.remaining()?,
            None => Duration::ZERO,
        };
        self.upcoming.iter().try_fold(current, |sum, track| sum.checked_add(track.duration?))
    }
}

/// The track that is on.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not whatever the others are")]
pub struct Current {
    /// The track.
    pub track: Arc<Track>,
    /// What a radio station says it plays now.
    pub title: Option<String>,
    /// Whether it is HE-AAC, of which only the lower half of the spectrum is played.
    pub is_core_only: bool,
    /// Number of this start, which no other start in this run of the bot has: the same track played again has another.
    pub number: u64,
    /// Time into the track at the moment of asking.
    pub position: Duration,
    /// Its audio is being opened, or sought.
    pub opening: bool,
    /// It waits, because somebody paused it or because nobody listens.
    pub paused: bool,
    /// It waits because nobody listens, and goes on by itself when somebody comes.
    pub paused_alone: bool,
}

impl Current {
    fn is_like(&self, other: &Self) -> bool {
        let rest = |current: &Self| {
            let Self { number, opening, paused, paused_alone, is_core_only, .. } = *current;
            (number, opening, paused, paused_alone, is_core_only)
        };
        Arc::ptr_eq(&self.track, &other.track) && self.title == other.title && rest(self) == rest(other)
    }

    /// Gives what is left of it; `None` when its length is not known.
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.track.duration?.saturating_sub(self.position))
    }
}

/// State of a voice connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// In no channel.
    #[default]
    Disconnected,
    /// On the way into a channel.
    Connecting,
    /// In a channel, and audio can be sent.
    Connected,
    /// The connection is lost; the bot is on its way back.
    Rejoining {
        /// Number of the attempt, from 1.
        attempt: u32,
    },
}

/// Counts of frames of 20 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Frames that the mixer has taken from tracks.
    pub mixed: u64,
    /// Those of them that it took more than 20 ms late, so that they were sent late.
    pub late: u64,
}
