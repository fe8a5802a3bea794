//! Registration and dispatch together: a bot inside this process at a local Discord.

use std::borrow::Cow;
use std::cell::RefCell;

use sandbox::Sandbox;
use sandbox::client::Run;
use sandbox::event_log::Event;
use sandbox::snowflake::Snowflake;
use sdk::dispatch::Dispatcher;
use sdk::generation::Generation;
use sdk::observer::{self, Call, Observer};
use sdk::poise::{self, FrameworkError};
use sdk::registry::Change;
use sdk::serenity::all::{
    ChannelId, ClientBuilder, ComponentInteractionCollector, Context, CreateActionRow, CreateButton,
    CreateInputText, CreateInteractionResponse, CreateInteractionResponseMessage, CreateMessage, CreateModal,
    EventHandler, GatewayIntents, InputTextStyle, InstallationContext, Interaction, InteractionContext,
    Ready,
};
use sdk::serenity::async_trait;
use sdk::settings::{Environment, Settings};
use sdk::{Command, EventKind, Plugin, PluginEntry};

use super::*;
use crate::config::{ApiUrl, Token};

const HOUR: Duration = Duration::from_hours(1);

thread_local! {
    /// The definitions of the next plugin. A plugin is created by a function without context.
    static NEXT: RefCell<Vec<Sample>> = const { RefCell::new(Vec::new()) };
}

/// A slash command that answers with its name.
#[derive(Clone, Debug)]
struct Sample {
    name: Cow<'static, str>,
    contexts: Option<Vec<InteractionContext>>,
    installs: Option<Vec<InstallationContext>>,
}

impl Sample {
    fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), contexts: None, installs: None }
    }

    /// Creates a command for direct messages, for users who have installed the application.
    fn private(name: &'static str) -> Self {
        Self {
            contexts: Some(vec![InteractionContext::BotDm, InteractionContext::PrivateChannel]),
            installs: Some(vec![InstallationContext::User]),
            ..Self::new(name)
        }
    }
}

struct Defined(Vec<Sample>);

impl Plugin for Defined {
    fn commands(&self) -> Vec<Command> {
        let command = |sample: &Sample| Command {
            name: sample.name.clone(),
            description: Some("Answers".into()),
            interaction_context: sample.contexts.clone(),
            install_context: sample.installs.clone(),
            slash_action: Some(|ctx| {
                Box::pin(async move {
                    let ctx = poise::Context::Application(ctx);
                    let words = format!("/{} is live", ctx.command().name);
                    let said = ctx.say(words).await;
                    said.map(|_| ()).map_err(|error| FrameworkError::new_command(ctx, error.into()))
                })
            }),
            ..Command::default()
        };
        self.0.iter().map(command).collect()
    }
}

/// Counts interactions that were not handled.
#[derive(Default)]
struct Unhandled(watch::Sender<usize>);

impl Observer for Unhandled {
    fn event(&self, _: EventKind) {}
    fn call(&self, _: &Call<'_>) {}
    fn panicked(&self, _: &PluginId) {}

    fn unhandled(&self, why: observer::Unhandled) {
        if why == observer::Unhandled::UnknownComponent {
            self.0.send_modify(|count| *count += 1);
        }
    }
}

/// A bot whose only plugin defines the commands of a test.
struct Bot {
    host: Host,
    api: Api,
    http: Arc<Http>,
    unhandled: Arc<Unhandled>,
}

impl Bot {
    async fn at(sandbox: &Sandbox) -> Self {
        let settings = Settings { environment: Environment::Testing, ..Settings::default() };
        let unhandled = Arc::new(Unhandled::default());
        let host = Host::builder("1.0.0", settings).observer(Some(unhandled.clone())).build();
        let target = ApiUrl::parse(sandbox.url()).unwrap();
        let api =
            Api::new(Token::parse(sandbox.token(), false).unwrap(), target.as_ref(), false).await.unwrap();
        api.keep_answers(host.answers(), None);
        let http = Arc::new(api.http());
        Self { host, api, http, unhandled }
    }

