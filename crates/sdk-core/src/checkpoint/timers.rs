//! The table of timers. A due timer is claimed there before it runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::table::{id, insert};
use super::{Checkpoint, RETRY};
use crate::PluginId;
use crate::clock::{milliseconds, since_1970};
use crate::database::{DatabaseError, Engine, Parameter, Statements, TIMER_CHANGES, TimerChange};
use crate::scheduler::{Batch, Kept};

/// How long a claim holds if its process does not renew it. Only another process of a shared database waits for that.
const LEASE: Duration = Duration::from_mins(1);
const RENEW: Duration = Duration::from_secs(20);
/// How often a timer is run that each time ended with the end of the process.
const ATTEMPTS: u64 = 3;

/// Time from one look for timers of other processes to the next, in case a note about one was lost.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// Most notes that are followed one by one.
const NOTES: usize = 50;

const COLUMNS: &str = "plugin, name, key, id, at_ms, payload, attempts";
const RELEASE: &str = "UPDATE hotcord_timers SET owner = NULL WHERE application = $1";
const DELETE: &str =
    "DELETE FROM hotcord_timers WHERE application = $1 AND plugin = $2 AND name = $3 AND key = $4";
const DELETE_ONE: &str = "DELETE FROM hotcord_timers WHERE application = $1 AND plugin = $2 AND name = $3 AND key = $4 AND id = $5";

/// Returns the time now by the database's clock, which all processes share, in milliseconds since 1970.
fn now(is_shared: bool) -> &'static str {
    if is_shared {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    } else {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    }
}

/// Key of one timer, as parameters from `$1` on.
const ONE: &str = "application = $1 AND plugin = $2 AND name = $3 AND key = $4 AND id = $5";

#[derive(serde::Deserialize)]
struct Stored {
    plugin: PluginId,
    name: String,
    key: String,
    id: i64,
    at_ms: u64,
    payload: String,
    attempts: u64,
    /// 0: by nobody; 1: by another process; 2: by this one.
    claimed: u8,
    /// Milliseconds for which the claim still holds.
    lease_left: i64,
}

impl Stored {
    /// Returns the timer as it is pending in a process that does not run it.
    fn kept(self, is_shared: bool) -> Kept {
        let Self { plugin, name, key, id, at_ms, payload, attempts, claimed, lease_left } = self;
        // The process may still be there, and renew its lease.
        let at = if claimed > 0 && is_shared { at_ms.max(after(lease_left)) } else { at_ms };
        let payload = serde_json::from_str(&payload).unwrap_or_else(|error| {
            tracing::error!(%plugin, timer = name, key, %error, "the payload of a timer is no JSON in the database");
            Value::Null
        });
        // Setting a timer counts its attempts anew, and the row of one that was handled is gone.
        Kept { plugin, name, key, at, payload, id, interrupted: attempts > 0 }
    }
}

/// Returns the time by this process's clock at which a lease has ended, in milliseconds since 1970.
fn after(lease_left: i64) -> u64 {
    since_1970() + u64::try_from(lease_left).unwrap_or(0) + 1
}

/// Reads timers that a condition selects. Its parameters begin with `$3`.
async fn select(
    engine: &dyn Engine,
    application: u64,
    owner: i64,
    condition: &str,
    more: Vec<Parameter>,
) -> Result<Vec<Stored>, DatabaseError> {
    let now = now(engine.is_shared());
    let select = format!(
        "SELECT {COLUMNS}, CASE WHEN owner IS NULL THEN 0 WHEN owner = $2 THEN 2 ELSE 1 END AS claimed, \
         lease_ms - {now} AS lease_left FROM hotcord_timers WHERE application = $1 {condition}"
    );
    let mut parameters = vec![id(application), Parameter::Integer(owner)];
    parameters.extend(more);
    engine.fetch(&select, parameters).await?.into_iter().map(crate::database::Row::read).collect()
}

