//! A swap as a line of the log, as an event, and as the answer to a request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use sdk_core::PluginId;
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

/// A line about a swap. Level and message have to be literals.
macro_rules! line_of {
    ($level:ident, $message:literal, $fields:ident, $with:ident) => {
        tracing::event!(
            tracing::Level::$level,
            plugin = %$fields.plugin,
            from = $fields.from,
            to = $fields.to,
            ms = $fields.ms,
            watch = $fields.watch,
            build = $fields.build,
            probe = $fields.probe,
            preflight = $fields.preflight,
            swap = $fields.swap,
            changes = $fields.changes.as_deref(),
            with = $with,
            $message
        )
    };
}

/// Logs a swap: `reloaded plugin=commands/general from=4 to=5 ms=512 build=431.2 ... changes="~ /ping"`. `quiet`: for
/// those who want details only.
pub(super) fn log(swap: &PluginSwap, took: Duration, parts: &Parts, with: Option<&str>, quiet: bool) {
    let fields = LogFields::new(swap, took, parts);
    match (fields.from, fields.to, quiet) {
        (Some(_), Some(_), false) => line_of!(INFO, "reloaded", fields, with),
        (Some(_), Some(_), true) => line_of!(DEBUG, "reloaded", fields, with),
        (None, _, false) => line_of!(INFO, "loaded", fields, with),
        (None, _, true) => line_of!(DEBUG, "loaded", fields, with),
        (Some(_), None, false) => line_of!(INFO, "removed", fields, with),
        (Some(_), None, true) => line_of!(DEBUG, "removed", fields, with),
    }
}

/// The fields of a swap in the log. Times are in milliseconds.
struct LogFields<'a> {
    plugin: &'a PluginId,
    from: Option<u64>,
    to: Option<u64>,
    ms: u64,
    watch: Option<f64>,
    build: Option<f64>,
    probe: Option<f64>,
    preflight: Option<f64>,
    swap: Option<f64>,
    changes: Option<String>,
}

impl<'a> LogFields<'a> {
    fn new(swap: &'a PluginSwap, took: Duration, parts: &Parts) -> Self {
        // A plugin that is removed is neither built nor loaded.
        let part = |time: Duration| swap.new.is_some().then(|| (time.as_secs_f64() * 1e4).round() / 10.0);
        Self {
            plugin: &swap.plugin,
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