    /// Makes a generation live that defines these commands.
    fn swap(&self, samples: &[Sample]) {
        NEXT.set(samples.to_vec());
        let entry = PluginEntry::new("commands-sample", "1.0.0", "", || {
            Box::new(Defined(NEXT.with_borrow(Vec::clone)))
        });
        let number = self.host.registry().next_number(&entry.id());
        let generation = Generation::new(&entry, number, &self.host).unwrap();
        assert!(self.host.registry().swap(Change { install: vec![generation], remove: Vec::new() }).is_ok());
    }

    fn registrar(&self, sandbox: &Sandbox, scope: CommandScope, grace: Duration) -> Registrar {
        let guild = GuildId::new(sandbox.guild_id().0);
        let development = Some(Development { guild, scope, grace });
        let layout = Layout { development, installs: BTreeSet::from([0, 1]) };
        let application = ApplicationId::new(sandbox.bot_id().0);
        Registrar::new(self.host.clone(), &self.api, self.http.clone(), application, layout, BTreeSet::new())
    }

    /// Connects to the gateway and waits until the bot is ready. Returns the session's context.
    async fn connect(&self) -> Context {
        let (sender, mut ready) = mpsc::unbounded_channel();
        let mut client = ClientBuilder::new_with_http(self.api.http(), GatewayIntents::GUILDS)
            .framework(Dispatcher::new(self.host.clone()))
            .event_handler(Session(sender))
            .await
            .unwrap();
        tokio::spawn(async move { client.start().await.unwrap() });
        ready.recv().await.unwrap()
    }

    /// Waits until so many presses were not handled. The answer to a press may arrive before it is counted.
    async fn has_counted(&self, unhandled: usize) {
        let mut counted = self.unhandled.0.subscribe();
        assert_eq!(*counted.wait_for(|count| *count >= unhandled).await.unwrap(), unhandled);
    }
}

/// Sends the context of a session that is ready.
struct Session(mpsc::UnboundedSender<Context>);

#[async_trait]
impl EventHandler for Session {
    async fn ready(&self, ctx: Context, _: Ready) {
        let _ = self.0.send(ctx);
    }
}

/// Another process of the same application, which handles the presses of its own buttons.
struct Other;

#[async_trait]
impl EventHandler for Other {
    async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
        if let Interaction::Component(press) = interaction
            && press.data.custom_id.starts_with("theirs:")
        {
            press.create_response(&ctx, says("the other process")).await.unwrap();
        }
    }
}

fn says(words: &str) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(CreateInteractionResponseMessage::new().content(words))
}

/// Returns the number of requests about commands that were answered with `status`, by kind, such as `POST guild` or
/// `DELETE global`.
fn writes(sandbox: &Sandbox, kind: &str, status: u16) -> usize {
    let page = sandbox.event_log().read(1, usize::MAX);
    let is_one = |event: &Event| match event {
        Event::Request(request) if request.route.contains("/commands") => {
            let scope = if request.route.contains("/guilds/") { "guild" } else { "global" };
            format!("{} {scope}", request.method) == kind && request.status == Some(status)
        }
        _ => false,
    };
    page.entries.iter().filter(|entry| is_one(&entry.event)).count()
}

/// Returns the registered commands, as `guild a` or `global b`.
async fn registered(registrar: &Registrar) -> Vec<String> {
    let mut all = Vec::new();
    for (word, scope) in [
        ("guild", Scope::Guild(registrar.layout.development.as_ref().unwrap().guild)),
        ("global", Scope::Global { installs: BTreeSet::new() }),
    ] {
        let list = registrar.requests.list(&scope).await.unwrap();
        all.extend(list.iter().map(|command| format!("{word} {}", command["name"].as_str().unwrap())));
    }
    all.sort();
    all
}

