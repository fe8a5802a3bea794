//! From the file system's events to finished saves.
//!
//! # Theory of operation
//!
//! On Linux a save is finished when a file that was open for writing is closed, or when a file is renamed into place.
//! Seeing that needs no timer. Elsewhere every modification counts. Without events, all files are polled. A short quiet
//! time joins events that belong together. Contents are compared by hash, so a touch, or a checkout that is undone, is
//! no change; of a large file, the metadata are compared. When the system drops events, and after watching was paused,
//! all files are checked again.
//!
//! A [`Watcher`] waits. It passes events to its scanner, which knows the contents of every file and tells the system
//! which folders to report on. A [`Control`] changes the configuration of a running watcher.
//!
//! A save is seen at once, however many files arrive beside it that nothing is built from: in a tree of sources, an
//! event for a file with another name is dropped by that name alone, and the known files are ordered by path, so that
//! no check iterates over all of them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout_at};

mod below;
mod contents;
mod control;
mod event_support;
mod filter;
mod folders;
mod mode;
mod moment;
mod scanner;
mod scope;
#[cfg(test)]
mod tests;
mod walk;

pub use control::Control;
pub use event_support::NoEvents;
pub use filter::{Filter, FilterError};
pub use mode::WatchMode;
pub use scope::{Of, Scope};

pub(crate) use contents::{hash_of, hash_of_contents};
pub(crate) use walk::files_below;

use crate::error::HostError;
use control::Config;
use folders::{Folders, Report};
use moment::{Moment, Noticed};
use scanner::{Changed, Reported, Reports, Scanner};

/// Longest time for which events without a pause between them are joined, so that files that are saved all the time are
/// followed as well.
const LONGEST_BURST: Duration = Duration::from_millis(100);

/// Files whose contents changed, appeared or disappeared in one save or burst of saves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saves {
    /// Files. Folders that disappeared may be among them.
    pub paths: BTreeSet<PathBuf>,
    /// When the earliest of them was saved, by the file system's time stamp where that can be true.
    pub began: Instant,
}

/// Watches folders for finished saves.
pub struct Watcher {
    control: Control,
    changes: watch::Receiver<Config>,
    /// Current configuration.
    current: Config,
    events: mpsc::UnboundedReceiver<Report>,
    pending: Pending,
    scanner: Arc<Mutex<Scanner>>,
    /// A check in progress. Its result is added to `changed`.
    looking: Option<JoinHandle<Changed>>,
    changed: Changed,
    /// When all files were last checked, by polling.
    polled: Instant,
}

/// Events of the system since the last check.
#[derive(Debug, Default)]
struct Pending {
    reports: Reports,
    /// Whether events were lost, so that all files must be checked.
    misses: bool,
    first: Option<Noticed>,
}

impl Watcher {
    /// Starts to watch. The present contents of all files count as known.
    ///
    /// # Errors
    /// When the system refuses, for example because the limit of watches is reached.
    pub fn new(scope: Scope, mode: WatchMode, filter: Filter) -> Result<Self, HostError> {
        let mut scanner = Scanner::new(filter.clone());
        let (sender, events) = mpsc::unbounded_channel();
        if mode.poll.is_none() {
            scanner.folders = Some(Folders::new(sender)?);
        }
        scanner.follow(scope.clone());
        if let Some(failure) = scanner.take_failure() {
            return Err(failure);
        }
        let current = Config { scope, mode, filter, filter_since: Moment::now(), is_paused: false };
        let control = Control::new(current.clone());
        Ok(Self {
            changes: control.changes(),
            control,
            current,
            events,
            pending: Pending::default(),
            scanner: Arc::new(Mutex::new(scanner)),
            looking: None,
            changed: Changed::new(),
            polled: Instant::now(),
        })
    }

    /// Returns a handle to change what is watched and how.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Converts the watcher into a stream of saves, with the handle to change what is watched and how.
    pub fn into_saves(self) -> (Control, BoxStream<'static, Saves>) {
        let control = self.control();
        let saves = stream::unfold(self, |mut watcher| async move { Some((watcher.next().await, watcher)) });
        (control, saves.boxed())
    }

    /// Waits for the next finished save with any change in it, and returns it. Cancel safe.
    pub async fn next(&mut self) -> Saves {
        loop {
            self.finish_look().await;
            if self.changed.is_empty() {
                let config_changed = tokio::select! {
                    biased;
                    // Its other end is in `control`.
                    Ok(()) = self.changes.changed() => true,
                    () = self.pending.wait(&self.current, &mut self.events) => false,
                };
                if config_changed {
                    self.apply_config();
                    self.finish_look().await;
                } else {
                    self.look().await;
                }
            }
            if let Some(failure) = self.scanner.lock().take_failure() {
                tracing::error!(error = %failure, "not everything is watched");
            }
            if let Some(began) = self.changed.values().min().copied() {
                let paths = std::mem::take(&mut self.changed).into_keys().collect();
                return Saves { paths, began };
            }
        }
    }

    /// Checks files that may have changed.
    async fn look(&mut self) {
        let WatchMode { debounce, poll } = self.current.mode;
        if poll.is_none() {
            let pending = std::mem::take(&mut self.pending);
            self.begin_look(move |scanner| pending.look(scanner));
            self.finish_look().await;
            return;
        }
        let first = Instant::now();
        loop {
            let noticed = Noticed::seen(self.polled.elapsed());
            self.polled = noticed.at.steady;
            self.begin_look(move |scanner| scanner.look_at_all(noticed));
            let has_changed = self.finish_look().await;
            // A save may be seen half-written.
            if !has_changed || first.elapsed() > longest_burst(debounce) {
                return;
            }
            sleep(debounce).await;
        }
    }

