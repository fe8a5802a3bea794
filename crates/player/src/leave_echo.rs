//! Distinguishes the echo of the bot's own leave from a moderator's disconnect.
//!
//! Discord sends the same event for both: the bot's voice state is in no channel. They can be distinguished only by
//! counting the bot's own leaves.

/// Counts the bot's own leaves that Discord has not reported yet.
#[derive(Debug, Default)]
pub(super) struct LeaveTracker {
    taken: bool,
    /// Leaves of the bot that Discord has not reported yet.
    echoes: u32,
}

impl LeaveTracker {
    /// Counts a leave that the bot asks for. Discord reports it only if the bot is in a channel.
    pub(super) fn leave(&mut self) {
        self.echoes += u32::from(self.taken);
    }

    /// Handles a new gateway session: the bot's membership of the channel ends with the old one.
    pub(super) fn vacate(&mut self) {
        self.leave();
        self.taken = false;
    }

    /// Handles a voice state in which the bot is in a channel.
    pub(super) fn taken(&mut self) {
        self.taken = true;
    }

    /// Handles a voice state in which the bot is in no channel. Returns whether someone else caused that.
    pub(super) fn emptied(&mut self) -> bool {
        self.taken = false;
        let echo = self.echoes > 0;
        self.echoes = self.echoes.saturating_sub(1);
        !echo
    }

    /// Handles that the bot is connected: Discord has reported all earlier leaves.
    pub(super) fn settle(&mut self) {
        self.echoes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leave_of_the_bot_has_one_echo_and_the_next_word_is_a_moderators() {
        let mut tracker = LeaveTracker::default();
        tracker.taken();
        tracker.leave();
        assert!(!tracker.emptied());
        tracker.taken();
        assert!(tracker.emptied());
    }

    #[test]
    fn who_is_in_no_channel_leaves_without_an_echo() {
        let mut tracker = LeaveTracker::default();
        tracker.leave();
        tracker.taken();
        assert!(tracker.emptied());
    }

    #[test]
    fn two_leaves_before_any_word_have_two_echoes() {
        let mut tracker = LeaveTracker::default();
        tracker.taken();
        tracker.leave();
        tracker.leave();
        for _ in 0..2 {
            assert!(!tracker.emptied());
            tracker.taken();
        }
        assert!(tracker.emptied());
    }

    #[test]
    fn the_end_of_an_old_session_may_be_told_late_or_never() {
        for told in [true, false] {
            let mut tracker = LeaveTracker::default();
            tracker.taken();
            tracker.vacate();
            tracker.leave();
            assert!(!told || !tracker.emptied());
            tracker.taken();
            tracker.settle();
            assert!(tracker.emptied());
        }
    }
}
