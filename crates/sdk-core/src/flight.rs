//! Calls, hooks and tasks in progress, recorded so that the record outlives a crash.
//!
//! A host that dies cannot report what it was doing. So each call, hook and task of a plugin is recorded while it
//! lasts, together with whether a thread is running it at that moment. A [`Recorder`] keeps these entries where another
//! process can read them. Without a recorder, as in production, nothing is recorded.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use crate::PluginId;

/// Records what is in progress.
pub trait Recorder: Send + Sync {
    /// Records that something begins. Returns its slot; `None` if all slots are taken.
    fn begin(&self, plugin: &PluginId, generation: u64, what: fmt::Arguments<'_>) -> Option<usize>;

    /// Records whether a thread is running the work in this slot.
    fn set_running(&self, place: usize, running: bool);

    /// Records that the work in this slot has ended.
    fn end(&self, place: usize);
}

/// An entry of the recorder that lasts until this is dropped.
pub(crate) struct Flight(Option<(Arc<dyn Recorder>, usize)>);

impl Flight {
    pub(crate) fn begin(
        recorder: Option<&Arc<dyn Recorder>>,
        plugin: &PluginId,
        generation: u64,
        what: fmt::Arguments<'_>,
    ) -> Self {
        Self(
            recorder.and_then(|recorder| Some((recorder.clone(), recorder.begin(plugin, generation, what)?))),
        )
    }

    /// Runs a future to its end, then ends the entry. Returns the future's output.
    pub(crate) async fn run<F: Future>(self, future: F) -> F::Output {
        self.follow(future).await
    }

    /// Runs a future to its end, and records while a thread is polling it. Returns the future's output.
    pub(crate) async fn follow<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _running = Running::begin(self);
            future.as_mut().poll(cx)
        })
        .await
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some((recorder, place)) = &self.0 {
            recorder.end(*place);
        }
    }
}

/// The time in which a thread runs the work. A panic ends it too.
struct Running<'a>(&'a Flight);

impl<'a> Running<'a> {
    fn begin(flight: &'a Flight) -> Self {
        if let Some((recorder, place)) = &flight.0 {
            recorder.set_running(*place, true);
        }
        Self(flight)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some((recorder, place)) = &self.0.0 {
            recorder.set_running(*place, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Recorder for Notes {
        fn begin(&self, plugin: &PluginId, generation: u64, what: fmt::Arguments<'_>) -> Option<usize> {
            self.0.lock().push(format!("{what} of {plugin} {generation}"));
            Some(7)
        }

        fn set_running(&self, place: usize, running: bool) {
            self.0.lock().push(format!("{place} {}", if running { "on" } else { "off" }));
        }

        fn end(&self, place: usize) {
            self.0.lock().push(format!("{place} ends"));
        }
    }

    #[tokio::test]
    async fn a_call_is_running_only_while_a_thread_is_at_it() {
        let notes = Arc::new(Notes::default());
        let recorder: Arc<dyn Recorder> = notes.clone();
        let plugin = PluginId::new("commands/one");
        let flight = Flight::begin(Some(&recorder), &plugin, 5, format_args!("/ping"));
        flight.follow(tokio::task::yield_now()).await;
        drop(flight);
        assert_eq!(*notes.0.lock(), ["/ping of commands/one 5", "7 on", "7 off", "7 on", "7 off", "7 ends"]);
    }

    #[tokio::test]
    async fn a_panic_leaves_no_note_behind() {
        use futures_util::FutureExt as _;
        let notes = Arc::new(Notes::default());
        let recorder: Arc<dyn Recorder> = notes.clone();
        let flight = Flight::begin(Some(&recorder), &PluginId::new("commands/one"), 5, format_args!("/ping"));
        let call = flight.follow(async { panic!("expected by the test") });
        assert!(std::panic::AssertUnwindSafe(call).catch_unwind().await.is_err());
        drop(flight);
        assert_eq!(notes.0.lock()[2..], ["7 off", "7 ends"]);
    }
}
