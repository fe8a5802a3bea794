//! What the developer is told.

use std::collections::BTreeSet;
use std::io::Write as _;

use sdk_core::PluginId;

use super::Loop;
use crate::error::SaveError;
use crate::job::Failure;

impl Loop {
    pub(super) fn failure_words(&self, failure: &Failure) -> String {
        let live =
            |plugin: &PluginId| self.host.registry().snapshot().generations().get(plugin).map(|g| g.number());
        match &failure.plugin {
            None => failure.error.to_string(),
            Some(plugin) => match live(plugin) {
                Some(number) => format!("{plugin} {number} stays live: {}", failure.error),
                None => format!("{plugin} is not live: {}", failure.error),
            },
        }
    }

    pub(super) fn tell_failure(&self, failure: &Failure) {
        self.tell_failures(std::slice::from_ref(failure));
    }

    /// Tells why each of several is not live; what the compiler said of a crate that they share, once.
    pub(super) fn tell_failures(&self, failures: &[Failure]) {
        let mut printed = BTreeSet::new();
        for failure in failures {
            if let SaveError::Compile { rendered, .. } = &failure.error
                && printed.insert(rendered)
            {
                print(rendered);
            }
        }
        for failure in failures {
            if matches!(failure.error, SaveError::Superseded) {
                tracing::debug!(plugin = ?failure.plugin, "superseded");
            } else {
                tracing::error!("{}", self.failure_words(failure));
            }
        }
    }
}

/// Prints the compiler's own words to the terminal.
pub(super) fn print(words: &str) {
    if !words.is_empty() {
        // A terminal that is gone is no reason to stop.
        let _ = std::io::stderr().lock().write_all(words.as_bytes());
    }
}
