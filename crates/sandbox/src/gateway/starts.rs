//! Limits of session starts.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Options;
use super::info::SessionStartLimit;
use crate::snowflake::Snowflake;

const DAY: Duration = Duration::from_hours(24);
/// Time between two identifies of one rate limit key.
const SPACING: Duration = Duration::from_secs(5);

/// Session starts of all bots.
#[derive(Debug, Default)]
pub(super) struct Starts {
    bots: Mutex<HashMap<Snowflake, BotStarts>>,
}

#[derive(Debug)]
struct BotStarts {
    day_began: Instant,
    used: u32,
    /// Last identify of each rate limit key, `shard_id % max_concurrency`.
    last: HashMap<u32, Instant>,
}

/// Why a session may not start now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooMany {
    /// Another one of its rate limit key started less than 5 seconds ago.
    AtOnce,
    /// The starts of the day are used up.
    Today,
}

impl Starts {
    /// Forgets all starts.
    pub(super) fn clear(&self) {
        self.bots.lock().clear();
    }

    /// Counts the start of a session at a moment.
    pub(super) fn start(
        &self,
        now: Instant,
        bot: Snowflake,
        shard: u32,
        options: &Options,
    ) -> Result<(), TooMany> {
        let mut bots = self.bots.lock();
        let starts = bots.entry(bot).or_insert_with(|| BotStarts::new(now));
        starts.turn(now);
        let key = shard % options.max_concurrency.max(1);
        if options.limit_identify {
            if starts.used >= options.session_starts {
                return Err(TooMany::Today);
            }
            if starts.last.get(&key).is_some_and(|last| now.duration_since(*last) < SPACING) {
                return Err(TooMany::AtOnce);
            }
        }
        starts.used = starts.used.saturating_add(1);
        starts.last.insert(key, now);
        Ok(())
    }

    pub(super) fn limit(&self, now: Instant, bot: Snowflake, options: &Options) -> SessionStartLimit {
        let mut bots = self.bots.lock();
        let (used, reset) = match bots.get_mut(&bot) {
            Some(starts) => {
                starts.turn(now);
                (starts.used, (starts.day_began + DAY).duration_since(now))
            }
            None => (0, Duration::ZERO),
        };
        // Clients refuse to start at zero, and careful ones earlier. Without the limit that must not happen.
        let least = if options.limit_identify { 0 } else { options.session_starts.div_ceil(2) };
        SessionStartLimit {
            total: options.session_starts,
            remaining: options.session_starts.saturating_sub(used).max(least),
            reset_after: u64::try_from(reset.as_millis()).unwrap_or(u64::MAX),
            max_concurrency: options.max_concurrency.max(1),
        }
    }
}

impl BotStarts {
    fn new(now: Instant) -> Self {
        Self { day_began: now, used: 0, last: HashMap::new() }
    }

    fn turn(&mut self, now: Instant) {
        if now.duration_since(self.day_began) >= DAY {
            *self = Self::new(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{DAY, SPACING, Starts, TooMany};
    use crate::gateway::Options;
    use crate::snowflake::Snowflake;

    const BOT: Snowflake = Snowflake(1);

    #[test]
    fn shards_of_one_key_start_five_seconds_apart() {
        let options =
            Options { limit_identify: true, max_concurrency: 2, session_starts: 3, ..Options::default() };
        let starts = Starts::default();
        let began = Instant::now();
        assert_eq!(starts.start(began, BOT, 0, &options), Ok(()));
        assert_eq!(starts.start(began, BOT, 1, &options), Ok(()));
        assert_eq!(starts.start(began, BOT, 2, &options), Err(TooMany::AtOnce));
        assert_eq!(starts.start(began + SPACING, BOT, 2, &options), Ok(()));
        assert_eq!(starts.start(began + SPACING * 2, BOT, 3, &options), Err(TooMany::Today));
        assert_eq!(starts.limit(began + SPACING * 2, BOT, &options).remaining, 0);
        assert_eq!(starts.start(began + DAY, BOT, 3, &options), Ok(()));
    }

    #[test]
    fn an_unlimited_bot_is_never_told_that_it_may_not_start() {
        let options = Options { session_starts: 2, ..Options::default() };
        let starts = Starts::default();
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(starts.start(now, BOT, 0, &options), Ok(()));
        }
        assert_eq!(starts.limit(now, BOT, &options).remaining, 1);
    }
}
