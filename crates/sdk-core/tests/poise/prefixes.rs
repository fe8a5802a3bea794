//! Prefixes and messages in a bot of several plugins, each of which is a framework of its own to poise.

use sdk::PluginEntry;
use sdk::poise::{FrameworkError, Prefix};
use sdk::prelude::*;
use sdk::tokio::sync::Notify;

use crate::rig::{Bot, plugin, text};

/// Says what it is and which prefix it was called with.
async fn tell(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say(format!("{} by {}", ctx.command().name, ctx.prefix())).await?;
    Ok(())
}

#[poise::command(prefix_command)]
async fn plain(ctx: Context<'_>) -> Result<(), Error> {
    tell(ctx).await
}

/// Without options of its own.
struct Plain;

impl Plugin for Plain {
    fn commands(&self) -> Vec<Command> {
        vec![plain()]
    }
}

#[poise::command(prefix_command)]
async fn many(ctx: Context<'_>) -> Result<(), Error> {
    tell(ctx).await
}

/// Prefixes of every kind that needs no code.
struct Many;

impl Plugin for Many {
    fn options(&self, options: &mut FrameworkOptions) {
        let prefixes = &mut options.prefix_options;
        prefixes.prefix = Some("~".into());
        prefixes.additional_prefixes = vec![Prefix::Literal("many "), Prefix::Literal("!!")];
        prefixes.mention_as_prefix = false;
        prefixes.case_insensitive_commands = false;
    }

    fn commands(&self) -> Vec<Command> {
        vec![many()]
    }
}

#[poise::command(prefix_command)]
async fn asked(ctx: Context<'_>) -> Result<(), Error> {
    let questions: u32 = ctx.data().store().get("questions")?.unwrap_or_default();
    ctx.data().store().remove("questions");
    ctx.say(format!("{} by {} after {questions} questions", ctx.command().name, ctx.prefix())).await?;
    Ok(())
}

fn ask(data: &Data) -> Result<(), Error> {
    let questions: u32 = data.store().get("questions")?.unwrap_or_default();
    data.store().put("questions", &(questions + 1))
}

/// A prefix for each channel, and one that is cut off.
struct Dynamic;

impl Plugin for Dynamic {
    fn options(&self, options: &mut FrameworkOptions) {
        options.prefix_options.dynamic_prefix = Some(|ctx| {
            Box::pin(async move {
                ask(ctx.framework.user_data)?;
                if ctx.author.name == "carol" {
                    return Err("carol has no prefix".into());
                }
                Ok(ctx.guild_id.map(|_| "guild:".into()))
            })
        });
        options.prefix_options.stripped_dynamic_prefix = Some(|_, message, data| {
            Box::pin(async move {
                ask(data)?;
                Ok(message.content.find("--").map(|at| &message.content[..at + 2]))
            })
        });
        options.prefix_options.non_command_message =
            Some(|framework, message| Box::pin(async move { hear(framework.user_data, &message.content) }));
        options.on_error = |error| {
            Box::pin(async move {
                let (data, words) = match &error {
                    FrameworkError::DynamicPrefix { ctx, error, .. } => {
                        (ctx.framework.user_data, error.to_string())
                    }
                    FrameworkError::UnknownCommand { framework, msg, .. } => {
                        (framework.user_data, format!("unknown: {}", msg.content))
                    }
                    other => panic!("not expected: {other}"),
                };
                hear(data, &words).unwrap();
            })
        };
    }

    fn commands(&self) -> Vec<Command> {
        vec![asked()]
    }
}

/// Adds to the list of what a plugin has heard.
fn hear(data: &Data, words: &str) -> Result<(), Error> {
    let mut heard: Vec<String> = data.store().get("heard")?.unwrap_or_default();
    heard.push(words.to_owned());
    data.store().put("heard", &heard)
}

/// Hears what is no command, and has no command.
struct Listener;

impl Plugin for Listener {
    fn options(&self, options: &mut FrameworkOptions) {
        options.prefix_options.non_command_message =
            Some(|framework, message| Box::pin(async move { hear(framework.user_data, &message.content) }));
    }
}

#[poise::command(prefix_command, slash_command)]
async fn robot(ctx: Context<'_>) -> Result<(), Error> {
    tell(ctx).await
}

/// Listens to bots and to the bot itself, and to messages that make threads.
struct Robots;

impl Plugin for Robots {
    fn options(&self, options: &mut FrameworkOptions) {
        options.prefix_options.ignore_bots = false;
        options.prefix_options.execute_self_messages = true;
        options.prefix_options.ignore_thread_creation = false;
    }

    fn commands(&self) -> Vec<Command> {
        vec![robot()]
    }
}

const PLAIN: PluginEntry = plugin("commands-plain", || Box::new(Plain));
const MANY: PluginEntry = plugin("commands-many", || Box::new(Many));
const DYNAMIC: PluginEntry = plugin("commands-dynamic", || Box::new(Dynamic));
const LISTENER: PluginEntry = plugin("events-listener", || Box::new(Listener));
const ROBOTS: PluginEntry = plugin("commands-robots", || Box::new(Robots));

fn heard(bot: &Bot, plugin: &str) -> Vec<String> {
    bot.stored(plugin, "heard").unwrap_or_default()
}