fn many(count: usize) -> Vec<Sample> {
    (0..count).map(|number| Sample::new(format!("many{number}"))).collect()
}

#[tokio::test]
async fn two_panics_of_a_plugin_with_46_new_commands_cost_46_creations() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    let mut registrar = bot.registrar(&sandbox, CommandScope::Split, HOUR);
    let old = [Sample::new("ping")];
    let new: Vec<_> = old.iter().cloned().chain(many(46)).collect();
    bot.swap(&old);
    registrar.attempt(false).await.unwrap();
    for _ in 0..2 {
        // Saved, rolled back after a panic, and fixed.
        for definitions in [&new[..], &old[..]] {
            bot.swap(definitions);
            registrar.attempt(false).await.unwrap();
        }
        assert_eq!(bot.host.withdrawn().len(), 46);
    }
    bot.swap(&new);
    registrar.attempt(false).await.unwrap();
    assert_eq!(bot.host.withdrawn(), []);
    assert_eq!(writes(&sandbox, "POST guild", 201), 1 + 46);
    assert_eq!(writes(&sandbox, "POST guild", 200), 0, "what has not changed is not sent");
    assert_eq!(writes(&sandbox, "DELETE guild", 204), 0);
    assert_eq!(bot.host.creations()[0].used, 1 + 46);
}

#[tokio::test]
async fn a_vacant_scope_gets_all_its_commands_with_one_request() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    let mut registrar = bot.registrar(&sandbox, CommandScope::Split, HOUR);
    bot.swap(&many(46));
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&registrar).await.len(), 46);
    assert_eq!((writes(&sandbox, "PUT guild", 200), writes(&sandbox, "POST guild", 201)), (1, 0));
    assert_eq!(bot.host.creations()[0].used, 46);
    bot.swap(&many(48));
    registrar.attempt(false).await.unwrap();
    assert_eq!((writes(&sandbox, "PUT guild", 200), writes(&sandbox, "POST guild", 201)), (1, 2));
}

#[tokio::test]
async fn commands_that_are_refused_together_are_sent_one_by_one() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    let mut registrar = bot.registrar(&sandbox, CommandScope::Split, HOUR);
    let rule = serde_json::json!({
        "on": { "request": { "method": "PUT", "path": "/applications/*/guilds/*/commands", "effect": { "respond": { "status": 400 } } } },
        "count": 1
    });
    sandbox.faults().add(serde_json::from_value(rule).unwrap());
    bot.swap(&[Sample::new("a"), Sample::new("z")]);
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&registrar).await, ["guild a", "guild z"]);
    assert_eq!((writes(&sandbox, "PUT guild", 400), writes(&sandbox, "POST guild", 201)), (1, 2));
    assert_eq!(bot.host.creations()[0].used, 2);
}

#[tokio::test]
async fn a_withdrawn_command_is_answered_until_it_is_removed() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    let mut registrar = bot.registrar(&sandbox, CommandScope::Split, HOUR);
    bot.swap(&[Sample::new("ping"), Sample::new("new")]);
    registrar.attempt(false).await.unwrap();
    bot.connect().await;
    assert_eq!(sandbox.client().say("/new").await.unwrap().content, "/new is live");

    bot.swap(&[Sample::new("ping")]);
    registrar.attempt(false).await.unwrap();
    let answer = sandbox.client().say("/new").await.unwrap();
    assert!(answer.ephemeral && answer.content.starts_with("/new is being worked on"), "{answer:?}");
    let withdrawn = bot.host.withdrawn().remove(0);
    assert_eq!(withdrawn.command, "/new");
    assert!(withdrawn.removed_in_ms.is_some_and(|ms| ms > 3_500_000 && ms <= 3_600_000), "{withdrawn:?}");

    // A prune removes it at once.
    let running = tokio::spawn(registrar.run());
    let handle = bot.host.registrar().unwrap().clone();
    assert_eq!(handle.prune().await.as_deref(), Ok("removed 1 command"));
    assert_eq!(bot.host.withdrawn(), []);
    assert_eq!(handle.prune().await.as_deref(), Ok("every registered command is defined by a live plugin"));
    assert_eq!(writes(&sandbox, "DELETE guild", 204), 1);
    running.abort();
}

