//! The signal that something has changed which a checkpoint saves.

use std::sync::Arc;

use tokio::sync::Notify;

/// A signal that something to be saved has changed. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<Notify>);

impl Changes {
    /// Signals a change.
    pub fn mark(&self) {
        self.0.notify_one();
    }

    /// Waits for a change since the last one waited for.
    pub(crate) async fn noted(&self) {
        self.0.notified().await;
    }
}
