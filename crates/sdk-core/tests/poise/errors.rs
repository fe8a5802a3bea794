//! What a user is told when a command does not run, and who tells it.

use sandbox::answer::Answer;
use sandbox::client::Run;
use sdk::PluginEntry;
use sdk::prelude::*;
use serde_json::json;

use crate::plugins::showcase::Showcase;
use crate::rig::{Bot, TEXT, plugin, text};

/// A plugin whose checks all say no.
struct Strict;

impl Plugin for Strict {
    fn commands(&self) -> Vec<Command> {
        vec![
            never(),
            explained(),
            broken(),
            owners(),
            servers(),
            letters(),
            word(),
            adults(),
            powerful(),
            capable(),
            rare(),
            parent(),
            numbers(),
            late(),
            secret(),
        ]
    }
}

async fn no(_: Context<'_>) -> Result<bool, Error> {
    Ok(false)
}

async fn no_because(_: Context<'_>) -> Result<bool, Error> {
    Err(Refusal::new("Not on Sundays.").into())
}

async fn breaks(_: Context<'_>) -> Result<bool, Error> {
    panic!("expected by the test")
}

macro_rules! commands {
    ($($name:ident($($attribute:tt)*);)*) => { $(
        /// Never runs
        #[poise::command(slash_command, prefix_command, $($attribute)*)]
        async fn $name(ctx: Context<'_>) -> Result<(), Error> {
            ctx.say("it ran").await?;
            Ok(())
        }
    )* };
}

commands! {
    never(check = "no");
    explained(check = "no_because");
    broken(check = "breaks");
    owners(owners_only);
    servers(guild_only, interaction_context = "Guild|BotDm");
    letters(dm_only, interaction_context = "Guild|BotDm");
    adults(nsfw_only);
    powerful(required_permissions = "ADMINISTRATOR");
    capable(required_bot_permissions = "BAN_MEMBERS");
    rare(user_cooldown = 600);
    parent(subcommands("child"), subcommand_required);
    child();
}

/// Takes a number
///
/// Write `!numbers 7`.
#[poise::command(prefix_command, slash_command)]
async fn numbers(ctx: Context<'_>, number: u8, #[string] ip: Option<std::net::IpAddr>) -> Result<(), Error> {
    ctx.say(format!("{number} {ip:?}")).await?;
    Ok(())
}

/// Takes a word
///
/// Write `!numbers 7`.
#[poise::command(prefix_command, slash_command)]
async fn word(ctx: Context<'_>, word: String) -> Result<(), Error> {
    ctx.say(word).await?;
    Ok(())
}

/// Fails after its answer
#[poise::command(prefix_command, slash_command)]
async fn late(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("so far").await?;
    Err(Refusal::new("And no further.").into())
}

async fn suggest(_: Context<'_>, _: &str) -> serenity::CreateAutocompleteResponse {
    serenity::CreateAutocompleteResponse::new().set_choices(vec!["secret".into()])
}

async fn suggest_badly(_: Context<'_>, _: &str) -> serenity::CreateAutocompleteResponse {
    panic!("expected by the test")
}

/// Suggests nothing to others
#[poise::command(slash_command, owners_only)]
async fn secret(
    ctx: Context<'_>,
    #[autocomplete = "suggest"] word: String,
    #[autocomplete = "suggest_badly"] other: Option<String>,
) -> Result<(), Error> {
    ctx.say(format!("{word} {other:?}")).await?;
    Ok(())
}

const STRICT: PluginEntry = plugin("commands-strict", || Box::new(Strict));

fn refused(answer: &Answer, words: &str) {
    assert!(answer.is_ok() && answer.ephemeral && answer.callbacks == 1, "{answer:?}");
    assert!(answer.content.contains(words), "{words:?} not in {answer:?}");
}

#[tokio::test]
async fn a_check_that_says_no_gives_the_user_a_sentence() {
    let bot = Bot::start(&[STRICT]).await;
    let role = json!({ "deny": ["ADMINISTRATOR"], "allow": ["VIEW_CHANNEL", "SEND_MESSAGES"] });
    bot.people.edit_role(&bot.guild(), "Sandbot", &role).await.unwrap();
    for (command, words) in [
        ("never", "This command is not available to you here."),
        ("explained", "Not on Sundays."),
        ("broken", "panicked"),
        ("owners", "Only the bot's owners"),
        ("letters", "in direct messages only"),
        ("adults", "in age-restricted channels only"),
        ("powerful", "You need the permission Administrator"),
        ("capable", "I cannot do this without the permission Ban Members"),
    ] {
        refused(&bot.run("bob", &format!("/{command}")).await, words);
        let answer = bot.say("bob", &format!("!{command}")).await;
        assert!(text(&answer).contains(words), "{answer}");
    }
    let answer = bot.ask(Run::typed("/servers").by("bob").at("@Sandbot")).await;
    refused(&answer, "in servers only");
    assert_eq!(bot.run("bob", "/rare").await.content, "it ran");
    refused(&bot.run("bob", "/rare").await, "Please wait 600 seconds");
    assert_eq!(text(&bot.say("bob", "!parent").await), "This command needs one of its subcommands: `child`.");
}

#[tokio::test]
async fn wrong_arguments_are_told_with_what_is_right() {
    let bot = Bot::start(&[STRICT]).await;
    for (typed, words) in [
        ("!numbers many", "`many` cannot be used here: "),
        ("!numbers", "The arguments do not fit: "),
        ("!word", "The arguments do not fit: "),
        ("!numbers 7 here", "`here` cannot be used here: "),
    ] {
        let answer = bot.say("bob", typed).await;
        assert!(
            text(&answer).starts_with(words) && text(&answer).ends_with("Write `!numbers 7`."),
            "{answer}"
        );
    }
    refused(&bot.run("bob", "/numbers number:7 ip:here").await, "`here` cannot be used here: ");
    let everyone = bot.say("alice", "!numbers @everyone").await;
    assert_eq!(everyone["mention_everyone"], false, "{everyone}");
}

