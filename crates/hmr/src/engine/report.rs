//! Reports to the developer.

use std::collections::BTreeSet;
use std::time::Duration;

use sdk_core::PluginId;
use sdk_core::bus::ReloadEvent;
use sdk_core::host::Host;
use sdk_core::registry::PluginSwap;
use sdk_core::status::{Reloaded, milliseconds};

use super::{Loop, reload_line};
use crate::build::{Failure, Parts};
use crate::error::SaveError;
use crate::findings::print;

impl Loop {
    pub(super) fn describe_failure(&self, failure: &Failure) -> String {
        match &failure.plugin {
            None => failure.error.to_string(),
            Some(plugin) => match self.live_number(plugin) {
                Some(number) => format!("{plugin} {number} stays live: {}", failure.error),
                None => format!("{plugin} is not live: {}", failure.error),
            },
        }
    }

    pub(super) fn report_failure(&self, failure: &Failure) {
        self.report_failures(std::slice::from_ref(failure));
    }

    /// Reports why plugins are not live. Diagnostics of a crate that they share are printed once.
    pub(super) fn report_failures(&self, failures: &[Failure]) {
        let mut printed = BTreeSet::new();
        for failure in failures {
            if let SaveError::Compile(findings) = &failure.error
                && printed.insert(&findings.rendered)
            {
                print(findings.unshown());
            }
        }
        for failure in failures {
            if matches!(failure.error, SaveError::Superseded) {
                tracing::debug!(plugin = ?failure.plugin, "superseded");
            } else {
                let live = failure.plugin.as_ref().and_then(|plugin| self.live_number(plugin));
                let error = &failure.error;
                match &failure.plugin {
                    Some(plugin) if live.is_none() => tracing::error!(%plugin, %error, "load failed"),
                    plugin => {
                        let plugin = plugin.as_ref().map(tracing::field::display);
                        tracing::error!(plugin, live, %error, "reload failed");
                    }
                }
                self.host.bus().emit(ReloadEvent::ReloadFailed {
                    plugin: failure.plugin.clone(),
                    live,
                    reason: failure.error.to_string(),
                    diagnostics: match &failure.error {
                        SaveError::Compile(findings) => findings.first.clone(),
                        _ => Vec::new(),
                    },
                });
            }
        }
    }

    /// Reports a plugin's swap and returns it as the answer to a request. `with` names the plugins because of which it
    /// was reloaded, if it was not for itself.
    pub(super) fn report_swap(
        &self,
        swap: &PluginSwap,
        took: Duration,
        parts: &Parts,
        with: Option<&str>,
    ) -> Reloaded {
        let mut reloaded = reload_line::answer(swap, took, parts);
        if let Some(with) = with {
            reloaded.line += &format!(" (with {with})");
        }
        reload_line::log(swap, took, parts, with, self.is_loading_all);
        self.host.bus().emit(reload_line::event(swap, took, parts));
        reloaded
    }

    /// Reports a save that has changed no code of a plugin.
    pub(super) fn report_unchanged(&self, plugin: &PluginId, took: Duration) {
        let Some(live) = self.live_number(plugin) else { return };
        let ms = milliseconds(took);
        tracing::info!(%plugin, live, ms, "no change in the code");
        self.host.bus().emit(ReloadEvent::ReloadUnchanged { plugin: plugin.clone(), live, ms });
    }

    fn live_number(&self, plugin: &PluginId) -> Option<u64> {
        self.host.registry().snapshot().generations().get(plugin).map(|generation| generation.number())
    }
}

/// Publishes a note, for those who do not read the log.
pub(super) fn note<'a>(host: &Host, plugin: impl Into<Option<&'a PluginId>>, words: String) {
    host.bus().emit(ReloadEvent::Note { plugin: plugin.into().cloned(), message: words });
}
