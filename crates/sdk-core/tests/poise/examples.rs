//! The smaller examples: an event handler, cooldowns of one's own, invocation data and translations.

use sandbox::client::Run;
use sdk::PluginEntry;
use serde_json::json;

use crate::plugins::cooldowns::Cooldowns;
use crate::plugins::events::Events;
use crate::plugins::invocation::Invocation;
use crate::plugins::localisation::Localisation;
use crate::rig::{Bot, TEXT, id, plugin, text};

const EVENTS: PluginEntry = plugin("events-mentions", || Box::new(Events));
const COOLDOWNS: PluginEntry = plugin("commands-cooldowns", || Box::new(Cooldowns));
const INVOCATION: PluginEntry = plugin("commands-invocation", || Box::new(Invocation));
const LOCALISATION: PluginEntry = plugin("commands-localisation", || Box::new(Localisation));

#[tokio::test]
async fn an_event_handler_hears_every_event_and_its_data_outlives_a_reload() {
    let bot = Bot::start_with(&[EVENTS], None, TEXT).await;
    assert_eq!(text(&bot.say("bob", "I like poise").await), "Somebody has said it 1 times");
    bot.swap(&[EVENTS]).await;
    assert_eq!(text(&bot.say("bob", "Poise is fine").await), "Somebody has said it 2 times");
    bot.until("READY was heard", async || bot.stored::<String>("events/mentions", "name")).await;
}

#[tokio::test]
async fn a_command_that_keeps_its_own_cooldown_lets_the_first_caller_in() {
    let bot = Bot::start(&[COOLDOWNS]).await;
    assert_eq!(bot.run("bob", "/patience").await.content, "Not too often!");
    let second = bot.run("bob", "/patience").await;
    assert!(second.ephemeral && second.content == "9 minutes left", "{second:?}");
    for _ in 0..2 {
        assert_eq!(text(&bot.say("alice", "!patience").await), "Not too often!");
    }
}

#[tokio::test]
async fn invocation_data_goes_through_all_phases_of_a_command() {
    let bot = Bot::start(&[INVOCATION]).await;
    let phases = |last: &str| {
        let phases = ["command_check", "check", "pre_command", "command", last];
        phases.map(|phase| format!("{phase}: Some(\"luggage\")")).join("\n")
    };
    assert_eq!(bot.run("bob", "/luggage trouble:0").await.content, phases("post_command"));
    assert_eq!(bot.run("bob", "/luggage trouble:1").await.content, phases("on_error"));
    assert_eq!(text(&bot.say("bob", "!luggage 0").await), phases("post_command"));
    let shown = bot.people.complete(Run::typed("/luggage trouble:1").by("bob")).await.unwrap();
    assert_eq!(shown.choices.unwrap()[0]["name"], "Some(\"luggage\")");
}

#[tokio::test]
async fn commands_are_translated_for_each_user() {
    let bot = Bot::start(&[LOCALISATION]).await;
    bot.control("users", json!({ "username": "dora", "locale": "de", "guild": bot.guild() })).await;
    let greet = async |user: &str, words: &str| {
        let run = Run::named("greet", json!({ "user": "carol", "words": words })).by(user);
        let content = bot.ask(run).await.content;
        content.split_once("> ").unwrap().1.to_owned()
    };
    assert_eq!(greet("bob", "Good to see you").await, "Good to see you");
    assert_eq!(greet("bob", "Would you like some tea?").await, "Would you like some tea?");
    let place = async |user: &str| bot.ask(Run::named("place", json!({})).by(user)).await.content;
    assert!(place("bob").await.starts_with("Sandbox has "));
    assert!(place("dora").await.starts_with("Sandbox hat "));
    let greet = bot.definition("greet");
    assert_eq!(greet["name_localizations"]["de"], "grüße");
    assert_eq!(greet["options"][0]["name_localizations"]["de"], "nutzer");
    assert_eq!(greet["options"][1]["choices"][0]["name_localizations"]["de"], "Schön, dich zu sehen");
}

#[tokio::test]
async fn a_button_that_registers_commands_is_the_owners() {
    let bot = Bot::start(&[LOCALISATION]).await;
    assert_eq!(text(&bot.say("bob", "!register").await), "Can only be used by bot owner");
    let choice = bot.say("alice", "!register").await;
    let answer = bot.people.press("alice", id(&choice), "register.guild").await;
    // poise edits the message and does not answer the press, so it may be the edit that is seen.
    drop(answer);
    let done = bot.until("the commands are registered", async || {
        let messages = bot.people.messages("alice", "bot-test", 50).await.unwrap();
        messages.into_iter().find(|message| text(message).contains("Done!"))
    });
    done.await;
}
