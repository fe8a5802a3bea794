//! How soon a host that has died is started again, and when it is given up.

use std::time::{Duration, Instant};

/// Number of crashes after which it is given up.
pub(crate) const MOST: usize = 5;
/// Time within which they must happen.
pub(crate) const WITHIN: Duration = Duration::from_mins(1);

/// The recent crashes.
#[derive(Debug, Default)]
pub(crate) struct CrashLoop(Vec<Instant>);

impl CrashLoop {
    /// Counts a crash at `now`. Returns the wait before the next start; `None` if there is none.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Duration> {
        self.0.retain(|crash| now.duration_since(*crash) < WITHIN);
        self.0.push(now);
        match self.0.len() {
            1 => Some(Duration::ZERO),
            count if count < MOST => {
                Some(Duration::from_secs(1 << (count - 2).min(5)).min(Duration::from_secs(30)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crashes_in_quick_succession_are_given_up_and_rare_ones_are_not() {
        let began = Instant::now();
        let after = |seconds| began + Duration::from_secs(seconds);
        let mut quick = CrashLoop::default();
        let waits: Vec<_> =
            (0..5).map(|second| quick.next(after(second)).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(0), Some(1), Some(2), Some(4), None]);
        let mut rare = CrashLoop::default();
        assert!((0..20).all(|crash| rare.next(after(crash * 61)) == Some(Duration::ZERO)));
    }
}