#[tokio::test]
async fn new_commands_get_the_places_of_withdrawn_ones_when_there_are_no_others() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    let mut registrar = bot.registrar(&sandbox, CommandScope::Guild, HOUR);
    bot.swap(&many(100));
    registrar.attempt(false).await.unwrap();
    let other: Vec<_> = (0..60).map(|number| Sample::new(format!("other{number}"))).collect();
    bot.swap(&other);
    registrar.attempt(false).await.unwrap();
    let registered = registered(&registrar).await;
    assert_eq!(registered.iter().filter(|name| name.starts_with("guild other")).count(), 60);
    assert_eq!((registered.len(), bot.host.withdrawn().len()), (100, 40));
}

#[tokio::test]
async fn a_command_for_direct_messages_is_registered_globally_alone_and_moves_without_a_double() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    let mut registrar = bot.registrar(&sandbox, CommandScope::Split, HOUR);
    bot.swap(&[Sample::new("ping"), Sample::private("whisper")]);
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&registrar).await, ["global whisper", "guild ping"]);
    bot.connect().await;
    let user = sandbox.client();
    user.install_app("carol", "Sandbot").await.unwrap();
    let whisper = || user.run(Run::typed("/whisper").by("carol").at("@Sandbot"));
    assert_eq!(whisper().await.unwrap().content, "/whisper is live");
    assert!(user.say("/whisper").await.is_err(), "it is none of the server's");

    // The same command for servers, a command of the server that gains direct messages, and both reverted.
    bot.swap(&[Sample::private("ping"), Sample::new("whisper")]);
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&registrar).await, ["global ping", "guild whisper"]);
    assert_eq!(user.say("/whisper").await.unwrap().content, "/whisper is live");
    assert!(whisper().await.is_err());
    bot.swap(&[Sample::new("ping"), Sample::private("whisper")]);
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&registrar).await, ["global whisper", "guild ping"]);
    assert_eq!(whisper().await.unwrap().content, "/whisper is live");
    assert_eq!(bot.host.withdrawn(), []);

    // Commands that are no longer defined stay for the grace period in their own scope, also over a restart.
    bot.swap(&[Sample::new("ping")]);
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&registrar).await, ["global whisper", "guild ping"]);
    let mut registrar = bot.registrar(&sandbox, CommandScope::Guild, Duration::ZERO);
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&registrar).await, ["guild ping"], "it knows its own global commands again");
}

#[tokio::test]
async fn each_scope_of_commands_moves_to_each_other_without_a_double() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    bot.swap(&[Sample::new("ping"), Sample::private("whisper")]);
    let split = ["global whisper", "guild ping"];
    let all_in = |scope: &str| ["ping", "whisper"].map(|name| format!("{scope} {name}")).to_vec();
    for (scope, expected) in [
        (CommandScope::Guild, all_in("guild")),
        (CommandScope::Split, split.map(str::to_owned).to_vec()),
        (CommandScope::Global, all_in("global")),
        (CommandScope::Guild, all_in("guild")),
        (CommandScope::Global, all_in("global")),
        (CommandScope::Split, split.map(str::to_owned).to_vec()),
        (CommandScope::Guild, all_in("guild")),
    ] {
        let mut registrar = bot.registrar(&sandbox, scope, HOUR);
        registrar.attempt(false).await.unwrap();
        assert_eq!(registered(&registrar).await, expected, "{scope:?}");
    }
}

