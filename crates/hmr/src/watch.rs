//! From the file system's events to finished saves.
//!
//! # Theory of operation
//!
//! On Linux a save is finished when a file that was open for writing is closed, or when a file is renamed into
//! place; no timer is needed to see that. Elsewhere every modification counts. Where nothing is reported, everything
//! is looked at again and again. A short quiet time joins what belongs together. Contents are compared by hash, so a
//! touch, or a checkout that goes away and comes back, is no change. When the system drops events, and when watching
//! was paused, everything is looked at again.
//!
//! A [`Watcher`] waits; what it hears of goes to its scanner, which knows what every file held, and tells the system
//! which folders to report on. A [`Control`] changes what a running watcher does.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout_at};

mod contents;
mod control;
mod filter;
mod folders;
mod scanner;
mod scope;
#[cfg(test)]
mod tests;
mod walk;

pub use control::Control;
pub use filter::Filter;
pub use scope::Scope;

pub(crate) use contents::hash_of;
pub(crate) use walk::files_below;

use crate::error::HostError;
use control::Wanted;
use folders::Folders;
use scanner::Scanner;

/// Longest time that events without a pause between them are joined for, so that what is saved all the time is
/// followed as well.
const LONGEST_BURST: Duration = Duration::from_millis(100);

/// Files whose contents changed, came or went in one save or burst of saves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saves {
    /// Files; folders that vanished may be among them.
    pub paths: BTreeSet<PathBuf>,
    /// When the earliest of them was written, as far as the file system tells.
    pub began: Instant,
}

/// How changes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Quiet time after an event before a save counts as finished.
    pub debounce: Duration,
    /// Period of polling; `None` listens to the system's events.
    pub poll: Option<Duration>,
}

impl Pace {
    /// Quiet time that joins the files of one checkout without being felt.
    pub const DEFAULT_DEBOUNCE: Duration = Duration::from_millis(2);
}

/// Watches folders for finished saves.
pub struct Watcher {
    control: Control,
    changes: watch::Receiver<Wanted>,
    /// What is done at present, which is what was wanted last.
    doing: Wanted,
    events: mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    scanner: Arc<Mutex<Scanner>>,
    heard: Heard,
}

/// What the system has reported since the last look.
#[derive(Debug, Default)]
struct Heard {
    places: BTreeSet<PathBuf>,
    /// Whether something was missed, so that everything has to be looked at.
    misses: bool,
    first: Option<Instant>,
}

impl Watcher {
    /// Starts to watch; the present contents of all files count as known.
    ///
    /// # Errors
    /// When the system refuses, as when its number of watches is used up.
    pub fn new(scope: Scope, pace: Pace, filter: Filter) -> Result<Self, HostError> {
        let mut scanner = Scanner::new(filter.clone());
        let (sender, events) = mpsc::unbounded_channel();
        if pace.poll.is_none() {
            scanner.folders = Some(Folders::new(sender)?);
        }
        scanner.follow(scope.clone());
        if let Some(failure) = scanner.take_failure() {
            return Err(failure);
        }
        let doing = Wanted { scope, pace, filter, is_paused: false };
        let control = Control::new(doing.clone());
        let (changes, heard) = (control.changes(), Heard::default());
        Ok(Self { control, changes, doing, events, scanner: Arc::new(Mutex::new(scanner)), heard })
    }

    /// Gives a handle to change what is watched and how.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Waits for the next finished save with any change in it.
    pub async fn next(&mut self) -> Saves {
        loop {
            // A look is never given up half-way: what it finds it finds once.
            let is_wanted = tokio::select! {
                biased;
                // Its other end is in `control`.
                Ok(()) = self.changes.changed() => true,
                () = self.heard.wait(&self.doing, &mut self.events) => false,
            };
            let seen = self.heard.first.unwrap_or_else(Instant::now);
            let changed = if is_wanted { self.do_what_is_wanted().await } else { self.look().await };
            if let Some(failure) = self.scanner.lock().take_failure() {
                tracing::error!("{failure}");
            }
            if !changed.is_empty() {
                // What comes with another wish may have been saved long before.
                let began = if is_wanted { Instant::now() } else { began(&changed, seen) };
                return Saves { paths: changed, began };
            }
        }
    }

    /// Looks where something may have changed, and gives what has.
    async fn look(&mut self) -> BTreeSet<PathBuf> {
        let Pace { debounce, poll } = self.doing.pace;
        if poll.is_none() {
            let heard = std::mem::take(&mut self.heard);
            return scan(&self.scanner, move |scanner| heard.look(scanner)).await;
        }
        let began = Instant::now();
        let mut changed = scan(&self.scanner, Scanner::look_at_all).await;
        // A save may be caught half-written.
        while !changed.is_empty() && began.elapsed() < longest_burst(debounce) {
            sleep(debounce).await;
            let mut more = scan(&self.scanner, Scanner::look_at_all).await;
            if more.is_empty() {
                break;
            }
            changed.append(&mut more);
        }
        changed
    }

