//! How a saved player is restored: whether it continues, and which track the bot may have died on.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sdk_core::voice::{PlayerStatus, SavedPlayer, SavedQueue, Track};

/// Longest absence after which the bot rejoins a channel by itself.
const BACK_WITHIN: Duration = Duration::from_mins(10);

/// Number of deaths of the bot during a track after which the track is not played again.
const DEATHS: u32 = 3;

/// Returns the saved form of a status; `None` if there is nothing to save.
pub(super) fn of(status: &PlayerStatus, at: u64) -> Option<SavedPlayer> {
    if status.channel.is_none() && status.current.is_none() && status.upcoming.is_empty() {
        return None;
    }
    let current = status.current.as_ref();
    Some(SavedPlayer {
        channel: status.channel,
        queue: SavedQueue {
            current: current.map(|current| current.track.clone()),
            upcoming: status.upcoming.to_vec(),
            history: status.history.to_vec(),
            repeat: status.repeat,
        },
        position: current.map(|current| current.position).unwrap_or_default(),
        paused: current.is_some_and(|current| current.paused && !current.paused_alone),
        volume: status.volume,
        at,
        deaths: 0,
    })
}

/// Counts a death of the bot if there was a current track. Returns whether there was.
pub(super) fn count_death(player: &mut SavedPlayer) -> bool {
    let was_on = player.queue.current.is_some();
    player.deaths += u32::from(was_on);
    was_on
}

/// Removes and returns the current track, without a place in the history, if the bot has died during it so often that
/// it may be the cause.
pub(super) fn take_culprit(player: &mut SavedPlayer) -> Option<Arc<Track>> {
    if player.deaths < DEATHS {
        return None;
    }
    (player.deaths, player.position) = (0, Duration::ZERO);
    let SavedQueue { current, upcoming, .. } = &mut player.queue;
    let next = if upcoming.is_empty() { None } else { Some(upcoming.remove(0)) };
    std::mem::replace(current, next)
}

/// Returns whether the bot was in the channel recently enough to rejoin by itself.
pub(super) fn is_recent(player: &SavedPlayer) -> bool {
    now().saturating_sub(player.at) <= BACK_WITHIN.as_secs()
}

/// Returns the time in seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
