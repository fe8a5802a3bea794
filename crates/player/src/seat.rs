//! Whether Discord has the bot in a voice channel, and whose doing it is when it has not any more.
//!
//! Discord answers a leave as it tells of a moderator's disconnect: the bot's voice state is in no channel. Only by counting
//! the bot's own leaves is the one known from the other.

/// The bot's place in a guild's voice, as Discord tells it.
#[derive(Debug, Default)]
pub(super) struct Seat {
    taken: bool,
    /// Leaves of the bot of which Discord has not told yet.
    echoes: u32,
}

impl Seat {
    /// Notes that the bot asks to leave, of which Discord tells only where there is a place to leave.
    pub(super) fn leave(&mut self) {
        self.echoes += u32::from(self.taken);
    }

    /// Notes that the gateway session is another one, so that the place goes with the old one.
    pub(super) fn vacate(&mut self) {
        self.leave();
        self.taken = false;
    }

    /// Hears that the bot is in a channel.
    pub(super) fn taken(&mut self) {
        self.taken = true;
    }

    /// Hears that the bot is in no channel; says whether somebody else brought that about.
    pub(super) fn emptied(&mut self) -> bool {
        self.taken = false;
        let echo = self.echoes > 0;
        self.echoes = self.echoes.saturating_sub(1);
        !echo
    }

    /// Notes that the bot is connected: what Discord had to tell of earlier leaves it has told.
    pub(super) fn settle(&mut self) {
        self.echoes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leave_of_the_bot_has_one_echo_and_the_next_word_is_a_moderators() {
        let mut seat = Seat::default();
        seat.taken();
        seat.leave();
        assert!(!seat.emptied());
        seat.taken();
        assert!(seat.emptied());
    }

    #[test]
    fn who_is_in_no_channel_leaves_without_an_echo() {
        let mut seat = Seat::default();
        seat.leave();
        seat.taken();
        assert!(seat.emptied());
    }

    #[test]
    fn two_leaves_before_any_word_have_two_echoes() {
        let mut seat = Seat::default();
        seat.taken();
        seat.leave();
        seat.leave();
        for _ in 0..2 {
            assert!(!seat.emptied());
            seat.taken();
        }
        assert!(seat.emptied());
    }

    #[test]
    fn the_end_of_an_old_session_may_be_told_late_or_never() {
        for told in [true, false] {
            let mut seat = Seat::default();
            seat.taken();
            seat.vacate();
            seat.leave();
            assert!(!told || !seat.emptied());
            seat.taken();
            seat.settle();
            assert!(seat.emptied());
        }
    }
}
