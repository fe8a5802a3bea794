//! Panics in plugins: what panicked, where, and who receives the report.
//!
//! A panic is contained where it is caught, and its payload does not contain its location. The process's panic hook
//! runs earlier on the same thread, so it stores the location here.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::PluginId;

thread_local! {
    /// Location of this thread's last panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Stores the location of a panic. The process's panic hook has to call it.
pub fn note_place(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
    // A thread that is exiting may have no thread-local any more.
    let _ = PLACE.try_with(|noted| noted.replace(place));
}

/// A panic that was contained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// What panicked, such as `/ping` or `task watch`.
    pub what: String,
    /// Its text.
    pub text: String,
    /// Source file and line, if the panic hook provides them.
    pub at: Option<String>,
}

impl Panic {
    /// Returns a description of a panic that this thread has just caught.
    pub(crate) fn caught(what: &str, text: &str) -> Self {
        let at = PLACE.try_with(RefCell::take).ok().flatten();
        Self { what: what.to_owned(), text: text.to_owned(), at }
    }

    /// Returns the location, or a placeholder if it is not known.
    pub fn place(&self) -> &str {
        self.at.as_deref().unwrap_or("an unknown place")
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} panicked at {}: {}", self.what, self.place(), self.text)
    }
}

/// The error of a plugin's code that panicked instead of returning a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(String);

impl Panicked {
    /// Returns the error for the payload of a caught panic.
    pub(crate) fn of(panic: &(dyn Any + Send)) -> Self {
        Self(panic_text(panic).to_owned())
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}

/// A panic in a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicReport {
    /// Plugin concerned.
    pub plugin: PluginId,
    /// Generation in which it happened.
    pub generation: u64,
    /// The panic.
    pub panic: Panic,
    /// Whether the generation was on probation then.
    pub on_probation: bool,
}

/// Sends panic reports to a reload engine. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Panics(Arc<OnceLock<UnboundedSender<PanicReport>>>);

impl Panics {
    /// Returns a receiver of all panics from now on. Only the first call's receiver gets any.
    pub fn listen(&self) -> UnboundedReceiver<PanicReport> {
        let (sender, receiver) = unbounded_channel();
        let _ = self.0.set(sender);
        receiver
    }

    pub(crate) fn tell(&self, report: impl FnOnce() -> PanicReport) {
        if let Some(listener) = self.0.get() {
            // An engine that has ended receives nothing.
            let _ = listener.send(report());
        }
    }
}

/// Returns the text of a panic's payload.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .filter(|text| !text.trim().is_empty())
        .unwrap_or("(no text)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_without_words_is_told_as_such() {
        let payloads: [(Box<dyn Any + Send>, &str); 5] = [
            (Box::new("one"), "one"),
            (Box::new("two".to_owned()), "two"),
            (Box::new(""), "(no text)"),
            (Box::new(" \n".to_owned()), "(no text)"),
            (Box::new(7), "(no text)"),
        ];
        for (payload, expected) in payloads {
            assert_eq!(panic_text(&*payload), expected);
        }
    }
}
