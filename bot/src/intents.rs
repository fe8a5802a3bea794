//! Listeners and text commands that a reload added but for which the running session lacks intents.

use std::collections::BTreeSet;

use sdk::generation::Generation;
use sdk::host::Host;
use sdk::routing_table::RoutingTable;
use sdk::serenity::all::GatewayIntents;
use sdk::tracing::warn;
use sdk::{EventKind, PluginId};

use crate::gateway::{TEXT_COMMANDS, names, text_commands};

/// Warns after each swap, once per listener and once for text commands, about events that Discord does not send to this
/// session.
///
/// Intents are sent only at the start of a session, so only a restart changes them.
pub(crate) async fn watch(host: Host, asked: GatewayIntents) {
    let mut swaps = host.registry().swaps();
    swaps.mark_changed();
    let mut told = BTreeSet::new();
    while swaps.changed().await.is_ok() {
        let silent = silent(&host.registry().snapshot(), asked, host.settings().prefix.as_deref());
        told.retain(|silence| silent.contains(silence));
        for silence in silent {
            if !told.contains(&silence) {
                silence.warn();
                told.insert(silence);
            }
        }
    }
}

/// What a plugin does not receive because intents are missing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Silence {
    plugin: PluginId,
    /// Names of the missing intents.
    intents: String,
    what: What,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Events for which there are listeners, by their names.
    Events(String),
    /// Text commands, with where they do not work.
    TextCommands { commands: String, unheard: String },
    /// No event that can be named.
    Other,
}

impl Silence {
    fn warn(&self) {
        let Self { plugin, intents, what } = self;
        match what {
            What::Events(events) => warn!(
                %plugin,
                events,
                intents,
                "its listeners are silent until a restart: this session did not ask for the intents"
            ),
            What::TextCommands { commands, unheard } => warn!(
                %plugin,
                commands,
                unheard,
                intents,
                "its text commands are not heard until a restart: this session did not ask for the intents"
            ),
            What::Other => warn!(
                %plugin,
                intents,
                "it needs intents that this session did not ask for; they come with a restart"
            ),
        }
    }
}

/// Returns what each plugin does not receive because it needs more intents than were requested.
fn silent(live: &RoutingTable, asked: GatewayIntents, prefix: Option<&str>) -> BTreeSet<Silence> {
    let of =
        |generation: &Generation| [of_events(generation, asked), of_text_commands(generation, asked, prefix)];
    live.generations().values().flat_map(|generation| of(generation)).flatten().collect()
}

/// Returns where a plugin's text commands do not work.
fn of_text_commands(generation: &Generation, asked: GatewayIntents, prefix: Option<&str>) -> Option<Silence> {
    let prefix = prefix?;
    let missing = TEXT_COMMANDS - asked;
    let commands = text_commands(generation);
    if missing.is_empty() || commands.is_empty() {
        return None;
    }
    let mut unheard = Vec::new();
    if missing.contains(GatewayIntents::GUILD_MESSAGES) {
        unheard.push("in servers");
    } else if missing.contains(GatewayIntents::MESSAGE_CONTENT) {
        unheard.push("in servers without a mention of the bot");
    }
    if missing.contains(GatewayIntents::DIRECT_MESSAGES) {
        unheard.push("in direct messages");
    }
    // The text of direct messages needs no intent.
    let commands: Vec<_> = commands.iter().map(|name| format!("{prefix}{name}")).collect();
    let what = What::TextCommands { commands: commands.join(" "), unheard: unheard.join(" and ") };
    Some(Silence { plugin: generation.plugin().clone(), intents: names(missing), what })
}

/// Returns which events a plugin does not receive.
fn of_events(generation: &Generation, asked: GatewayIntents) -> Option<Silence> {
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
    let what = if silent.is_empty() { What::Other } else { What::Events(silent.join(" ")) };
    Some(Silence { plugin: generation.plugin().clone(), intents: names(missing), what })
}