#[tokio::test]
async fn a_failure_after_the_answer_is_told_beside_it() {
    let bot = Bot::start(&[STRICT]).await;
    let answer = bot.run("bob", "/late").await;
    assert_eq!(answer.content, "so far");
    let followup = bot.until("the failure is told", async || {
        bot.people.interaction(answer.interaction).await.unwrap().followups.into_iter().next()
    });
    assert_eq!(text(&followup.await), "And no further.");
}

#[tokio::test]
async fn autocompletion_that_is_refused_or_fails_suggests_nothing() {
    let bot = Bot::start(&[STRICT]).await;
    assert_eq!(bot.complete("alice", "/secret word:s").await, [json!("secret")]);
    assert!(bot.complete("bob", "/secret word:s").await.is_empty());
    assert!(bot.complete("alice", "/secret word:s other:x").await.is_empty());
}

const SHOWCASE: PluginEntry = plugin("commands-showcase", || Box::new(Showcase));

/// The showcase's `on_error` keeps silent on wrong arguments, and poise's, to which it passes the rest on, on checks.
#[tokio::test]
async fn what_a_plugins_own_on_error_leaves_unsaid_the_host_says_to_users_of_interactions_alone() {
    let bot = Bot::start_with(&[SHOWCASE], None, TEXT).await;
    refused(&bot.run("bob", "/crabs").await, "not available to you here");
    refused(&bot.run("bob", "/address ip:here").await, "`here` cannot be used here: ");
    let nowhere = Run::named("remove_message", json!({ "message": "nowhere" }));
    refused(&bot.ask(nowhere).await, "cannot be used here: ");
    // What it says itself is not said twice.
    let answer = bot.run("bob", "/moderators").await;
    refused(&answer, "You're lacking permissions");
    assert!(answer.followups.is_empty());
    let answer = bot.run("bob", "/divide a:1 b:0").await;
    assert!(answer.ephemeral && answer.embeds[0]["title"] == "Internal error", "{answer:?}");
    for (typed, words) in [
        ("~grown_up", "You cannot run this command outside NSFW channels."),
        ("~letter", "You cannot run this command outside DMs."),
        ("~seldom", "Not for a while now"),
        ("~seldom", "You're too fast."),
    ] {
        assert!(text(&bot.say("bob", typed).await).starts_with(words), "{typed}");
    }
}

#[tokio::test]
async fn who_types_a_text_command_is_told_what_the_plugin_chooses_to_tell() {
    let bot = Bot::start_deaf(&[SHOWCASE]).await;
    for typed in ["~crabs", "~sum 1000 1 1", "~colour nobody"] {
        assert!(bot.handle("bob", typed).await.1.is_empty(), "{typed}");
    }
    assert_eq!(bot.stored("commands/showcase", "wrong"), Some(true), "a RoleParseError was found");
}

/// A plugin whose `on_error` hears of everything.
struct Attentive;

impl Plugin for Attentive {
    fn options(&self, options: &mut FrameworkOptions) {
        options.on_error = |error| {
            Box::pin(async move {
                let (data, words) = match &error {
                    poise::FrameworkError::EventHandler { framework, error, event, .. } => {
                        let commands = framework.options().commands.len();
                        (framework.user_data, format!("{}: {error}, {commands}", event.snake_case_name()))
                    }
                    poise::FrameworkError::CommandPanic { ctx, payload, .. } => {
                        ctx.say("Sorry!").await.unwrap();
                        (ctx.data(), payload.clone().unwrap_or_default())
                    }
                    // The host says it.
                    _ => return,
                };
                data.store().put("error", &words).unwrap();
            })
        };
        options.event_handler = |_, event| {
            Box::pin(async move {
                match event {
                    serenity::FullEvent::Message { .. } => Err("it was meant to fail".into()),
                    serenity::FullEvent::InteractionCreate { .. } => Err("this one too".into()),
                    _ => Ok(()),
                }
            })
        };
        options.skip_checks_for_owners = true;
        options.reply_callback = Some(|ctx, reply| {
            let words = format!("{}:", ctx.command().name);
            reply.content(words)
        });
        options.allowed_mentions = None;
    }

    fn commands(&self) -> Vec<Command> {
        vec![panics(), never()]
    }
}

/// Panics
#[poise::command(slash_command)]
async fn panics(_: Context<'_>) -> Result<(), Error> {
    panic!("expected by the test")
}

const ATTENTIVE: PluginEntry = plugin("commands-attentive", || Box::new(Attentive));

#[tokio::test]
async fn a_plugins_on_error_hears_of_its_event_handler_and_of_panics() {
    let bot = Bot::start_deaf(&[ATTENTIVE]).await;
    let error = async |words: &str| {
        bot.until("the error is heard of", async || {
            bot.stored::<String>("commands/attentive", "error").filter(|error| error == words)
        })
        .await
    };
    bot.handle("bob", "anything").await;
    error("message: it was meant to fail, 2").await;
    let answer = bot.run("bob", "/panics").await;
    assert_eq!(answer.content, "panics:", "reply_callback changes every reply");
    assert!(answer.followups.is_empty(), "{answer:?}");
    assert_eq!(bot.run("alice", "/never").await.content, "never:");
    refused(&bot.run("bob", "/never").await, "never:");
    error("interaction_create: this one too, 2").await;
}
