//! The one line that tells of a reload.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;

use sdk_core::bus::ReloadEvent;
use sdk_core::registry::PluginSwap;
use sdk_core::status::{Reloaded, milliseconds};

/// Where the time of a reload went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// From the save to the start of the build.
    pub watch: Duration,
    /// Compiler and linker.
    pub build: Duration,
    /// Loading in the child process.
    pub probe: Duration,
    /// Loading and checking in the host, and the `start` hook.
    pub preflight: Duration,
    /// Building the tables and the atomic store.
    pub swap: Duration,
}

impl Parts {
    /// Gives the milliseconds of each part by its name.
    pub fn by_name(&self) -> BTreeMap<String, f64> {
        let parts = [
            ("watch", self.watch),
            ("build", self.build),
            ("probe", self.probe),
            ("preflight", self.preflight),
            ("swap", self.swap),
        ];
        // Whole microseconds: what is beyond them is noise.
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        parts.into_iter().map(|(name, time)| (name.to_owned(), ms(time))).collect()
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(
            f,
            "watch {:.0}, build {:.0}, probe {:.0}, preflight {:.1}, swap {:.1}",
            ms(self.watch),
            ms(self.build),
            ms(self.probe),
            ms(self.preflight),
            ms(self.swap)
        )
    }
}

/// Tells of a swap in one line: `commands/general 4 -> 5 live in 512 ms (build 431, ...) ~ /ping`.
pub fn line(swap: &PluginSwap, took: Duration, parts: &Parts) -> String {
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

/// Tells what came, went or is defined differently, each with its sign: `+ /hi`, `~ /ping`, `- ReactionAdd`.
pub fn changes(swap: &PluginSwap) -> Vec<String> {
    let commands =
        [("+", &swap.commands.added), ("-", &swap.commands.removed), ("~", &swap.commands.redefined)];
    let subscriptions = [("+", &swap.subscribed), ("-", &swap.unsubscribed)];
    let commands =
        commands.iter().flat_map(|(sign, keys)| keys.iter().map(move |key| format!("{sign} {key}")));
    let subscriptions =
        subscriptions.iter().flat_map(|(sign, words)| words.iter().map(move |word| format!("{sign} {word}")));
    commands.chain(subscriptions).collect()
}

/// Tells of a swap as data.
pub fn event(swap: &PluginSwap, took: Duration, parts: &Parts) -> ReloadEvent {
    ReloadEvent::ReloadCompleted {
        plugin: swap.plugin.clone(),
        from: swap.old.as_ref().map(|old| old.number()),
        to: swap.new.as_ref().map(|new| new.number()),
        ms: milliseconds(took),
        parts: if swap.new.is_some() { parts.by_name() } else { BTreeMap::new() },
        changes: changes(swap),
    }
}

/// Tells of a swap to who asked for it.
pub fn answer(swap: &PluginSwap, took: Duration, parts: &Parts) -> Reloaded {
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