#[cfg(test)]
mod tests {
    use crate::log;
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

    struct Echo;

    impl Plugin for Echo {
        fn commands(&self) -> Vec<sdk::Command> {
            let echo = sdk::Command {
                name: "echo".into(),
                prefix_action: Some(|_| Box::pin(async { Ok(()) })),
                ..sdk::Command::default()
            };
            vec![echo]
        }
    }

    #[test]
    fn text_commands_are_told_with_where_they_are_not_heard() {
        use GatewayIntents as I;
        let entry = PluginEntry::new("commands-echo", "1.0.0", "", || Box::new(Echo));
        let generation =
            Generation::new(&entry, 2, &Host::new("1.0.0", Settings::default())).unwrap_or_else(|_| panic!());
        let told = |asked| of_text_commands(&generation, asked, Some("!"));
        for (asked, unheard) in [
            (I::GUILDS, "in servers and in direct messages"),
            (I::GUILD_MESSAGES | I::MESSAGE_CONTENT, "in direct messages"),
            (I::GUILD_MESSAGES, "in servers without a mention of the bot and in direct messages"),
            (I::GUILD_MESSAGES | I::DIRECT_MESSAGES, "in servers without a mention of the bot"),
            (I::DIRECT_MESSAGES | I::MESSAGE_CONTENT, "in servers"),
        ] {
            let silence = Silence {
                plugin: PluginId::new("commands/echo"),
                intents: names(TEXT_COMMANDS - asked),
                what: What::TextCommands { commands: "!echo".to_owned(), unheard: unheard.to_owned() },
            };
            assert_eq!(told(asked).as_ref(), Some(&silence));
            let line = log::logged(false, || silence.warn());
            let words = format!(
                "its text commands are not heard until a restart: this session did not ask for the intents \
                 plugin=commands/echo commands=\"!echo\" unheard=\"{unheard}\" intents=\"{}\"\n",
                silence.intents
            );
            assert!(line.ends_with(&words), "{line}");
        }
        assert_eq!(told(TEXT_COMMANDS), None);
        assert_eq!(of_text_commands(&generation, I::GUILDS, None), None);
    }

    #[test]
    fn text_commands_that_a_swap_brings_are_in_what_is_warned_of() {
        let entry = PluginEntry::new("commands-echo", "1.0.0", "", || Box::new(Echo));
        let host = Host::new("1.0.0", Settings::default());
        let generation = Generation::new(&entry, 2, &host).unwrap_or_else(|_| panic!());
        let live = RoutingTable::new([(generation.plugin().clone(), generation)].into()).ok().unwrap();
        let asked = GatewayIntents::GUILD_MESSAGES | GatewayIntents::MESSAGE_CONTENT;
        assert_eq!(silent(&live, asked, Some("!")).len(), 1);
        assert!(silent(&live, TEXT_COMMANDS, Some("!")).is_empty());
    }

    #[test]
    fn a_listener_without_its_intent_is_told_by_name() {
        let entry = PluginEntry::new("events-welcome", "1.0.0", "", || Box::new(Welcome));
        let generation =
            Generation::new(&entry, 2, &Host::new("1.0.0", Settings::default())).unwrap_or_else(|_| panic!());
        let told = of_events(&generation, GatewayIntents::GUILDS).unwrap();
        let silence = Silence {
            plugin: PluginId::new("events/welcome"),
            intents: "GUILD_MEMBERS".to_owned(),
            what: What::Events("GuildMemberAddition".to_owned()),
        };
        assert_eq!(told, silence);
        let line = log::logged(false, || silence.warn());
        assert!(
            line.ends_with(
                "plugin=events/welcome events=\"GuildMemberAddition\" intents=\"GUILD_MEMBERS\"\n"
            ),
            "{line}"
        );
        assert_eq!(of_events(&generation, GatewayIntents::GUILD_MEMBERS), None);
    }
}
