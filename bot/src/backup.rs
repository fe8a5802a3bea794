//! `hotcord backup FILE` and `hotcord restore FILE`: copies of the configured database.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use database::{BackupError, Copied, DatabaseAddress};
use sdk::text::count;
use sdk::tokio;

use crate::config::{Mistakes, Source};
use crate::reload;

/// Why a database was not copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error(transparent)]
    Configuration(Mistakes),
    #[error("{} exists already and is not overwritten; name another file.", .0.display())]
    Exists(PathBuf),
    #[error("{} cannot be {what}: {source}.", path.display())]
    File { path: PathBuf, what: &'static str, source: io::Error },
    #[error("The database was not copied: {0}.")]
    Database(BackupError),
    #[error("The backup was not restored: {0}.")]
    Restore(BackupError),
}

/// Copies the database to a new file, which only its owner can read. Returns a sentence.
pub(crate) fn back_up(path: &Path) -> Result<String, CopyError> {
    let address = address()?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(path.to_owned()),
        _ => CopyError::File { path: path.to_owned(), what: "written", source },
    })?;
    let copied = write(&address, &file);
    if copied.is_err() {
        // What is there is no copy.
        let _ = fs::remove_file(path);
    }
    Ok(format!(
        "{} has {} of the database {address}.",
        path.display(),
        words(copied.map_err(CopyError::Database)?)
    ))
}

fn write(address: &DatabaseAddress, file: &File) -> Result<Copied, BackupError> {
    let mut copy = BufWriter::new(file);
    let copied = runtime()?.block_on(database::back_up(address, &mut copy))?;
    copy.flush()?;
    file.sync_all()?;
    Ok(copied)
}

/// Fills the database, which must be empty, from a copy. Returns a sentence.
pub(crate) fn restore(path: &Path) -> Result<String, CopyError> {
    let address = address()?;
    let file =
        File::open(path).map_err(|source| CopyError::File { path: path.to_owned(), what: "read", source })?;
    let mut copy = BufReader::new(file);
    let runtime = runtime().map_err(|error| CopyError::Restore(error.into()))?;
    let copied = runtime.block_on(database::restore(&address, &mut copy)).map_err(CopyError::Restore)?;
    Ok(format!("The database {address} has {} of {} now.", words(copied), path.display()))
}

fn words(Copied { tables, rows }: Copied) -> String {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    format!("{} of {}", count(number(rows), "row"), count(number(tables), "table"))
}

fn address() -> Result<DatabaseAddress, CopyError> {
    let config = Source::read().and_then(|source| source.config()).map_err(CopyError::Configuration)?;
    Ok(config.database.address(reload::state_file(&config).as_deref()))
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