#[tokio::test]
async fn what_production_has_registered_globally_is_neither_removed_nor_redefined() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let production = Bot::at(&sandbox).await;
    production.swap(&[Sample::new("ping"), Sample::new("whisper")]);
    let application = ApplicationId::new(sandbox.bot_id().0);
    let layout = Layout { development: None, installs: BTreeSet::from([0, 1]) };
    let (host, http) = (production.host.clone(), production.http.clone());
    let mut registrar = Registrar::new(host, &production.api, http, application, layout, BTreeSet::new());
    registrar.attempt(false).await.unwrap();

    let bot = Bot::at(&sandbox).await;
    bot.swap(&[Sample::new("pong"), Sample::private("whisper")]);
    let mut development = bot.registrar(&sandbox, CommandScope::Split, Duration::ZERO);
    development.attempt(false).await.unwrap();
    assert_eq!(registered(&development).await, ["global ping", "global whisper", "guild pong"]);
    assert_eq!(writes(&sandbox, "POST global", 200), 0);

    // In production commands that are not defined are removed at once, including those left by development.
    production.swap(&[Sample::new("ping")]);
    registrar.attempt(false).await.unwrap();
    assert_eq!(registered(&development).await, ["global ping", "guild pong"]);
}

/// Posts a message with a button. Returns its id.
async fn with_button(bot: &Bot, sandbox: &Sandbox, custom_id: &str) -> Snowflake {
    let channel = ChannelId::new(sandbox.channel_id("bot-test").unwrap().0);
    let button = CreateButton::new(custom_id).label("Press");
    let message =
        CreateMessage::new().content("here").components(vec![CreateActionRow::Buttons(vec![button])]);
    Snowflake(channel.send_message(&bot.http, message).await.unwrap().id.get())
}

#[tokio::test]
async fn a_press_and_a_form_that_nobody_handles_are_answered_once_and_those_of_collectors_are_theirs() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let bot = Bot::at(&sandbox).await;
    bot.swap(&[]);
    let ctx = bot.connect().await;
    let user = sandbox.client();
    let message = with_button(&bot, &sandbox, "old:1").await;

    // serenity's own collector, which dispatch does not know about; also a slow one.
    for pause in [Duration::ZERO, Duration::from_millis(1500)] {
        let collector = ComponentInteractionCollector::new(&ctx.shard).custom_ids(vec!["old:1".to_owned()]);
        let collected = tokio::spawn(collector.next());
        let shard = ctx.clone();
        let answered = tokio::spawn(async move {
            let press = collected.await.unwrap().unwrap();
            sleep(pause).await;
            press.create_response(&shard, says("collected")).await.unwrap();
        });
        tokio::task::yield_now().await;
        let answer = user.press("alice", message, "old:1").await.unwrap();
        answered.await.unwrap();
        assert_eq!((answer.content.as_str(), answer.callbacks), ("collected", 1), "{answer:?}");
    }

    // No collector: the answer to this press also decides all presses before it.
    let answer = user.press("bob", message, "old:1").await.unwrap();
    assert_eq!((answer.callbacks, answer.ephemeral), (1, true), "{answer:?}");
    assert_eq!(answer.content, "This button is not part of this bot any more.");
    bot.has_counted(1).await;
    assert_eq!(user.stats().await.unwrap()["interactions"]["doubled"], 0);

    // A form opened by code that is gone when the form is sent.
    let collected = tokio::spawn(ComponentInteractionCollector::new(&ctx.shard).next());
    let shard = ctx.clone();
    let opened = tokio::spawn(async move {
        let press = collected.await.unwrap().unwrap();
        let field = CreateInputText::new(InputTextStyle::Short, "Words", "words");
        let modal = CreateModal::new("form:1", "Form").components(vec![CreateActionRow::InputText(field)]);
        press.create_response(&shard, CreateInteractionResponse::Modal(modal)).await.unwrap();
    });
    tokio::task::yield_now().await;
    let form = user.press("alice", message, "old:1").await.unwrap();
    opened.await.unwrap();
    let values = serde_json::Map::from_iter([("words".to_owned(), "hello".into())]);
    let answer = user.submit(&form, values).await.unwrap();
    assert_eq!(answer.content, "This form is not part of this bot any more.", "{answer:?}");
    bot.has_counted(2).await;
}

