//! What outlives a restart: one file with the plugins' states and values, the timers, and the players.
//!
//! # Theory of operation
//!
//! Each change marks [`Changes`](crate::changes::Changes). [`Checkpoint::keep`] waits for a mark, writes, and pauses, so that many changes cause
//! few writes. Serialising and writing run on a thread of their own, so that no event waits for the disk. A new file is
//! written beside the old one and renamed over it, so that a complete file exists at every moment. A file that cannot
//! be read is moved aside, never overwritten.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinError;

use crate::PluginId;
use crate::host::Host;
use crate::scheduler::Kept;
use crate::state::{SavedState, StateError};
use crate::state_history::Saved;

mod file;

/// Version of the file's format.
const FORMAT: u32 = 1;
/// Shortest time from one write to the next.
const PAUSE: Duration = Duration::from_millis(100);

/// The file's content.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Document {
    format: u32,
    /// Application that the file belongs to. Another application's messages, users and guilds do not fit this one.
    application: u64,
    store: BTreeMap<PluginId, BTreeMap<String, Value>>,
    plugins: BTreeMap<PluginId, Saved>,
    timers: Vec<Kept>,
    #[serde(default)]
    voice: crate::voice::SavedVoice,
}

/// A host's file.
pub struct Checkpoint {
    host: Host,
    application: u64,
    /// `None` if a file is in the way that can be neither read nor moved.
    path: Option<PathBuf>,
    writing: Arc<tokio::sync::Mutex<()>>,
    written: Mutex<Written>,
    writes: watch::Sender<u64>,
}

/// What was last written, and which problems were logged.
#[derive(Default)]
struct Written {
    hash: u64,
    /// The last state of each plugin that could be saved.
    states: BTreeMap<PluginId, Arc<SavedState>>,
    told: Option<String>,
}

impl Checkpoint {
    /// Reads the file, restores its content into the host, and returns the checkpoint that writes the file from now on.
    ///
    /// Call it before any plugin starts. A file that cannot be used is moved aside with a log message, and the bot
    /// starts without it.
    pub async fn open(host: &Host, path: PathBuf, application: u64) -> Arc<Self> {
        let reading = tokio::task::spawn_blocking(move || read(&path, application));
        let (path, document) = reading.await.unwrap_or_else(|error| {
            tracing::error!(%error, "what the bot remembers could not be read");
            (None, None)
        });
        if let (Some(path), Some(document)) = (&path, &document) {
            tracing::info!(
                "remembering from {}: the state of {} plugins, {} timers",
                path.display(),
                document.plugins.values().filter(|saved| saved.parked.is_some()).count(),
                document.timers.len()
            );
        }
        let (mut written, mut has_died) = (Written::default(), false);
        if let Some(Document { store, plugins, timers, voice, .. }) = document {
            let states =
                plugins.iter().filter_map(|(plugin, saved)| Some((plugin.clone(), saved.parked.clone()?)));
            written.states = states.collect();
            host.store().restore(store);
            host.state_history().set_all(plugins);
            host.scheduler().restore(timers);
            has_died = host.voice().restore(voice);
        }
        let this = Arc::new(Self {
            host: host.clone(),
            application,
            path,
            writing: Arc::default(),
            written: Mutex::new(written),
            writes: watch::Sender::default(),
        });
        if has_died {
            this.save().await;
        }
        this
    }

    /// Writes changes until the future is dropped.
    pub async fn keep(self: Arc<Self>) {
        loop {
            self.host.changes().noted().await;
            let began = Instant::now();
            self.save().await;
            // A large state is written less often, so that writing takes at most a tenth of a processor.
            tokio::time::sleep(PAUSE.max(began.elapsed() * 9)).await;
        }
    }

    /// Writes the file now, unless it is up to date. A problem is logged once.
    pub async fn save(self: &Arc<Self>) {
        let Some(path) = self.path.clone() else { return };
        let turn = self.writing.clone().lock_owned().await;
        let this = self.clone();
        // The lock guard moves along: the write continues even if its caller is gone.
        let write = move || {
            let _turn = turn;
            this.write(&path)
        };
        let outcome = tokio::task::spawn_blocking(write).await;
        let problem = match outcome {
            Ok(outcome) => outcome.err(),
            Err(error) => Some(WriteError::Aborted(error)),
        };
        let problem = problem.map(|error| error.to_string());
        let mut written = self.written.lock();
        if let Some(problem) = &problem
            && written.told.as_ref() != Some(problem)
        {
            tracing::error!("{problem}");
        }
        written.told = problem;
    }

