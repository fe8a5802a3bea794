//! The folder of `serve --data`: a world that survives a restart of the sandbox.
//!
//! | file | |
//! |---|---|
//! | `world` | the world, in the form of [`crate::state::saved`] |
//! | `files/ID` | bytes of an upload; each is written once |
//! | `snapshots/NAME.world` | named snapshots |
//! | `lock` | locked by the sandbox that uses the folder |
//!
//! The world is written whole, and not as a log of changes, because every part of it can be changed in place: one form
//! serves snapshots and restarts, and a file is either a whole world or not there. Uploads are apart, so that they are not
//! written again with each change. A write goes to another file first, which is synced and renamed, so that a crash at any
//! moment leaves the world of the last finished write.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::live::Discord;
use crate::private_file;
use crate::snapshots::Snapshots;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::state::saved::Files;
use crate::tls::Addresses;

/// Variable with the folder.
const FOLDER: &str = "SANDBOX_DATA";

/// Shortest time between two writes of a world that changes.
const PAUSE: Duration = Duration::from_secs(1);

/// A write locks the world. The pause is at least this many times as long, so that a large world stays usable.
const SHARE: u32 = 10;

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another sandbox uses it.
    #[error("another sandbox uses {0} already; stop it first, or choose another folder with --data")]
    InUse(PathBuf),
    /// It holds no world that can be read. Nothing in it was changed.
    #[error("can't use {path}: {why}; it was left as it is")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        why: crate::state::saved::Unreadable,
    },
    /// The system refused.
    #[error("can't use {path}: {error}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Its error.
        #[source]
        error: io::Error,
    },
}

/// A folder with a world, locked for this sandbox.
#[derive(Debug, Clone)]
pub struct Data {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    /// Locked as long as it is open, and by the system no longer than this process lives.
    _lock: File,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    /// Revision of the world that the folder holds.
    revision: Option<u64>,
    /// Uploads that it holds.
    files: HashSet<Snowflake>,
}

impl Data {
    /// Opens a folder, which is made if it is missing, readable only by this user.
    ///
    /// # Errors
    /// When another sandbox uses it, or it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| Error::Io { path, error }
        };
        private_file::make_folder(folder).map_err(failed(folder))?;
        let path = folder.join("lock");
        let lock = private_file::options().create(true).truncate(false).open(&path).map_err(failed(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => return Err(Error::Io { path, error }),
        }
        let shared = Shared { folder: folder.to_owned(), _lock: lock, written: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Opens the folder that `SANDBOX_DATA` names; `None` if it is not set.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_environment() -> Result<Option<Self>, Error> {
        let folder = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty());
        folder.map(|folder| Self::open(Path::new(&folder))).transpose()
    }

    /// Returns whether it holds a world.
    pub fn has_world(&self) -> bool {
        self.world().exists()
    }

    /// Reads its world, for a sandbox at these addresses; `None` if it has none yet.
    pub(crate) fn load(&self, addresses: &Addresses) -> Result<Option<World>, Error> {
        let path = self.world();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Io { path, error }),
        };
        let files = self.shared.folder.join("files");
        let read = |id: Snowflake| fs::read(files.join(id.to_string()));
        let world = World::load(&bytes, &addresses.base, &addresses.files, read)
            .map_err(|why| Error::Unreadable { path, why })?;
        self.shared.written.lock().files = world.files.keys().copied().collect();
        Ok(Some(world))
    }

    /// Returns the snapshots in it.
    pub(crate) fn snapshots(&self) -> Snapshots {
        Snapshots::in_folder(self.shared.folder.join("snapshots"))
    }

    /// Writes the world, unless it is the one that was written last. The world is locked while it is copied, not while it
    /// is written.
    ///
    /// # Errors
    /// When something cannot be written.
    pub(crate) fn save(&self, discord: &Discord) -> Result<(), Error> {
        let mut written = self.shared.written.lock();
        let live = discord.lock();
        let revision = discord.revision();
        if written.revision == Some(revision) {
            return Ok(());
        }
        let bytes = live.save(Files::Apart).map_err(|error| Error::Io { path: self.world(), error })?;
        let now: HashSet<Snowflake> = live.files.keys().copied().collect();
        let new: Vec<_> = live.files.iter().filter(|(id, _)| !written.files.contains(id)).collect();
        let new: Vec<_> = new.into_iter().map(|(id, file)| (*id, file.bytes.clone())).collect();
        drop(live);
        // The world names its files, so they are there before it, and those of the world before it are as long.
        let folder = self.shared.folder.join("files");
        for (id, bytes) in new {
            write(folder.join(id.to_string()), &bytes)?;
            written.files.insert(id);
        }
        write(self.world(), &bytes)?;
        written.revision = Some(revision);
        for id in written.files.difference(&now) {
            // One that stays is of no harm.
            let _ = fs::remove_file(folder.join(id.to_string()));
        }
        written.files = now;
        Ok(())
    }

    /// Writes the world whenever it has changed, until the sandbox stops. A failure is reported once, until a write
    /// succeeds again.
    pub(crate) async fn keep(self, discord: Arc<Discord>, mut stopped: watch::Receiver<bool>) {
        let mut pause = PAUSE;
        let mut failed = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // The sender exists as long as the sandbox itself, which writes the last time.
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            let (data, world) = (self.clone(), Arc::clone(&discord));
            let began = Instant::now();
            let saved = tokio::task::spawn_blocking(move || data.save(&world)).await;
            pause = PAUSE.max(began.elapsed() * SHARE);
            match saved {
                Ok(Ok(())) => failed = false,
                Ok(Err(error)) if !failed => {
                    failed = true;
                    tracing::error!(folder = %self.shared.folder.display(), %error, "the world can't be saved");
                }
                Ok(Err(_)) => {}
                // The runtime ends.
                Err(_) => return,
            }
        }
    }

    fn world(&self) -> PathBuf {
        self.shared.folder.join("world")
    }
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(), Error> {
    private_file::write_durably(&path, bytes).map_err(|error| Error::Io { path, error })
}
