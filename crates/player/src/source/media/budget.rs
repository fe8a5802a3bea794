//! The time that reads of a track may take, depending on the audio that they return.

use std::time::Duration;

use super::underrun::MAKES_UP;

/// The time that reads of a track may take.
///
/// Reading spends it and audio earns it, in the same proportion as in [`Underrun`](super::underrun::Underrun): a
/// station that sends as fast as it plays keeps all of it, one that sends half as fast uses it up. The mixer gives up a
/// track by the silence that is played, which begins once the audio that was read ahead has been played. So the whole
/// budget is that silence plus the audio read ahead, and no track is given up here that would continue there.
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

    /// Records how long a read took, and the length of the audio that it returned.
    pub(super) fn spend(&mut self, took: Duration, sound: Duration) {
        let earned = sound + sound / MAKES_UP;
        self.left = (self.left + earned).saturating_sub(took).min(self.most);
    }

    /// Restores the whole budget, at another position.
    pub(super) fn renew(&mut self) {
        self.left = self.most;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(30);

    /// Reads pieces of `sound` ms of audio, each of which takes `took` ms. Returns after how many seconds the budget is
    /// used up.
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
        // A byte a second of a file of 16 kB/s, half of the audio, and 60 % of it.
        assert_eq!(used_up_after(26, 417 * 1_000), Some(417));
        assert!(used_up_after(20, 40).is_some_and(|seconds| (60..=90).contains(&seconds)));
        assert!(used_up_after(60, 100).is_some());
    }

    #[test]
    fn a_live_station_keeps_it_for_ever() {
        assert_eq!(used_up_after(26, 26), None);
        // A clock that is 1 % slow, and a station that is silent for every tenth second.
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
