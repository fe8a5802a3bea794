//! What happens by itself when its moment has come.

use std::future::pending;

use time::OffsetDateTime;
use tokio::time::sleep;

use super::{Discord, Live};
use crate::state::agenda::Due;
use crate::state::clock;

impl Discord {
    /// Lets happen what falls due, for as long as it is polled. Whoever locks the world does the same, so nobody sees a
    /// world that is behind its clock.
    pub async fn keep_time(&self) {
        loop {
            let next = self.lock().agenda.next();
            let due = async {
                match next {
                    Some(at) => sleep((at - clock::now()).try_into().unwrap_or_default()).await,
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
    /// Puts something on the agenda.
    pub fn schedule(&mut self, at: OffsetDateTime, due: Due) {
        self.agenda.add(at, due);
        self.scheduled.notify_one();
    }

    /// Does what has fallen due.
    pub(super) fn catch_up(&mut self) {
        if self.agenda.next().is_none() {
            return;
        }
        let now = clock::now();
        while let Some(due) = self.agenda.take(now) {
            match due {
                Due::Poll { channel, message } => self.poll_is_due(channel, message, now),
                Due::ScheduledEvent { guild, event } => self.event_is_due(guild, event, now),
                Due::IdleLobby { lobby } => self.lobby_is_due(lobby, now),
                Due::SilentStage { channel } => self.stage_is_due(channel, now),
            }
        }
    }
}
