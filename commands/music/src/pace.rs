//! The limit of look-ups per user. Look-ups cost requests to other servers, yt-dlp and decoding. Tracks of the library
//! are free.
//!
//! The counts are in the plugin's state, so that a reload does not reset them, unlike poise's cooldowns, which belong
//! to the generation.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use sdk::prelude::*;
use sdk::status::since_1970;
use sdk::text;
use serde::{Deserialize, Serialize};
use serenity::UserId;

use crate::state::Music;

/// Maximum number of look-ups of one user within [`WITHIN`].
pub(crate) const MOST: usize = 12;
/// Time in which they are counted.
const WITHIN: Duration = Duration::from_mins(1);
/// Maximum number of users whose look-ups are counted at a time.
const PEOPLE: usize = 2_000;

/// The recent look-ups of each user.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pace {
    /// Times in milliseconds since 1970, the oldest first.
    asked: BTreeMap<UserId, VecDeque<u64>>,
}

/// Why a look-up is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TooFast {
    /// The user has reached the limit, and may continue after this time.
    Person(Duration),
    /// Too many users have had look-ups within [`WITHIN`].
    Everybody,
}

/// Counts a look-up, or refuses it.
pub(crate) fn count(data: &Data, user: UserId) -> Result<(), Error> {
    let within = data.settings().environment.delay(WITHIN);
    let counted = data.state::<Music>().update(|music| music.pace.count(user, since_1970(), within))?;
    counted.map_err(|why| refusal(why).into())
}

/// Removes the last look-up of a user from the count, because it was free.
pub(crate) fn give_back(data: &Data, user: UserId) -> Result<(), Error> {
    data.state::<Music>().update(|music| music.pace.give_back(user))
}

fn refusal(why: TooFast) -> Refusal {
    Refusal::new(match why {
        TooFast::Person(left) => {
            let left = text::duration(left.max(Duration::from_secs(1)));
            format!("I look up at most {MOST} things a minute for one person; try again in {left}.")
        }
        TooFast::Everybody => "I am looking up things for too many people; try again in a minute.".to_owned(),
    })
}

impl Pace {
    fn give_back(&mut self, user: UserId) {
        if let Some(times) = self.asked.get_mut(&user) {
            times.pop_back();
        }
    }

    fn count(&mut self, user: UserId, now: u64, within: Duration) -> Result<(), TooFast> {
        let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        self.asked.retain(|_, times| {
            // If the clock was set back, times are in the future.
            times.retain(|time| *time <= now && now - *time < within);
            !times.is_empty()
        });
        if self.asked.len() >= PEOPLE && !self.asked.contains_key(&user) {
            return Err(TooFast::Everybody);
        }
        let times = self.asked.entry(user).or_default();
        match times.front() {
            Some(first) if times.len() >= MOST => {
                Err(TooFast::Person(Duration::from_millis((first + within).saturating_sub(now))))
            }
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: UserId = UserId::new(7);

    fn pace(times: usize) -> Pace {
        let mut pace = Pace::default();
        for time in 0..times {
            assert_eq!(pace.count(USER, 1_000 + time as u64, WITHIN), Ok(()));
        }
        pace
    }

    #[test]
    fn so_many_are_looked_up_and_more_when_the_first_is_a_minute_ago() {
        let mut pace = pace(MOST);
        assert_eq!(pace.count(USER, 31_000, WITHIN), Err(TooFast::Person(Duration::from_secs(30))));
        assert_eq!(pace.count(UserId::new(8), 31_000, WITHIN), Ok(()));
        assert_eq!(pace.count(USER, 60_999, WITHIN), Err(TooFast::Person(Duration::from_millis(1))));
        assert_eq!(pace.count(USER, 61_000, WITHIN), Ok(()));
        let words = refusal(TooFast::Person(Duration::from_millis(1))).to_string();
        assert_eq!(words, "I look up at most 12 things a minute for one person; try again in 1 second.");
    }

    #[test]
    fn what_has_cost_nothing_does_not_count() {
        let mut pace = pace(MOST - 1);
        for _ in 0..3 * MOST {
            assert_eq!(pace.count(USER, 2_000, WITHIN), Ok(()));
            pace.give_back(USER);
        }
        pace.give_back(UserId::new(8));
        assert_eq!(pace.count(USER, 2_000, WITHIN), Ok(()));
        assert!(pace.count(USER, 2_000, WITHIN).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out() {
        assert_eq!(pace(MOST).count(USER, 10, WITHIN), Ok(()));
    }

    #[test]
    fn the_account_is_bounded_and_forgets_who_has_stopped() {
        let mut pace = Pace::default();
        for user in 1..=PEOPLE as u64 {
            for _ in 0..MOST {
                assert_eq!(pace.count(UserId::new(user), 1_000_000_000_000, WITHIN), Ok(()));
            }
        }
        let late = UserId::new(u64::MAX);
        assert_eq!(pace.count(late, 1_000_000_000_000, WITHIN), Err(TooFast::Everybody));
        let bytes = serde_json::to_vec(&pace).unwrap().len();
        assert!(bytes < sdk::state::MAX_BYTES / 4, "{bytes}");
        assert_eq!(pace.count(late, 1_000_000_060_000, WITHIN), Ok(()));
        assert_eq!(pace.asked.len(), 1);
    }

    #[test]
    fn the_account_survives_a_reload() {
        let kept = serde_json::to_value(pace(MOST)).unwrap();
        let mut read: Pace = sdk::state::from_value(kept).unwrap();
        assert!(read.count(USER, 2_000, WITHIN).is_err());
    }
}
