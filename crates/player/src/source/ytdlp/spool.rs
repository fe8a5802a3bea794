//! Files that yt-dlp itself fetches, because a site's servers refuse other clients. A file grows while it is read.
//!
//! The file has no name, so it disappears with its last reader, even if the bot is killed. yt-dlp is killed with the
//! last reader. The limits of size and number are in [`Bounds`].

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::process::Group;
use crate::source::{Bounds, SourceError};

/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

/// A file that yt-dlp fetches.
pub(in crate::source) struct Spool {
    file: File,
    progress: watch::Receiver<Progress>,
    task: AbortHandle,
}

/// How far it has come.
#[derive(Clone, Debug, Default)]
struct Progress {
    length: u64,
    ended: Option<Result<(), SourceError>>,
}

impl Spool {
    /// Starts a program whose output is written to a file. The permit is released when it has ended.
    pub(super) fn start(
        program: PathBuf,
        arguments: Vec<String>,
        bounds: Arc<Bounds>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Arc<Self>, SourceError> {
        let file = nameless().and_then(|file| Ok((file.try_clone()?, file)));
        let (file, written) = file.map_err(|error| {
            tracing::warn!(%error, "no file for what yt-dlp fetches");
            SourceError::Busy
        })?;
        let (sender, progress) = watch::channel(Progress::default());
        let task = tokio::spawn(async move {
            let _permit = permit;
            let ended = fetch(&program, &arguments, &bounds, written, &sender).await;
            if let Err(error) = &ended {
                tracing::debug!(%error, "yt-dlp does not fetch all of it");
            }
            sender.send_modify(|progress| progress.ended = Some(ended));
        });
        Ok(Arc::new(Self { file, progress, task: task.abort_handle() }))
    }

    /// Waits for the bytes at a position and returns them; `None` at the end.
    pub(in crate::source) async fn read(&self, at: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let mut progress = self.progress.clone();
        let reached = progress.wait_for(|progress| progress.length > at || progress.ended.is_some()).await;
        let reached = reached.map_err(|_| SourceError::Broken)?.clone();
        if reached.length <= at {
            return reached.ended.unwrap_or(Ok(())).map(|()| None);
        }
        let length = usize::try_from(reached.length - at).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; length];
        self.file.read_exact_at(&mut piece, at).map_err(|_| SourceError::Broken)?;
        Ok(Some(piece))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn fetch(
    program: &Path,
    arguments: &[String],
    bounds: &Bounds,
    file: File,
    progress: &watch::Sender<Progress>,
) -> Result<(), SourceError> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut group = Group::start(program, &arguments)?;
    let mut written = group.written().ok_or(SourceError::Page)?;
    let mut file = tokio::fs::File::from_std(file);
    let (mut length, mut piece) = (0, vec![0; PIECE]);
    loop {
        // It may be slow, but it must make progress.
        let read = timeout(bounds.find, written.read(&mut piece)).await.map_err(|_| SourceError::TimedOut)?;
        let read = read.map_err(|_| SourceError::Broken)?;
        if read == 0 {
            break;
        }
        length += read as u64;
        if length > bounds.spool {
            return Err(SourceError::TooLarge);
        }
        let kept = async {
            file.write_all(&piece[..read]).await?;
            file.flush().await
        };
        kept.await.map_err(|error| {
            tracing::warn!(%error, "what yt-dlp fetches cannot be kept");
            SourceError::Broken
        })?;
        progress.send_modify(|progress| progress.length = length);
    }
    if group.ended().await && length > 0 { Ok(()) } else { Err(SourceError::Page) }
}

/// Creates a file that no other process can open.
fn nameless() -> io::Result<File> {
    let name = format!("hotcord-{}-{:016x}", std::process::id(), rand::random::<u64>());
    let path = std::env::temp_dir().join(name);
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
