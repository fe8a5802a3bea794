//! The log of a test's threads.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

thread_local! {
    static LOG: RefCell<Option<(Log, DefaultGuard)>> = const { RefCell::new(None) };
}

type Lines = Arc<Mutex<Vec<(Level, String)>>>;

/// The log of one test. All of its threads share one subscriber, since spans move from thread to thread.
#[derive(Clone)]
pub(crate) struct Log {
    lines: Lines,
    dispatch: Dispatch,
}

impl Log {
    pub(crate) fn new() -> Self {
        let lines = Lines::default();
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(Collect(lines.clone())));
        Self { lines, dispatch }
    }

    /// Collects what this thread logs from now on.
    pub(crate) fn attach(&self) {
        let guard = tracing::dispatcher::set_default(&self.dispatch);
        LOG.set(Some((self.clone(), guard)));
    }
}

/// Returns the lines of the player that this test's threads have logged so far.
pub(crate) fn lines() -> Vec<(Level, String)> {
    LOG.with_borrow(|log| {
        let (log, _) = log.as_ref().expect("the log is attached to every thread of a test");
        log.lines.lock().unwrap().clone()
    })
}

struct Collect(Lines);

impl<S: Subscriber> Layer<S> for Collect {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("player") {
            let mut line = Line(String::new());
            event.record(&mut line);
            self.0.lock().unwrap().push((*event.metadata().level(), line.0));
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}
