//! What happens to players, as plugins hear it through [`Subscriptions::voice`](crate::Subscriptions::voice).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serenity::all::{ChannelId, GuildId};

use super::track::Track;

/// Something that happened to a guild's player.
#[derive(Clone, Debug)]
pub struct VoiceEvent {
    /// The player's guild.
    pub guild: GuildId,
    /// Voice channel that the bot was in when it happened.
    pub channel: Option<ChannelId>,
    /// What happened.
    pub kind: VoiceEventKind,
}

/// What happened to a player. Texts are one sentence for people.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum VoiceEventKind {
    /// The bot is in a channel and can be heard.
    Joined,
    /// The bot was moved, by a command or a moderator, and plays on.
    Moved {
        /// Channel that it was in before.
        from: ChannelId,
    },
    /// The bot left, or was made to.
    Left {
        /// Why.
        why: String,
    },
    /// A track begins to be heard.
    TrackStarted {
        /// The track.
        track: Arc<Track>,
        /// Number of this start.
        number: u64,
    },
    /// A track that had begun is over.
    TrackEnded {
        /// The track.
        track: Arc<Track>,
        /// Number of its start.
        number: u64,
        /// Why it is over.
        reason: EndReason,
    },
    /// A track could not be played, or not to its end; the next one follows.
    TrackFailed {
        /// The track.
        track: Arc<Track>,
        /// Why.
        why: String,
    },
    /// Nothing is left to play.
    QueueEnded,
    /// The connection is gone for now; the bot is on its way back.
    Lost {
        /// Why.
        why: String,
    },
    /// The bot is back in its channel and plays on.
    Restored {
        /// Time without a connection.
        after: Duration,
    },
    /// The connection is gone, and the bot has stopped trying.
    GaveUp {
        /// Why.
        why: String,
    },
    /// The bot cannot be heard where it is; on a stage the music waits.
    Suppressed {
        /// Why, and the way out.
        why: String,
    },
    /// The bot is in the guild no more: nothing that belongs to it is of any use. No event of the guild follows.
    GuildGone,
    /// Nobody else is in the channel any more.
    Alone,
    /// Somebody is in the channel again.
    Company,
}

impl fmt::Display for VoiceEventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined => f.write_str("joined"),
            Self::Moved { from } => write!(f, "moved from {from}"),
            Self::Left { why } => write!(f, "left: {why}"),
            Self::TrackStarted { track, .. } => write!(f, "plays {}", track.label()),
            Self::TrackEnded { track, reason, .. } => write!(f, "{} is over ({reason:?})", track.label()),
            Self::TrackFailed { track, why } => write!(f, "cannot play {}: {why}", track.label()),
            Self::QueueEnded => f.write_str("queue ended"),
            Self::Lost { why } => write!(f, "connection lost: {why}"),
            Self::Restored { after } => write!(f, "connection restored after {} ms", after.as_millis()),
            Self::GaveUp { why } => write!(f, "gave up: {why}"),
            Self::Suppressed { why } => write!(f, "cannot be heard: {why}"),
            Self::GuildGone => f.write_str("in the guild no more"),
            Self::Alone => f.write_str("alone in the channel"),
            Self::Company => f.write_str("not alone any more"),
        }
    }
}

/// Why a track is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It was played to its end.
    Finished,
    /// Somebody skipped it, or chose another.
    Skipped,
    /// The player was stopped, or the bot left.
    Stopped,
    /// It broke off; [`VoiceEventKind::TrackFailed`] says why.
    Failed,
}
