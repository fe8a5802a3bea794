//! A swap as a line of the log, as an event, and as the answer to a request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use sdk_core::bus::ReloadEvent;
use sdk_core::registry::PluginSwap;
use sdk_core::status::{Reloaded, milliseconds};

use crate::build::Parts;

/// Describes a swap in one line: `commands/general 4 -> 5 live in 512 ms (build 431, ...) ~ /ping`.
pub(super) fn line(swap: &PluginSwap, took: Duration, parts: &Parts) -> String {
    let mut line = swap.plugin.to_string();
    match (&swap.old, &swap.new) {
        (Some(old), Some(new)) => _ = write!(line, " {} -> {} live", old.number(), new.number()),
        (None, Some(new)) => _ = write!(line, " {} live", new.number()),
        (Some(old), None) => _ = write!(line, " {} taken out", old.number()),
        (None, None) => {}
    }
    _ = write!(line, " in {} ms", took.as_millis());
    if swap.new.is_some() {
        _ = write!(line, " ({parts})");
    }
    for change in changes(swap) {
        _ = write!(line, " {change}");
    }
    line
}

/// Lists added, removed and redefined commands and listeners, each with its sign: `+ /hi`, `~ /ping`, `- ReactionAdd`.
pub(super) fn changes(swap: &PluginSwap) -> Vec<String> {
    let commands =
        [("+", &swap.commands.added), ("-", &swap.commands.removed), ("~", &swap.commands.redefined)];
    let subscriptions = [("+", &swap.subscribed), ("-", &swap.unsubscribed)];
    let commands =
        commands.iter().flat_map(|(sign, keys)| keys.iter().map(move |key| format!("{sign} {key}")));
    let subscriptions =
        subscriptions.iter().flat_map(|(sign, words)| words.iter().map(move |word| format!("{sign} {word}")));
    commands.chain(subscriptions).collect()
}

/// Logs a swap at a level: `reloaded plugin=commands/general from=4 to=5 ms=512 build=431.2 ... changes="~ /ping"`.
macro_rules! log {
    ($level:expr, $swap:expr, $took:expr, $parts:expr, $with:expr) => {{
        let fields = $crate::engine::reload_line::LogFields::new($swap, $took, $parts);
        macro_rules! with_message {
                                ($message:literal) => {
                                    tracing::event!(
                                        $level,
                                        plugin = %$swap.plugin,
                                        from = fields.from,
                                        to = fields.to,
                                        ms = fields.ms,
                                        watch = fields.watch,
                                        build = fields.build,
                                        probe = fields.probe,
                                        preflight = fields.preflight,
                                        swap = fields.swap,
                                        changes = fields.changes.as_deref(),
                                        with = $with,
                                        $message
                                    )
                                };
                            }
        match (fields.from, fields.to) {
            (Some(_), Some(_)) => with_message!("reloaded"),
            (None, _) => with_message!("loaded"),
            (Some(_), None) => with_message!("removed"),
        }
    }};
}
pub(super) use log;

/// The fields of a swap in the log. Times are in milliseconds.
pub(super) struct LogFields {
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
    pub(super) ms: u64,
    pub(super) watch: Option<f64>,
    pub(super) build: Option<f64>,
    pub(super) probe: Option<f64>,
    pub(super) preflight: Option<f64>,
    pub(super) swap: Option<f64>,
    pub(super) changes: Option<String>,
}

impl LogFields {
    pub(super) fn new(swap: &PluginSwap, took: Duration, parts: &Parts) -> Self {
        // A plugin that is removed is neither built nor loaded.
        let part = |time: Duration| swap.new.is_some().then(|| (time.as_secs_f64() * 1e4).round() / 10.0);
        Self {
            from: swap.old.as_ref().map(|old| old.number()),
            to: swap.new.as_ref().map(|new| new.number()),
            ms: milliseconds(took),
            watch: part(parts.watch),
            build: part(parts.build),
            probe: part(parts.probe),
            preflight: part(parts.preflight),
            swap: part(parts.swap),
            changes: changes_line(swap),
        }
    }
}

/// Returns the changes in one line, if there are any.
pub(super) fn changes_line(swap: &PluginSwap) -> Option<String> {
    Some(changes(swap).join(" ")).filter(|line| !line.is_empty())
}

/// Returns a swap as an event.
pub(super) fn event(swap: &PluginSwap, took: Duration, parts: &Parts) -> ReloadEvent {
    ReloadEvent::ReloadCompleted {
        plugin: swap.plugin.clone(),
        from: swap.old.as_ref().map(|old| old.number()),
        to: swap.new.as_ref().map(|new| new.number()),
        ms: milliseconds(took),
        parts: if swap.new.is_some() { parts.by_name() } else { BTreeMap::new() },
        changes: changes(swap),
    }
}

/// Returns a swap as the answer to a request.
pub(super) fn answer(swap: &PluginSwap, took: Duration, parts: &Parts) -> Reloaded {
    let version = |generation: &sdk_core::generation::Generation| generation.manifest().version.clone();
    Reloaded {
        plugin: swap.plugin.clone(),
        from: swap.old.as_ref().map(|old| old.number()),
        to: swap.new.as_ref().map(|new| new.number()),
        from_version: swap.old.as_deref().map(version),
        to_version: swap.new.as_deref().map(version),
        ms: milliseconds(took),
        line: line(swap, took, parts),
    }
}
