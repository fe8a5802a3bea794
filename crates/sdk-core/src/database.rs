//! The database behind plugins' documents and SQL. Its engine is the crate `database`, which only the host links.
//!
//! # Theory of operation
//!
//! The engine is SQLite inside the process, or PostgreSQL. It is the host's, so connections outlive every reload, and
//! nothing of it is in a plugin's graph. Here is only what crosses: statements with parameters, rows and documents as
//! JSON, and migrations as text. What is generic over a plugin's types is a thin layer above that.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serenity::async_trait;
use tokio::sync::{OwnedMutexGuard, broadcast};

use crate::PluginId;

mod documents;
mod error;
mod parameter;
mod personal;
mod sql;

pub use documents::{Document, DocumentKey, Documents, Scope, StoredDocument};
pub use error::{DatabaseError, DatabaseErrorKind};
pub use parameter::Parameter;
pub use personal::PersonalData;
pub use sql::{Sql, Transaction};

/// Most bytes of a document as JSON.
pub const MAX_DOCUMENT: usize = 1024 * 1024;

/// A file of SQL that a plugin's code needs to have been run: made by [`migrations!`](crate::migrations).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Name of the file, without its ending. Migrations run in the order of their names.
    pub name: &'static str,
    /// Contents of the file: any number of statements.
    pub sql: &'static str,
}

/// What [`Engine::migrate`] has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Names of the migrations that were run.
    pub applied: Vec<String>,
    /// Names of migrations that were run by other code of the plugin and that this code does not have.
    pub unknown: Vec<String>,
}

/// A row: the names of its columns and their values, in the order in which the statement lists them.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(Vec<(String, Value)>);

impl Row {
    /// Creates a row from its columns.
    pub fn new(columns: Vec<(String, Value)>) -> Self {
        Self(columns)
    }

    /// Returns the row as a struct with a field for each column.
    ///
    /// # Errors
    /// If a column is missing or does not fit its field: the text names the column.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, DatabaseError> {
        let columns = Value::Object(self.0.into_iter().collect());
        serde_path_to_error::deserialize(columns).map_err(|error| DatabaseError::row(&error))
    }

    /// Returns its columns, in the order in which the statement lists them.
    pub fn into_columns(self) -> Vec<(String, Value)> {
        self.0
    }

    /// Returns the value of the column that the statement lists first.
    ///
    /// # Errors
    /// If there is no column, or its value does not fit.
    pub fn read_first<T: DeserializeOwned>(self) -> Result<T, DatabaseError> {
        let (column, value) = self.0.into_iter().next().ok_or_else(DatabaseError::no_column)?;
        T::deserialize(value).map_err(|error| DatabaseError::column(&column, &error))
    }
}

/// Runs statements: an [`Engine`] with a connection for each, or a transaction.
#[async_trait]
pub trait Statements: Send {
    /// Runs a statement and returns its rows. Parameters are `$1`, `$2` ...
    async fn fetch(&mut self, sql: &str, parameters: Vec<Parameter>) -> Result<Vec<Row>, DatabaseError>;

    /// Runs a statement and returns how many rows it has changed.
    async fn execute(&mut self, sql: &str, parameters: Vec<Parameter>) -> Result<u64, DatabaseError>;
}

/// A transaction of an [`Engine`]. Dropping it rolls it back.
#[async_trait]
pub trait OpenTransaction: Statements {
    /// Makes its changes lasting.
    async fn commit(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// The engine of the database, as the host provides it.
#[async_trait]
pub trait Engine: fmt::Debug + Send + Sync + 'static {
    /// Returns where the database is, without its password.
    fn address(&self) -> String;

    /// Returns whether several processes may use the database at once.
    fn is_shared(&self) -> bool;

    /// Returns a document, or `None` if there is none.
    async fn document(&self, key: &DocumentKey) -> Result<Option<Arc<StoredDocument>>, DatabaseError>;

    /// Returns all documents of a plugin that have a name.
    async fn documents_of(
        &self,
        plugin: &PluginId,
        kind: &str,
    ) -> Result<Vec<(DocumentKey, StoredDocument)>, DatabaseError>;

    /// Returns a receiver of the documents that other processes write from now on.
    fn document_changes(&self) -> broadcast::Receiver<DocumentChange>;

    /// Returns a receiver of the notes that processes have sent with [`TIMER_CHANGES`] from now on.
    fn timer_changes(&self) -> broadcast::Receiver<TimerChange>;

    /// Writes or deletes a document. With `expected`, only if the stored one has that revision; 0 is that of none.
    ///
    /// Returns whether it was written. It then survives the end of the process.
    async fn write_document(
        &self,
        key: &DocumentKey,
        document: Option<NewDocument>,
        expected: Option<u64>,
    ) -> Result<bool, DatabaseError>;

    /// Waits until nobody else in this process is changing a document. The turn ends when it is dropped.
    ///
    /// Of callers that only compare revisions, some would lose against the others again and again.
    async fn turn(&self, key: &DocumentKey) -> OwnedMutexGuard<()>;

    /// Runs a statement with a connection of its own and returns its rows.
    async fn fetch(&self, sql: &str, parameters: Vec<Parameter>) -> Result<Vec<Row>, DatabaseError>;

    /// Runs a statement with a connection of its own and returns how many rows it has changed.
    async fn execute(&self, sql: &str, parameters: Vec<Parameter>) -> Result<u64, DatabaseError>;

    /// Begins a transaction.
    async fn begin(&self) -> Result<Box<dyn OpenTransaction>, DatabaseError>;

    /// Drops the documents in memory, because statements have changed their table.
    fn forget_documents(&self);

    /// Runs the migrations of a plugin that were not run yet, all in one transaction.
    async fn migrate(&self, plugin: &PluginId, migrations: &[Migration]) -> Result<Migrated, DatabaseError>;
}

/// What another process has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentChange {
    /// This document.
    One(DocumentKey),
    /// Any document, because changes were missed.
    All,
}

/// Channel of PostgreSQL on which processes tell each other which timers they have set and removed.
pub const TIMER_CHANGES: &str = "hotcord_timers";

/// What another process has done to timers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// A note, as it was sent.
    One(String),
    /// Any change, because notes were missed.
    All,
}

/// A document to write.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDocument {
    /// Version of its format.
    pub version: u32,
    /// The document.
    pub value: Value,
}

/// Lists a plugin's migrations: `sdk::migrations!["0001_cases", "0002_points"]`, files in the folder `migrations` of its crate.
///
/// For [`Plugin::migrations`](crate::Plugin::migrations). The files become part of the plugin.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        &[$($crate::database::Migration {
            name: $name,
            sql: ::core::include_str!(::core::concat!(
                ::core::env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql"
            )),
        }),*]
    };
}
