//! What is to be sent to the endpoints of applications. The world adds to it under its lock; one task empties it.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Notify;

use crate::snowflake::Snowflake;

/// Something to send.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// An interaction.
    Interaction {
        /// Its id.
        id: Snowflake,
        /// Its application.
        application: Snowflake,
        /// What the bot would get as INTERACTION_CREATE.
        payload: Value,
    },
    /// A webhook event of the world, by its number.
    Event(Snowflake),
}

/// The queue of what is to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<VecDeque<Outgoing>>,
    added: Notify,
}

impl Outbox {
    /// Adds something at the end.
    pub(super) fn push(&self, outgoing: Outgoing) {
        self.queue.lock().push_back(outgoing);
        self.added.notify_one();
    }

    /// Waits for the next one and removes it. For one task only.
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            let next = self.queue.lock().pop_front();
            match next {
                Some(next) => return next,
                None => self.added.notified().await,
            }
        }
    }
}
