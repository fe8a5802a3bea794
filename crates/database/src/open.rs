//! Opening the database.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use sdk_core::database::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::Instant;

use crate::connection::Pool;
use crate::translate::translate;
use crate::{DatabaseAddress, documents, listener, migrations};

/// Longest wait for a connection.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Longest run of a statement.
pub(crate) const STATEMENT_WITHIN: Duration = Duration::from_secs(10);
/// Longest wait at the start for a server that does not answer yet, as when both are started together.
const SERVER_WITHIN: Duration = Duration::from_secs(30);
const SERVER_AGAIN: Duration = Duration::from_millis(500);
/// Connections to PostgreSQL, or reading ones to SQLite.
const CONNECTIONS: u32 = 8;

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or its folder cannot be created or written.
    #[error("the file {} cannot be opened for writing: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has the file.
    #[error("another bot uses the file {}; end it, or give this one another DATABASE_URL; several processes need PostgreSQL", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The server does not answer.
    #[error("no server answers at {address}: {reason}")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// What the last attempt has ended with.
        reason: String,
    },
    /// The server or the file refuses.
    #[error("the database {address} cannot be used: {reason}")]
    Refused {
        /// Where it is.
        address: String,
        /// Why.
        reason: String,
    },
}

/// An open database.
pub(crate) struct Opened {
    pub(crate) pool: Pool,
    /// Keeps other processes from the file, for as long as it is open.
    pub(crate) lock: Option<File>,
}

/// Opens the database, and creates the host's own tables if they are missing.
pub(crate) async fn open(address: &DatabaseAddress) -> Result<Opened, OpenError> {
    let opened = match address {
        DatabaseAddress::Sqlite(path) => open_file(path).await?,
        DatabaseAddress::Postgres(options) => {
            Opened { pool: Pool::Postgres(open_server(address, options).await?), lock: None }
        }
    };
    create_tables(&opened.pool).await.map_err(|error| refused(address, &error))?;
    Ok(opened)
}

fn refused(address: &DatabaseAddress, error: &dyn std::error::Error) -> OpenError {
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    OpenError::Refused { address: address.to_string(), reason }
}

async fn open_file(path: &Path) -> Result<Opened, OpenError> {
    let failed = |source| OpenError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let private = |path: &Path| {
        OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let lock = private(Path::new(&beside)).map_err(failed)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Err(OpenError::InUse { path: path.to_owned() }),
        Err(error) => return Err(failed(error.into())),
    }
    // SQLite would create it for everybody to read.
    private(path).map_err(failed)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(CONNECT_WITHIN);
    let address = DatabaseAddress::file(path);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_WITHIN)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await
        .map_err(|error| refused(&address, &translate(error)))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECT_WITHIN)
        .connect_lazy_with(options.read_only(true));
    Ok(Opened { pool: Pool::Sqlite { readers, writer }, lock: Some(lock) })
}

/// Opens the database to read it beside the bot that uses it.
pub(crate) async fn open_to_read(address: &DatabaseAddress) -> Result<Pool, OpenError> {
    match address {
        DatabaseAddress::Sqlite(path) => {
            let options =
                SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(CONNECT_WITHIN);
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(CONNECT_WITHIN)
                .connect_with(options)
                .await
                .map_err(|error| refused(address, &translate(error)))?;
            Ok(Pool::Sqlite { readers: pool.clone(), writer: pool })
        }
        DatabaseAddress::Postgres(options) => Ok(Pool::Postgres(open_server(address, options).await?)),
    }
}

async fn open_server(
    address: &DatabaseAddress,
    options: &PgConnectOptions,
) -> Result<sqlx::PgPool, OpenError> {
    let options = options
        .clone()
        .application_name("hotcord")
        .options([("statement_timeout", STATEMENT_WITHIN.as_millis().to_string())])
        .disable_statement_logging();
    await_server(address, &options).await?;
    Ok(PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECT_WITHIN)
        .connect_lazy_with(options))
}

/// Waits until the server answers. Returns at once if it refuses.
async fn await_server(address: &DatabaseAddress, options: &PgConnectOptions) -> Result<(), OpenError> {
    let until = Instant::now() + SERVER_WITHIN;
    let mut is_told = false;
    loop {
        let reason = match tokio::time::timeout(CONNECT_WITHIN, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => {
                let text = error.to_string();
                let error = translate(error);
                if !error.is_unavailable() {
                    return Err(refused(address, &error));
                }
                text
            }
            Err(_) => format!("no answer within {} s", CONNECT_WITHIN.as_secs()),
        };
        if Instant::now() >= until {
            return Err(OpenError::Unreachable { address: address.to_string(), reason });
        }
        if !is_told {
            tracing::warn!(%address, reason, "the database does not answer yet");
            is_told = true;
        }
        tokio::time::sleep(SERVER_AGAIN).await;
    }
}

async fn create_tables(pool: &Pool) -> Result<(), DatabaseError> {
    let mut begun = pool.writer().await?.begin().await?;
    let connection = begun.connection()?;
    migrations::lock(connection).await?;
    connection.run(documents::TABLE).await?;
    connection.run(migrations::TABLE).await?;
    connection.run(migrations::TEXTS).await?;
    if connection.is_postgres() {
        connection.run(listener::TRIGGER).await?;
    }
    begun.commit().await
}
