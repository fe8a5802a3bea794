//! The rate of commands to Discord: 120 in 60 seconds, heartbeats included (Discord's documentation: "Gateway", "Rate
//! Limiting").

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Commands of hosts in one period. The rest is left to heartbeats, IDENTIFY and RESUME.
const COMMANDS: usize = 110;
const PERIOD: Duration = Duration::from_mins(1);

/// Commands that wait at most; a host that sends more is closed, as Discord would do.
pub(crate) const WAITING: usize = 512;

/// When the last commands were sent.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    sent: VecDeque<Instant>,
}

impl Limits {
    /// Returns when the next command may be sent.
    pub(crate) fn next(&self) -> Option<Instant> {
        (self.sent.len() >= COMMANDS).then(|| self.sent[self.sent.len() - COMMANDS] + PERIOD)
    }

    /// Counts a command.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.sent.push_back(now);
        if self.sent.len() > COMMANDS {
            self.sent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_period_has_more_commands_than_allowed() {
        let start = Instant::now();
        let (mut limits, mut now, mut times) = (Limits::default(), start, Vec::new());
        for number in 0..500 {
            now = limits.next().unwrap_or(now).max(now);
            limits.sent(now);
            times.push(now);
            now += Duration::from_millis(number % 7);
        }
        for (index, first) in times.iter().enumerate() {
            let within = times[index..].iter().filter(|time| **time < *first + PERIOD).count();
            assert!(within <= COMMANDS, "{within} commands from number {index}");
        }
        assert!(times[499] - start < PERIOD * 5, "no command waits without need");
    }
}
