//! A connection to either database, with the same statements for both.

use futures_util::TryStreamExt as _;
use sdk_core::database::{DatabaseError, Parameter, Row};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Executor as _, PgPool, Postgres, Sqlite, SqlitePool};

use crate::translate::translate;
use crate::{postgres, script, sqlite};

/// Connections to the database.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    /// SQLite lets one writer in at a time, so there is one connection that writes.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// A connection from a [`Pool`].
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Pool {
    /// Returns a connection that can write.
    pub(crate) async fn writer(&self) -> Result<Connection, DatabaseError> {
        match self {
            Self::Sqlite { writer, .. } => writer.acquire().await.map(Connection::Sqlite),
            Self::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
        }
        .map_err(translate)
    }

    /// Returns a connection for a statement that only reads.
    pub(crate) async fn reader(&self) -> Result<Connection, DatabaseError> {
        match self {
            Self::Sqlite { readers, .. } => readers.acquire().await.map(Connection::Sqlite),
            Self::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
        }
        .map_err(translate)
    }

    /// Returns a connection for a statement.
    pub(crate) async fn connection_for(&self, sql: &str) -> Result<Connection, DatabaseError> {
        if script::only_reads(sql) { self.reader().await } else { self.writer().await }
    }

    /// Closes all connections, after what they are doing.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Connection {
    /// Runs a statement and returns its rows.
    pub(crate) async fn fetch(
        &mut self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<Row>, DatabaseError> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => {
                let query = sqlx::query_with(sql, sqlite::arguments(parameters)?);
                let rows = query.fetch_all(&mut **connection).await.map_err(translate)?;
                rows.iter().map(sqlite::row).collect()
            }
            Self::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres::arguments(parameters)?);
                let rows = query.fetch_all(&mut **connection).await.map_err(translate)?;
                rows.iter().map(postgres::row).collect()
            }
        }
    }

    /// Runs a statement and returns how many rows it has changed.
    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Parameter>,
    ) -> Result<u64, DatabaseError> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => {
                let query = sqlx::query_with(sql, sqlite::arguments(parameters)?);
                query.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            Self::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres::arguments(parameters)?);
                query.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
        }
        .map_err(translate)
    }

    /// Runs a statement and hands over its rows one by one.
    pub(crate) async fn each<E: From<DatabaseError>>(
        &mut self,
        sql: &str,
        take: &mut (dyn FnMut(Row) -> Result<(), E> + Send),
    ) -> Result<(), E> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => {
                let query = sqlx::query(sql);
                let mut rows = query.fetch(&mut **connection);
                while let Some(row) = rows.try_next().await.map_err(translate)? {
                    take(sqlite::row(&row)?)?;
                }
            }
            Self::Postgres(connection) => {
                let query = sqlx::query(sql);
                let mut rows = query.fetch(&mut **connection);
                while let Some(row) = rows.try_next().await.map_err(translate)? {
                    take(postgres::row(&row)?)?;
                }
            }
        }
        Ok(())
    }

    /// Begins a transaction in which all statements see the same contents, as of its first.
    pub(crate) async fn begin_to_read(self) -> Result<Begun, DatabaseError> {
        let begin = match self {
            Self::Sqlite(_) => "BEGIN",
            // A copy takes as long as it takes.
            Self::Postgres(_) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0"
            }
        };
        self.begin_with(begin).await
    }

    /// Runs any number of statements without parameters.
    pub(crate) async fn run(&mut self, script: &str) -> Result<(), DatabaseError> {
        let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
        match self {
            Self::Sqlite(connection) => (&mut **connection).execute(script).await.map(drop),
            Self::Postgres(connection) => (&mut **connection).execute(script).await.map(drop),
        }
        .map_err(translate)
    }

    /// Begins a transaction. That of SQLite takes the right to write at once, so that it never has to give up midway.
    pub(crate) async fn begin(self) -> Result<Begun, DatabaseError> {
        let begin = match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            Self::Postgres(_) => "BEGIN",
        };
        self.begin_with(begin).await
    }

    async fn begin_with(self, begin: &str) -> Result<Begun, DatabaseError> {
        // If the caller gives up midway, the transaction may have begun.
        let mut begun = Begun(Some(self));
        begun.connection()?.run(begin).await?;
        Ok(begun)
    }

    /// Ends a transaction without its changes. A connection that cannot do so is closed.
    async fn roll_back(mut self) {
        if self.run("ROLLBACK").await.is_err() {
            self.close_on_drop();
        }
    }

    fn close_on_drop(&mut self) {
        match self {
            Self::Sqlite(connection) => connection.close_on_drop(),
            Self::Postgres(connection) => connection.close_on_drop(),
        }
    }

    /// Returns whether this is PostgreSQL.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// A connection in a transaction, which is rolled back when it is dropped.
#[derive(Debug)]
pub(crate) struct Begun(Option<Connection>);

impl Begun {
    /// Returns the connection.
    pub(crate) fn connection(&mut self) -> Result<&mut Connection, DatabaseError> {
        // It is taken only where the transaction ends.
        self.0.as_mut().ok_or_else(DatabaseError::unavailable)
    }

    /// Makes the changes lasting.
    pub(crate) async fn commit(mut self) -> Result<(), DatabaseError> {
        self.connection()?.run("COMMIT").await?;
        // Back to the pool, with no transaction.
        self.0 = None;
        Ok(())
    }

    /// Undoes the changes.
    pub(crate) async fn roll_back(mut self) {
        if let Some(connection) = self.0.take() {
            connection.roll_back().await;
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(connection.roll_back())),
            // Without a runtime, closing it is what rolls back.
            Err(_) => connection.close_on_drop(),
        }
    }
}
