//! SQL for plugins.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::{DatabaseError, Engine, OpenTransaction, Parameter, Row};
use crate::Error;

/// SQL: `ctx.data().sql()`. Parameters are `$1`, `$2` and so on, in SQLite and PostgreSQL alike.
///
/// All plugins share one database, so a table's name begins with its plugin's: `moderation_cases`. Tables are created by
/// [migrations](crate::Plugin::migrations).
#[derive(Clone, Debug)]
pub struct Sql(Option<Arc<dyn Engine>>);

impl Sql {
    /// Creates access to an engine. Plugins call [`Data::sql`](crate::Data::sql).
    pub fn new(engine: Option<Arc<dyn Engine>>) -> Self {
        Self(engine)
    }

    fn engine(&self) -> Result<&Arc<dyn Engine>, DatabaseError> {
        self.0.as_ref().ok_or_else(DatabaseError::none)
    }

    /// Runs a statement and returns its rows as structs, with a field for each column.
    ///
    /// # Errors
    /// If the database refuses it or does not answer, or if a row does not fit `T`.
    pub async fn fetch<T: DeserializeOwned>(
        &self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<T>, Error> {
        read(self.engine()?.fetch(sql, parameters).await?)
    }

    /// Runs a statement and returns its first row as a struct, or `None` if it has none.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_one<T: DeserializeOwned>(
        &self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<T>, Error> {
        read_one(self.engine()?.fetch(sql, parameters).await?)
    }

    /// Runs a statement and returns the first column of its first row, for example a count.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_value<T: DeserializeOwned>(
        &self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<T>, Error> {
        read_value(self.engine()?.fetch(sql, parameters).await?)
    }

    /// Runs a statement and returns how many rows it has changed. The change then survives the end of the process.
    ///
    /// # Errors
    /// If the database refuses it or does not answer.
    pub async fn execute(&self, sql: &str, parameters: Vec<Parameter>) -> Result<u64, Error> {
        Ok(self.engine()?.execute(sql, parameters).await?)
    }

    /// Begins a transaction, which is rolled back unless it is [committed](Transaction::commit).
    ///
    /// SQLite lets one writer in at a time, so a transaction is short: it ends by itself after 10 seconds.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        Ok(Transaction(self.engine()?.begin().await?))
    }
}

/// A transaction: `ctx.data().sql().begin()`. Dropping it rolls it back.
pub struct Transaction(Box<dyn OpenTransaction>);

impl Transaction {
    /// Runs a statement and returns its rows as structs, with a field for each column.
    ///
    /// # Errors
    /// If the database refuses it or does not answer, or if a row does not fit `T`.
    pub async fn fetch<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<T>, Error> {
        read(self.0.fetch(sql, parameters).await?)
    }

    /// Runs a statement and returns its first row as a struct, or `None` if it has none.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_one<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<T>, Error> {
        read_one(self.0.fetch(sql, parameters).await?)
    }

    /// Runs a statement and returns the first column of its first row.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn fetch_value<T: DeserializeOwned>(
        &mut self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<T>, Error> {
        read_value(self.0.fetch(sql, parameters).await?)
    }

    /// Runs a statement and returns how many rows it has changed.
    ///
    /// # Errors
    /// If the database refuses it or does not answer.
    pub async fn execute(&mut self, sql: &str, parameters: Vec<Parameter>) -> Result<u64, Error> {
        Ok(self.0.execute(sql, parameters).await?)
    }

    /// Makes its changes lasting.
    ///
    /// # Errors
    /// If the database does not answer, or a rule that is checked at the end is broken. The changes are then undone, or
    /// it is not known whether they are, if the connection was lost meanwhile.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.0.commit().await?)
    }
}

fn read<T: DeserializeOwned>(rows: Vec<Row>) -> Result<Vec<T>, Error> {
    Ok(rows.into_iter().map(Row::read).collect::<Result<_, _>>()?)
}

fn read_one<T: DeserializeOwned>(rows: Vec<Row>) -> Result<Option<T>, Error> {
    Ok(rows.into_iter().next().map(Row::read).transpose()?)
}

fn read_value<T: DeserializeOwned>(rows: Vec<Row>) -> Result<Option<T>, Error> {
    Ok(rows.into_iter().next().map(Row::read_first).transpose()?)
}
