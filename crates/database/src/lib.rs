//! The database behind plugins' documents and SQL: SQLite inside the process, or PostgreSQL. Only the host links it.
//!
//! # Theory of operation
//!
//! Every statement runs on a `connection`, of either database, with parameters `$1`, `$2` ... and
//! rows as JSON; nothing above that module knows which it is. `documents` are rows of one table of the host's own; a
//! `cache` in the process answers reads of them, and their revision decides between writers. In PostgreSQL, a trigger
//! tells other processes which document has changed. SQLite lets in one writer at a time: documents that are written
//! at the same moment share one transaction there (`writer`). Waiting is bounded everywhere. `shards` divides the shards of
//! a bot over its processes, with PostgreSQL.

mod address;
mod arguments;
mod backup;
mod cache;
mod connection;
mod documents;
mod engine;
mod listener;
mod migrations;
mod numeric;
mod open;
mod postgres;
mod script;
mod shards;
mod sqlite;
mod transaction;
mod translate;
mod writer;

pub use address::{AddressError, DatabaseAddress};
pub use backup::{BackupError, Copied, back_up, restore};
pub use engine::Database;
pub use open::OpenError;
pub use shards::{IdentifyGate, IdentifyPermit, ShardLeases, ShardSession, Timing};
