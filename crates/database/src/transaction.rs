//! Transactions, which end in time.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::database::{DatabaseError, DatabaseErrorKind, OpenTransaction, Parameter, Row, Statements};
use serenity::async_trait;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use crate::connection::{Begun, Pool};

/// Longest life of a transaction. While one of SQLite is open, nothing else can write.
const LIFETIME: Duration = Duration::from_secs(10);

/// An open transaction. Dropping it rolls it back.
pub(crate) struct Transaction {
    /// None after the transaction has run out of time.
    begun: Arc<Mutex<Option<Begun>>>,
    end: AbortHandle,
}

impl Transaction {
    /// Begins a transaction.
    pub(crate) async fn begin(pool: &Pool) -> Result<Self, DatabaseError> {
        let begun = Arc::new(Mutex::new(Some(pool.writer().await?.begin().await?)));
        let ending = begun.clone();
        let end = tokio::spawn(async move {
            tokio::time::sleep(LIFETIME).await;
            if let Some(begun) = ending.lock().await.take() {
                begun.roll_back().await;
            }
        });
        Ok(Self { begun, end: end.abort_handle() })
    }
}

fn late() -> DatabaseError {
    DatabaseError::new(
        DatabaseErrorKind::Unavailable,
        format!("The transaction was open for more than {} seconds and was rolled back.", LIFETIME.as_secs()),
    )
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.end.abort();
    }
}

#[async_trait]
impl Statements for Transaction {
    async fn fetch(&mut self, sql: &str, parameters: Vec<Parameter>) -> Result<Vec<Row>, DatabaseError> {
        self.begun.lock().await.as_mut().ok_or_else(late)?.connection()?.fetch(sql, parameters).await
    }

    async fn execute(&mut self, sql: &str, parameters: Vec<Parameter>) -> Result<u64, DatabaseError> {
        self.begun.lock().await.as_mut().ok_or_else(late)?.connection()?.execute(sql, parameters).await
    }
}

#[async_trait]
impl OpenTransaction for Transaction {
    async fn commit(self: Box<Self>) -> Result<(), DatabaseError> {
        let begun = self.begun.lock().await.take().ok_or_else(late)?;
        begun.commit().await
    }
}