#[tokio::test]
async fn a_plugins_prefixes_are_its_own_and_the_hosts_is_everybodys() {
    let bot = Bot::start_deaf(&[PLAIN, MANY, LISTENER]).await;
    let mention = format!("<@{}> ", bot.id());
    for (message, answers) in [
        ("!plain", ["plain by !"].as_slice()),
        ("!many", &["many by !"]),
        ("~many", &["many by ~"]),
        ("!!many", &["many by !!"]),
        ("many many", &["many by many"]),
        ("~plain", &[]),
        ("!PLAIN", &["plain by !"]),
        ("!MANY", &[]),
        ("plain", &[]),
        (&format!("{mention}plain"), &["plain by "]),
        (&format!("{mention}many"), &[]),
    ] {
        let (_, got) = bot.handle("bob", message).await;
        let got: Vec<_> = got.iter().map(|answer| answer.replace(mention.trim(), "")).collect();
        assert_eq!(got, answers, "{message}");
    }
    // To a plugin without a prefix of its own `~plain` is a message like any other; what begins with the host's prefix
    // or a mention is a command that does not exist.
    assert_eq!(heard(&bot, "events/listener"), ["~plain", "plain"]);
}

#[tokio::test]
async fn a_prefix_may_be_another_one_for_each_guild_and_is_asked_for_once() {
    let bot = Bot::start_deaf(&[PLAIN, DYNAMIC, LISTENER]).await;
    for (message, answers) in [
        ("guild:asked", ["asked by guild: after 1 questions"].as_slice()),
        ("!asked", &["asked by ! after 1 questions"]),
        ("well--asked", &["asked by well-- after 2 questions"]),
        // Where another plugin's command is found without code, nobody is asked.
        ("!plain", &["plain by !"]),
        ("!asked", &["asked by ! after 1 questions"]),
        ("hello", &[]),
        ("guild:asked", &["asked by guild: after 3 questions"]),
        ("guild:unheard", &[]),
        ("guild:asked", &["asked by guild: after 2 questions"]),
    ] {
        assert_eq!(bot.handle("bob", message).await.1, answers, "{message}");
    }
    assert_eq!(heard(&bot, "commands/dynamic"), ["hello", "unknown: guild:unheard"]);
    assert_eq!(heard(&bot, "events/listener"), ["hello", "guild:unheard"]);
    // An error in the callback goes to `on_error`, and the other prefixes count.
    assert_eq!(bot.handle("carol", "!asked").await.1, ["asked by ! after 1 questions"]);
    assert_eq!(heard(&bot, "commands/dynamic").last().unwrap(), "carol has no prefix");
}

#[tokio::test]
async fn an_unknown_command_is_told_to_one_plugin() {
    let bot = Bot::start_deaf(&[PLAIN, DYNAMIC, MANY]).await;
    bot.handle("bob", "!nothing").await;
    assert_eq!(heard(&bot, "commands/dynamic"), ["unknown: !nothing"]);
}

#[tokio::test]
async fn bots_are_listened_to_where_a_plugin_says_so() {
    let bot = Bot::start_deaf(&[PLAIN, ROBOTS]).await;
    bot.people.create_bot("other").await.unwrap();
    for (message, answers) in [("!plain", 0), ("!robot", 1)] {
        let mut sent = bot.people.send("bob", "bot-test", message).await.unwrap();
        sent["author"]["bot"] = true.into();
        assert_eq!(bot.handle_message(&mut sent).await.len(), answers, "{message}");
        sent["author"]["id"] = bot.id().into();
        assert_eq!(bot.handle_message(&mut sent).await.len(), 2 * answers, "{message}");
    }
    let mut sent = bot.people.send("bob", "bot-test", "!plain").await.unwrap();
    sent["type"] = 18.into();
    assert!(bot.handle_message(&mut sent).await.is_empty());
    sent["content"] = "!robot".into();
    assert_eq!(bot.handle_message(&mut sent).await.len(), 1);
}

#[tokio::test]
async fn without_a_prefix_of_the_hosts_plugins_have_theirs() {
    let intents = sdk::serenity::all::GatewayIntents::GUILDS;
    let bot = Bot::start_with(&[MANY, PLAIN], None, intents).await;
    assert_eq!(text(&bot.say("bob", "~many").await), "many by ~");
    assert_eq!(text(&bot.say_in("bob", "@Sandbot", "~many").await), "many by ~");
}

/// A plugin whose state holds messages up while it crosses, for as long as a call is under way.
struct Held;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Nothing {}

impl State for Nothing {}

static GO_ON: Notify = Notify::const_new();

#[poise::command(prefix_command)]
async fn wait(_: Context<'_>) -> Result<(), Error> {
    GO_ON.notified().await;
    Ok(())
}

impl Plugin for Held {
    fn commands(&self) -> Vec<Command> {
        vec![plain(), wait()]
    }

    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<Nothing>())
    }
}

/// The same plugin without its commands.
struct Poor;

impl Plugin for Poor {
    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<Nothing>())
    }
}

/// Another plugin, to which one of them has moved.
struct Heir;

impl Plugin for Heir {
    fn commands(&self) -> Vec<Command> {
        vec![plain()]
    }
}

const HELD: PluginEntry = plugin("commands-plain", || Box::new(Held));
const POOR: PluginEntry = plugin("commands-plain", || Box::new(Poor));
const HEIR: PluginEntry = plugin("commands-heir", || Box::new(Heir));

#[tokio::test]
async fn a_message_that_a_swap_holds_up_finds_its_command_in_the_plugin_that_has_it_by_then() {
    let bot = Bot::start_deaf(&[HELD]).await;
    let mut slow = bot.people.send("bob", "bot-test", "!wait").await.unwrap();
    let mut sent = bot.people.send("bob", "bot-test", "!plain").await.unwrap();
    // In this order: a call is under way, the swap waits for it, and the message waits for the swap.
    let (_, (), answers, ()) = tokio::join!(
        bot.handle_message(&mut slow),
        bot.swap(&[POOR, HEIR]),
        bot.handle_message(&mut sent),
        async {
            GO_ON.notify_one();
        }
    );
    assert_eq!(answers, ["plain by !"]);
}
