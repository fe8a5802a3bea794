//! The start of a host that replaces another one: it loads the plugins that were live there, without cargo or rustc.

use std::time::Instant;

use sdk_core::PluginId;
use sdk_core::bus::ReloadEvent;

use super::Loop;
use super::group::Group;
use super::plugin_record::PluginRecord;
use crate::build::{BuiltPlugin, Records};
use crate::supervisor::Start;
use crate::workspace::Package;

impl Loop {
    /// Returns the libraries that the journal names, and the plugins that are not in it, which must be built.
    pub(super) fn recall(&mut self, start: &Start) -> (Vec<BuiltPlugin>, Vec<Package>) {
        let (mut recalled, mut unknown) = (Vec::new(), Vec::new());
        for package in self.members.workspace.plugins.values() {
            let Some(entry) = self.keeper.journal().plugins.get(&package.id) else {
                unknown.push(package.clone());
                continue;
            };
            let call = self.records.call(package);
            let Some(live) = entry.live.as_ref().filter(|live| live.library.is_file()) else {
                self.plugins.insert(package.id.clone(), PluginRecord::unbuilt(call));
                continue;
            };
            let (built, is_edited) = Records::recall(package, live.library.clone());
            self.plugins.insert(package.id.clone(), PluginRecord::recalled(call, &built));
            // A library that was rolled back is not the newest. A person has to start its build.
            let is_crash = matches!(start, Start::Crashed { .. });
            if is_edited && (is_crash || self.records.is_newest(package, &live.library)) {
                self.edited.insert(package.id.clone());
            }
            recalled.push(built);
        }
        (recalled, unknown)
    }

    /// Handles saves that were made while no host ran, once plugins are live.
    pub(super) fn take_up(&mut self, start: &Start) {
        let edited = std::mem::take(&mut self.edited);
        match start {
            Start::Fresh => {}
            Start::Replaced { .. } => {
                for plugin in edited {
                    let shares = self
                        .members
                        .workspace
                        .plugins
                        .get(&plugin)
                        .is_some_and(|package| !package.shared.is_empty());
                    let group =
                        Group { plugins: [plugin].into(), through_cargo: shares, in_any_case: shares };
                    self.build_or_wait(group, Instant::now());
                }
            }
            Start::Crashed { words, .. } => {
                self.host.bus().emit(ReloadEvent::Note { plugin: None, message: words.clone() });
                if !edited.is_empty() {
                    let names: Vec<_> = edited.iter().map(PluginId::as_str).collect();
                    tracing::info!(
                        plugins = names.join(", "),
                        "edited since; the code that works is kept until the next change, or /dev reload"
                    );
                }
            }
        }
    }
}
