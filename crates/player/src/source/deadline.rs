//! The time by which all requests to servers for one purpose must be finished.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::SourceError;

/// A time by which work must be finished.
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

    /// Awaits work, and drops it at the deadline.
    pub(super) async fn keep<T>(
        self,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        timeout_at(self.until, work).await.unwrap_or(Err(SourceError::Late { most: self.most }))
    }
}
