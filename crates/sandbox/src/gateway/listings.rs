//! How often a bot may ask for the whole member list of a guild.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::snowflake::Snowflake;

/// When each bot last got the list of each guild.
#[derive(Debug, Default)]
pub(super) struct Listings {
    last: Mutex<HashMap<(Snowflake, Snowflake), Instant>>,
}

impl Listings {
    /// Forgets all requests.
    pub(super) fn clear(&self) {
        self.last.lock().clear();
    }

    /// Counts a request at a moment. Fails with the time that it must wait until `every` has passed since the last one.
    pub(super) fn ask(
        &self,
        now: Instant,
        bot: Snowflake,
        guild: Snowflake,
        every: Duration,
    ) -> Result<(), Duration> {
        let mut last = self.last.lock();
        let since = last.get(&(bot, guild)).map(|last| now.duration_since(*last));
        if let Some(wait) = since.and_then(|since| every.checked_sub(since)).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        last.insert((bot, guild), now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Listings;
    use crate::snowflake::Snowflake;

    #[test]
    fn a_guild_is_listed_once_in_a_while_and_others_do_not_matter() {
        let listings = Listings::default();
        let (now, every) = (Instant::now(), Duration::from_secs(30));
        let ask = |after: u64, guild| {
            listings.ask(now + Duration::from_secs(after), Snowflake(1), Snowflake(guild), every)
        };
        assert_eq!(ask(0, 5), Ok(()));
        assert_eq!(ask(10, 5), Err(Duration::from_secs(20)));
        assert_eq!(ask(10, 6), Ok(()));
        assert_eq!(ask(30, 5), Ok(()));
    }
}
