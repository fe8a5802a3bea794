//! The sessions that Discord allows the bot to start, which it must not use up.
//!
//! Each IDENTIFY counts, including refused ones, and at the last of a day Discord ends every session and resets the
//! token (Discord's documentation: "Gateway", "Identifying"). A supervisor that restarts a refused bot again and again
//! reaches that within a day, so the last few starts are kept until Discord resets the count.

use std::time::Duration;

use sdk::serenity;
use sdk::serenity::all::{Http, SessionStartLimit};
use sdk::text;
use sdk::tokio::time::sleep;
use sdk::tracing::warn;

use crate::health::Sessions;

/// Number of starts that are kept in reserve until the cause that uses them up is fixed.
const RESERVE: u64 = 5;
/// Limits of a wait, for responses without a plausible value.
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_hours(24);

/// What GET /gateway/bot recommends and allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Starts {
    /// Number of shards.
    pub(crate) shards: u32,
    /// Number of IDENTIFYs that are allowed in 5 s.
    pub(crate) max_concurrency: u32,
}

/// Waits until this process may start that many sessions, by default as many as Discord recommends. `is_limited` is false
/// for a gateway with limits of its own.
///
/// # Errors
/// If GET /gateway/bot fails.
pub(crate) async fn allowed(
    http: &Http,
    account: &Sessions,
    sessions: Option<u32>,
    is_limited: bool,
) -> serenity::Result<Starts> {
    loop {
        let gateway = http.get_bot_gateway().await?;
        let (shards, limit) = (gateway.shards.max(1), gateway.session_start_limit);
        let max_concurrency = u32::try_from(limit.max_concurrency).unwrap_or(u32::MAX).max(1);
        let wait = wait(sessions.unwrap_or(shards), &limit).filter(|_| is_limited);
        let Some(wait) = wait else { return Ok(Starts { shards, max_concurrency }) };
        let _held = account.hold();
        tell_wait(&limit, wait);
        sleep(wait).await;
    }
}

/// Logs that the start waits, and why.
pub(crate) fn tell_wait(limit: &SessionStartLimit, wait: Duration) {
    warn!(
        left = limit.remaining,
        goes_on_in = text::duration(wait),
        "few session starts are left, and Discord resets the token of a bot that uses them up; it waits until they are \
         counted anew"
    );
}

/// Returns the wait before that many sessions may be started; `None` if they may be started now.
pub(crate) fn wait(shards: u32, limit: &SessionStartLimit) -> Option<Duration> {
    let shards = u64::from(shards);
    // If hardly more are allowed per day, keeping a reserve would mean never to start.
    let reserve = RESERVE.min(limit.total.saturating_sub(shards));
    (limit.remaining < shards.saturating_add(reserve))
        .then(|| Duration::from_millis(limit.reset_after).clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limit(total: u64, remaining: u64, reset_after: u64) -> SessionStartLimit {
        let limit =
            json!({"total": total, "remaining": remaining, "reset_after": reset_after, "max_concurrency": 1});
        serde_json::from_value(limit).unwrap()
    }

    #[test]
    fn the_last_few_starts_of_a_day_are_left_alone() {
        assert_eq!(wait(1, &limit(1000, 1000, 0)), None);
        assert_eq!(wait(1, &limit(1000, 6, 7_000)), None);
        assert_eq!(wait(1, &limit(1000, 5, 7_000)), Some(Duration::from_secs(7)));
        assert_eq!(wait(16, &limit(1000, 21, 7_000)), None);
        assert_eq!(wait(16, &limit(1000, 20, 7_000)), Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_bot_that_has_hardly_any_starts_in_a_day_may_use_them_and_no_more() {
        assert_eq!(wait(2, &limit(2, 2, 7_000)), None);
        assert_eq!(wait(2, &limit(2, 1, 7_000)), Some(Duration::from_secs(7)));
        assert_eq!(wait(2, &limit(1, 1, 7_000)), Some(Duration::from_secs(7)));
    }

    #[test]
    fn no_answer_makes_the_bot_ask_without_a_pause_or_wait_for_ever() {
        assert_eq!(wait(1, &limit(1000, 0, 0)), Some(LEAST));
        assert_eq!(wait(1, &limit(1000, 0, u64::MAX)), Some(MOST));
    }
}
