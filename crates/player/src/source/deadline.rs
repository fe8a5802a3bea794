//! The time by which all that is asked of servers for one purpose has to be done.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::SourceError;

/// A time by which something has to be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    until: Instant,
    most: Duration,
}

impl Deadline {
    /// Sets a deadline from now.
    pub(super) fn after(most: Duration) -> Self {
        Self { until: Instant::now() + most, most }
    }

    /// Waits for work, and drops it at the deadline.
    pub(super) async fn keep<T>(
        self,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        timeout_at(self.until, work).await.unwrap_or(Err(SourceError::Late { most: self.most }))
    }
}
