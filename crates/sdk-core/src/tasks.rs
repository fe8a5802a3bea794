//! The tasks of a generation, tracked so that none outlives the generation unnoticed.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinError};

use crate::Error;
use crate::database::DatabaseError;
use crate::panics::{Panic, panic_text};
use crate::probation::Probation;

/// A running task and the location of its spawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskReport {
    /// Name given at the spawn.
    pub name: String,
    /// Source file and line of the spawn.
    pub spawned_at: String,
}

impl fmt::Display for TaskReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (spawned at {})", self.name, self.spawned_at)
    }
}

/// Tasks of one generation.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Receives reports of panics.
    probation: Option<Probation>,
    running: Mutex<Running>,
    ended: Notify,
}

#[derive(Default)]
struct Running {
    next: u64,
    closed: bool,
    tasks: BTreeMap<u64, (TaskReport, Option<AbortHandle>)>,
}

/// Removes the task from the list when it ends: done, panicked or cancelled.
struct Entry(Arc<Inner>, u64);

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.running.lock().tasks.remove(&self.1);
        self.0.ended.notify_waiters();
    }
}

impl Tasks {
    /// Creates the tasks of the generation with this probation.
    pub(crate) fn of(probation: Probation) -> Self {
        Self(Arc::new(Inner { probation: Some(probation), ..Inner::default() }))
    }

    /// Spawns `future` on the host's runtime; after [`cancel`](Self::cancel) no task is started any more.
    ///
    /// A panic ends only that task. It is logged and reported to the generation's probation, if there is one.
    #[track_caller]
    pub fn spawn(&self, name: &str, future: impl Future<Output = ()> + Send + 'static) {
        let report = TaskReport { name: name.to_owned(), spawned_at: Location::caller().to_string() };
        let id = {
            let mut running = self.0.running.lock();
            if running.closed {
                tracing::debug!(task = %report, "not started: its generation has stopped");
                return;
            }
            running.next += 1;
            let id = running.next;
            running.tasks.insert(id, (report.clone(), None));
            id
        };
        let (entry, inner) = (Entry(self.0.clone(), id), self.0.clone());
        let handle = tokio::spawn(async move {
            let _entry = entry;
            if let Err(panic) = AssertUnwindSafe(future).catch_unwind().await {
                let (what, text) = (format!("task {}", report.name), panic_text(&*panic));
                let panic = match &inner.probation {
                    Some(probation) => probation.panicked(&what, text),
                    None => Panic::caught(&what, text),
                };
                tracing::error!(spawned_at = report.spawned_at, "{panic}");
            }
        });
        if let Some(task) = self.0.running.lock().tasks.get_mut(&id) {
            task.1 = Some(handle.abort_handle());
        }
    }

    /// Lists the running tasks.
    pub fn running(&self) -> Vec<TaskReport> {
        self.0.running.lock().tasks.values().map(|(report, _)| report.clone()).collect()
    }

    /// Cancels all tasks and waits until they have ended, or until `deadline` has passed.
    ///
    /// Returns those that did not end. A task is cancelled at its next `.await`, which a tight loop never reaches.
    pub async fn cancel(&self, deadline: Duration) -> Vec<TaskReport> {
        {
            let mut running = self.0.running.lock();
            running.closed = true;
            running.tasks.values().filter_map(|(_, handle)| handle.as_ref()).for_each(AbortHandle::abort);
        }
        let all_ended = async {
            loop {
                let ended = self.0.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                if self.0.running.lock().tasks.is_empty() {
                    return;
                }
                ended.await;
            }
        };
        if tokio::time::timeout(deadline, all_ended).await.is_ok() { Vec::new() } else { self.running() }
    }
}

/// A hook that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookReport {
    /// `start` or `stop`.
    pub name: &'static str,
    /// Time since it began.
    pub age: Duration,
}

impl fmt::Display for HookReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hook ({:.1} s)", self.name, self.age.as_secs_f64())
    }
}

/// Why a hook did not succeed.
#[derive(Debug)]
pub struct HookError {
    hook: &'static str,
    kind: HookErrorKind,
}

