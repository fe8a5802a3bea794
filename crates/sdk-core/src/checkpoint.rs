//! What the bot remembers over a restart.

use std::sync::Arc;

use tokio::sync::Notify;

/// The note that something has changed which is to be kept; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<Notify>);

impl Changes {
    /// Notes a change.
    pub fn mark(&self) {
        self.0.notify_one();
    }
}
