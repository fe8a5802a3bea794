//! The times after which something happens in a sandbox, for tests that wait for it.

use std::time::Duration;

use super::Builder;

impl Builder {
    /// Sets the time for the initial response to an interaction. The default is Discord's 3 seconds.
    #[must_use]
    pub fn response_deadline(mut self, time: Duration) -> Self {
        self.limits.response = time;
        self
    }

    /// Sets the validity of an interaction's token. The default is Discord's 15 minutes.
    #[must_use]
    pub fn token_lifetime(mut self, time: Duration) -> Self {
        self.limits.token = time;
        self
    }

    /// Sets the time after which a scheduled event in an empty channel, or a stage without speakers, ends. The default is
    /// 5 minutes.
    #[must_use]
    pub fn empty_channel_timeout(mut self, time: Duration) -> Self {
        self.limits.empty_channel = time;
        self
    }

    /// Sets the time from the first search of a guild or channel until it is indexed, in which searches are answered with
    /// 202 and code 110000. The default is 2 seconds.
    #[must_use]
    pub fn search_index_time(mut self, time: Duration) -> Self {
        self.limits.search_index = time;
        self
    }

    /// Sets the time after which a scheduled event that has not begun is canceled. The default is 3 hours.
    #[must_use]
    pub fn event_overdue(mut self, time: Duration) -> Self {
        self.limits.event_overdue = time;
        self
    }

    /// Sets the time for which a lobby may be idle unless it says otherwise. The default is Discord's 5 minutes.
    #[must_use]
    pub fn lobby_idle_timeout(mut self, time: Duration) -> Self {
        self.limits.lobby_idle = time;
        self
    }
}
