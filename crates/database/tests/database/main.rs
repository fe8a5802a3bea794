//! The database as plugins use it, on SQLite and, where it is installed, on PostgreSQL.

mod documents;
mod lasting;
mod migrations;
mod place;
mod plugins;
mod servers;
mod sql;
