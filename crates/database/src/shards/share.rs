//! The division of shards, in transactions of one process at a time.

use std::collections::{BTreeMap, HashMap};

use sdk_core::database::DatabaseError;
use sqlx::{Postgres, Transaction};
use tokio::time::Instant;

use super::ShardTables;
use super::leases::{Held, ShardLeases, Stage};
use crate::translate::translate;

/// Number of the advisory lock under which shards are divided, with the application's: "shards".
const LOCK: i64 = 0x7368_6172_6473;

/// The number of each process's renewals, since when it is unchanged.
pub(super) type Observed = HashMap<i64, (i64, Instant)>;

impl ShardTables {
    /// Begins a transaction that no other process can be in. One that is paused in it is put out by the server.
    async fn begin(&self) -> Result<Transaction<'static, Postgres>, DatabaseError> {
        let mut transaction = self.pool.begin().await.map_err(translate)?;
        let limits = "SELECT set_config('idle_in_transaction_session_timeout', '2000', true), \
            set_config('lock_timeout', '3000', true)";
        sqlx::query(limits).execute(&mut *transaction).await.map_err(translate)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(LOCK ^ self.application)
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
        Ok(transaction)
    }

    /// Returns the number of shards that all processes have agreed on: `wanted`, if there is no other process.
    pub(super) async fn agree(&self, wanted: u32) -> Result<u32, DatabaseError> {
        let mut transaction = self.begin().await?;
        let known = sqlx::query_as::<_, (i64, bool)>(
            "SELECT total, EXISTS (SELECT 1 FROM hotcord_processes WHERE application = $1) \
             FROM hotcord_shard_count WHERE application = $1",
        )
        .bind(self.application)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(translate)?;
        let agreed = known.filter(|(_, is_in_use)| *is_in_use).map(|(total, _)| total);
        let total = agreed.and_then(|total| u32::try_from(total).ok()).unwrap_or(wanted);
        if total != wanted {
            tracing::warn!(
                total,
                wanted,
                "the other processes have agreed on another number of shards; end them all to change it"
            );
        }
        sqlx::query(
            "INSERT INTO hotcord_shard_count (application, total) VALUES ($1, $2) \
             ON CONFLICT (application) DO UPDATE SET total = excluded.total",
        )
        .bind(self.application)
        .bind(i64::from(total))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        sqlx::query(
            "INSERT INTO hotcord_shards (application, shard) \
             SELECT $1, number FROM generate_series(0::bigint, $2 - 1) AS number ON CONFLICT DO NOTHING",
        )
        .bind(self.application)
        .bind(i64::from(total))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        // With another number, a shard is another shard.
        sqlx::query(
            "UPDATE hotcord_shards SET session_id = NULL, sequence = NULL, resume_url = NULL \
             WHERE application = $1 AND $2",
        )
        .bind(self.application)
        .bind(known.is_some_and(|(before, _)| before != i64::from(total)))
        .execute(&mut *transaction)
        .await
        .map_err(translate)?;
        transaction.commit().await.map_err(translate)?;
        Ok(total)
    }

    /// Renews the lease of a process. Returns whether it still had one.
    pub(super) async fn renew(&self, process: i64) -> Result<bool, DatabaseError> {
        let renewed = sqlx::query(
            "UPDATE hotcord_processes SET renewals = renewals + 1 WHERE application = $1 AND process = $2",
        )
        .bind(self.application)
        .bind(process)
        .execute(&self.pool)
        .await
        .map_err(translate)?;
        Ok(renewed.rows_affected() == 1)
    }

    /// Adds a process.
    pub(super) async fn enter(&self, process: i64) -> Result<(), DatabaseError> {
        sqlx::query("INSERT INTO hotcord_processes (application, process, renewals) VALUES ($1, $2, 0)")
            .bind(self.application)
            .bind(process)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(translate)
    }

    /// Removes a process, if its number of renewals is still that, and frees its shards. Returns whether it was there.
    async fn remove(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        process: i64,
        renewals: Option<i64>,
    ) -> Result<bool, DatabaseError> {
        let removed = sqlx::query(
            "DELETE FROM hotcord_processes WHERE application = $1 AND process = $2 \
             AND ($3::bigint IS NULL OR renewals = $3)",
        )
        .bind(self.application)
        .bind(process)
        .bind(renewals)
        .execute(&mut **transaction)
        .await
        .map_err(translate)?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("UPDATE hotcord_shards SET process = NULL WHERE application = $1 AND process = $2")
            .bind(self.application)
            .bind(process)
            .execute(&mut **transaction)
            .await
            .map_err(translate)?;
        Ok(true)
    }

    /// Removes a process that ends, and frees its shards.
    pub(super) async fn leave(&self, process: i64) -> Result<(), DatabaseError> {
        let mut transaction = self.begin().await?;
        self.remove(&mut transaction, process, None).await?;
        transaction.commit().await.map_err(translate)
    }

    /// Takes a shard. Returns its new term.
    async fn take(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        shard: u32,
        process: i64,
    ) -> Result<i64, DatabaseError> {
        sqlx::query_scalar(
            "UPDATE hotcord_shards SET process = $1, term = term + 1 WHERE application = $2 AND shard = $3 RETURNING term",
        )
        .bind(process)
        .bind(self.application)
        .bind(i64::from(shard))
        .fetch_one(&mut **transaction)
        .await
        .map_err(translate)
    }
}

