//! Plugins that are linked into the binary: all are checked, those without problems are started, and go live in one
//! swap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sdk::generation::Generation;
use sdk::handover::{self, HandoverPolicy, OnIncompatible};
use sdk::host::Host;
use sdk::order::{Startup, Turn, circle_words};
use sdk::registry::Change;
use sdk::routing_table::RoutingTable;
use sdk::tracing::{error, info, warn};
use sdk::{PluginEntry, PluginId};

/// Longest time for one plugin's `start` hook.
const START_WITHIN: Duration = Duration::from_secs(5);

/// A plugin that starts with its default, with its old state kept as a snapshot, is more useful than none.
const HANDOVER: HandoverPolicy =
    HandoverPolicy { preserve: true, deadline: Duration::ZERO, on_incompatible: OnIncompatible::Default };

type Generations = BTreeMap<PluginId, Arc<Generation>>;

/// Starts `entries` and makes live those that started. Returns the plugins that were left out.
///
/// Plugins start concurrently as far as their dependencies allow. One with a problem is logged and left out together
/// with those that need it; the others run.
pub(crate) async fn start(host: &Host, entries: impl Iterator<Item = &PluginEntry>) -> BTreeSet<PluginId> {
    let mut left_out = BTreeSet::new();
    let mut generations = Vec::new();
    for entry in entries {
        let id = entry.id();
        match Generation::new(entry, host.registry().next_number(&id), host) {
            Ok(generation) => generations.push(generation),
            Err(problems) => leave_out(&mut left_out, id, &problems.join("; ")),
        }
    }
    let mut started = Generations::new();
    // Hooks find services here until everything is live.
    let mut prospect = Arc::new(RoutingTable::default());
    for turn in Startup::new(generations) {
        let ready = match turn {
            Turn::Start(ready) => ready,
            Turn::Circles(circles) => {
                for circle in circles {
                    for plugin in &circle {
                        leave_out(&mut left_out, plugin.clone(), &circle_words(&circle));
                    }
                }
                continue;
            }
        };
        let mut accepted = Vec::new();
        for generation in ready {
            let id = generation.plugin().clone();
            let mut together = started.clone();
            together.extend(accepted.iter().map(|one: &Arc<Generation>| (one.plugin().clone(), one.clone())));
            together.insert(id.clone(), generation.clone());
            match RoutingTable::new(together) {
                Ok(_) => accepted.push(generation),
                Err(problems) => leave_out(&mut left_out, id, &problems.join("; ")),
            }
        }
        let mut together = started.clone();
        together.extend(accepted.iter().map(|one| (one.plugin().clone(), one.clone())));
        if let Ok(snapshot) = RoutingTable::new(together) {
            prospect = Arc::new(snapshot);
            prospect.show_to(prospect.generations().values());
        }
        if let Err(error) = handover::prepare(host, &accepted, HANDOVER).await {
            error!(problems = %error, "start hooks may not see the state that was kept");
        }
        let outcomes = join_all(accepted.iter().map(|generation| generation.start(START_WITHIN))).await;
        for (generation, outcome) in accepted.into_iter().zip(outcomes) {
            let id = generation.plugin().clone();
            match outcome {
                Ok(()) => {
                    started.insert(id, generation);
                }
                Err(error) => leave_out(&mut left_out, id, &error.to_string()),
            }
        }
    }
    let install: Vec<_> = started.into_values().collect();
    let change = Change { install: install.clone(), remove: Vec::new() };
    if let Err(error) = handover::swap(host, change, HANDOVER).await {
        // The same checks have passed above, so this is not caused by a plugin.
        error!(problems = %error, "the plugins cannot go live together");
        left_out.extend(install.iter().map(|generation| generation.plugin().clone()));
    }
    for note in prospect.notes() {
        warn!(%note, "an optional dependency is left out");
    }
    let live = host.registry().snapshot();
    let names = live.generations().keys().map(PluginId::as_str).collect::<Vec<_>>().join(" ");
    info!(plugins = names, commands = live.definitions().len(), "plugins live");
    left_out
}

fn leave_out(left_out: &mut BTreeSet<PluginId>, plugin: PluginId, problem: &str) {
    error!(%plugin, problem, "plugin left out");
    left_out.insert(plugin);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sdk::serenity::async_trait;
    use sdk::settings::Settings;
    use sdk::{Command, Data, Dependency, Error, Plugin, Subscriptions};

    use super::*;

    static STARTS: AtomicUsize = AtomicUsize::new(0);

    #[derive(Clone, Copy, Default)]
    struct Sample {
        command: &'static str,
        needs: Option<&'static str>,
        fails: bool,
        panics: bool,
    }

    #[async_trait]
    impl Plugin for Sample {
        fn dependencies(&self) -> Vec<Dependency> {
            self.needs.map(Dependency::required).into_iter().collect()
        }

        fn commands(&self) -> Vec<Command> {
            vec![Command {
                name: self.command.into(),
                description: Some("Sample".into()),
                slash_action: Some(|_| Box::pin(async { Ok(()) })),
                ..Command::default()
            }]
        }

        fn subscriptions(&self, _: &mut Subscriptions) {
            assert!(!self.panics, "expected by the test");
        }

        async fn start(&self, _: &Data) -> Result<(), Error> {
            STARTS.fetch_add(1, Ordering::SeqCst);
            if self.fails { Err("expected by the test".into()) } else { Ok(()) }
        }
    }

    macro_rules! entry {
        ($name:literal, $sample:expr) => {
            PluginEntry::new($name, "1.0.0", "", || Box::new($sample))
        };
    }

    #[tokio::test]
    async fn a_plugin_that_is_not_sound_is_left_out_with_those_that_need_it() {
        let entries = [
            entry!(
                "commands-last",
                Sample { command: "last", needs: Some("commands/good"), ..Sample::default() }
            ),
            entry!("commands-bad", Sample { command: "bad", fails: true, ..Sample::default() }),
            entry!(
                "commands-doubled",
                Sample { command: "good", needs: Some("commands/good"), ..Sample::default() }
            ),
            entry!("commands-good", Sample { command: "good", ..Sample::default() }),
            entry!("commands-malformed", Sample { command: "Not A Name", ..Sample::default() }),
            entry!(
                "commands-needy",
                Sample { command: "needy", needs: Some("commands/bad"), ..Sample::default() }
            ),
            entry!("commands-panics", Sample { command: "panics", panics: true, ..Sample::default() }),
            entry!(
                "commands-ring-one",
                Sample { command: "one", needs: Some("commands/ring-two"), ..Sample::default() }
            ),
            entry!(
                "commands-ring-two",
                Sample { command: "two", needs: Some("commands/ring-one"), ..Sample::default() }
            ),
            entry!(
                "commands-self",
                Sample { command: "self", needs: Some("commands/self"), ..Sample::default() }
            ),
        ];
        let host = Host::new("1.0.0", Settings::default());
        let mut swaps = host.registry().swaps();
        let left_out = start(&host, entries.iter()).await;
        let left_out: Vec<_> = left_out.iter().map(PluginId::short).collect();
        assert_eq!(
            left_out,
            ["bad", "doubled", "malformed", "needy", "panics", "ring-one", "ring-two", "self"]
        );
        let live = host.registry().snapshot();
        assert_eq!(live.generations().keys().map(PluginId::short).collect::<Vec<_>>(), ["good", "last"]);
        assert!(live.generations().values().all(|generation| generation.number() == 1));
        assert_eq!(*swaps.borrow_and_update(), 1);
        // Of those left out, only the one that failed in its hook got that far.
        assert_eq!(STARTS.load(Ordering::SeqCst), 3);
    }
}
