//! Close codes with which Discord's gateway refuses the bot permanently, and what to do about them.
//!
//! serenity's `start` returns for three of the close codes after which reconnecting is pointless (4004, 4013, 4014).
//! For the others (4010 to 4012) it only logs a line and keeps trying, so [`RefusalLayer`] reads its log.

use std::fmt::{self, Write as _};

use sdk::generation::Generation;
use sdk::routing_table::RoutingTable;
use sdk::serenity::all::{ApplicationId, GatewayError, GatewayIntents};
use sdk::tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer};

/// A close code that ends the bot. Source: "Gateway Close Event Codes" in Discord's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 4004.
    BadToken,
    /// 4010.
    InvalidShard,
    /// 4011.
    ShardingRequired,
    /// 4012.
    InvalidVersion,
    /// 4013.
    InvalidIntents,
    /// 4014.
    DisallowedIntents,
}

impl Refusal {
    /// Converts serenity's error; `None` if another attempt may help.
    pub(crate) fn from_error(error: &GatewayError) -> Option<Self> {
        match error {
            GatewayError::InvalidAuthentication | GatewayError::NoAuthentication => Some(Self::BadToken),
            GatewayError::InvalidShardData => Some(Self::InvalidShard),
            GatewayError::OverloadedShard => Some(Self::ShardingRequired),
            GatewayError::InvalidGatewayIntents => Some(Self::InvalidIntents),
            GatewayError::DisallowedGatewayIntents => Some(Self::DisallowedIntents),
            _ => None,
        }
    }

    /// Parses a line of serenity's log.
    fn from_log(line: &str) -> Option<Self> {
        [
            ("Gateway(InvalidShardData)", Self::InvalidShard),
            ("Gateway(OverloadedShard)", Self::ShardingRequired),
            ("Unknown unclean close 4012:", Self::InvalidVersion),
        ]
        .into_iter()
        .find_map(|(words, refusal)| line.contains(words).then_some(refusal))
    }

    /// Returns a sentence about what happened and what to do.
    pub(crate) fn sentence(
        self,
        asked: GatewayIntents,
        live: &RoutingTable,
        application: ApplicationId,
    ) -> String {
        match self {
            Self::BadToken => "The gateway refused the token (close code 4004): DISCORD_TOKEN has been reset or \
                               belongs to another application; copy the present one from \
                               https://discord.com/developers/applications."
                .to_owned(),
            Self::InvalidShard => "The gateway refused the shard (close code 4010): it counts shards differently \
                                   from GET /gateway/bot; give a proxy in DISCORD_GATEWAY_URL the same number."
                .to_owned(),
            Self::ShardingRequired => "The gateway wants more shards (close code 4011): start the bot again, it \
                                       asks how many at every start."
                .to_owned(),
            Self::InvalidVersion => "The gateway does not speak version 10 (close code 4012): point \
                                     DISCORD_GATEWAY_URL at one that does."
                .to_owned(),
            Self::InvalidIntents => format!(
                "The gateway does not know one of the intents {} (close code 4013): point DISCORD_GATEWAY_URL at \
                 one that does, or leave out the plugin that needs it.",
                Askers::of(asked, live)
            ),
            Self::DisallowedIntents => format!(
                "Discord refused the privileged intents {} (close code 4014): switch them on at \
                 https://discord.com/developers/applications/{application}/bot under Privileged Gateway Intents, \
                 or leave out what asks for them.",
                Askers::of(asked & GatewayIntents::privileged(), live)
            ),
        }
    }
}

/// Intents, each with the plugins that need it.
struct Askers(Vec<(&'static str, Vec<String>)>);

impl Askers {
    fn of(intents: GatewayIntents, live: &RoutingTable) -> Self {
        let asked_by = |intent: GatewayIntents| {
            let plugins =
                live.generations().values().filter(|generation| generation.intents().contains(intent));
            let mut askers: Vec<_> = plugins.map(|generation| generation.plugin().to_string()).collect();
            if askers.is_empty() {
                askers.push("COMMAND_PREFIX".to_owned());
            }
            askers
        };
        Self(intents.iter_names().map(|(name, intent)| (name, asked_by(intent))).collect())
    }
}

impl fmt::Display for Askers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, askers)) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { ", " };
            write!(f, "{gap}{name} (asked for by {})", askers.join(" and "))?;
        }
        Ok(())
    }
}

/// Returns the intents to request: those of live plugins, and those of text commands if there are any.
pub(crate) fn needed_intents(live: &RoutingTable, prefix: Option<&str>) -> GatewayIntents {
    let mut intents = live.intents();
    if prefix.is_some() && live.generations().values().any(|generation| !text_commands(generation).is_empty())
    {
        intents |= TEXT_COMMANDS;
    }
    intents
}

