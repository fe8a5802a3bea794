//! Documents that are written to SQLite at the same moment share a transaction, and so one wait for the disk.

use sdk_core::database::DatabaseError;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Pool;
use crate::documents::{self, Write};

/// Most writes that wait.
const WAITING: usize = 4096;
/// Most writes in one transaction.
const TOGETHER: usize = 256;

type Outcome = Result<Option<u64>, DatabaseError>;

struct Job {
    write: Write,
    reply: oneshot::Sender<Outcome>,
}

/// The queue of writes. Its task ends with it, after everything that waits.
#[derive(Debug)]
pub(crate) struct Writer(mpsc::Sender<Job>);

impl Writer {
    /// Starts the task that writes.
    pub(crate) fn start(pool: Pool) -> Self {
        let (queue, mut jobs) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let mut together = Vec::with_capacity(TOGETHER);
            while jobs.recv_many(&mut together, TOGETHER).await > 0 {
                // A caller that gave up gets nothing written any more.
                together.retain(|job: &Job| !job.reply.is_closed());
                write_all(&pool, std::mem::take(&mut together)).await;
            }
        });
        Self(queue)
    }

    /// Writes a document. Returns its new revision, or `None` if the condition of the write did not hold.
    pub(crate) async fn write(&self, write: Write) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        self.0.send(Job { write, reply }).await.map_err(|_| DatabaseError::unavailable())?;
        outcome.await.map_err(|_| DatabaseError::unavailable())?
    }
}

/// Writes all, in one transaction if possible, and replies after the disk has them.
async fn write_all(pool: &Pool, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    let writes = jobs.iter().map(|job| &job.write).collect::<Vec<_>>();
    if let Ok(outcomes) = in_transaction(pool, &writes).await {
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            let _ = job.reply.send(Ok(outcome));
        }
        return;
    }
    // Each gets its own error, and none fails for another.
    for job in jobs {
        let outcome = in_transaction(pool, &[&job.write]).await;
        let _ = job.reply.send(outcome.map(|outcomes| outcomes.into_iter().next().flatten()));
    }
}

async fn in_transaction(pool: &Pool, writes: &[&Write]) -> Result<Vec<Option<u64>>, DatabaseError> {
    let mut begun = pool.writer().await?.begin().await?;
    let connection = begun.connection()?;
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        outcomes.push(documents::written(connection.fetch(write.sql, write.parameters.clone()).await?)?);
    }
    begun.commit().await?;
    Ok(outcomes)
}