    /// Returns a receiver of the number of writes, which changes with each write.
    pub fn writes(&self) -> watch::Receiver<u64> {
        self.writes.subscribe()
    }

    fn write(&self, path: &Path) -> Result<(), WriteError> {
        let (document, problems) = self.document();
        let text = serde_json::to_vec(&document).map_err(WriteError::Json)?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if self.written.lock().hash != hash {
            file::replace(path, &text)
                .map_err(|source| WriteError::File { path: path.to_owned(), source })?;
            self.written.lock().hash = hash;
            self.writes.send_modify(|count| *count += 1);
        }
        if problems.is_empty() { Ok(()) } else { Err(WriteError::States(problems)) }
    }

    /// Collects the document, and the problems found. A state that cannot be saved is taken as last saved.
    fn document(&self) -> (Document, Vec<StateError>) {
        let mut problems = Vec::new();
        let mut plugins = self.host.state_history().all();
        for (plugin, generation) in self.host.registry().snapshot().generations() {
            if !generation.state_slot().is_some_and(crate::state::StateSlot::is_preserved) {
                continue;
            }
            let mut written = self.written.lock();
            match generation.save_state() {
                Ok(saved) => written.states.extend(saved.map(|saved| (plugin.clone(), Arc::new(saved)))),
                Err(problem) => problems.push(problem),
            }
            plugins.entry(plugin.clone()).or_default().parked = written.states.get(plugin).cloned();
        }
        let document = Document {
            format: FORMAT,
            application: self.application,
            store: self.host.store().all(),
            plugins,
            timers: self.host.scheduler().kept(),
            voice: self.host.voice().saved(),
        };
        (document, problems)
    }
}

/// Reads the file. Returns the path to write to from now on, and the content.
fn read(path: &Path, application: u64) -> (Option<PathBuf>, Option<Document>) {
    // The link is resolved, so that the file is replaced and not the link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let own = file::beside(&path, &format!("of-{application}"));
    let parsed = parse(&path).and_then(|document| match document {
        Some(document) if document.application != application => {
            let other = document.application;
            Err(ReadError { path: path.clone(), kind: ReadErrorKind::Foreign { other, application } })
        }
        document => Ok(document),
    });
    let problem = match parsed {
        Ok(Some(document)) => return (Some(path), Some(document)),
        Ok(None) => None,
        Err(error) => Some(error),
    };
    if let Some(problem) = problem {
        let aside = match &problem.kind {
            ReadErrorKind::Foreign { other, .. } => file::beside(&path, &format!("of-{other}")),
            _ => file::free(&file::beside(&path, "broken")),
        };
        if let Err(error) = std::fs::rename(&path, &aside) {
            tracing::error!(
                "{problem}, and it cannot be moved aside ({error}); nothing is remembered in this run"
            );
            return (None, None);
        }
        tracing::warn!("{problem}; it is kept as {}, and the bot begins without", aside.display());
    }
    // This application's own file, from before another application used the same path.
    match parse(&own) {
        Ok(Some(document)) if document.application == application && std::fs::rename(&own, &path).is_ok() => {
            (Some(path), Some(document))
        }
        _ => (Some(path), None),
    }
}

/// The fields that every format begins with.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

fn parse(path: &Path) -> Result<Option<Document>, ReadError> {
    let failed = |kind| ReadError { path: path.to_owned(), kind };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
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

/// Why a file was not written, or not with every state.
#[derive(Debug)]
enum WriteError {
    /// The content cannot be serialised.
    Json(serde_json::Error),
    /// The file cannot be written.
    File { path: PathBuf, source: io::Error },
    /// It was written with states as last saved, because they cannot be saved now.
    States(Vec<StateError>),
    /// The thread did not run it to its end.
    Aborted(JoinError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "what the bot remembers cannot be written as JSON: {error}"),
            Self::File { path, source } => write!(
                f,
                "{} cannot be written ({source}); what the bot remembers now is lost with the next restart",
                path.display()
            ),
            Self::States(errors) => {
                f.write_str(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            Self::Aborted(error) => write!(f, "what the bot remembers was not written: {error}"),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::File { source, .. } => Some(source),
            Self::States(errors) => errors.first().map(|error| error as _),
            Self::Aborted(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests;
