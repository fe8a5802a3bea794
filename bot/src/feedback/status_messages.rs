//! The state of each plugin's message, updated from events.

use std::collections::{BTreeMap, BTreeSet};

use sdk::PluginId;
use sdk::bus::{Cause, Diagnostic, ReloadEvent};

use super::render;

/// The state of a plugin's newest save.
#[derive(Clone, Debug)]
pub(super) enum ReloadPhase {
    /// It is being built, together with the others of the set.
    Building(BTreeSet<PluginId>),
    /// It is live, or was removed.
    Live { from: Option<u64>, to: Option<u64>, ms: u64, parts: BTreeMap<String, f64>, changes: Vec<String> },
    /// It has changed no code, so that what was live stays.
    Unchanged { live: u64, ms: u64 },
    /// It is not live.
    Failed { live: Option<u64>, reason: String, diagnostics: Vec<Diagnostic> },
    /// It was held back, because another plugin that was to go live with it failed.
    HeldBack { by: PluginId },
    /// It was live, and earlier code is live again.
    RolledBack { from: u64, to: u64, code_of: u64, reason: String },
    /// A failure that did not belong to a single plugin is fixed.
    Mended,
    /// It takes effect only in a new process.
    Restart { because: Vec<String>, automatic: bool },
}

struct StatusMessage {
    phase: ReloadPhase,
    /// The outcome of the transfer of the plugin's state.
    state: Option<String>,
    text: String,
}

/// All statuses. The key `None` stands for failures that do not belong to a single plugin.
#[derive(Default)]
pub(super) struct StatusMessages(BTreeMap<Option<PluginId>, StatusMessage>);

