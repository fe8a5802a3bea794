//! What happens by itself when its moment has come.

use std::future::pending;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::sleep;

use super::{Discord, Live};
use crate::state::agenda::Due;

impl Discord {
    /// Lets happen what falls due, for as long as it is polled. Whoever locks the world does the same, so nobody sees a
    /// world that is behind its clock.
    pub async fn keep_time(&self) {
        loop {
            let wait = {
                let live = self.lock();
                live.agenda.next().map(|at| at - live.clock.now())
            };
            let due = async {
                match wait {
                    Some(wait) => sleep(wait.try_into().unwrap_or_default()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.scheduled.notified() => {}
            }
        }
    }
}

impl Live<'_> {
    /// Puts something on the agenda. What is overdue happens next, as of now.
    pub fn schedule(&mut self, at: OffsetDateTime, due: Due) {
        let now = self.clock.now();
        self.agenda.add(at.max(now), due);
        self.scheduled.notify_one();
    }

    /// Moves the world's clock forward. What is due by then has happened, each thing at its own moment.
    pub fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.scheduled.notify_one();
        self.catch_up();
    }

    /// Does what has fallen due, in the order of its moments. At each of them the world's clock stands.
    pub(super) fn catch_up(&mut self) {
        if self.agenda.next().is_none() {
            return;
        }
        let now = self.clock.now();
        while let Some((at, due)) = self.agenda.take(now) {
            let _pinned = self.clock.pin(at);
            match due {
                Due::Poll { channel, message } => self.poll_is_due(channel, message, at),
                Due::ScheduledEvent { guild, event } => self.event_is_due(guild, event, at),
                Due::SilentStage { channel } => self.stage_is_due(channel, at),
                Due::QuietThread { thread } => self.thread_is_due(thread, at),
                Due::Subscription { subscription } => self.period_is_due(subscription, at),
            }
        }
    }
}
