//! What is said, live, for listeners in the same process.

use std::sync::Arc;

use discord_rules::snowflake::Snowflake;
use tokio::sync::broadcast;

use super::Voice;

/// One Opus frame that the server could read, as the people in the channel hear it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Guild.
    pub guild: Snowflake,
    /// Channel.
    pub channel: Snowflake,
    /// User who sent it.
    pub user: Snowflake,
    /// SSRC of the stream.
    pub ssrc: u32,
    /// Sequence number of the packet.
    pub sequence: u16,
    /// Timestamp of the packet, at 48,000 a second.
    pub timestamp: u32,
    /// Opus.
    pub opus: Vec<u8>,
}

/// Frames that a slow listener may be behind; half a minute of one stream. What is older is lost to it.
pub(super) const BACKLOG: usize = 1500;

impl Voice {
    /// Returns a receiver of all frames from now on, in every channel.
    pub fn listen(&self) -> broadcast::Receiver<Arc<Frame>> {
        self.shared.frames.subscribe()
    }

    /// Gives a frame to those who listen.
    pub(crate) fn publish(&self, frame: impl FnOnce() -> Frame) {
        if self.shared.frames.receiver_count() > 0 {
            // The last listener may be gone by now, and then nobody hears it.
            let _ = self.shared.frames.send(Arc::new(frame()));
        }
    }
}