impl StatusMessages {
    /// Returns the texts of all statuses.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&Option<PluginId>, &str)> {
        self.0.iter().map(|(key, status)| (key, status.text.as_str()))
    }

    /// Returns the text of one status.
    #[allow(clippy::ref_option)] // The type of the keys.
    pub(super) fn text(&self, key: &Option<PluginId>) -> Option<&str> {
        self.0.get(key).map(|status| status.text.as_str())
    }

    /// Updates the statuses from an event.
    pub(super) fn note(&mut self, event: &ReloadEvent) {
        match event {
            ReloadEvent::ReloadStarted { plugins, cause } => {
                let mut group: BTreeSet<_> = plugins.iter().cloned().collect();
                if *cause == Cause::Dependency {
                    // They are built with what is being built, and end with it.
                    group.extend(self.building().into_iter().map(|(plugin, _)| plugin));
                }
                for plugin in plugins {
                    self.set(Some(plugin), ReloadPhase::Building(group.clone()));
                }
            }
            ReloadEvent::ReloadCompleted { plugin, from, to, ms, parts, changes } => {
                // A plugin that is loaded at the start is not reported.
                if from.is_some() || self.0.contains_key(&Some(plugin.clone())) {
                    let (parts, changes) = (parts.clone(), changes.clone());
                    let live = ReloadPhase::Live { from: *from, to: *to, ms: *ms, parts, changes };
                    self.set(Some(plugin), live);
                }
                self.mend();
            }
            ReloadEvent::ReloadUnchanged { plugin, live, ms } => {
                self.set(Some(plugin), ReloadPhase::Unchanged { live: *live, ms: *ms });
                self.mend();
            }
            ReloadEvent::ReloadFailed { plugin, live, reason, diagnostics } => {
                let failed = |live| ReloadPhase::Failed {
                    live,
                    reason: reason.clone(),
                    diagnostics: diagnostics.clone(),
                };
                match plugin {
                    Some(plugin) => {
                        self.hold_back(plugin);
                        self.set(Some(plugin), failed(*live));
                    }
                    None => self.fail_all(&failed(*live)),
                }
            }
            ReloadEvent::StateRestored { plugin, version, migrated_from, .. } => {
                let words = match migrated_from {
                    None => format!("state kept (version {version})"),
                    Some(before) => format!("state kept, migrated from version {before} to {version}"),
                };
                if let Some(status) = self.0.get_mut(&Some(plugin.clone())) {
                    status.state = Some(words);
                    status.text = render::status(Some(plugin), &status.phase, status.state.as_deref());
                }
            }
            ReloadEvent::RolledBack { plugin, from, to, code_of, reason } => {
                let (from, to, code_of) = (*from, *to, *code_of);
                self.set(Some(plugin), ReloadPhase::RolledBack { from, to, code_of, reason: reason.clone() });
            }
            ReloadEvent::RestartRequired { because, automatic } => {
                self.set(None, ReloadPhase::Restart { because: because.clone(), automatic: *automatic });
            }
            _ => {}
        }
    }

    /// Ends the status of a failure that did not belong to a single plugin, if there is one.
    fn mend(&mut self) {
        if matches!(self.0.get(&None), Some(StatusMessage { phase: ReloadPhase::Failed { .. }, .. })) {
            self.set(None, ReloadPhase::Mended);
        }
    }

    fn set(&mut self, plugin: Option<&PluginId>, phase: ReloadPhase) {
        let key = plugin.cloned();
        // The transfer of state is reported before the swap.
        let state = match phase {
            ReloadPhase::Live { .. } => self.0.remove(&key).and_then(|status| status.state),
            _ => None,
        };
        let text = render::status(plugin, &phase, state.as_deref());
        self.0.insert(key, StatusMessage { phase, state, text });
    }

    fn building(&self) -> Vec<(PluginId, BTreeSet<PluginId>)> {
        let building = self.0.iter().filter_map(|(key, status)| match (key, &status.phase) {
            (Some(plugin), ReloadPhase::Building(group)) => Some((plugin.clone(), group.clone())),
            _ => None,
        });
        building.collect()
    }

    /// Ends the statuses of plugins that were to go live with one that failed.
    fn hold_back(&mut self, failed: &PluginId) {
        for (plugin, group) in self.building() {
            if plugin != *failed && group.contains(failed) {
                self.set(Some(&plugin), ReloadPhase::HeldBack { by: failed.clone() });
            }
        }
    }

    /// Ends the statuses of all plugins being built. If there are none, the failure gets a status of its own.
    fn fail_all(&mut self, failed: &ReloadPhase) {
        let building = self.building();
        for (plugin, _) in &building {
            self.set(Some(plugin), failed.clone());
        }
        if building.is_empty() {
            self.set(None, failed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> PluginId {
        PluginId::new(format!("commands/{name}"))
    }

    fn started(names: &[&str]) -> ReloadEvent {
        ReloadEvent::ReloadStarted {
            plugins: names.iter().map(|name| id(name)).collect(),
            cause: Cause::Save,
        }
    }

    fn completed(name: &str, from: Option<u64>, to: Option<u64>) -> ReloadEvent {
        let (parts, changes) = (BTreeMap::from([("build".to_owned(), 431.2)]), vec!["~ /ping".to_owned()]);
        ReloadEvent::ReloadCompleted { plugin: id(name), from, to, ms: 512, parts, changes }
    }

    fn failed(name: Option<&str>) -> ReloadEvent {
        let reason = "1 compile error".to_owned();
        ReloadEvent::ReloadFailed { plugin: name.map(id), live: Some(4), reason, diagnostics: Vec::new() }
    }

    fn text(statuses: &StatusMessages, name: &str) -> String {
        statuses.text(&Some(id(name))).unwrap_or_default().to_owned()
    }

    #[test]
    fn a_status_goes_from_building_to_live_with_what_became_of_the_state() {
        let mut statuses = StatusMessages::default();
        statuses.note(&completed("general", None, Some(1)));
        assert_eq!(statuses.texts().count(), 0, "coming up at the start is no news");
        statuses.note(&started(&["general"]));
        assert!(text(&statuses, "general").contains("being built"));
        let plugin = id("general");
        statuses.note(&ReloadEvent::StateRestored {
            plugin,
            generation: 5,
            version: 2,
            migrated_from: Some(1),
        });
        statuses.note(&completed("general", Some(4), Some(5)));
        let text = text(&statuses, "general");
        for part in ["4 → 5 live in 512 ms", "build 431", "`~ /ping`", "migrated from version 1 to 2"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_save_that_changes_no_code_ends_what_was_reported_before() {
        let mut statuses = StatusMessages::default();
        statuses.note(&failed(None));
        statuses.note(&failed(Some("general")));
        statuses.note(&started(&["general"]));
        statuses.note(&ReloadEvent::ReloadUnchanged { plugin: id("general"), live: 4, ms: 371 });
        let text = text(&statuses, "general");
        assert_eq!(text, "✅ **commands/general** 4 stays live: no change in the code\n-# 371 ms");
        assert!(!statuses.text(&None).unwrap().contains("1 compile error"));
    }

    #[test]
    fn those_that_were_to_go_live_together_end_together() {
        let mut statuses = StatusMessages::default();
        statuses.note(&started(&["a", "b"]));
        statuses.note(&started(&["c"]));
        statuses.note(&failed(Some("b")));
        assert!(text(&statuses, "b").contains("4 stays live: 1 compile error"), "{}", text(&statuses, "b"));
        assert!(text(&statuses, "a").contains("commands/b"), "{}", text(&statuses, "a"));
        assert!(text(&statuses, "c").contains("being built"));
        let plugins = vec![id("d")];
        statuses.note(&ReloadEvent::ReloadStarted { plugins, cause: Cause::Dependency });
        statuses.note(&failed(Some("c")));
        assert!(text(&statuses, "d").contains("commands/c"), "what came along ends with it");
        statuses.note(&started(&["c"]));
        statuses.note(&failed(None));
        assert!(text(&statuses, "c").contains("1 compile error"));
        assert_eq!(statuses.text(&None), None);
        statuses.note(&failed(None));
        assert!(statuses.text(&None).unwrap().contains("1 compile error"));
        statuses.note(&completed("c", Some(1), Some(2)));
        assert!(!statuses.text(&None).unwrap().contains("1 compile error"));
    }
}
