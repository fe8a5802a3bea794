//! Waits between attempts while Discord cannot be reached.

use std::time::Duration;

use sdk::settings::Environment;

/// A limited number of waits, each twice as long as the one before.
#[derive(Clone, Debug)]
pub(crate) struct BackOff {
    next: Duration,
    left: u32,
}

impl BackOff {
    /// Creates `count` waits, the first one half a second, or a hundredth of that in tests.
    pub(crate) fn new(count: u32, environment: Environment) -> Self {
        let next = match environment {
            Environment::Testing => Duration::from_millis(5),
            Environment::Development | Environment::Production => Duration::from_millis(500),
        };
        Self { next, left: count }
    }
}

impl Iterator for BackOff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let wait = self.next;
        self.next = wait.saturating_mul(2);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let waits: Vec<_> = BackOff::new(3, Environment::Production).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000]);
        assert!(BackOff::new(3, Environment::Testing).sum::<Duration>() < Duration::from_millis(100));
    }
}