/// Reads an application's timers. Those that a process was running when it ended are run again.
pub(super) async fn read(
    engine: &dyn Engine,
    application: u64,
    owner: i64,
) -> Result<Vec<Kept>, DatabaseError> {
    let mut kept = Vec::new();
    for stored in select(engine, application, owner, "", Vec::new()).await? {
        let has_ended = !engine.is_shared() || stored.lease_left < 0;
        if stored.claimed > 0 && stored.attempts >= ATTEMPTS && has_ended {
            let Stored { plugin, name, key, id: number, .. } = stored;
            given_up(&plugin, &name, &key);
            let parameters =
                vec![id(application), plugin.as_str().into(), name.into(), key.into(), number.into()];
            engine.execute(DELETE_ONE, parameters).await?;
            continue;
        }
        kept.push(stored.kept(engine.is_shared()));
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
    let is_shared = checkpoint.engine.is_shared();
    let now = now(is_shared);
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
    let give_up = format!(
        "DELETE FROM hotcord_timers WHERE {ONE} AND owner IS NOT NULL AND owner <> $6 AND lease_ms < {now} AND attempts >= $7"
    );
    if statements.execute(&give_up, with(&[owner.clone(), id(ATTEMPTS)])).await? == 1 {
        given_up(plugin, name, key);
        return Ok(Answer::Gone);
    }
    let claim = format!(
        "UPDATE hotcord_timers SET owner = $6, lease_ms = {now} + $7, attempts = attempts + 1 \
         WHERE {ONE} AND (owner IS NULL OR owner = $6 OR lease_ms < {now})"
    );
    if statements.execute(&claim, with(&[owner, id(milliseconds(LEASE))])).await? == 1 {
        return Ok(Answer::Granted);
    }
    let left = format!("SELECT lease_ms - {now} AS lease_left FROM hotcord_timers WHERE {ONE}");
    let held = statements.fetch(&left, with(&[])).await?.into_iter().next();
    Ok(match held {
        Some(row) => Answer::Held(after(row.read_first()?)),
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
    if checkpoint.engine.is_shared() {
        tell_others(checkpoint, statements, batch).await?;
    }
    transaction.commit().await?;
    Ok(answers)
}

/// Tells other processes which timers were set and removed, when the transaction is committed.
async fn tell_others(
    checkpoint: &Checkpoint,
    statements: &mut dyn Statements,
    batch: &Batch,
) -> Result<(), DatabaseError> {
    let new = batch.claims.iter().filter(|claim| claim.is_new).map(|claim| &claim.timer);
    let set = new.chain(&batch.kept).chain(&batch.set).map(|timer| (&timer.plugin, &timer.name, &timer.key));
    let finished = batch.finished.iter().map(|(key, _)| key);
    let gone = batch.removed.iter().chain(finished).map(|(plugin, name, key)| (plugin, name, key));
    let notes: Vec<String> = set
        .chain(gone)
        .map(|(plugin, name, key)| {
            serde_json::json!([checkpoint.application, checkpoint.owner, plugin, name, key]).to_string()
        })
        .collect();
    if notes.is_empty() {
        return Ok(());
    }
    let notify =
        format!("SELECT pg_notify('{TIMER_CHANGES}', note) FROM json_array_elements_text($1::json) AS note");
    statements.fetch(&notify, vec![serde_json::Value::from(notes).to_string().into()]).await.map(drop)
}

impl Checkpoint {
    /// Writes what changes of the timers until the future is dropped.
    pub(super) async fn keep_timers(self: &Arc<Self>) {
        let mut renewal = tokio::time::interval(RENEW);
        let mut looks = tokio::time::interval(LOOK_AGAIN);
        let mut changes = self.engine.timer_changes();
        let is_shared = self.engine.is_shared();
        loop {
            tokio::select! {
                () = self.host.scheduler().noted_change() => {
                    while !self.write_timers().await {
                        tokio::time::sleep(RETRY).await;
                    }
                }
                _ = renewal.tick(), if is_shared => {
                    let renewal = format!(
                        "UPDATE hotcord_timers SET lease_ms = {} + $1 WHERE application = $2 AND owner = $3",
                        now(is_shared)
                    );
                    let parameters =
                        vec![id(milliseconds(LEASE)), id(self.application), Parameter::Integer(self.owner)];
                    // If it fails, the next one is in time.
                    let _ = self.engine.execute(&renewal, parameters).await;
                }
                change = changes.recv(), if is_shared => {
                    let mut notes = Some(Vec::new());
                    let mut next = Some(change);
                    while let Some(change) = next {
                        match (change, &mut notes) {
                            (Ok(TimerChange::One(note)), Some(notes)) if notes.len() < NOTES => notes.push(note),
                            _ => notes = None,
                        }
                        next = match changes.try_recv() {
                            Ok(change) => Some(Ok(change)),
                            Err(TryRecvError::Lagged(missed)) => Some(Err(RecvError::Lagged(missed))),
                            Err(_) => None,
                        };
                    }
                    self.adopt(notes).await;
                }
                _ = looks.tick(), if is_shared => self.adopt(None).await,
            }
        }
    }

    /// Takes over timers that other processes have set and removed: those of notes, or all.
    async fn adopt(&self, notes: Option<Vec<String>>) {
        // What this process writes meanwhile would be taken for missing.
        let _turn = self.writing_timers.lock().await;
        let (engine, scheduler) = (&*self.engine, self.host.scheduler());
        let outcome = async {
            let Some(notes) = notes else {
                let all = select(engine, self.application, self.owner, "", Vec::new()).await?;
                // A timer that this process runs is not pending.
                let others = all.into_iter().filter(|stored| stored.claimed < 2);
                scheduler.adopt_all(others.map(|stored| stored.kept(true)).collect());
                return Ok(());
            };
            for note in notes {
                type Note = (u64, i64, PluginId, String, String);
                let Ok((application, owner, plugin, name, key)) = serde_json::from_str::<Note>(&note) else {
                    continue;
                };
                if application != self.application || owner == self.owner {
                    continue;
                }
                let parameters = vec![plugin.as_str().into(), (&name).into(), (&key).into()];
                let condition = "AND plugin = $3 AND name = $4 AND key = $5";
                let found = select(engine, self.application, self.owner, condition, parameters).await?;
                let kept = match found.into_iter().next() {
                    Some(stored) if stored.claimed == 2 => continue,
                    found => found.map(|stored| stored.kept(true)),
                };
                scheduler.adopt((plugin, name, key), kept);
            }
            Ok::<_, DatabaseError>(())
        };
        if let Err(error) = outcome.await {
            tracing::debug!(%error, "timers of other processes are not read; they are with the next look");
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
