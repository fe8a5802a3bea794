//! Events about plugins, published to all subscribers: plugins, the terminal, Discord and other programs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::PluginId;
use crate::clock::since_1970;

/// Events that are kept for a slow receiver. A receiver that falls further behind gets the number of events that it
/// missed.
const KEPT: usize = 1024;
/// Past events that are kept for later subscribers.
pub const REMEMBERED: usize = 200;

/// An event and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Milliseconds since 1970.
    pub at: u64,
    /// The event.
    #[serde(flatten)]
    pub event: ReloadEvent,
}

/// An event about plugins or the host. Its JSON is tagged with `event`, in kebab case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReloadEvent {
    /// A build that is meant to end in a swap has begun.
    ReloadStarted {
        /// Plugins that are built together.
        plugins: Vec<PluginId>,
        /// Cause of the build.
        cause: Cause,
    },
    /// A generation is live.
    ReloadCompleted {
        /// Plugin that changed.
        plugin: PluginId,
        /// Generation that was live before.
        from: Option<u64>,
        /// Generation that is live now; `None` if the plugin was removed.
        to: Option<u64>,
        /// Milliseconds from the save to the swap.
        ms: u64,
        /// Milliseconds of each part, by name.
        parts: BTreeMap<String, f64>,
        /// Added, removed and redefined commands and listeners, such as `~ /ping`.
        changes: Vec<String>,
    },
    /// A save has changed no code, as one of a comment. The live generation stays.
    ReloadUnchanged {
        /// Plugin that was built.
        plugin: PluginId,
        /// Generation that stays live.
        live: u64,
        /// Milliseconds from the save to the end of the build.
        ms: u64,
    },
    /// A save did not go live. The live generation stays.
    ReloadFailed {
        /// Plugin; `None` if the reason does not belong to a single plugin.
        plugin: Option<PluginId>,
        /// Generation that stays live.
        live: Option<u64>,
        /// The reason, in a sentence.
        reason: String,
        /// The compiler's diagnostics.
        diagnostics: Vec<Diagnostic>,
    },
    /// A generation's state was saved.
    StatePreserved {
        /// Plugin whose state it is.
        plugin: PluginId,
        /// Generation that the state was saved from.
        generation: u64,
        /// Version of the state's format.
        version: u32,
        /// Size as JSON.
        bytes: usize,
    },
    /// A generation received its state.
    StateRestored {
        /// Plugin whose state it is.
        plugin: PluginId,
        /// Generation that received it.
        generation: u64,
        /// Version of the state's format.
        version: u32,
        /// Version that the state was migrated from, if it differs.
        migrated_from: Option<u32>,
    },
    /// An earlier generation's code is live again.
    RolledBack {
        /// Plugin concerned.
        plugin: PluginId,
        /// Generation that was live before.
        from: u64,
        /// Generation that is live now.
        to: u64,
        /// Generation whose code that is.
        code_of: u64,
        /// The reason, in a sentence.
        reason: String,
    },
    /// A change takes effect only in a new host process.
    RestartRequired {
        /// Files or variables that require the restart.
        because: Vec<String>,
        /// Whether the host restarts by itself once it is built.
        automatic: bool,
    },
    /// Any other message, such as about a task that does not end or a call that outlived its generation.
    Note {
        /// Plugin concerned, if any.
        plugin: Option<PluginId>,
        /// The message, in one sentence. Its former name in JSON, `words`, is still read.
        #[serde(alias = "words")]
        message: String,
    },
}

/// The cause of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A saved file.
    Save,
    /// A request by a person.
    Request,
    /// A reload of a plugin that this one depends on.
    Dependency,
    /// A retry of a load that failed.
    Retry,
}

/// An error or warning of the compiler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `error` or `warning`.
    pub level: String,
    /// Code, such as `E0599`.
    pub code: Option<String>,
    /// First line of the compiler's text.
    pub message: String,
    /// File, relative to the workspace.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// The compiler's whole text, without colour.
    pub rendered: String,
}

/// Why a plugin's newest save is not live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// Plugin; `None` if the reason does not belong to a single plugin.
    pub plugin: Option<PluginId>,
    /// Milliseconds since 1970.
    pub at: u64,
    /// The reason, in a sentence.
    pub reason: String,
    /// File, line and column of the first error.
    pub place: Option<String>,
}

/// Publishes events to any number of receivers and keeps the last ones. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sender: broadcast::Sender<Stamped>,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    recent: VecDeque<Stamped>,
    /// Why each plugin's newest save is not live. The key `None` stands for failures that do not belong to a single
    /// plugin.
    failures: BTreeMap<Option<PluginId>, LastFailure>,
}

impl Default for Bus {
    fn default() -> Self {
        Self(Arc::new(Inner { sender: broadcast::channel(KEPT).0, past: Mutex::default() }))
    }
}

impl Bus {
    /// Publishes an event to all receivers, if there are any. Never waits for a receiver.
    pub fn emit(&self, event: ReloadEvent) {
        let stamped = Stamped { at: since_1970(), event };
        // Held while sending, so that receivers see the order in which events are kept.
        let mut past = self.0.past.lock();
        past.note(&stamped);
        // An error means that there is no receiver.
        let _ = self.0.sender.send(stamped);
    }

    /// Returns a receiver of all events from now on.
    pub fn listen(&self) -> broadcast::Receiver<Stamped> {
        self.0.sender.subscribe()
    }

    /// Returns the last events, at most [`REMEMBERED`], and a receiver of all events after them.
    pub fn listen_after(&self, last: usize) -> (Vec<Stamped>, broadcast::Receiver<Stamped>) {
        let past = self.0.past.lock();
        let skipped = past.recent.len().saturating_sub(last);
        (past.recent.iter().skip(skipped).cloned().collect(), self.0.sender.subscribe())
    }

