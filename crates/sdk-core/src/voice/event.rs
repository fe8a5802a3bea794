//! Events of players, which plugins receive through [`Subscriptions::voice`](crate::Subscriptions::voice).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serenity::all::{ChannelId, GuildId};

use super::track::Track;

/// An event of a guild's player.
#[derive(Clone, Debug)]
pub struct VoiceEvent {
    /// The player's guild.
    pub guild: GuildId,
    /// Voice channel that the bot was in at that moment.
    pub channel: Option<ChannelId>,
    /// The kind of event.
    pub kind: VoiceEventKind,
}

/// The kind of an event of a player. Texts are one sentence for users.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum VoiceEventKind {
    /// The bot is in a channel and can be heard.
    Joined,
    /// The bot was moved, by a command or a moderator, and continues to play.
    Moved {
        /// Channel that it was in before.
        from: ChannelId,
    },
    /// The bot left, or was removed.
    Left {
        /// Reason.
        why: String,
    },
    /// A track starts to play.
    TrackStarted {
        /// The track.
        track: Arc<Track>,
        /// Number of this start.
        number: u64,
    },
    /// A track that had started has ended.
    TrackEnded {
        /// The track.
        track: Arc<Track>,
        /// Number of its start.
        number: u64,
        /// Why it has ended.
        reason: EndReason,
    },
    /// A track could not be played, or not to its end. The next one follows.
    TrackFailed {
        /// The track.
        track: Arc<Track>,
        /// Reason.
        why: String,
    },
    /// The queue has ended.
    QueueEnded,
    /// The connection is lost for now, and the bot tries to restore it.
    Lost {
        /// Reason.
        why: String,
    },
    /// The bot is back in its channel and continues to play.
    Restored {
        /// Time without a connection.
        after: Duration,
    },
    /// The connection is lost, and the bot has stopped trying.
    GaveUp {
        /// Reason.
        why: String,
    },
    /// The bot cannot be heard in its channel. On a stage the music waits.
    Suppressed {
        /// Reason, and what to do about it.
        why: String,
    },
    /// The bot is not in the guild any more, so nothing that belongs to the guild is of use. No event of the guild
    /// follows.
    GuildGone,
    /// The bot is alone in the channel.
    Alone,
    /// A user is in the channel again.
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

/// Why a track has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It was played to its end.
    Finished,
    /// A user skipped it, or chose another.
    Skipped,
    /// The player was stopped, or the bot left.
    Stopped,
    /// It failed. [`VoiceEventKind::TrackFailed`] has the reason.
    Failed,
}
