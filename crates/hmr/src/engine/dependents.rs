//! Plugins that need each other: those that are reloaded with another, and those that wait for one.
//!
//! A plugin that is reloaded takes its dependents with it, in the same swap and from their own libraries. A built
//! plugin that does not fit what is live waits: it is tried again together with the next plugin that is built, and
//! after every swap. So two changes that need each other go live, whichever is saved first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use sdk_core::PluginId;
use sdk_core::generation::Generation;
use sdk_core::order::Needs;
use sdk_core::status::Reloaded;

use super::Loop;
use crate::build::{BuiltPlugin, Failure};
use crate::error::SaveError;

/// Returns the names of the plugins because of which others were reloaded.
pub(super) fn with<'a>(plugins: impl Iterator<Item = &'a PluginId>) -> String {
    plugins.map(PluginId::as_str).collect::<Vec<_>>().join(", ")
}

impl Loop {
    /// Creates new generations, from their own libraries, of the live plugins that depend on what is installed or
    /// removed.
    pub(super) fn dependents(
        &self,
        install: &[Arc<Generation>],
        remove: &[PluginId],
    ) -> Result<Vec<Arc<Generation>>, SaveError> {
        if !self.options.policy.load().dependents {
            return Ok(Vec::new());
        }
        let live = self.host.registry().snapshot();
        let coming: BTreeSet<_> = install.iter().map(|generation| generation.plugin().clone()).collect();
        let changed: BTreeSet<_> = coming.iter().chain(remove).cloned().collect();
        let staying =
            || live.generations().values().filter(|generation| !coming.contains(generation.plugin()));
        // A service may be added or removed by the change.
        let before = Needs::among(live.generations().values());
        let after = Needs::among(staying().chain(install));
        let mut dependents = before.dependents(&changed);
        dependents.extend(after.dependents(&changed));
        dependents.retain(|plugin| !changed.contains(plugin));
        let Some(first) = changed.first().filter(|_| !dependents.is_empty()) else { return Ok(Vec::new()) };
        staying()
            .filter(|generation| dependents.contains(generation.plugin()))
            .map(|generation| {
                let number = self.host.registry().next_number(generation.plugin());
                generation.again(number, &self.host).map_err(|problems| {
                    let (plugin, problems) = (generation.plugin(), problems.join("; "));
                    SaveError::Preflight(vec![format!(
                        "{plugin}, which is reloaded with {first}: {problems}"
                    )])
                })
            })
            .collect()
    }

    /// Makes built plugins live. Those that do not fit wait for others that they fit with.
    pub(super) async fn go_live(
        &mut self,
        ready: Vec<BuiltPlugin>,
        began: Instant,
    ) -> Result<Vec<Reloaded>, SaveError> {
        let ids: Vec<_> = ready.iter().map(|ready| ready.package.id.clone()).collect();
        self.blocked.forget(&ids);
        let mut refusal = match self.make_live(ready.clone(), began).await {
            Err(SaveError::Unfit(problems)) => problems,
            outcome => return outcome,
        };
        for others in self.blocked.combinations() {
            match self.make_live([ready.clone(), others.clone()].concat(), began).await {
                Err(SaveError::Unfit(_)) => {}
                Err(error) => {
                    refusal =
                        vec![format!("{}; together with {}: {error}", refusal.join("; "), names(&others))];
                    break;
                }
                Ok(reloaded) => {
                    let ids: Vec<_> = others.iter().map(|ready| ready.package.id.clone()).collect();
                    self.blocked.forget(&ids);
                    return Ok(reloaded);
                }
            }
        }
        self.blocked.add(ready);
        Err(SaveError::Unfit(refusal))
    }

    /// After a swap, makes plugins live that waited for it, and removes those that stayed only because they were
    /// needed.
    pub(super) async fn retry_blocked(&mut self) {
        loop {
            let blocked = self.blocked.take();
            let mut has_changed = false;
            for ready in blocked {
                match self.make_live(ready.clone(), Instant::now()).await {
                    Ok(_) => {
                        has_changed = true;
                        let ids: BTreeSet<_> = ready.iter().map(|ready| &ready.package.id).collect();
                        self.failed_groups
                            .retain(|failed| !failed.plugins.iter().all(|plugin| ids.contains(plugin)));
                    }
                    Err(SaveError::Unfit(_)) => self.blocked.add(ready),
                    Err(error) => self.report_failure(&Failure { plugin: alone(&ready), error }),
                }
            }
            let live = self.host.registry().snapshot();
            let orphans = self.members.orphans(&live);
            for orphan in orphans {
                has_changed |= self.remove(&[orphan]).await.is_ok();
            }
            if !has_changed {
                return;
            }
        }
    }
}

fn names(ready: &[BuiltPlugin]) -> String {
    ready.iter().map(|ready| ready.package.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn alone(ready: &[BuiltPlugin]) -> Option<PluginId> {
    match ready {
        [one] => Some(one.package.id.clone()),
        _ => None,
    }
}
