//! The shards of this process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parking_lot::Mutex;
use sdk_core::database::DatabaseError;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::share::Observed;
use super::{ShardSession, ShardTables};
use crate::translate::translate;

/// Times of leases.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Time after which a process that does not renew its lease loses its shards.
    pub lease: Duration,
    /// Time after its last renewal at which a process itself gives up its shards. Shorter than `lease`.
    pub stop: Duration,
    /// Time between two renewals.
    pub renew: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lease: Duration::from_secs(12), stop: Duration::from_secs(9), renew: Duration::from_secs(2) }
    }
}

/// What becomes of a shard of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It may be started.
    Held,
    /// It was started in this term, so its events count.
    Started,
    /// Another process is to have it; it has to be stopped first.
    Leaving,
    /// It is stopped, and free with the next renewal.
    Stopped,
}

/// A shard of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) term: i64,
    pub(super) stage: Stage,
}

/// What this process has.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) process: i64,
    /// `None` if the lease is lost.
    pub(super) valid_until: Option<Instant>,
    pub(super) shards: BTreeMap<u32, Held>,
}

impl Standing {
    fn is_valid(&self) -> bool {
        self.valid_until.is_some_and(|until| Instant::now() < until)
    }

    /// Forgets everything. The process joins again as another one.
    pub(super) fn lose(&mut self) {
        *self = Self { process: rand::random(), valid_until: None, shards: BTreeMap::new() };
    }
}

/// The lease of this process and the shards that it has. They are divided fairly over all live processes.
#[derive(Debug)]
pub struct ShardLeases {
    pub(super) tables: ShardTables,
    pub(super) total: u32,
    pub(super) timing: Timing,
    pub(super) standing: Mutex<Standing>,
    observed: tokio::sync::Mutex<Observed>,
    changes: watch::Sender<()>,
    wake: Notify,
}

impl ShardLeases {
    /// Joins the processes of a bot. `total` counts if no other process has agreed on a number.
    pub(crate) async fn join(tables: ShardTables, total: u32, timing: Timing) -> Result<Self, DatabaseError> {
        let mut standing = Standing { process: 0, valid_until: None, shards: BTreeMap::new() };
        standing.lose();
        let total = tables.agree(total).await?;
        let this = Self {
            tables,
            total,
            timing,
            standing: Mutex::new(standing),
            observed: tokio::sync::Mutex::default(),
            changes: watch::Sender::default(),
            wake: Notify::new(),
        };
        this.renew().await?;
        Ok(this)
    }

    /// Returns the number of shards that all processes have agreed on.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Returns the shards that should run here, with their terms. A shard that runs since another term has to be stopped
    /// and started again.
    pub fn held(&self) -> BTreeMap<u32, i64> {
        let standing = self.standing.lock();
        if !standing.is_valid() {
            return BTreeMap::new();
        }
        let held =
            standing.shards.iter().filter(|(_, held)| matches!(held.stage, Stage::Held | Stage::Started));
        held.map(|(shard, held)| (*shard, held.term)).collect()
    }

    /// Returns whether events of a shard count here: it was started in its present term, and no other process can have
    /// it at this moment.
    pub fn is_ours(&self, shard: u32) -> bool {
        let standing = self.standing.lock();
        standing.is_valid() && standing.shards.get(&shard).is_some_and(|held| held.stage == Stage::Started)
    }

    /// Notes that a shard is started in a term. Returns whether it is still held in that term.
    pub fn started(&self, shard: u32, term: i64) -> bool {
        let mut standing = self.standing.lock();
        if !standing.is_valid() {
            return false;
        }
        match standing.shards.get_mut(&shard) {
            Some(held) if held.term == term && matches!(held.stage, Stage::Held | Stage::Started) => {
                held.stage = Stage::Started;
                true
            }
            _ => false,
        }
    }

    /// Notes that a shard does not run here any more. If another process is to have it, it is now free.
    pub fn stopped(&self, shard: u32) {
        if let Some(held) = self.standing.lock().shards.get_mut(&shard) {
            held.stage = match held.stage {
                Stage::Leaving | Stage::Stopped => Stage::Stopped,
                Stage::Held | Stage::Started => Stage::Held,
            };
        }
        self.wake.notify_one();
    }

