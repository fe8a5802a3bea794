//! The gate of IDENTIFYs: one at a time in each bucket, with a time between two, over all processes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sdk_core::database::DatabaseError;
use tokio::time::{Instant, sleep};

use super::ShardTables;
use crate::translate::translate;

/// Time between two IDENTIFYs of a bucket (Discord's documentation: "Gateway", "Rate Limiting"), and a bit for the network.
const SPACING: Duration = Duration::from_millis(5_100);
/// How long a permission may be held before its IDENTIFY is sent.
const SENT_WITHIN: Duration = Duration::from_secs(10);
/// Pause between two looks at the bucket.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Pause after an error of the database.
const RETRY: Duration = Duration::from_secs(1);
/// Age of the last IDENTIFY from which a process that has not watched the bucket believes the database's clock.
const LONG_AGO: Duration = Duration::from_mins(1);

const READ: &str = "SELECT number, pending, \
    CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - at_ms \
    FROM hotcord_identifies WHERE application = $1 AND bucket = $2";
const FIRST: &str = "INSERT INTO hotcord_identifies (application, bucket, number, pending, at_ms) \
    VALUES ($1, $2, 1, 1, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)) ON CONFLICT DO NOTHING";
const RAISE: &str = "UPDATE hotcord_identifies SET number = number + 1, pending = $4, \
    at_ms = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) \
    WHERE application = $1 AND bucket = $2 AND number = $3";

/// Lets one process at a time send an IDENTIFY in each bucket.
#[derive(Debug)]
pub struct IdentifyGate {
    tables: ShardTables,
    buckets: u32,
    spacing: Duration,
    /// What each bucket was when it was first seen so, with the time.
    seen: parking_lot::Mutex<HashMap<u32, (i64, Instant)>>,
}

/// Permission for one IDENTIFY. Drop it once that is sent: the next one of the bucket may follow after the usual time.
#[derive(Debug)]
pub struct IdentifyPermit {
    gate: Arc<IdentifyGate>,
    bucket: u32,
    number: i64,
    began: Instant,
}

impl IdentifyGate {
    pub(crate) fn new(tables: ShardTables, max_concurrency: u32, spacing: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            tables,
            buckets: max_concurrency.max(1),
            spacing: spacing.unwrap_or(SPACING),
            seen: parking_lot::Mutex::default(),
        })
    }

    /// Waits until a shard may identify. While the database does not answer, no shard may.
    pub async fn acquire(self: &Arc<Self>, shard: u32) -> IdentifyPermit {
        let bucket = shard % self.buckets;
        let mut is_told = false;
        loop {
            // If the caller gives up, a permission that is on its way is dropped where it arrives.
            let this = self.clone();
            let attempt = tokio::spawn(async move { this.attempt(bucket).await });
            match attempt.await.unwrap_or(Ok(None)) {
                Ok(Some(permit)) => return permit,
                Ok(None) => sleep(LOOK_AGAIN.min(self.spacing / 10)).await,
                Err(error) => {
                    if !is_told {
                        tracing::warn!(shard, %error, "the shard cannot identify while the database does not answer");
                        is_told = true;
                    }
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Takes the bucket if it is free.
    async fn attempt(self: Arc<Self>, bucket: u32) -> Result<Option<IdentifyPermit>, DatabaseError> {
        let began = Instant::now();
        let permit = |number| IdentifyPermit { gate: self.clone(), bucket, number, began };
        let read = sqlx::query_as::<_, (i64, i64, i64)>(READ)
            .bind(self.tables.application)
            .bind(i64::from(bucket))
            .fetch_optional(&self.tables.pool)
            .await
            .map_err(translate)?;
        let Some((number, pending, age)) = read else {
            let first = sqlx::query(FIRST)
                .bind(self.tables.application)
                .bind(i64::from(bucket))
                .execute(&self.tables.pool)
                .await
                .map_err(translate)?;
            return Ok((first.rows_affected() == 1).then(|| permit(1)));
        };
        let now = Instant::now();
        let since = {
            let mut seen = self.seen.lock();
            let known = seen.contains_key(&bucket);
            let entry = seen.entry(bucket).or_insert((number, now));
            if entry.0 != number {
                *entry = (number, now);
            }
            let is_old = Duration::from_millis(u64::try_from(age).unwrap_or(0)) >= LONG_AGO;
            if !known && is_old { None } else { Some(entry.1) }
        };
        let wait = if pending == 0 { self.spacing } else { self.spacing + SENT_WITHIN.min(self.spacing * 2) };
        if since.is_some_and(|since| now.duration_since(since) < wait) {
            return Ok(None);
        }
        Ok(self.raise(bucket, number, true).await?.then(|| permit(number + 1)))
    }

    /// Raises the number of a bucket, if it is still `number`. Returns whether it was.
    async fn raise(&self, bucket: u32, number: i64, is_pending: bool) -> Result<bool, DatabaseError> {
        let raised = sqlx::query(RAISE)
            .bind(self.tables.application)
            .bind(i64::from(bucket))
            .bind(number)
            .bind(i64::from(is_pending))
            .execute(&self.tables.pool)
            .await
            .map_err(translate)?;
        Ok(raised.rows_affected() == 1)
    }
}

impl IdentifyPermit {
    /// Returns whether the IDENTIFY may still be sent. A process that was paused meanwhile has to ask again.
    pub fn is_valid(&self) -> bool {
        self.began.elapsed() < SENT_WITHIN.min(self.gate.spacing * 2)
    }
}

impl Drop for IdentifyPermit {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (gate, bucket, number) = (self.gate.clone(), self.bucket, self.number);
        runtime.spawn(async move {
            if let Err(error) = gate.raise(bucket, number, false).await {
                tracing::debug!(bucket, %error, "an IDENTIFY was not noted");
            }
        });
    }
}
