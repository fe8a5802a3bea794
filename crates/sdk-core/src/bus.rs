//! What happens to plugins, told to everyone who asks: plugins, the terminal, Discord, other programs.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::PluginId;

/// Events kept for a listener that is slow; one that falls further behind is told how many it missed.
const KEPT: usize = 1024;

/// One thing that happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Milliseconds since 1970.
    pub at: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: ReloadEvent,
}

/// Something that happened to plugins or to the host; as JSON it is tagged with `event`, in kebab case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReloadEvent {
    /// A build has begun that is to end in a swap.
    ReloadStarted {
        /// Plugins that are built together.
        plugins: Vec<PluginId>,
        /// What asked for it.
        cause: Cause,
    },
    /// A generation is live.
    ReloadCompleted {
        /// Plugin that changed.
        plugin: PluginId,
        /// Generation that was live before.
        from: Option<u64>,
        /// Generation that is live now; `None` when the plugin was taken out.
        to: Option<u64>,
        /// Milliseconds from the save to the swap.
        ms: u64,
        /// Milliseconds of each part, by name.
        parts: BTreeMap<String, f64>,
        /// What came, went or is defined differently, such as `~ /ping`.
        changes: Vec<String>,
    },
    /// A save did not go live; what was live answers on.
    ReloadFailed {
        /// Plugin; `None` when the reason is none of a single plugin's.
        plugin: Option<PluginId>,
        /// Generation that answers on.
        live: Option<u64>,
        /// Why, in a sentence.
        reason: String,
        /// What the compiler found.
        diagnostics: Vec<Diagnostic>,
    },
    /// A generation's state was taken.
    StatePreserved {
        /// Plugin whose state it is.
        plugin: PluginId,
        /// Generation that it was taken from.
        generation: u64,
        /// Version of its shape.
        version: u32,
        /// Size as JSON.
        bytes: usize,
    },
    /// A generation was given state.
    StateRestored {
        /// Plugin whose state it is.
        plugin: PluginId,
        /// Generation that it was given to.
        generation: u64,
        /// Version of its shape.
        version: u32,
        /// Version that it was migrated from, when that is another one.
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
        /// Why, in a sentence.
        reason: String,
    },
    /// A change that only a new host process brings in.
    RestartRequired {
        /// Files or variables that ask for it.
        because: Vec<String>,
        /// Whether the host restarts by itself once it is built.
        automatic: bool,
    },
    /// Anything else worth a line: a task that will not end, a call that outlived its generation.
    Note {
        /// Plugin concerned, if one is.
        plugin: Option<PluginId>,
        /// A sentence.
        words: String,
    },
}

/// What asked for a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A saved file.
    Save,
    /// A person.
    Request,
    /// A plugin that this one depends on.
    Dependency,
    /// A load that failed and is tried again.
    Retry,
}

/// One error or warning of the compiler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `error` or `warning`.
    pub level: String,
    /// Code, such as `E0599`.
    pub code: Option<String>,
    /// First line of its text.
    pub message: String,
    /// File as seen from the workspace.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// The compiler's whole text, without colour.
    pub rendered: String,
}

/// Tells events to any number of listeners; cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus(broadcast::Sender<Stamped>);

impl Default for Bus {
    fn default() -> Self {
        Self(broadcast::channel(KEPT).0)
    }
}

impl Bus {
    /// Tells everyone who listens; nobody need.
    pub fn emit(&self, event: ReloadEvent) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // An error means that nobody listens.
        let _ = self.0.send(Stamped { at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX), event });
    }

    /// Hears everything that is told from now on.
    pub fn listen(&self) -> broadcast::Receiver<Stamped> {
        self.0.subscribe()
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
    fn a_listener_hears_what_is_told_after_it_came() {
        let bus = Bus::default();
        let note = |words: &str| ReloadEvent::Note { plugin: None, words: words.to_owned() };
        bus.emit(note("before"));
        let mut heard = bus.listen();
        bus.emit(note("after"));
        assert_eq!(heard.try_recv().unwrap().event, note("after"));
    }
}
