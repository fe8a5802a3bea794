//! Counts the requests that Discord regards as invalid, so that this machine's address is not banned because of them.
//!
//! Source: "Invalid Request Limit aka Cloudflare bans" in Discord's documentation: 10,000 responses with 401, 403 or
//! 429 within ten minutes, except those of a shared limit.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sdk::tokio::time::Instant;

/// Time over which they are counted.
const WITHIN: Duration = Duration::from_mins(10);
/// Number of invalid requests from which on nothing is sent for a while. It is below Discord's 10,000, because of the
/// requests in progress.
pub(super) const HELD_FROM: usize = 9_500;
/// Numbers of invalid requests at which a warning is logged.
const WARN_AT: [usize; 3] = [1_000, 3_000, 6_000];

/// Invalid requests of the last ten minutes, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Invalid(VecDeque<(Instant, Option<Arc<str>>)>);

impl Invalid {
    /// Counts an invalid request. Returns their number if a warning is due.
    pub(super) fn count(&mut self, now: Instant, plugin: Option<Arc<str>>) -> Option<usize> {
        self.forget(now);
        self.0.push_back((now, plugin));
        let number = self.0.len();
        (WARN_AT.contains(&number) || number == HELD_FROM).then_some(number)
    }

    /// Returns for how long nothing may be sent, if so.
    pub(super) fn held_for(&mut self, now: Instant) -> Option<Duration> {
        self.forget(now);
        if self.0.len() < HELD_FROM {
            return None;
        }
        self.0.front().map(|(oldest, _)| (*oldest + WITHIN).saturating_duration_since(now))
    }

    /// Returns the plugin with most invalid requests, if any is known.
    pub(super) fn most(&self) -> Option<Arc<str>> {
        let mut plugins = BTreeMap::<&Arc<str>, usize>::new();
        for plugin in self.0.iter().filter_map(|(_, plugin)| plugin.as_ref()) {
            *plugins.entry(plugin).or_default() += 1;
        }
        plugins.into_iter().max_by_key(|(_, count)| *count).map(|(plugin, _)| plugin.clone())
    }

    fn forget(&mut self, now: Instant) {
        while self.0.front().is_some_and(|(at, _)| *at + WITHIN <= now) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stop_before_discord_bans_the_address_and_go_on_ten_minutes_later() {
        let (mut invalid, start) = (Invalid::default(), Instant::now());
        let told: Vec<_> =
            (0..HELD_FROM).filter_map(|_| invalid.count(start, Some("events/loud".into()))).collect();
        assert_eq!(told, [1_000, 3_000, 6_000, HELD_FROM]);
        assert_eq!(invalid.held_for(start + Duration::from_mins(1)), Some(Duration::from_mins(9)));
        assert_eq!(invalid.most().as_deref(), Some("events/loud"));
        assert_eq!(invalid.held_for(start + WITHIN), None);
    }
}
