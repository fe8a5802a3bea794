//! Queries of what was heard.

use std::sync::Arc;
use std::time::Duration;

use discord_rules::snowflake::Snowflake;
use parking_lot::Mutex;

use super::Voice;
use crate::receive::{Heard, Receiver};

impl Voice {
    /// Notifies those who wait for packets.
    pub(crate) fn ring(&self) {
        self.shared.packets.send_modify(|packets| *packets += 1);
    }

    fn receiver(&self, guild: Snowflake, user: Snowflake) -> Option<Arc<Mutex<Receiver>>> {
        self.shared.state.lock().receivers.get(&(guild, user)).cloned()
    }

    /// Returns what was heard of a user in a guild; `None` if they never had a voice session there.
    pub fn heard(&self, guild: Snowflake, user: Snowflake) -> Option<Heard> {
        Some(self.receiver(guild, user)?.lock().report(guild, user))
    }

    /// Waits until what was heard of a user fits, or for a time; returns what was heard then.
    pub async fn heard_when(
        &self,
        guild: Snowflake,
        user: Snowflake,
        within: Duration,
        fits: impl Fn(&Heard) -> bool,
    ) -> Option<Heard> {
        let mut signal = self.shared.packets.subscribe();
        let waiting = async {
            loop {
                if self.heard(guild, user).is_some_and(|heard| fits(&heard)) {
                    return;
                }
                // The sender lives as long as this handle.
                let _ = signal.changed().await;
            }
        };
        // Late or not, the result is what was heard.
        let _ = tokio::time::timeout(within, waiting).await;
        self.heard(guild, user)
    }

    /// Returns the kept decoded audio of a user: samples of 48 kHz stereo from a frame on, this many frames at most.
    pub fn pcm(&self, guild: Snowflake, user: Snowflake, from: u64, frames: usize) -> Vec<i16> {
        self.receiver(guild, user).map_or_else(Vec::new, |receiver| receiver.lock().pcm().read(from, frames))
    }

    /// Forgets what was heard of a user; returns whether there was anything.
    pub fn forget(&self, guild: Snowflake, user: Snowflake) -> bool {
        self.receiver(guild, user).map(|receiver| receiver.lock().reset()).is_some()
    }
}
