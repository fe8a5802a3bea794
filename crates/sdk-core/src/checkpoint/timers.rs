//! The table of timers. A due timer is claimed there before it runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::table::{id, insert};
use super::{Checkpoint, RETRY};
use crate::PluginId;
use crate::clock::{milliseconds, since_1970};
use crate::database::{DatabaseError, Engine, Parameter, Statements};
use crate::scheduler::{Batch, Kept};

/// How long a claim holds if its process does not renew it. Only another process of a shared database waits for that.
const LEASE: Duration = Duration::from_mins(1);
const RENEW: Duration = Duration::from_secs(20);
/// How often a timer is run that each time ended with the end of the process.
const ATTEMPTS: u64 = 3;

const CLAIM: &str = "UPDATE hotcord_timers SET owner = $1, lease_ms = $2, attempts = attempts + 1 \
    WHERE application = $3 AND plugin = $4 AND name = $5 AND key = $6 AND id = $7 \
    AND (owner IS NULL OR lease_ms < $8)";
const RENEWAL: &str = "UPDATE hotcord_timers SET lease_ms = $1 WHERE application = $2 AND owner = $3";
const RELEASE: &str = "UPDATE hotcord_timers SET owner = NULL WHERE application = $1";
const DELETE: &str =
    "DELETE FROM hotcord_timers WHERE application = $1 AND plugin = $2 AND name = $3 AND key = $4";
const DELETE_ONE: &str = "DELETE FROM hotcord_timers WHERE application = $1 AND plugin = $2 AND name = $3 AND key = $4 AND id = $5";

#[derive(serde::Deserialize)]
struct Stored {
    plugin: PluginId,
    name: String,
    key: String,
    id: i64,
    at_ms: u64,
    payload: String,
    is_claimed: u8,
    lease_ms: u64,
    attempts: u64,
}

/// Reads an application's timers. Those that a process was running when it ended are run again.
pub(super) async fn read(engine: &dyn Engine, application: u64) -> Result<Vec<Kept>, DatabaseError> {
    let select = "SELECT plugin, name, key, id, at_ms, payload, lease_ms, attempts, \
        CASE WHEN owner IS NULL THEN 0 ELSE 1 END AS is_claimed FROM hotcord_timers WHERE application = $1";
    let mut kept = Vec::new();
    for row in engine.fetch(select, vec![id(application)]).await? {
        let Stored { plugin, name, key, id: number, at_ms, payload, is_claimed, lease_ms, attempts } =
            row.read()?;
        let is_claimed = is_claimed == 1;
        // The process may still be there, and renew its lease.
        let at = if is_claimed && engine.is_shared() { at_ms.max(lease_ms + 1) } else { at_ms };
        if is_claimed && attempts >= ATTEMPTS && at < since_1970() {
            tracing::error!(%plugin, timer = name, key, attempts, "the bot ended each time while this timer ran; it is given up");
            let parameters =
                vec![id(application), plugin.as_str().into(), name.into(), key.into(), number.into()];
            engine.execute(DELETE_ONE, parameters).await?;
            continue;
        }
        let payload = serde_json::from_str(&payload).unwrap_or_else(|error| {
            tracing::error!(%plugin, timer = name, key, %error, "the payload of a timer is no JSON in the database");
            Value::Null
        });
        kept.push(Kept { plugin, name, key, at, payload, id: number, interrupted: is_claimed });
    }
    if !engine.is_shared() {
        engine.execute(RELEASE, vec![id(application)]).await?;
    }
    Ok(kept)
}

/// Writes timers as set anew.
pub(super) async fn put(
    statements: &mut dyn Statements,
    application: u64,
    timers: impl Iterator<Item = &Kept>,
) -> Result<(), DatabaseError> {
    let rows = timers.map(|Kept { plugin, name, key, at, payload, id: number, .. }| {
        vec![
            id(application),
            plugin.as_str().into(),
            name.into(),
            key.into(),
            Parameter::Integer(*number),
            id(*at),
            payload.into(),
        ]
    });
    insert(
        statements,
        "INSERT INTO hotcord_timers (application, plugin, name, key, id, at_ms, payload)",
        rows.collect(),
        "ON CONFLICT (application, plugin, name, key) DO UPDATE SET id = excluded.id, at_ms = excluded.at_ms, \
         payload = excluded.payload, owner = NULL, lease_ms = 0, attempts = 0",
    )
    .await
}

