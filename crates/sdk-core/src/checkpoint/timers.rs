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
    AND (owner IS NULL OR owner = $1 OR lease_ms < $8)";
const GIVE_UP: &str = "DELETE FROM hotcord_timers WHERE application = $1 AND plugin = $2 AND name = $3 AND key = $4 AND id = $5 \
    AND owner IS NOT NULL AND owner <> $6 AND lease_ms < $7 AND attempts >= $8";
const HELD_UNTIL: &str = "SELECT lease_ms FROM hotcord_timers \
    WHERE application = $1 AND plugin = $2 AND name = $3 AND key = $4 AND id = $5";
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
            given_up(&plugin, &name, &key);
            let parameters =
                vec![id(application), plugin.as_str().into(), name.into(), key.into(), number.into()];
            engine.execute(DELETE_ONE, parameters).await?;
            continue;
        }
        let payload = serde_json::from_str(&payload).unwrap_or_else(|error| {
            tracing::error!(%plugin, timer = name, key, %error, "the payload of a timer is no JSON in the database");
            Value::Null
        });
        // Setting a timer counts its attempts anew, and the row of one that was handled is gone.
        kept.push(Kept { plugin, name, key, at, payload, id: number, interrupted: attempts > 0 });
    }
    if !engine.is_shared() {
        engine.execute(RELEASE, vec![id(application)]).await?;
    }
    Ok(kept)
}

fn given_up(plugin: &PluginId, timer: &str, key: &str) {
    tracing::error!(%plugin, timer, key, attempts = ATTEMPTS, "the bot ended each time while this timer ran; it is given up");
}

/// Writes timers as set anew. Each is there once.
pub(super) async fn put(
    statements: &mut dyn Statements,
    application: u64,
    timers: impl Iterator<Item = &Kept>,
) -> Result<(), DatabaseError> {
    let rows = timers.map(|Kept { plugin, name, key, at, payload, id: number, interrupted }| {
        vec![
            id(application),
            plugin.as_str().into(),
            name.into(),
            key.into(),
            Parameter::Integer(*number),
            id(*at),
            payload.into(),
            Parameter::Integer(i64::from(*interrupted)),
        ]
    });
    insert(
        statements,
        "INSERT INTO hotcord_timers (application, plugin, name, key, id, at_ms, payload, attempts)",
        rows.collect(),
        "ON CONFLICT (application, plugin, name, key) DO UPDATE SET id = excluded.id, at_ms = excluded.at_ms, \
         payload = excluded.payload, owner = NULL, lease_ms = 0, attempts = excluded.attempts",
    )
    .await
}

/// What becomes of a claim.
enum Answer {
    Granted,
    /// The timer is gone: another process has run it, or it is given up.
    Gone,
    /// Another process runs it, until this time (milliseconds since 1970) if it does not say more.
    Held(u64),
}

async fn claim(
    checkpoint: &Checkpoint,
    statements: &mut dyn Statements,
    timer: &Kept,
) -> Result<Answer, DatabaseError> {
    let now = since_1970();
    let Kept { plugin, name, key, id: number, .. } = timer;
    let row: [Parameter; 5] = [
        id(checkpoint.application),
        plugin.as_str().into(),
        name.into(),
        key.into(),
        Parameter::Integer(*number),
    ];
    let with = |more: &[Parameter]| row.iter().chain(more).cloned().collect::<Vec<_>>();
    let owner = Parameter::Integer(checkpoint.owner);
    if statements.execute(GIVE_UP, with(&[owner.clone(), id(now), id(ATTEMPTS)])).await? == 1 {
        given_up(plugin, name, key);
        return Ok(Answer::Gone);
    }
    let mut parameters = vec![owner, id(now + milliseconds(LEASE))];
    parameters.extend(with(&[id(now)]));
    if statements.execute(CLAIM, parameters).await? == 1 {
        return Ok(Answer::Granted);
    }
    let held = statements.fetch(HELD_UNTIL, with(&[])).await?.into_iter().next();
    Ok(match held {
        Some(row) => Answer::Held(row.read_first()?),
        None => Answer::Gone,
    })
}

/// Writes a batch. Returns the answers to its claims.
async fn write(checkpoint: &Checkpoint, batch: &Batch) -> Result<Vec<Answer>, DatabaseError> {
    let application = checkpoint.application;
    let mut transaction = checkpoint.engine.begin().await?;
    let statements: &mut dyn Statements = &mut *transaction;
    let mut answers = Vec::with_capacity(batch.claims.len());
    for one in &batch.claims {
        // One by one, since two can have the same key.
        if one.is_new {
            put(statements, application, std::iter::once(&one.timer)).await?;
        }
        answers.push(claim(checkpoint, statements, &one.timer).await?);
    }
    for (plugin, name, key) in &batch.removed {
        let parameters = vec![id(application), plugin.as_str().into(), name.into(), key.into()];
        statements.execute(DELETE, parameters).await?;
    }
    put(statements, application, batch.kept.iter()).await?;
    put(statements, application, batch.set.iter()).await?;
    for ((plugin, name, key), number) in &batch.finished {
        let parameters =
            vec![id(application), plugin.as_str().into(), name.into(), key.into(), (*number).into()];
        statements.execute(DELETE_ONE, parameters).await?;
    }
    transaction.commit().await?;
    Ok(answers)
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
            Ok(answers) => {
                scheduler.wrote(&batch);
                for (claim, answer) in batch.claims.into_iter().zip(answers) {
                    if let Answer::Held(until) = answer {
                        scheduler.wait_for_other(&claim.timer, until);
                    }
                    claim.reply(matches!(answer, Answer::Granted));
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