impl ShardLeases {
    /// Removes processes that have died, frees shards that were stopped here, and takes those that are this process's part.
    pub(super) async fn share(&self, observed: &mut Observed) -> Result<(), DatabaseError> {
        let tables = &self.tables;
        let mut transaction = tables.begin().await?;
        let processes = sqlx::query_as::<_, (i64, i64)>(
            "SELECT process, renewals FROM hotcord_processes WHERE application = $1",
        )
        .bind(tables.application)
        .fetch_all(&mut *transaction)
        .await
        .map_err(translate)?;
        let now = Instant::now();
        let me = self.standing.lock().process;
        let mut live = BTreeMap::<i64, usize>::new();
        for (process, renewals) in &processes {
            let entry = observed.entry(*process).or_insert((*renewals, now));
            if entry.0 != *renewals {
                *entry = (*renewals, now);
            }
            let is_dead = *process != me && now.duration_since(entry.1) >= self.timing.lease;
            if is_dead && tables.remove(&mut transaction, *process, Some(*renewals)).await? {
                tracing::warn!(
                    "a process of the bot has died or is cut off; its shards are divided over the others"
                );
            } else {
                live.insert(*process, 0);
            }
        }
        observed.retain(|process, _| live.contains_key(process));
        if !live.contains_key(&me) {
            // Found out and mended at the next renewal.
            return Ok(());
        }
        let rows = sqlx::query_as::<_, (i64, Option<i64>, i64)>(
            "SELECT shard, process, term FROM hotcord_shards WHERE application = $1 AND shard < $2 ORDER BY shard",
        )
        .bind(tables.application)
        .bind(i64::from(self.total))
        .fetch_all(&mut *transaction)
        .await
        .map_err(translate)?;
        let (mut free, mut mine) = (Vec::new(), BTreeMap::new());
        for (shard, process, term) in rows {
            let shard = u32::try_from(shard).unwrap_or_default();
            match process.and_then(|process| Some((process, live.get_mut(&process)?))) {
                Some((process, count)) => {
                    *count += 1;
                    if process == me {
                        mine.insert(shard, term);
                    }
                }
                // Free, or of a process that is not there.
                None => free.push(shard),
            }
        }
        let quota = quota(&live, me, self.total);
        let (stopped, active) = {
            let standing = self.standing.lock();
            let stage = |shard: &u32| standing.shards.get(shard).map(|held| held.stage);
            let stopped: Vec<u32> =
                mine.keys().filter(|shard| stage(shard) == Some(Stage::Stopped)).copied().collect();
            let active =
                mine.keys().filter(|shard| !matches!(stage(shard), Some(Stage::Stopped | Stage::Leaving)));
            (stopped, active.copied().collect::<Vec<_>>())
        };
        for shard in &stopped {
            sqlx::query(
                "UPDATE hotcord_shards SET process = NULL WHERE application = $1 AND shard = $2 AND process = $3",
            )
            .bind(tables.application)
            .bind(i64::from(*shard))
            .bind(me)
            .execute(&mut *transaction)
            .await
            .map_err(translate)?;
            mine.remove(shard);
        }
        // A shard that is still leaving counts until it is free, so that no process has more than its part.
        for shard in free.into_iter().take(quota.saturating_sub(mine.len())) {
            let term = tables.take(&mut transaction, shard, me).await?;
            mine.insert(shard, term);
        }
        let leaving: Vec<u32> =
            active.iter().rev().take(active.len().saturating_sub(quota)).copied().collect();
        transaction.commit().await.map_err(translate)?;

        let mut standing = self.standing.lock();
        if standing.process == me {
            standing.shards.retain(|shard, held| mine.get(shard) == Some(&held.term));
            for (shard, term) in mine {
                standing.shards.entry(shard).or_insert(Held { term, stage: Stage::Held });
            }
            for shard in leaving {
                if let Some(held) = standing.shards.get_mut(&shard) {
                    held.stage = Stage::Leaving;
                }
            }
        }
        Ok(())
    }
}

/// Returns how many shards a process should have. Where the division leaves a rest, those with the most get one more, so
/// that nothing moves without need.
fn quota(live: &BTreeMap<i64, usize>, process: i64, total: u32) -> usize {
    let total = total as usize;
    let mut order: Vec<_> =
        live.iter().map(|(process, count)| (std::cmp::Reverse(*count), *process)).collect();
    order.sort_unstable();
    let rank = order.iter().position(|(_, other)| *other == process).unwrap_or(order.len());
    total / live.len().max(1) + usize::from(rank < total % live.len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shards_are_divided_and_those_with_the_most_keep_the_rest() {
        let live = BTreeMap::from([(1, 0), (2, 4), (3, 3)]);
        assert_eq!([1, 2, 3].map(|process| quota(&live, process, 7)), [2, 3, 2]);
        let live = BTreeMap::from([(1, 0), (2, 0), (3, 0), (4, 0)]);
        assert_eq!([1, 2, 3, 4].map(|process| quota(&live, process, 3)), [1, 1, 1, 0]);
        assert_eq!(quota(&BTreeMap::from([(9, 5)]), 9, 12), 12);
    }
}
