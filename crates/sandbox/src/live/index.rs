//! The search index: what was not searched before must be indexed first.

use std::time::Duration;

use super::Live;
use crate::snowflake::Snowflake;
use crate::state::clock;

impl Live<'_> {
    /// Returns the time until a guild or channel can be searched; `None` if it can be now. The first call starts the
    /// indexing.
    pub fn index(&mut self, what: Snowflake) -> Option<Duration> {
        let now = self.clock.now();
        let ready = clock::later(now, self.limits.search_index);
        let ready = *self.indexed.entry(what).or_insert(ready);
        (ready - now).try_into().ok().filter(|left: &Duration| !left.is_zero())
    }
}
