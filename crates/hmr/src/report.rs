//! The one line that tells of a reload.

use std::fmt::{self, Write as _};
use std::time::Duration;

use sdk_core::registry::PluginSwap;

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
    if !swap.commands.is_empty() {
        _ = write!(line, " {}", swap.commands);
    }
    for (sign, words) in [("+", &swap.subscribed), ("-", &swap.unsubscribed)] {
        for word in words {
            _ = write!(line, " {sign} {word}");
        }
    }
    line
}