    /// Returns the shards that have to be stopped for another process.
    pub fn leaving(&self) -> BTreeSet<u32> {
        let standing = self.standing.lock();
        let leaving = standing.shards.iter().filter(|(_, held)| held.stage == Stage::Leaving);
        leaving.map(|(shard, _)| *shard).collect()
    }

    /// Returns a receiver that changes with the shards of this process, and with each renewal.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Renews the lease and takes part in the division of shards until the future is dropped.
    pub async fn run(&self) {
        let mut is_told = false;
        loop {
            let until = self.standing.lock().valid_until;
            let expiry = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expiry => {
                    tracing::warn!("the lease on the shards could not be renewed in time, so they stop");
                    // The lease may still be there, and is then renewed.
                    self.standing.lock().valid_until = None;
                    self.changes.send_replace(());
                    continue;
                }
                () = tokio::time::sleep(self.timing.renew) => {}
                () = self.wake.notified() => {}
            }
            let renewed = timeout(self.timing.stop / 2, self.renew()).await;
            match renewed.unwrap_or_else(|_| Err(DatabaseError::unavailable())) {
                Ok(()) => is_told = false,
                Err(error) if !is_told => {
                    tracing::warn!(%error, "the lease on the shards is not renewed");
                    is_told = true;
                }
                Err(_) => {}
            }
        }
    }

    /// Renews the lease once, and takes part in the division of shards.
    pub async fn renew(&self) -> Result<(), DatabaseError> {
        let mut observed = self.observed.lock().await;
        let process = self.standing.lock().process;
        let began = Instant::now();
        let is_renewed = self.tables.renew(process).await?;
        if !is_renewed {
            let (had, process) = {
                let mut standing = self.standing.lock();
                let had = standing.shards.len();
                standing.lose();
                (had, standing.process)
            };
            self.changes.send_replace(());
            if had > 0 {
                tracing::warn!(
                    shards = had,
                    "other processes have taken the shards over; this one joins again"
                );
            }
            self.tables.enter(process).await?;
        }
        self.standing.lock().valid_until = Some(began + self.timing.stop);
        let shared = self.share(&mut observed).await;
        self.changes.send_replace(());
        shared
    }

    /// Gives everything back, when all shards are stopped.
    pub async fn leave(&self) -> Result<(), DatabaseError> {
        let _observed = self.observed.lock().await;
        let process = {
            let mut standing = self.standing.lock();
            let process = standing.process;
            standing.lose();
            process
        };
        self.tables.leave(process).await
    }

    /// Keeps the session of a shard for the process that has the shard next. Returns whether the shard is still this
    /// one's.
    pub async fn save_session(&self, shard: u32, session: &ShardSession) -> Result<bool, DatabaseError> {
        let process = self.standing.lock().process;
        let saved = sqlx::query(
            "UPDATE hotcord_shards SET session_id = $1, sequence = $2, resume_url = $3 \
             WHERE application = $4 AND shard = $5 AND process = $6",
        )
        .bind(&session.id)
        .bind(session.sequence.cast_signed())
        .bind(&session.resume_url)
        .bind(self.tables.application)
        .bind(i64::from(shard))
        .bind(process)
        .execute(&self.tables.pool)
        .await
        .map_err(translate)?;
        Ok(saved.rows_affected() == 1)
    }

    /// Returns the session that was kept of a shard.
    pub async fn session(&self, shard: u32) -> Result<Option<ShardSession>, DatabaseError> {
        let found = sqlx::query_as::<_, (String, i64, String)>(
            "SELECT session_id, sequence, resume_url FROM hotcord_shards \
             WHERE application = $1 AND shard = $2 AND session_id IS NOT NULL",
        )
        .bind(self.tables.application)
        .bind(i64::from(shard))
        .fetch_optional(&self.tables.pool)
        .await
        .map_err(translate)?;
        Ok(found.map(|(id, sequence, resume_url)| ShardSession {
            id,
            sequence: sequence.cast_unsigned(),
            resume_url,
        }))
    }
}
