//! Listeners that a reload brought in and that the running session's intents leave silent.

use std::collections::BTreeSet;

use sdk::EventKind;
use sdk::generation::Generation;
use sdk::host::Host;
use sdk::serenity::all::GatewayIntents;
use sdk::snapshot::Snapshot;
use sdk::tracing::warn;

use crate::gateway::names;

/// Warns after each swap, once for each listener, of events that Discord does not send to this session.
///
/// Discord takes intents only at the start of a session, so nothing but a restart changes them.
pub(crate) async fn watch(host: Host, asked: GatewayIntents) {
    let mut swaps = host.registry().swaps();
    swaps.mark_changed();
    let mut told = BTreeSet::new();
    while swaps.changed().await.is_ok() {
        let silent = silent(&host.registry().snapshot(), asked);
        told.retain(|sentence| silent.contains(sentence));
        for sentence in silent {
            if told.insert(sentence.clone()) {
                warn!("{sentence}");
            }
        }
    }
}

/// Gives one sentence for each plugin that needs more than was asked for.
fn silent(live: &Snapshot, asked: GatewayIntents) -> BTreeSet<String> {
    live.generations().values().filter_map(|generation| sentence(generation, asked)).collect()
}

fn sentence(generation: &Generation, asked: GatewayIntents) -> Option<String> {
    let missing = generation.intents() - asked;
    if missing.is_empty() {
        return None;
    }
    let listening = generation.subscriptions().describe();
    let silent: Vec<_> = EventKind::ALL
        .iter()
        .filter(|kind| missing.intersects(kind.intents()) && listening.iter().any(|one| one == kind.name()))
        .map(|kind| kind.name())
        .collect();
    let (plugin, names) = (generation.plugin(), names(missing));
    Some(if silent.is_empty() {
        format!(
            "{plugin} needs the intents {names}, which this session did not ask for; they come with a restart"
        )
    } else {
        let silent = silent.join(" ");
        format!("{plugin} listens to {silent}, silent until a restart: this session did not ask for {names}")
    })
}

#[cfg(test)]
mod tests {
    use sdk::settings::Settings;
    use sdk::{Plugin, PluginEntry, Subscriptions, event};

    use super::*;

    struct Welcome;

    impl Plugin for Welcome {
        fn subscriptions(&self, on: &mut Subscriptions) {
            on.event(|_, _: event::GuildMemberAddition| async { Ok(()) });
            on.event(|_, _: event::Ready| async { Ok(()) });
        }
    }

    #[test]
    fn a_listener_without_its_intent_is_told_by_name() {
        let entry = PluginEntry::new("events-welcome", "1.0.0", "", || Box::new(Welcome));
        let generation =
            Generation::new(&entry, 2, &Host::new("1.0.0", Settings::default())).unwrap_or_else(|_| panic!());
        let told = sentence(&generation, GatewayIntents::GUILDS).unwrap();
        assert_eq!(
            told,
            "events/welcome listens to GuildMemberAddition, silent until a restart: this session did not ask for \
             GUILD_MEMBERS"
        );
        assert_eq!(sentence(&generation, GatewayIntents::GUILD_MEMBERS), None);
    }
}