    /// Does what is wanted now, and gives what has changed where nobody was looking.
    async fn do_what_is_wanted(&mut self) -> BTreeSet<PathBuf> {
        let wanted = self.changes.borrow_and_update().clone();
        let old = std::mem::replace(&mut self.doing, wanted.clone());
        let listens = |wanted: &Wanted| !wanted.is_paused && wanted.pace.poll.is_none();
        let (sender, is_new) = if listens(&wanted) && !listens(&old) {
            let (sender, events) = mpsc::unbounded_channel();
            self.events = events;
            self.heard = Heard::default();
            (Some(sender), true)
        } else {
            (None, false)
        };
        scan(&self.scanner, move |scanner| {
            if !listens(&wanted) {
                scanner.folders = None;
            }
            if let Some(sender) = sender {
                match Folders::new(sender) {
                    Ok(folders) => scanner.folders = Some(folders),
                    Err(error) => tracing::error!("{error}"),
                }
            }
            let mut changed = BTreeSet::new();
            if wanted.scope != old.scope {
                changed.append(&mut scanner.follow(wanted.scope));
            }
            if wanted.filter != old.filter {
                changed.append(&mut scanner.set_filter(wanted.filter));
            }
            if is_new || old.is_paused && !wanted.is_paused {
                changed.append(&mut scanner.look_at_all());
            }
            changed
        })
        .await
    }
}

impl Heard {
    /// Waits until something may have changed; a call that is cancelled loses nothing.
    async fn wait(
        &mut self,
        doing: &Wanted,
        events: &mut mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    ) {
        let Pace { debounce, poll } = doing.pace;
        match poll {
            _ if doing.is_paused => std::future::pending().await,
            Some(period) => return sleep(period).await,
            None => {}
        }
        while self.first.is_none() {
            let Some(event) = events.recv().await else { return std::future::pending().await };
            self.gather(event);
        }
        // Only what belongs to a save moves the end: others may read the sources all the time.
        let now = tokio::time::Instant::now();
        let (mut quiet_at, end) = (now + debounce, now + longest_burst(debounce));
        while let Ok(Some(event)) = timeout_at(quiet_at, events.recv()).await {
            if self.gather(event) {
                quiet_at = end.min(tokio::time::Instant::now() + debounce);
            }
        }
    }

    /// Notes the paths of an event, and says whether it finishes a save.
    fn gather(&mut self, event: notify::Result<notify::Event>) -> bool {
        match event {
            Ok(event) if event.need_rescan() => self.misses = true,
            Ok(event) if finishes(&event) => self.places.extend(event.paths),
            Ok(_) => return false,
            Err(error) => {
                tracing::warn!(%error, "the file watcher missed something; looking at everything again");
                self.misses = true;
            }
        }
        self.first.get_or_insert_with(Instant::now);
        true
    }

    fn look(&self, scanner: &mut Scanner) -> BTreeSet<PathBuf> {
        if self.misses { scanner.look_at_all() } else { scanner.look_where(&self.places) }
    }
}

/// Says whether an event finishes a save.
fn finishes(event: &notify::Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Create(CreateKind::Folder)
        | EventKind::Remove(_) => true,
        // Nobody has written to a link that comes, so nobody will close it.
        EventKind::Create(CreateKind::File) if cfg!(target_os = "linux") => {
            let is_link = |metadata: fs::Metadata| metadata.is_symlink() || metadata.nlink() > 1;
            event.paths.iter().any(|path| path.symlink_metadata().is_ok_and(is_link))
        }
        EventKind::Modify(_) | EventKind::Create(_) | EventKind::Any => !cfg!(target_os = "linux"),
        EventKind::Access(_) | EventKind::Other => false,
    }
}

/// Gives the longest time that what belongs to one save is waited for.
fn longest_burst(debounce: Duration) -> Duration {
    LONGEST_BURST.max(debounce * 2)
}

/// Has the scanner look at files, which may take its time on a slow mount.
async fn scan<T: Send + 'static>(
    scanner: &Arc<Mutex<Scanner>>,
    work: impl FnOnce(&mut Scanner) -> T + Send + 'static,
) -> T {
    let scanner = scanner.clone();
    match tokio::task::spawn_blocking(move || work(&mut scanner.lock())).await {
        Ok(found) => found,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is ending.
        Err(_) => std::future::pending().await,
    }
}

/// Gives the moment the earliest of `paths` was written, when that is shortly before `seen`.
fn began(paths: &BTreeSet<PathBuf>, seen: Instant) -> Instant {
    let now = SystemTime::now();
    let since_seen = seen.elapsed();
    paths
        .iter()
        .filter_map(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
        .filter_map(|written| now.duration_since(written).ok()?.checked_sub(since_seen))
        // An older time is that of a file written long ago and moved into place now.
        .filter(|before_seen| *before_seen < Duration::from_millis(250))
        .max()
        .and_then(|before_seen| seen.checked_sub(before_seen))
        .unwrap_or(seen)
}
