//! A swap as one line, as an event, and as the answer to a request.

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
