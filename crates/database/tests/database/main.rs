//! The database as plugins use it, on SQLite and, where it is installed, on PostgreSQL.

mod backup;
mod checkpoint;
mod documents;
mod full;
mod kills;
mod lasting;
mod migrations;
mod place;
mod plugins;
mod privacy;
mod server;
mod servers;
mod shards;
mod sql;
