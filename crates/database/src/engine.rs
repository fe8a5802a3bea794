//! The database as the host hands it to plugins.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use sdk_core::PluginId;
use sdk_core::database::{
    DatabaseError, DatabaseErrorKind, DocumentChange, DocumentKey, Engine, Migrated, Migration, NewDocument,
    OpenTransaction, Parameter, Row, StoredDocument, TimerChange,
};
use serenity::async_trait;
use tokio::sync::{Mutex, OnceCell, OwnedMutexGuard, broadcast};
use tokio::task::JoinHandle;

use crate::cache::{Cache, Lookup};
use crate::connection::Pool;
use crate::documents::Write;
use crate::open::{self, Opened, STATEMENT_WITHIN};
use crate::shards::ShardTables;
use crate::transaction::Transaction;
use crate::writer::Writer;
use crate::{DatabaseAddress, IdentifyGate, OpenError, ShardLeases, Timing, documents, listener, migrations};

/// Longest run of a plugin's migrations.
const MIGRATIONS_WITHIN: Duration = Duration::from_mins(5);

/// Changes by other processes that a slow receiver can be behind before it has to read everything again.
const CHANGES: usize = 1024;

/// Documents that can be changed at once.
const TURNS: usize = 256;

/// A database, opened at once or when it is used first. Dropping it ends its tasks.
pub struct Database {
    address: DatabaseAddress,
    /// Tells what other processes have written.
    changes: broadcast::Sender<DocumentChange>,
    timer_changes: broadcast::Sender<TimerChange>,
    opened: OnceCell<Connected>,
    /// Of those that change a document. Documents share them, which costs a wait now and then.
    turns: Vec<Arc<Mutex<()>>>,
}

/// What an open database consists of.
struct Connected {
    pool: Pool,
    cache: Arc<Cache>,
    /// Of SQLite alone; PostgreSQL takes several writers at once.
    writer: Option<Writer>,
    listener: Option<JoinHandle<()>>,
    /// Of a file of SQLite.
    lock: parking_lot::Mutex<Option<File>>,
}

impl Database {
    /// Returns a database that is opened when it is used first.
    pub fn lazy(address: DatabaseAddress) -> Self {
        let turns = (0..TURNS).map(|_| Arc::default()).collect();
        Self {
            address,
            changes: broadcast::Sender::new(CHANGES),
            timer_changes: broadcast::Sender::new(CHANGES),
            opened: OnceCell::new(),
            turns,
        }
    }

    /// Opens a database and creates the host's own tables in it. Waits up to 30 s for a server that does not answer yet.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn open(address: DatabaseAddress) -> Result<Self, OpenError> {
        let this = Self::lazy(address);
        this.connected().await?;
        Ok(this)
    }

    /// Closes all connections, after what they are doing. Another process may then use a file.
    pub async fn close(&self) {
        if let Some(connected) = self.opened.get() {
            connected.stop_listening();
            connected.pool.close().await;
            connected.lock.lock().take();
        }
    }

    /// Joins the processes that share an application's shards. `total` counts if they have not agreed on a number yet.
    ///
    /// # Errors
    /// If the database does not answer, or is SQLite, which one process uses alone.
    pub async fn shard_leases(
        &self,
        application: u64,
        total: u32,
        timing: Timing,
    ) -> Result<Arc<ShardLeases>, DatabaseError> {
        let tables = self.shard_tables(application).await?;
        Ok(Arc::new(bounded(STATEMENT_WITHIN, ShardLeases::join(tables, total, timing)).await?))
    }

    /// Returns the gate of an application's IDENTIFYs over all its processes. `spacing` is Discord's 5 s if not given.
    ///
    /// # Errors
    /// If the database does not answer, or is SQLite, which one process uses alone.
    pub async fn identify_gate(
        &self,
        application: u64,
        max_concurrency: u32,
        spacing: Option<Duration>,
    ) -> Result<Arc<IdentifyGate>, DatabaseError> {
        Ok(IdentifyGate::new(self.shard_tables(application).await?, max_concurrency, spacing))
    }

    async fn shard_tables(&self, application: u64) -> Result<ShardTables, DatabaseError> {
        match &self.ready().await?.pool {
            Pool::Postgres(server) => Ok(ShardTables::new(server, application)),
            Pool::Sqlite { .. } => Err(DatabaseError::new(
                DatabaseErrorKind::Refused,
                "several processes need PostgreSQL; set DATABASE_URL to its address".to_owned(),
            )),
        }
    }

    async fn connected(&self) -> Result<&Connected, OpenError> {
        let open = || Connected::open(&self.address, &self.changes, &self.timer_changes);
        self.opened.get_or_try_init(open).await
    }

    /// Returns whether there is no file yet, so that nothing can be in it. Reading does not create it.
    fn is_missing(&self) -> bool {
        match &self.address {
            DatabaseAddress::Sqlite(path) => self.opened.get().is_none() && !path.exists(),
            DatabaseAddress::Postgres(_) => false,
        }
    }

    /// Returns what is open, for a statement.
    async fn ready(&self) -> Result<&Connected, DatabaseError> {
        self.connected().await.map_err(|error| {
            let kind = match error {
                OpenError::Unreachable { .. } => return DatabaseError::unavailable().caused_by(error),
                OpenError::File { .. } => DatabaseErrorKind::Full,
                OpenError::InUse { .. } | OpenError::Refused { .. } => DatabaseErrorKind::Refused,
            };
            DatabaseError::new(kind, error.to_string()).caused_by(error)
        })
    }
}

