//! Counters, updated by events.

use std::sync::Arc;

use sdk::EventKind;
use sdk::PluginId;
#[cfg(feature = "hmr")]
use sdk::bus::{ReloadEvent, Stamped};
use sdk::observer::{Call, Observer, Trigger, Unhandled};
use sdk::tokio::sync::broadcast::Receiver;
use sdk::tokio::sync::broadcast::error::RecvError;
use sdk::tracing::warn;
use sdk::voice::{VoiceEvent, VoiceEventKind};

use super::Metrics;

impl Observer for Metrics {
    fn event(&self, kind: EventKind) {
        // Created once for each kind, because this runs for every event.
        let counter = self
            .event
            .get(kind as usize)
            .map(|counter| counter.get_or_init(|| self.events.of([kind.name()])));
        if let Some(counter) = counter {
            counter.inc();
        }
    }

    fn call(&self, call: &Call<'_>) {
        let (kind, outcome, took) = (call.trigger.as_str(), call.outcome.as_str(), call.took.as_secs_f64());
        match call.trigger {
            Trigger::Autocomplete => {
                self.autocompletes.of([call.name, outcome]).inc();
            }
            Trigger::Component | Trigger::Modal => {
                self.interactions.of([kind, call.name, outcome]).inc();
                self.interaction_duration.of([kind, call.name]).observe(took);
            }
            Trigger::Slash | Trigger::User | Trigger::Message | Trigger::Text => {
                self.commands.of([call.name, kind, outcome]).inc();
                self.command_duration.of([call.name, kind]).observe(took);
            }
        }
    }

    fn unhandled(&self, why: Unhandled) {
        self.turned_away.of([why.as_str()]).inc();
    }

    fn panicked(&self, plugin: &PluginId) {
        self.panics.of([plugin.as_str()]).inc();
    }
}

impl Metrics {
    /// Counts voice events until there can be no more.
    pub(crate) async fn follow_voice(self: Arc<Self>, mut heard: Receiver<VoiceEvent>) {
        while let Some(event) = next(&mut heard).await {
            match event.kind {
                VoiceEventKind::TrackStarted { .. } => _ = self.tracks_started.inc(),
                VoiceEventKind::TrackFailed { .. } => _ = self.tracks_failed.inc(),
                VoiceEventKind::Lost { .. } => _ = self.connections_lost.inc(),
                VoiceEventKind::Restored { .. } => _ = self.rejoins.of(["restored"]).inc(),
                VoiceEventKind::GaveUp { .. } => _ = self.rejoins.of(["gave_up"]).inc(),
                _ => {}
            }
        }
    }

    /// Counts reload events until there can be no more.
    #[cfg(feature = "hmr")]
    pub(crate) async fn follow_reloads(self: Arc<Self>, mut heard: Receiver<Stamped>) {
        while let Some(Stamped { event, .. }) = next(&mut heard).await {
            match event {
                // A plugin's first load replaces nothing.
                ReloadEvent::ReloadCompleted { plugin, from: Some(_), ms, .. } => {
                    self.reloads.of([plugin.as_str(), "live"]).inc();
                    let took = std::time::Duration::from_millis(ms);
                    self.reload_duration.of([plugin.as_str()]).observe(took.as_secs_f64());
                }
                ReloadEvent::ReloadUnchanged { plugin, .. } => {
                    self.reloads.of([plugin.as_str(), "unchanged"]).inc();
                }
                ReloadEvent::ReloadFailed { plugin, .. } => {
                    let plugin = plugin.as_ref().map_or("", PluginId::as_str);
                    self.reloads.of([plugin, "failed"]).inc();
                }
                ReloadEvent::RolledBack { plugin, .. } => {
                    self.reloads.of([plugin.as_str(), "rolled_back"]).inc();
                }
                _ => {}
            }
        }
    }
}

/// Waits for the next event; `None` if there can be no more.
async fn next<T: Clone>(heard: &mut Receiver<T>) -> Option<T> {
    loop {
        match heard.recv().await {
            Ok(event) => return Some(event),
            Err(RecvError::Lagged(missed)) => warn!(missed, "metrics were too slow to count everything"),
            Err(RecvError::Closed) => return None,
        }
    }
}
