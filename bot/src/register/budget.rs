//! How many commands have been created within the last day, of which Discord allows 200 in each guild and globally.
//!
//! A command counts when its name is new there: Discord answers 201 then, and 200 where it replaces one of that name,
//! which does not count. Source: "Registering a Command" and "Create Guild Application Command" in Discord's
//! documentation. Only what this bot has created is known; Discord's own word goes first.

use std::time::{Duration, SystemTime};

use sdk::PluginId;
use sdk::host::Host;
use sdk::status::{CreationAccount, since_1970};
use sdk::store::PluginStore;
use sdk::tracing::warn;

/// Creations that Discord allows within a day. Source: "Registering a Command" in Discord's documentation.
pub(super) const LIMIT: usize = 200;
/// Creations from which on a registration warns.
const WARN_FROM: usize = 180;
const DAY: Duration = Duration::from_hours(24);

/// The account of one scope, kept in the host's store.
pub(super) struct Budget {
    host: Host,
    store: PluginStore,
    account: CreationAccount,
}

impl Budget {
    pub(super) fn new(host: Host, scope: String) -> Self {
        let store = host.store().of(&PluginId::new("host"));
        // What another version wrote in another shape counts as nothing.
        let made = store.get(&key(&scope)).ok().flatten().unwrap_or_default();
        let account = CreationAccount { scope, limit: LIMIT, made, closed_until: None };
        host.set_creations(account.clone());
        Self { host, store, account }
    }

    /// Counts a creation, and says in a few words what has been used.
    pub(super) fn spend(&mut self) -> String {
        self.account.closed_until = None;
        self.account.made = self.account.made_today().chain([since_1970()]).collect();
        if let Err(error) = self.store.put(&key(&self.account.scope), &self.account.made) {
            warn!(%error, "the count of created commands is not kept");
        }
        self.host.set_creations(self.account.clone());
        let used = self.account.made.len();
        if used >= WARN_FROM {
            warn!(
                "{used} of {LIMIT} command creations are used today; a new name counts, redefining does not"
            );
        }
        format!("{used} of {LIMIT} creations used today")
    }

    /// Takes Discord's word that none is left, and gives the time until one is, as far as that is known.
    pub(super) fn close(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let oldest = self.account.made_today().next();
        let by_count =
            || (Duration::from_millis(oldest?) + DAY).checked_sub(Duration::from_millis(since_1970()));
        let wait = retry_after.or_else(by_count);
        self.account.closed_until = wait.map(|wait| SystemTime::now() + wait);
        self.host.set_creations(self.account.clone());
        wait
    }

    /// Gives the time until Discord takes a creation again, where it has said that it takes none.
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

    #[test]
    fn creations_are_counted_by_scope_over_a_day_and_outlive_the_registrar() {
        let host = Host::new("1.0.0", Settings::default());
        let mut one = Budget::new(host.clone(), "guild 5".to_owned());
        assert_eq!(host.creations().map(|creations| creations.used), Some(0));
        assert_eq!(one.spend(), "1 of 200 creations used today");
        assert_eq!(Budget::new(host.clone(), "global".to_owned()).spend(), "1 of 200 creations used today");
        let day_ago = since_1970() - 24 * 3_600_000;
        one.store.put(&key("guild 5"), &[day_ago - 1, day_ago + 60_000]).unwrap();
        let mut again = Budget::new(host.clone(), "guild 5".to_owned());
        assert_eq!(again.spend(), "2 of 200 creations used today");
        assert_eq!(host.creations().map(|creations| creations.used), Some(2));
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
        assert!(host.creations().unwrap().possible_in_ms.unwrap() > 3_500_000);
        budget.spend();
        assert_eq!(budget.closed_for(), None);
    }
}