/// How a hook failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum HookErrorKind {
    /// Its migrations, which run before the `start` hook, failed.
    Migrations(DatabaseError),
    /// It returned an error.
    Failed(Error),
    /// It panicked.
    Panicked(Panic),
    /// It did not end within this time.
    TimedOut(Duration),
    /// Its thread did not run it to its end.
    Aborted(JoinError),
}

impl HookError {
    pub(crate) fn new(hook: &'static str, kind: HookErrorKind) -> Self {
        Self { hook, kind }
    }

    /// Returns the hook: `start` or `stop`.
    pub fn hook(&self) -> &'static str {
        self.hook
    }

    /// Returns how it failed.
    pub fn kind(&self) -> &HookErrorKind {
        &self.kind
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = self.hook;
        match &self.kind {
            HookErrorKind::Migrations(error) => write!(f, "its migrations failed: {error}"),
            HookErrorKind::Failed(error) => write!(f, "its {hook} hook failed: {error}"),
            HookErrorKind::Panicked(panic) => {
                write!(f, "its {hook} hook panicked: {} (at {})", panic.text, panic.place())
            }
            HookErrorKind::TimedOut(deadline) => {
                write!(f, "its {hook} hook did not end within {} ms", deadline.as_millis())
            }
            HookErrorKind::Aborted(error) => write!(f, "its {hook} hook was not run to its end: {error}"),
        }
    }
}

impl std::error::Error for HookError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            HookErrorKind::Failed(error) => Some(&**error),
            HookErrorKind::Migrations(error) => Some(error),
            HookErrorKind::Aborted(error) => Some(error),
            HookErrorKind::Panicked(_) | HookErrorKind::TimedOut(_) => None,
        }
    }
}

/// Hooks of one generation that have begun and not ended.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Arc<Mutex<Vec<(&'static str, Instant)>>>);

impl Hooks {
    /// Counts a hook as running until the returned value is dropped.
    pub(crate) fn begin(&self, name: &'static str) -> impl Drop + Send + use<> {
        struct Running(Hooks, &'static str);
        impl Drop for Running {
            fn drop(&mut self) {
                self.0.0.lock().retain(|(name, _)| *name != self.1);
            }
        }
        self.0.lock().push((name, Instant::now()));
        Running(self.clone(), name)
    }

    pub(crate) fn running(&self) -> Vec<HookReport> {
        self.0.lock().iter().map(|(name, began)| HookReport { name, age: began.elapsed() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cancelled_tasks_end_and_are_forgotten() {
        let tasks = Tasks::default();
        tasks.spawn("forever", std::future::pending());
        assert_eq!(tasks.running().len(), 1);
        assert!(tasks.running()[0].spawned_at.contains("tasks.rs:"));
        assert_eq!(tasks.cancel(Duration::from_secs(5)).await, []);
        tasks.spawn("too late", std::future::pending());
        assert_eq!(tasks.running(), []);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_task_that_will_not_end_is_named() {
        let tasks = Tasks::default();
        let (started, stop) = (Arc::new(Notify::new()), Arc::new(std::sync::atomic::AtomicBool::new(false)));
        let (signal, flag) = (started.clone(), stop.clone());
        tasks.spawn("busy", async move {
            signal.notify_one();
            while !flag.load(std::sync::atomic::Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        started.notified().await;
        let left = tasks.cancel(Duration::from_millis(20)).await;
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].name, "busy");
    }

    #[test]
    fn a_hook_is_told_until_it_ends() {
        let hooks = Hooks::default();
        let running = hooks.begin("stop");
        assert!(hooks.running()[0].to_string().starts_with("stop hook (0.0 s)"));
        drop(running);
        assert_eq!(hooks.running(), []);
    }

    #[tokio::test]
    async fn a_panic_ends_only_its_own_task() {
        let tasks = Tasks::default();
        tasks.spawn("bad", async { panic!("expected by the test") });
        tasks.spawn("good", std::future::pending());
        while tasks.running().len() > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.running()[0].name, "good");
    }
}