#[tokio::test]
async fn a_press_that_another_process_of_the_application_handles_is_its_own() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let (bot, other) = (Bot::at(&sandbox).await, Bot::at(&sandbox).await);
    bot.swap(&[]);
    bot.connect().await;
    let mut client = ClientBuilder::new_with_http(other.api.http(), GatewayIntents::GUILDS)
        .event_handler(Other)
        .await
        .unwrap();
    tokio::spawn(async move { client.start().await.unwrap() });
    while sandbox.client().sessions().await.unwrap().len() < 2 {
        sleep(Duration::from_millis(10)).await;
    }
    let message = with_button(&bot, &sandbox, "theirs:1").await;
    let answer = sandbox.client().press("alice", message, "theirs:1").await.unwrap();
    assert_eq!(answer.content, "the other process");
    // Discord refuses the bot's own attempt. Only the next press is counted, which is not handled.
    let refused = |entry: &sandbox::event_log::Entry| match &entry.event {
        Event::Request(request) => request.route.contains("/callback") && request.status == Some(400),
        _ => false,
    };
    sandbox.event_log().wait_for(1, Duration::from_secs(20), refused).await.unwrap();
    let message = with_button(&bot, &sandbox, "old:1").await;
    let answer = sandbox.client().press("alice", message, "old:1").await.unwrap();
    assert!(answer.content.starts_with("This button"), "{answer:?}");
    bot.has_counted(1).await;
}

/// Tests of shipped plugins, for builds that have them.
#[cfg(feature = "plugins")]
mod shipped {
    use sandbox::fault::{GatewayEffect, GatewayRule, On, Rule};
    use sdk::tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{self, Layer, SubscriberExt as _};

    use super::*;

    /// Collects the messages that are logged as errors.
    struct Errors(mpsc::UnboundedSender<String>);

    impl<S: sdk::tracing::Subscriber> Layer<S> for Errors {
        fn on_event(&self, event: &sdk::tracing::Event<'_>, _: layer::Context<'_, S>) {
            struct Words(String);
            impl Visit for Words {
                fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                    self.0.push_str(&format!("{field}={value:?} "));
                }
            }
            if *event.metadata().level() <= sdk::tracing::Level::ERROR {
                let mut words = Words(String::new());
                event.record(&mut words);
                let _ = self.0.send(words.0);
            }
        }
    }

    #[tokio::test]
    async fn what_a_plugin_cannot_answer_in_an_outage_is_no_error() {
        let (sender, mut errors) = mpsc::unbounded_channel();
        let _logging =
            sdk::tracing::subscriber::set_default(tracing_subscriber::registry().with(Errors(sender)));
        let sandbox = Sandbox::builder().start().await.unwrap();
        // Discord does not send a server during an outage.
        let rule = GatewayRule {
            event: Some("GUILD_CREATE".to_owned()),
            effect: GatewayEffect::Ignore,
            ..GatewayRule::default()
        };
        sandbox.faults().add(Rule::new(On::Dispatch(rule)));
        let bot = Bot::at(&sandbox).await;
        let general = commands::PLUGINS.iter().find(|entry| entry.id() == PluginId::new("commands/general"));
        let generation = Generation::new(general.unwrap(), 1, &bot.host).unwrap();
        assert!(bot.host.registry().swap(Change { install: vec![generation], remove: Vec::new() }).is_ok());
        bot.registrar(&sandbox, CommandScope::Split, HOUR).attempt(false).await.unwrap();
        bot.connect().await;
        let answer = sandbox.client().say("/serverinfo").await.unwrap();
        assert!(answer.ephemeral && answer.content.contains("try again in a moment"), "{answer:?}");
        assert_eq!(errors.try_recv().ok(), None);
    }
}