impl Connected {
    async fn open(
        address: &DatabaseAddress,
        changes: &broadcast::Sender<DocumentChange>,
        timer_changes: &broadcast::Sender<TimerChange>,
    ) -> Result<Self, OpenError> {
        let Opened { pool, lock } = open::open(address).await?;
        let (cache, writer, listener) = match &pool {
            // No other process writes the file.
            Pool::Sqlite { .. } => (Arc::new(Cache::new(true)), Some(Writer::start(pool.clone())), None),
            Pool::Postgres(server) => {
                let cache = Arc::new(Cache::new(false));
                let listening =
                    listener::listen(server.clone(), cache.clone(), changes.clone(), timer_changes.clone());
                let listener = tokio::spawn(listening);
                (cache, None, Some(listener))
            }
        };
        Ok(Self { pool, cache, writer, listener, lock: parking_lot::Mutex::new(lock) })
    }

    async fn read(&self, key: &DocumentKey) -> Result<Option<Arc<StoredDocument>>, DatabaseError> {
        let era = self.cache.era();
        let rows = self.pool.reader().await?.fetch(documents::READ, documents::identify(key)).await?;
        let (revision, found) = documents::found(key, rows)?;
        let (document, bytes) =
            found.map_or((None, 0), |(document, bytes)| (Some(Arc::new(document)), bytes));
        self.cache.put(era, key, revision, document.clone(), bytes);
        Ok(document)
    }

    /// Writes a document. Returns its new revision, or `None` if the condition did not hold.
    async fn write(&self, write: Write) -> Result<Option<u64>, DatabaseError> {
        match &self.writer {
            Some(writer) => writer.write(write).await,
            None => {
                let rows = self.pool.writer().await?.fetch(write.sql, write.parameters).await?;
                documents::written(rows)
            }
        }
    }

    fn stop_listening(&self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.stop_listening();
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.address).finish()
    }
}

/// Bounds what waits for the database.
async fn bounded<T>(
    within: Duration,
    work: impl Future<Output = Result<T, DatabaseError>>,
) -> Result<T, DatabaseError> {
    tokio::time::timeout(within, work).await.unwrap_or_else(|_| Err(DatabaseError::unavailable()))
}

#[async_trait]
impl Engine for Database {
    fn address(&self) -> String {
        self.address.to_string()
    }

    fn is_shared(&self) -> bool {
        self.address.is_shared()
    }

    async fn document(&self, key: &DocumentKey) -> Result<Option<Arc<StoredDocument>>, DatabaseError> {
        if self.is_missing() {
            return Ok(None);
        }
        let ready = self.ready().await?;
        match ready.cache.get(key) {
            Lookup::Known(known) => Ok(known),
            Lookup::Unknown => bounded(STATEMENT_WITHIN, ready.read(key)).await,
        }
    }

    async fn documents_of(
        &self,
        plugin: &PluginId,
        kind: &str,
    ) -> Result<Vec<(DocumentKey, StoredDocument)>, DatabaseError> {
        if self.is_missing() {
            return Ok(Vec::new());
        }
        let parameters = vec![plugin.as_str().into(), kind.into()];
        let rows = self.fetch(documents::READ_ALL, parameters).await?;
        rows.into_iter().map(|row| documents::found_one(plugin, kind, row)).collect()
    }

    fn document_changes(&self) -> broadcast::Receiver<DocumentChange> {
        self.changes.subscribe()
    }

    fn timer_changes(&self) -> broadcast::Receiver<TimerChange> {
        self.timer_changes.subscribe()
    }

    async fn write_document(
        &self,
        key: &DocumentKey,
        document: Option<NewDocument>,
        expected: Option<u64>,
    ) -> Result<bool, DatabaseError> {
        let ready = self.ready().await?;
        let (write, bytes) = documents::write(key, document.as_ref(), expected)?;
        let era = ready.cache.era();
        let written = bounded(STATEMENT_WITHIN, ready.write(write)).await?;
        match written {
            Some(revision) => {
                let stored = document.map(|NewDocument { version, value }| {
                    Arc::new(StoredDocument { version, revision, value })
                });
                ready.cache.put(era, key, revision, stored, bytes);
            }
            // There is a newer one than the caller knew.
            None => ready.cache.outdate(key, expected.map_or(0, |expected| expected + 1)),
        }
        Ok(written.is_some())
    }

    async fn turn(&self, key: &DocumentKey) -> OwnedMutexGuard<()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or(0);
        self.turns[at].clone().lock_owned().await
    }

    async fn fetch(&self, sql: &str, parameters: Vec<Parameter>) -> Result<Vec<Row>, DatabaseError> {
        let pool = &self.ready().await?.pool;
        bounded(STATEMENT_WITHIN, async { pool.connection_for(sql).await?.fetch(sql, parameters).await })
            .await
    }

    async fn execute(&self, sql: &str, parameters: Vec<Parameter>) -> Result<u64, DatabaseError> {
        let pool = &self.ready().await?.pool;
        bounded(STATEMENT_WITHIN, async { pool.writer().await?.execute(sql, parameters).await }).await
    }

    async fn begin(&self) -> Result<Box<dyn OpenTransaction>, DatabaseError> {
        let pool = &self.ready().await?.pool;
        Ok(Box::new(bounded(STATEMENT_WITHIN, Transaction::begin(pool)).await?))
    }

    fn forget_documents(&self) {
        if let Some(connected) = self.opened.get() {
            connected.cache.forget();
        }
    }

    async fn migrate(&self, plugin: &PluginId, migrations: &[Migration]) -> Result<Migrated, DatabaseError> {
        let pool = &self.ready().await?.pool;
        bounded(MIGRATIONS_WITHIN, migrations::migrate(pool, plugin, migrations)).await
    }
}
