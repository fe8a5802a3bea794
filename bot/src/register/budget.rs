//! The number of commands created within the last day, of which Discord allows 200 in each guild and 200 globally.
//!
//! A command counts when its name is new there: Discord then responds with 201, and with 200 if it replaces one of that
//! name, which does not count. Source: "Registering a Command" and "Create Guild Application Command" in Discord's
//! documentation. Only this bot's creations are known; Discord's own response takes precedence.

use std::time::{Duration, SystemTime};

use sdk::PluginId;
use sdk::host::Host;
use sdk::status::{CreationAccount, since_1970};
use sdk::store::PluginStore;
use sdk::tracing::warn;

/// Creations that Discord allows per day. Source: "Registering a Command" in Discord's documentation.
pub(super) const LIMIT: usize = 200;
/// Number of creations from which on a registration warns.
const WARN_FROM: usize = 180;
/// Number of creations in a day from which on no command is removed that may come back.
const KEPT_FREE: usize = LIMIT / 2;
const DAY: Duration = Duration::from_hours(24);

/// The record of one scope, kept in the host's store.
pub(super) struct Budget {
    host: Host,
    store: PluginStore,
    account: CreationAccount,
}

impl Budget {
    pub(super) fn new(host: Host, scope: String) -> Self {
        let store = host.store().of(&PluginId::new("host"));
        // A record of another version in another form counts as empty.
        let made = store.get(&key(&scope)).ok().flatten().unwrap_or_default();
        let account = CreationAccount { scope, limit: LIMIT, made, closed_until: None };
        let budget = Self { host, store, account };
        if budget.account.made_today().next().is_some() {
            budget.show();
        }
        budget
    }

    /// Shows the record in the status, even if nothing has been created.
    pub(super) fn show(&self) {
        self.host.set_creations(&self.account);
    }

    /// Counts a creation. Returns how many of the day's are used.
    pub(super) fn spend(&mut self) -> usize {
        self.account.closed_until = None;
        self.account.made = self.account.made_today().chain([since_1970()]).collect();
        if let Err(error) = self.store.put(&key(&self.account.scope), &self.account.made) {
            warn!(%error, "the count of created commands is not kept");
        }
        self.host.set_creations(&self.account);
        let used = self.account.made.len();
        if used >= WARN_FROM {
            warn!(
                used,
                of = LIMIT,
                "few command creations are left today; a new name counts, redefining does not"
            );
        }
        used
    }

    /// Records Discord's response that none is left. Returns the time until the next is possible, as far as known.
    pub(super) fn close(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let oldest = self.account.made_today().next();
        let by_count =
            || (Duration::from_millis(oldest?) + DAY).checked_sub(Duration::from_millis(since_1970()));
        let wait = retry_after.or_else(by_count);
        self.account.closed_until = wait.map(|wait| SystemTime::now() + wait);
        self.host.set_creations(&self.account);
        wait
    }

    /// Returns the time until `back` commands can be created again with half of the day's creations, or as many as
    /// there are, left for others; zero if they can now.
    pub(super) fn room_in(&self, back: usize) -> Duration {
        if let Some(wait) = self.closed_for() {
            return wait;
        }
        let made: Vec<u64> = self.account.made_today().collect();
        let bearable = (KEPT_FREE - 1).min(LIMIT.saturating_sub(back));
        // That many of the oldest have to be a day old.
        let Some(last) = made.len().checked_sub(bearable + 1) else { return Duration::ZERO };
        let at = made.get(last).copied().unwrap_or_default();
        (Duration::from_millis(at) + DAY).saturating_sub(Duration::from_millis(since_1970()))
    }

    /// Returns the time until Discord accepts a creation again, if it has refused one.
    pub(super) fn closed_for(&self) -> Option<Duration> {
        self.account.closed_for()
    }
}

fn key(scope: &str) -> String {
    format!("command creations, {scope}")
}

#[cfg(test)]
mod tests {
    use sdk::settings::Settings;

    use super::*;

    fn used(host: &Host) -> Vec<(String, usize)> {
        host.creations().into_iter().map(|creations| (creations.scope, creations.used)).collect()
    }

    #[test]
    fn creations_are_counted_by_scope_over_a_day_and_outlive_the_registrar() {
        let host = Host::new("1.0.0", Settings::default());
        let mut one = Budget::new(host.clone(), "guild 5".to_owned());
        one.show();
        assert_eq!(used(&host), [("guild 5".to_owned(), 0)]);
        assert_eq!(one.spend(), 1);
        assert_eq!(Budget::new(host.clone(), "global".to_owned()).spend(), 1);
        let day_ago = since_1970() - 24 * 3_600_000;
        one.store.put(&key("guild 5"), &[day_ago - 1, day_ago + 60_000]).unwrap();
        let mut again = Budget::new(host.clone(), "guild 5".to_owned());
        assert_eq!(again.spend(), 2);
        assert_eq!(used(&host), [("guild 5".to_owned(), 2), ("global".to_owned(), 1)]);
    }

    #[test]
    fn there_is_room_while_half_of_the_day_is_left_and_all_could_come_back() {
        let host = Host::new("1.0.0", Settings::default());
        let mut budget = Budget::new(host, "guild 5".to_owned());
        let hour_ago = since_1970() - 3_600_000;
        for (made, back, has_room) in [
            (46, 46, true),
            (99, 101, true),
            (99, 102, false),
            (100, 1, false),
            (138, 46, false),
            (70, 130, true),
            (71, 130, false),
        ] {
            budget.account.made = vec![hour_ago; made];
            let wait = budget.room_in(back);
            assert_eq!(wait.is_zero(), has_room, "{made} {back} {wait:?}");
            assert!(wait <= Duration::from_hours(23), "{made} {back} {wait:?}");
        }
        // All except the newest 99 have to be a day old first.
        budget.account.made = (0..120).map(|minute| hour_ago + minute * 1000).collect();
        let wait = budget.room_in(1);
        assert!(wait > Duration::from_hours(23) && wait <= Duration::from_secs(23 * 3600 + 20), "{wait:?}");
        budget.close(Some(Duration::from_hours(2)));
        assert!(budget.room_in(0) > Duration::from_mins(119));
    }

    #[test]
    fn the_time_until_the_next_is_discords_word_or_else_the_oldest_creation() {
        let host = Host::new("1.0.0", Settings::default());
        let mut budget = Budget::new(host.clone(), "guild 5".to_owned());
        assert_eq!(budget.close(None), None);
        budget.account.made.push(since_1970() - 24 * 3_600_000 + 60_000);
        let wait = budget.close(None).unwrap();
        assert!(wait <= Duration::from_mins(1) && wait > Duration::from_secs(30), "{wait:?}");
        assert_eq!(budget.close(Some(Duration::from_hours(1))), Some(Duration::from_hours(1)));
        assert!(host.creations()[0].possible_in_ms.unwrap() > 3_500_000);
        budget.spend();
        assert_eq!(budget.closed_for(), None);
    }
}