/// Writes a batch. Returns which claims are granted.
async fn write(checkpoint: &Checkpoint, batch: &Batch) -> Result<Vec<bool>, DatabaseError> {
    let application = checkpoint.application;
    let mut transaction = checkpoint.engine.begin().await?;
    let statements: &mut dyn Statements = &mut *transaction;
    let new = batch.claims.iter().filter(|claim| claim.is_new);
    put(statements, application, new.map(|claim| &claim.timer)).await?;
    let mut granted = Vec::with_capacity(batch.claims.len());
    for claim in &batch.claims {
        let now = since_1970();
        let Kept { plugin, name, key, id: number, .. } = &claim.timer;
        let parameters = vec![
            Parameter::Integer(checkpoint.owner),
            id(now + milliseconds(LEASE)),
            id(application),
            plugin.as_str().into(),
            name.into(),
            key.into(),
            Parameter::Integer(*number),
            id(now),
        ];
        granted.push(statements.execute(CLAIM, parameters).await? == 1);
    }
    for (plugin, name, key) in &batch.removed {
        let parameters = vec![id(application), plugin.as_str().into(), name.into(), key.into()];
        statements.execute(DELETE, parameters).await?;
    }
    put(statements, application, batch.set.iter()).await?;
    for ((plugin, name, key), number) in &batch.finished {
        let parameters =
            vec![id(application), plugin.as_str().into(), name.into(), key.into(), (*number).into()];
        statements.execute(DELETE_ONE, parameters).await?;
    }
    transaction.commit().await?;
    Ok(granted)
}

impl Checkpoint {
    /// Writes what changes of the timers until the future is dropped.
    pub(super) async fn keep_timers(self: &Arc<Self>) {
        let mut renewal = tokio::time::interval(RENEW);
        loop {
            tokio::select! {
                () = self.host.scheduler().noted_change() => {
                    while !self.write_timers().await {
                        tokio::time::sleep(RETRY).await;
                    }
                }
                _ = renewal.tick(), if self.engine.is_shared() => {
                    let until = since_1970() + milliseconds(LEASE);
                    let parameters = vec![id(until), id(self.application), Parameter::Integer(self.owner)];
                    // If it fails, the next one is in time.
                    let _ = self.engine.execute(RENEWAL, parameters).await;
                }
            }
        }
    }

    /// Writes the changes so far. Returns whether that was possible.
    pub(super) async fn write_timers(self: &Arc<Self>) -> bool {
        let turn = self.writing_timers.clone().lock_owned().await;
        let this = self.clone();
        // What was taken from the scheduler is written or given back even if the caller is gone.
        let writing = tokio::spawn(async move {
            let _turn = turn;
            this.write_batch().await
        });
        writing.await.unwrap_or(false)
    }

    async fn write_batch(&self) -> bool {
        let scheduler = self.host.scheduler();
        let mut batch = scheduler.take();
        if self.host.is_closing() {
            // They run after the restart.
            for claim in std::mem::take(&mut batch.claims) {
                batch.keep(claim);
            }
        }
        if batch.is_empty() {
            return true;
        }
        let outcome = write(self, &batch).await;
        Self::tell(&self.told_of_timers, outcome.as_ref().err().map(|error| self.unwritten(error)));
        match outcome {
            Ok(granted) => {
                scheduler.wrote(&batch);
                for (claim, granted) in batch.claims.into_iter().zip(granted) {
                    claim.reply(granted);
                }
                true
            }
            Err(_) => {
                // No other process can run them, so they do not wait for the database.
                if !self.engine.is_shared() {
                    batch.claims.drain(..).for_each(|claim| claim.reply(true));
                }
                scheduler.give_back(batch);
                false
            }
        }
    }
}
