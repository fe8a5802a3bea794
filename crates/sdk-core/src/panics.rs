//! Panics in plugins: what panicked, at which place, and who is told.
//!
//! A panic is contained where it is caught, and its payload does not tell where it began. The process's panic hook runs
//! on the same thread before that, so it notes the place here.

use std::cell::RefCell;
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::PluginId;

thread_local! {
    /// Place of this thread's last panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes the place of a panic; to be called by the process's panic hook.
pub fn note_place(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
    // A thread that is ending may have no place to note it any more.
    let _ = PLACE.try_with(|noted| noted.replace(place));
}

/// A panic that was contained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// What panicked, such as `/ping` or `task watch`.
    pub what: String,
    /// Its text.
    pub text: String,
    /// Source file and line, as far as the panic hook tells.
    pub at: Option<String>,
}

impl Panic {
    /// Describes a panic that this thread has just caught.
    pub(crate) fn caught(what: &str, text: &str) -> Self {
        let at = PLACE.try_with(RefCell::take).ok().flatten();
        Self { what: what.to_owned(), text: text.to_owned(), at }
    }

    /// Gives the place, or words that stand for one that is not known.
    pub fn place(&self) -> &str {
        self.at.as_deref().unwrap_or("an unknown place")
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} panicked at {}: {}", self.what, self.place(), self.text)
    }
}

/// A panic in a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicReport {
    /// Plugin concerned.
    pub plugin: PluginId,
    /// Generation in which it happened.
    pub generation: u64,
    /// What happened.
    pub panic: Panic,
    /// Whether the generation was on probation then.
    pub on_probation: bool,
}

/// The way by which a reload engine hears of panics; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Panics(Arc<OnceLock<UnboundedSender<PanicReport>>>);

impl Panics {
    /// Hears of all panics from now on; the first call counts, and any later one hears nothing.
    pub fn listen(&self) -> UnboundedReceiver<PanicReport> {
        let (sender, receiver) = unbounded_channel();
        let _ = self.0.set(sender);
        receiver
    }

    pub(crate) fn tell(&self, report: impl FnOnce() -> PanicReport) {
        if let Some(listener) = self.0.get() {
            // An engine that has ended is told nothing any more.
            let _ = listener.send(report());
        }
    }
}