/// Intents with which the bot receives text commands in servers and in direct messages, and their text.
///
/// Source: "List of Intents" and "Message Content Intent" in Discord's documentation; without the last one, the text is
/// sent only in direct messages and in messages that mention the bot.
pub(crate) const TEXT_COMMANDS: GatewayIntents = GatewayIntents::GUILD_MESSAGES
    .union(GatewayIntents::DIRECT_MESSAGES)
    .union(GatewayIntents::MESSAGE_CONTENT);

/// Returns the names of a plugin's text commands.
pub(crate) fn text_commands(generation: &Generation) -> Vec<String> {
    fn is_text(command: &sdk::Command) -> bool {
        command.prefix_action.is_some() || command.subcommands.iter().any(is_text)
    }
    let commands = generation.commands().iter().filter(|command| is_text(command));
    commands.map(|command| command.name.to_string()).collect()
}

/// Formats intents with Discord's names.
pub(crate) fn names(intents: GatewayIntents) -> String {
    let names: Vec<_> = intents.iter_names().map(|(name, _)| name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}

/// Receives refusals that serenity only logs.
pub(crate) type Refusals = mpsc::UnboundedReceiver<Refusal>;

/// Searches serenity's log for [`Refusal`]s.
pub(crate) struct RefusalLayer(mpsc::UnboundedSender<Refusal>);

impl RefusalLayer {
    /// Creates the layer and the receiver of its refusals.
    pub(crate) fn new() -> (Self, Refusals) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }
}

impl<S: tracing::Subscriber> Layer<S> for RefusalLayer {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    let _ = write!(self.0, "{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        if let Some(refusal) = Refusal::from_log(&message.0) {
            // The receiver may be gone when the bot is already ending.
            let _ = self.0.send(refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use sdk::serenity::async_trait;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use sdk::host::Host;
    use sdk::{Plugin, PluginEntry};

    struct Members;

    #[async_trait]
    impl Plugin for Members {
        fn intents(&self) -> GatewayIntents {
            GatewayIntents::GUILD_MEMBERS | GatewayIntents::GUILDS
        }
    }

    fn live() -> RoutingTable {
        let entry = PluginEntry::new("events-members", "1.0.0", "", || Box::new(Members));
        let generation = Generation::new(&entry, 1, &Host::new("1.0.0", sdk::settings::Settings::default()));
        let generation = generation.ok().unwrap();
        RoutingTable::new([(generation.plugin().clone(), generation)].into()).ok().unwrap()
    }

    #[test]
    fn refused_intents_are_named_with_who_asks_and_where_to_allow_them() {
        let asked = GatewayIntents::GUILD_MEMBERS | GatewayIntents::GUILDS | GatewayIntents::MESSAGE_CONTENT;
        let sentence = Refusal::DisallowedIntents.sentence(asked, &live(), ApplicationId::new(77));
        assert!(sentence.contains("GUILD_MEMBERS (asked for by events/members)"), "{sentence}");
        assert!(sentence.contains("MESSAGE_CONTENT (asked for by COMMAND_PREFIX)"), "{sentence}");
        assert!(sentence.contains("applications/77/bot"), "{sentence}");
        assert!(!sentence.contains("GUILDS "), "{sentence}");
    }

    #[test]
    fn nothing_is_asked_for_that_no_plugin_needs() {
        assert_eq!(needed_intents(&live(), None), GatewayIntents::GUILD_MEMBERS | GatewayIntents::GUILDS);
        assert_eq!(
            needed_intents(&live(), Some("!")),
            GatewayIntents::GUILD_MEMBERS | GatewayIntents::GUILDS
        );
        assert_eq!(needed_intents(&RoutingTable::default(), Some("!")), GatewayIntents::empty());
        assert_eq!(names(GatewayIntents::empty()), "none");
    }

    #[test]
    fn refusals_that_serenity_only_logs_are_heard() {
        let (layer, mut refusals) = RefusalLayer::new();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            // serenity's own lines, as its gateway code writes them.
            tracing::warn!("[{:?}] Sent invalid shard data.", (0, 1));
            tracing::error!("Shard handler received err: {:?}", GatewayLine(GatewayError::InvalidShardData));
            tracing::error!("Shard handler received err: {:?}", GatewayLine(GatewayError::OverloadedShard));
            tracing::warn!("[{:?}] Unknown unclean close {}: {:?}", (0, 1), 4012, Some("x"));
            tracing::warn!("[{:?}] Unknown unclean close {}: {:?}", (0, 1), 4000, Some("x"));
        });
        assert_eq!(refusals.try_recv(), Ok(Refusal::InvalidShard));
        assert_eq!(refusals.try_recv(), Ok(Refusal::ShardingRequired));
        assert_eq!(refusals.try_recv(), Ok(Refusal::InvalidVersion));
        assert!(refusals.try_recv().is_err());
    }

    /// serenity's error type, whose variant is printed around the gateway's.
    struct GatewayLine(GatewayError);

    impl fmt::Debug for GatewayLine {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:?}", sdk::serenity::Error::Gateway(self.0.clone()))
        }
    }
}
