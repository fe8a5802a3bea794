//! Shards of the gateway, shared by several processes of a bot through PostgreSQL.
//!
//! # Theory of operation
//!
//! Each process has a row with a number that it raises again and again: its lease. Nobody compares times of different
//! clocks. A process measures by its own monotonic clock for how long another one's number has not changed; after
//! [`Timing::lease`] it removes that row, if the number is still the same, and so frees the shards. The process itself
//! counts from before its last successful renewal, and for the shorter [`Timing::stop`] only: so it knows that it may
//! have lost its shards before anyone can take them, also when it was paused or cut off. Wall clocks, the database's
//! included, may jump.
//!
//! Who gets which shard is decided in transactions under an advisory lock, one at a time. A shard that changes hands has
//! a new term. One that moves to another process is freed by its holder when its session is closed.
//!
//! IDENTIFYs have a gate in the same way: a number for each bucket, which must not have changed for the time between two
//! IDENTIFYs before the next process may raise it.

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

mod identify;
mod leases;
mod share;

pub use identify::{IdentifyGate, IdentifyPermit};
pub use leases::{ShardLeases, Timing};

/// Connections for leases alone, which must not wait for plugins' statements.
const CONNECTIONS: u32 = 3;
const ACQUIRE_WITHIN: Duration = Duration::from_secs(2);

/// A session of a shard that another process can resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSession {
    /// Id of the session, from `READY`.
    pub id: String,
    /// The last sequence number that was handled.
    pub sequence: u64,
    /// Address for the resume, from `READY`.
    pub resume_url: String,
}

/// The tables of shards, for one application.
#[derive(Clone, Debug)]
pub(crate) struct ShardTables {
    pub(crate) pool: PgPool,
    pub(crate) application: i64,
}

impl ShardTables {
    pub(crate) fn new(server: &PgPool, application: u64) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_WITHIN)
            .connect_lazy_with((*server.connect_options()).clone());
        Self { pool, application: application.cast_signed() }
    }
}