    /// Returns why the newest save of each plugin, or of all plugins together, is not live. Plugins that went live
    /// since are left out.
    pub fn failures(&self) -> Vec<LastFailure> {
        self.0.past.lock().failures.values().cloned().collect()
    }
}

impl Past {
    fn note(&mut self, stamped: &Stamped) {
        match &stamped.event {
            ReloadEvent::ReloadFailed { plugin, reason, diagnostics, .. } => {
                let place =
                    diagnostics.iter().find(|found| found.level == "error").and_then(Diagnostic::place);
                let failure =
                    LastFailure { plugin: plugin.clone(), at: stamped.at, reason: reason.clone(), place };
                self.failures.insert(plugin.clone(), failure);
            }
            ReloadEvent::ReloadCompleted { plugin, .. } | ReloadEvent::ReloadUnchanged { plugin, .. } => {
                self.failures.remove(&None);
                self.failures.remove(&Some(plugin.clone()));
            }
            ReloadEvent::RolledBack { plugin, reason, .. } => {
                let plugin = Some(plugin.clone());
                let failure = LastFailure {
                    plugin: plugin.clone(),
                    at: stamped.at,
                    reason: reason.clone(),
                    place: None,
                };
                self.failures.insert(plugin, failure);
            }
            _ => {}
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(stamped.clone());
    }
}

impl Diagnostic {
    /// Returns file, line and column in the form that editors read, for example `commands/general/src/ping.rs:12:79`;
    /// `None` without a file.
    pub fn place(&self) -> Option<String> {
        let mut words = self.file.clone()?;
        for number in [self.line, self.column] {
            let Some(number) = number else { break };
            words += &format!(":{number}");
        }
        Some(words)
    }
}

impl ReloadEvent {
    /// Returns the plugins that the event concerns.
    pub fn plugins(&self) -> &[PluginId] {
        match self {
            Self::ReloadStarted { plugins, .. } => plugins,
            Self::ReloadCompleted { plugin, .. }
            | Self::ReloadUnchanged { plugin, .. }
            | Self::StatePreserved { plugin, .. }
            | Self::StateRestored { plugin, .. }
            | Self::RolledBack { plugin, .. } => std::slice::from_ref(plugin),
            Self::ReloadFailed { plugin, .. } | Self::Note { plugin, .. } => plugin.as_slice(),
            Self::RestartRequired { .. } => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_flat_object() {
        let event = ReloadEvent::ReloadStarted {
            plugins: vec![PluginId::new("commands/general")],
            cause: Cause::Save,
        };
        let stamped = Stamped { at: 5, event };
        let value = serde_json::to_value(&stamped).unwrap();
        assert_eq!(
            value,
            json!({"at": 5, "event": "reload-started", "plugins": ["commands/general"], "cause": "save"})
        );
        assert_eq!(serde_json::from_value::<Stamped>(value).unwrap(), stamped);
    }

    #[test]
    fn a_note_is_read_by_the_former_name_of_its_message_too() {
        let note = ReloadEvent::Note { plugin: None, message: "hello".to_owned() };
        let value = serde_json::to_value(&note).unwrap();
        assert_eq!(value, json!({"event": "note", "plugin": null, "message": "hello"}));
        let former = json!({"event": "note", "plugin": null, "words": "hello"});
        for value in [value, former] {
            assert_eq!(serde_json::from_value::<ReloadEvent>(value).unwrap(), note);
        }
    }

    #[test]
    fn a_listener_hears_what_is_told_after_it_came() {
        let bus = Bus::default();
        let note = |words: &str| ReloadEvent::Note { plugin: None, message: words.to_owned() };
        bus.emit(note("before"));
        let mut heard = bus.listen();
        bus.emit(note("after"));
        assert_eq!(heard.try_recv().unwrap().event, note("after"));
    }

    #[test]
    fn the_last_events_are_remembered_and_followed_without_a_gap() {
        let bus = Bus::default();
        let note = |number: usize| ReloadEvent::Note { plugin: None, message: number.to_string() };
        for number in 0..REMEMBERED + 5 {
            bus.emit(note(number));
        }
        let (past, _) = bus.listen_after(usize::MAX);
        assert_eq!((past.len(), &past[0].event), (REMEMBERED, &note(5)));
        let (past, mut heard) = bus.listen_after(1);
        assert_eq!(past.iter().map(|past| &past.event).collect::<Vec<_>>(), [&note(REMEMBERED + 4)]);
        bus.emit(note(7));
        assert_eq!(heard.try_recv().unwrap().event, note(7));
        assert!(bus.listen_after(0).0.is_empty());
    }

    #[test]
    fn a_failure_is_remembered_until_the_plugin_is_live() {
        let bus = Bus::default();
        let plugin = PluginId::new("commands/general");
        let found = Diagnostic {
            level: "error".to_owned(),
            file: Some("commands/general/src/ping.rs".to_owned()),
            line: Some(12),
            column: Some(7),
            ..Diagnostic::default()
        };
        bus.emit(ReloadEvent::ReloadFailed {
            plugin: Some(plugin.clone()),
            live: Some(2),
            reason: "1 compile error".to_owned(),
            diagnostics: vec![found],
        });
        let failures = bus.failures();
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].place.as_deref(), Some("commands/general/src/ping.rs:12:7"));
        bus.emit(ReloadEvent::ReloadCompleted {
            plugin,
            from: Some(2),
            to: Some(3),
            ms: 1,
            parts: BTreeMap::new(),
            changes: Vec::new(),
        });
        assert!(bus.failures().is_empty());
    }
}
