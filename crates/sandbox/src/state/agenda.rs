//! What falls due by itself: the moments at which the world changes without a request.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::snowflake::Snowflake;

/// Something that is looked at when its moment comes. What no longer applies then is skipped, so nothing is ever taken
/// off the agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Due {
    /// A poll closes.
    Poll {
        /// Channel of its message.
        channel: Snowflake,
        /// Its message.
        message: Snowflake,
    },
    /// A scheduled event starts, ends or is overdue.
    ScheduledEvent {
        /// Its guild.
        guild: Snowflake,
        /// The event.
        event: Snowflake,
    },
    /// A thread may have been without activity for too long.
    QuietThread {
        /// The thread.
        thread: Snowflake,
    },
    /// The period of a subscription is over.
    Subscription {
        /// The subscription.
        subscription: Snowflake,
    },
    /// A live stage may have been without speakers for too long.
    SilentStage {
        /// Its channel.
        channel: Snowflake,
    },
    /// A lobby may have been idle for too long.
    IdleLobby {
        /// The lobby.
        lobby: Snowflake,
    },
    /// A webhook event that was not acknowledged is sent again.
    WebhookEvent {
        /// The event.
        event: Snowflake,
    },
}

/// Everything that falls due, by its moment.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Agenda {
    #[serde(with = "super::pairs")]
    entries: BTreeMap<(OffsetDateTime, u64), Due>,
    added: u64,
}

impl Agenda {
    /// Adds an entry.
    pub fn add(&mut self, at: OffsetDateTime, due: Due) {
        self.added += 1;
        self.entries.insert((at, self.added), due);
    }

    /// Returns the moment of the earliest entry.
    pub fn next(&self) -> Option<OffsetDateTime> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// Removes and returns the earliest entry with its moment, if that has come.
    pub fn take(&mut self, now: OffsetDateTime) -> Option<(OffsetDateTime, Due)> {
        let entry = self.entries.first_entry()?;
        let at = entry.key().0;
        (at <= now).then(|| (at, entry.remove()))
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn entries_fall_due_in_the_order_of_their_moments() {
        let start = OffsetDateTime::UNIX_EPOCH;
        let poll = |message| Due::Poll { channel: Snowflake(1), message: Snowflake(message) };
        let mut agenda = Agenda::default();
        agenda.add(start + Duration::HOUR, poll(2));
        agenda.add(start, poll(1));
        agenda.add(start + Duration::HOUR, poll(3));
        assert_eq!((agenda.next(), agenda.take(start - Duration::SECOND)), (Some(start), None));
        let later = start + Duration::HOUR;
        let taken = [0; 4].map(|_| agenda.take(later));
        let expected = [(start, 1), (later, 2), (later, 3)].map(|(at, message)| Some((at, poll(message))));
        assert_eq!((&taken[..3], taken[3]), (&expected[..], None));
    }
}