    /// Applies the newest configuration, and begins to check files that are new in it.
    fn apply_config(&mut self) {
        let mut config = self.changes.borrow_and_update().clone();
        if config.is_paused {
            // All other changes are applied when watching resumes.
            config = Config { is_paused: true, ..self.current.clone() };
        }
        let old = std::mem::replace(&mut self.current, config.clone());
        let listens = |config: &Config| !config.is_paused && config.mode.poll.is_none();
        let sender = (listens(&config) && !listens(&old)).then(|| {
            let (sender, events) = mpsc::unbounded_channel();
            (self.events, self.pending) = (events, Pending::default());
            sender
        });
        self.begin_look(move |scanner| {
            if !listens(&config) {
                scanner.folders = None;
            }
            let looks_anew = sender.is_some() || old.is_paused && !config.is_paused;
            if let Some(sender) = sender {
                match Folders::new(sender) {
                    Ok(folders) => scanner.folders = Some(folders),
                    Err(error) => tracing::error!(%error, "nothing is watched"),
                }
            }
            let mut changed = Changed::new();
            if config.scope != old.scope {
                changed.append(&mut scanner.follow(config.scope));
            }
            if config.filter != old.filter {
                changed.append(&mut scanner.set_filter(config.filter, config.filter_since));
            }
            if looks_anew {
                changed.append(&mut scanner.look_at_all(Noticed::seen(Duration::ZERO)));
            }
            changed
        });
    }

    /// Begins to check files, which may take time on a slow mount.
    fn begin_look(&mut self, look: impl FnOnce(&mut Scanner) -> Changed + Send + 'static) {
        let scanner = self.scanner.clone();
        self.looking = Some(tokio::task::spawn_blocking(move || look(&mut scanner.lock())));
    }

    /// Waits for the end of a check, and returns whether anything has changed.
    async fn finish_look(&mut self) -> bool {
        let Some(looking) = &mut self.looking else { return false };
        let found = looking.await;
        self.looking = None;
        match found {
            Ok(mut found) => {
                let has_changed = !found.is_empty();
                self.changed.append(&mut found);
                has_changed
            }
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is ending.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Pending {
    /// Waits until something may have changed. Cancel safe.
    async fn wait(&mut self, current: &Config, events: &mut mpsc::UnboundedReceiver<Report>) {
        let WatchMode { debounce, poll } = current.mode;
        match poll {
            _ if current.is_paused => std::future::pending().await,
            Some(period) => return sleep(period).await,
            None => {}
        }
        while self.first.is_none() {
            let Some(event) = events.recv().await else { return std::future::pending().await };
            self.gather(event);
        }
        // Only events of a save extend the wait: other programs may read the sources all the time.
        let now = tokio::time::Instant::now();
        let (mut quiet_at, end) = (now + debounce, now + longest_burst(debounce));
        while let Ok(Some(event)) = timeout_at(quiet_at, events.recv()).await {
            if self.gather(event) {
                quiet_at = end.min(tokio::time::Instant::now() + debounce);
            }
        }
    }

    /// Records the paths of an event, and returns whether it finishes a save.
    fn gather(&mut self, (at, event): Report) -> bool {
        let noticed = Noticed::reported(at);
        match event {
            Ok(event) if event.need_rescan() => self.misses = true,
            Ok(event) if finishes(&event) => {
                let is_of_a_file = matches!(event.kind, EventKind::Access(_));
                for path in event.paths {
                    let report = self.reports.entry(path).or_insert(Reported { noticed, is_of_a_file });
                    report.is_of_a_file &= is_of_a_file;
                }
            }
            Ok(_) => return false,
            Err(error) => {
                tracing::warn!(%error, "the file watcher missed something; looking at everything again");
                self.misses = true;
            }
        }
        self.first.get_or_insert(noticed);
        true
    }

    fn look(&self, scanner: &mut Scanner) -> Changed {
        let before = scanner.work();
        let changed = match self.first {
            Some(first) if self.misses => scanner.look_at_all(first.along()),
            _ => scanner.look_where(&self.reports),
        };
        let after = scanner.work();
        tracing::trace!(
            reports = self.reports.len(),
            looks = after.looks - before.looks,
            reads = after.reads - before.reads,
            changed = changed.len(),
            "looked"
        );
        changed
    }
}

/// Returns whether an event finishes a save.
fn finishes(event: &notify::Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Create(CreateKind::Folder)
        | EventKind::Remove(_) => true,
        // A new link was never open for writing, so it is never closed.
        EventKind::Create(CreateKind::File) if cfg!(target_os = "linux") => {
            let is_link = |metadata: fs::Metadata| metadata.is_symlink() || metadata.nlink() > 1;
            event.paths.iter().any(|path| path.symlink_metadata().is_ok_and(is_link))
        }
        EventKind::Modify(_) | EventKind::Create(_) | EventKind::Any => !cfg!(target_os = "linux"),
        EventKind::Access(_) | EventKind::Other => false,
    }
}

/// Returns the longest time for which the events of one save are joined.
fn longest_burst(debounce: Duration) -> Duration {
    LONGEST_BURST.max(debounce * 2)
}
