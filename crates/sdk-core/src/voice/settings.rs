//! A guild's settings of its player, which the host keeps over reloads and restarts.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serenity::all::{ChannelId, RoleId};

/// Loudest volume that any guild may allow, in per cent.
pub const MAX_VOLUME: u16 = 200;

/// A guild's settings of its player.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuildSettings {
    /// Time without music after which the bot leaves; `None` never leaves. See also [`stay`](Self::stay).
    pub idle_timeout: Option<Duration>,
    /// Whether the bot always stays in the channel, even idle or alone.
    pub stay: bool,
    /// What the player does when the bot is alone in the channel.
    pub when_alone: WhenAlone,
    /// Channel for an announcement of each track.
    pub announce: Option<ChannelId>,
    /// Loudest volume that may be set, in per cent, at most [`MAX_VOLUME`].
    pub max_volume: u16,
    /// Volume that a player starts with, in per cent.
    pub volume: u16,
    /// Role whose members may control the player alone; `None` leaves that to everyone in the channel.
    pub dj_role: Option<RoleId>,
    /// Share of the listeners who must vote for a skip, in per cent.
    pub vote_ratio: u8,
    /// Whether to continue with tracks of the library when the queue has ended.
    pub autoplay: bool,
}

impl Default for GuildSettings {
    fn default() -> Self {
        Self {
            idle_timeout: Some(Duration::from_mins(5)),
            stay: false,
            when_alone: WhenAlone::Pause,
            announce: None,
            max_volume: 100,
            volume: 100,
            dj_role: None,
            vote_ratio: 50,
            autoplay: false,
        }
    }
}

/// What a player does when the bot is alone in its channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAlone {
    /// Pauses, continues when a user comes back, and leaves after the idle timeout.
    #[default]
    Pause,
    /// Leaves after a few seconds.
    Leave,
    /// Continues to play.
    Play,
}
