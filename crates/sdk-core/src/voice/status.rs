//! The status of a player at one moment, for answers and live messages.

use std::sync::Arc;
use std::time::Duration;

use serenity::all::{ChannelId, GuildId};

use super::queue::Loop;
use super::track::Track;

/// The status of a player at one moment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PlayerStatus {
    /// The player's guild.
    pub guild: GuildId,
    /// Voice channel that the bot is in or is joining.
    pub channel: Option<ChannelId>,
    /// State of the voice connection.
    pub connection: ConnectionState,
    /// The current track.
    pub current: Option<Current>,
    /// The upcoming tracks, in order. Commands count them from 1.
    pub upcoming: Arc<[Arc<Track>]>,
    /// The tracks that were played, the latest last.
    pub history: Arc<[Arc<Track>]>,
    /// Repeat mode.
    pub repeat: Loop,
    /// Whether the bot is in the audience of a stage, so that the music waits until it may speak.
    pub waits_to_speak: bool,
    /// Volume in per cent.
    pub volume: u16,
    /// Number of users in the channel, without bots.
    pub listeners: usize,
}

impl PlayerStatus {
    /// Creates the status of a player in no channel.
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

    /// Returns whether nothing except the time has changed.
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

    /// Returns the time until all waiting tracks have been played; `None` if a length is not known.
    pub fn remaining(&self) -> Option<Duration> {
        let current = match &self.current {
            Some(current) => current.remaining()?,
            None => Duration::ZERO,
        };
        self.upcoming.iter().try_fold(current, |sum, track| sum.checked_add(track.duration?))
    }
}

/// The current track.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not whatever the others are")]
pub struct Current {
    /// The track.
    pub track: Arc<Track>,
    /// The title that a radio station sends.
    pub title: Option<String>,
    /// Whether it is HE-AAC, of which only the lower half of the spectrum is played.
    pub is_core_only: bool,
    /// Number of this start, which no other start in this run of the bot has. If the same track is played again, it has
    /// another number.
    pub number: u64,
    /// Time into the track at the moment of the call.
    pub position: Duration,
    /// Whether its audio is being opened, or sought.
    pub opening: bool,
    /// Whether it is paused, by a user or because the bot is alone.
    pub paused: bool,
    /// Whether it is paused only because the bot is alone, and continues by itself when a user joins.
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

    /// Returns the time that is left of it; `None` if its length is not known.
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
    /// Joining a channel.
    Connecting,
    /// In a channel, and audio can be sent.
    Connected,
    /// The connection is lost, and the bot tries to restore it.
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
    /// Number of those that it took more than 20 ms late, so that they were sent late.
    pub late: u64,
}
