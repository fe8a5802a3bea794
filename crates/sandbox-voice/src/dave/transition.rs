//! Transitions: announced, prepared by everyone, then executed (opcodes 21 to 23).

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use discord_rules::snowflake::Snowflake;

/// How long a transition waits for those who are not ready ("roughly two seconds", DAVE protocol, "Member Remove").
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Transitions in progress, oldest first; they are executed in that order.
#[derive(Debug, Default)]
pub(super) struct Transitions {
    last: u16,
    queue: VecDeque<Transition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transition {
    /// Transition id, never 0: that one means "at once".
    pub(super) id: u16,
    /// Protocol version that it leads to.
    pub(super) version: u16,
    /// Users to whom it was announced.
    pub(super) told: BTreeSet<Snowflake>,
    waiting: BTreeSet<Snowflake>,
    deadline: Instant,
}

impl Transitions {
    /// Begins a transition for some users and returns its id.
    pub(super) fn begin(&mut self, version: u16, told: BTreeSet<Snowflake>, now: Instant) -> u16 {
        self.last = self.last.checked_add(1).unwrap_or(1);
        let waiting = told.clone();
        self.queue.push_back(Transition { id: self.last, version, told, waiting, deadline: now + PATIENCE });
        self.last
    }

    /// Handles a user who is ready for a transition.
    pub(super) fn ready(&mut self, user: Snowflake, id: u16) {
        for transition in self.queue.iter_mut().filter(|transition| transition.id == id) {
            transition.waiting.remove(&user);
        }
    }

    /// Removes a user from all of them.
    pub(super) fn forget(&mut self, user: Snowflake) {
        for transition in &mut self.queue {
            transition.waiting.remove(&user);
            transition.told.remove(&user);
        }
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes the next one that everyone is ready for or that has waited long enough.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<Transition> {
        let due = self.queue.front().is_some_and(|next| next.waiting.is_empty() || next.deadline <= now);
        if due { self.queue.pop_front() } else { None }
    }

    /// Returns when the oldest has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.queue.front().map(|next| next.deadline)
    }
}
