//! The start of a host in the place of another one: it loads what was live there, without cargo or rustc.

use std::collections::BTreeSet;
use std::time::Instant;

use sdk_core::PluginId;
use sdk_core::bus::ReloadEvent;

use super::group::Group;
use super::{Known, Loop};
use crate::job::Ready;
use crate::report::Parts;
use crate::rustc::Built;
use crate::supervisor::Start;
use crate::workspace::Package;

impl Loop {
    /// Makes live what the journal names; gives the plugins that it does not know, to be built.
    pub(super) async fn revive(&mut self, began: Instant) -> Vec<Package> {
        let packages: Vec<_> = self.workspace.plugins.values().cloned().collect();
        let (mut ready, mut unknown) = (Vec::new(), Vec::new());
        for package in packages {
            let Some(entry) = self.keeper.journal().plugins.get(&package.id).cloned() else {
                unknown.push(package);
                continue;
            };
            let mut known = Known { call: self.workshop.kept_call(&package), ..Known::default() };
            if let Some(live) = entry.live.filter(|live| live.library.is_file()) {
                let recalled = self.workshop.recall(&package, &live.library);
                let built = if let Some((_, built, is_same)) = recalled {
                    known.inputs = Some(built.inputs.clone());
                    known.warnings.clone_from(&built.warnings);
                    if !is_same {
                        self.edited.insert(package.id.clone());
                    }
                    built
                } else {
                    // It is not the newest that was built, so any source may be the one that brings that in.
                    Built { library: live.library, inputs: BTreeSet::new(), warnings: String::new() }
                };
                ready.push(Ready { package: package.clone(), built, parts: Parts::default() });
            }
            self.known.insert(package.id.clone(), known);
        }
        self.bring_in(ready, began).await;
        unknown
    }

    /// Takes up what was saved while no host was there, once plugins are live.
    pub(super) fn take_up(&mut self, start: &Start) {
        let edited = std::mem::take(&mut self.edited);
        match start {
            Start::Fresh => {}
            Start::Replaced { .. } => {
                for plugin in edited {
                    let group = Group { plugins: [plugin].into(), through_cargo: false };
                    self.order(group, Instant::now(), Vec::new());
                }
            }
            Start::Crashed { words, .. } => {
                self.host.bus().emit(ReloadEvent::Note { plugin: None, words: words.clone() });
                if !edited.is_empty() {
                    let names: Vec<_> = edited.iter().map(PluginId::as_str).collect();
                    let has = if names.len() == 1 { "has" } else { "have" };
                    tracing::info!(
                        "{} {has} been edited since; what works is kept until the next change, or /dev reload",
                        names.join(", ")
                    );
                }
            }
        }
    }
}
