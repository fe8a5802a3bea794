//! What happens to players, as plugins hear it through [`Subscriptions::voice`](crate::Subscriptions::voice).

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
    /// Nobody else is in the channel any more.
    Alone,
    /// Somebody is in the channel again.
    Company,
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
