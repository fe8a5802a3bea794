//! The state file of earlier versions, which is taken over into the database once.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::PluginId;
use crate::scheduler::Kept;
use crate::state_history::Saved;
use crate::voice::SavedVoice;

/// Version of the file's format.
const FORMAT: u32 = 1;

/// The file's content.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Document {
    format: u32,
    /// Application that the file belongs to. Another application's messages, users and guilds do not fit this one.
    application: u64,
    pub(super) store: BTreeMap<PluginId, BTreeMap<String, Value>>,
    pub(super) plugins: BTreeMap<PluginId, Saved>,
    pub(super) timers: Vec<Kept>,
    #[serde(default)]
    pub(super) voice: SavedVoice,
}

/// Reads the file. Returns its path and its content; `None` if there is nothing to take over. A file that cannot be used
/// is moved aside.
pub(super) fn read(path: &Path, application: u64) -> Option<(PathBuf, Document)> {
    // The link is resolved, so that the file is renamed and not the link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = beside(&path, &format!("of-{application}"));
    let parsed = parse(&path).and_then(|document| match document {
        Some(document) if document.application != application => {
            let other = document.application;
            Err(ReadError { path: path.clone(), kind: ReadErrorKind::Foreign { other, application } })
        }
        document => Ok(document),
    });
    let problem = match parsed {
        Ok(Some(document)) => return Some((path, document)),
        Ok(None) => None,
        Err(error) => Some(error),
    };
    if let Some(problem) = problem {
        let aside = match &problem.kind {
            ReadErrorKind::Foreign { other, .. } => beside(&path, &format!("of-{other}")),
            _ => free(&beside(&path, "broken")),
        };
        if let Err(error) = fs::rename(&path, &aside) {
            tracing::error!("{problem}, and it cannot be moved aside ({error}); the bot begins without");
            return None;
        }
        tracing::warn!("{problem}; it is kept as {}, and the bot begins without", aside.display());
    }
    // This application's own file, from before another application used the same path.
    match parse(&own) {
        Ok(Some(document)) if document.application == application && fs::rename(&own, &path).is_ok() => {
            Some((path, document))
        }
        _ => None,
    }
}

/// The fields that every format begins with.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

fn parse(path: &Path) -> Result<Option<Document>, ReadError> {
    let failed = |kind| ReadError { path: path.to_owned(), kind };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(ReadErrorKind::Io(error))),
    };
    let head: Head = serde_json::from_slice(&text).map_err(|error| failed(ReadErrorKind::Json(error)))?;
    if head.format > FORMAT {
        return Err(failed(ReadErrorKind::Newer(head.format)));
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| failed(ReadErrorKind::Json(error)))
}

/// Why a file cannot be used.
#[derive(Debug)]
struct ReadError {
    path: PathBuf,
    kind: ReadErrorKind,
}

#[derive(Debug)]
enum ReadErrorKind {
    /// It cannot be read.
    Io(io::Error),
    /// It is not what the bot has written.
    Json(serde_json::Error),
    /// A newer bot wrote it, in this format.
    Newer(u32),
    /// It belongs to another application.
    Foreign { other: u64, application: u64 },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.path.display())?;
        match &self.kind {
            ReadErrorKind::Io(error) => write!(f, "cannot be read ({error})"),
            ReadErrorKind::Json(error) => write!(f, "is not what the bot has written ({error})"),
            ReadErrorKind::Newer(format) => {
                write!(f, "is not what the bot has written (format {format} of a newer bot)")
            }
            ReadErrorKind::Foreign { other, application } => {
                write!(f, "belongs to the application {other}, not to {application}")
            }
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            ReadErrorKind::Io(error) => Some(error),
            ReadErrorKind::Json(error) => Some(error),
            ReadErrorKind::Newer(_) | ReadErrorKind::Foreign { .. } => None,
        }
    }
}

/// Renames a file that was taken over. Returns its new path.
pub(super) fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let imported = free(&beside(path, "imported"));
    fs::rename(path, &imported)?;
    Ok(imported)
}

/// Returns the path of a companion of the file: `state.json.broken` for `state.json`.
fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    name.into()
}

/// Returns the path itself if it is free, otherwise the first free one with a number appended.
fn free(path: &Path) -> PathBuf {
    let numbered = (2_u32..).map(|number| beside(path, &number.to_string()));
    std::iter::once(path.to_owned())
        .chain(numbered)
        .find(|path| !path.exists())
        .unwrap_or_else(|| path.to_owned())
}
