//! Time that reads of a track may take, by the sound that they bring.

use std::time::Duration;

use super::underrun::MAKES_UP;

/// Time that reads of a track may take.
///
/// It is spent by reading and earned by sound, as silence is made up for in [`Underrun`](super::underrun::Underrun): a station that sends
/// just as fast as it sounds keeps all of it, one that sends half as fast as that uses it up. The mixer gives a track up by the
/// silence that is heard, which begins once what was read ahead has been played; so the whole of the budget is that silence and what
/// is read ahead, and nothing is given up here that would go on there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    most: Duration,
    left: Duration,
}

impl Budget {
    pub(super) fn new(most: Duration) -> Self {
        Self { most, left: most }
    }

    /// Returns how long the next read may take.
    pub(super) fn left(self) -> Duration {
        self.left
    }

    /// Notes how long a read took, and how long the sound is that it brought.
    pub(super) fn spend(&mut self, took: Duration, sound: Duration) {
        let earned = sound + sound / MAKES_UP;
        self.left = (self.left + earned).saturating_sub(took).min(self.most);
    }

    /// Begins anew, at another place.
    pub(super) fn renew(&mut self) {
        self.left = self.most;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(30);

    /// Reads pieces of so many milliseconds of sound, each of which takes so many, and returns after how many seconds the budget
    /// is used up.
    fn used_up_after(sound: u64, took: u64) -> Option<u64> {
        let mut budget = Budget::new(MOST);
        (1..100_000).find_map(|piece| {
            budget.spend(Duration::from_millis(took), Duration::from_millis(sound));
            budget.left().is_zero().then_some(piece * took / 1_000)
        })
    }

    #[test]
    fn what_sends_less_than_its_sound_needs_uses_it_up() {
        assert_eq!(used_up_after(0, 1_000), Some(30));
        // A byte a second of a file of 16 kB/s, half of the sound, and 60 % of it.
        assert_eq!(used_up_after(26, 417 * 1_000), Some(417));
        assert!(used_up_after(20, 40).is_some_and(|seconds| (60..=90).contains(&seconds)));
        assert!(used_up_after(60, 100).is_some());
    }

    #[test]
    fn a_live_station_keeps_it_for_ever() {
        assert_eq!(used_up_after(26, 26), None);
        // A clock that is a hundredth slow, and one in which every tenth second is silent.
        assert_eq!(used_up_after(1_000, 1_010), None);
        assert_eq!(used_up_after(900, 1_000), None);
    }

    #[test]
    fn a_pause_is_made_up_for() {
        let mut budget = Budget::new(MOST);
        for _ in 0..100 {
            budget.spend(Duration::from_secs(25), Duration::ZERO);
            assert_eq!(budget.left(), Duration::from_secs(5));
            budget.spend(Duration::from_secs(105), Duration::from_secs(105));
        }
        budget.renew();
        assert_eq!(budget.left(), MOST);
    }
}
