//! What users hear of failures in production: a number that the log has too, and no word of the error.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use sandbox::client::Run;
use sdk::PluginEntry;
use sdk::prelude::*;
use sdk::settings::Environment;
use serde_json::{Map, Value};

use crate::rig::{Bot, id, plugin, text};

/// Words of the error, which nobody but the log is to know.
const SECRET: &str = "db.internal";

/// The log of all tests of this program.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let to = log.clone();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || to.clone());
    sdk::tracing::subscriber::set_global_default(lines.finish()).unwrap();
    log
});

/// Returns the lines of the log that hold all of `parts`.
fn logged(parts: &[&str]) -> Vec<String> {
    let log = String::from_utf8_lossy(&LOG.0.lock().unwrap()).into_owned();
    let lines = log.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
    lines.map(str::to_owned).collect()
}

/// Checks that a user hears a number and no more, and that the log has the error under it.
fn is_a_reference(told: &str) {
    let number = told.strip_prefix("Something went wrong (reference ").unwrap_or_else(|| panic!("{told:?}"));
    let (number, _) = number.split_once(')').unwrap();
    let is_digit = |digit: char| digit.is_ascii_digit() || ('A'..='F').contains(&digit);
    let (first, second) = number.split_once('-').unwrap();
    assert!([first, second].iter().all(|part| part.len() == 4 && part.chars().all(is_digit)), "{told}");
    assert!(!told.contains(SECRET) && !told.contains("@everyone") && !told.contains('\n'), "{told}");
    let lines = logged(&[&format!("reference={number}"), SECRET, "ERROR"]);
    assert_eq!(lines.len(), 1, "{lines:?}");
}

struct Faulty;

impl Plugin for Faulty {
    fn commands(&self) -> Vec<Command> {
        vec![fails(), panics(), refuses(), checked(), odd(), typing(), break_it(), buttons()]
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        on.component("faulty:", pressed);
        on.modal("faulty-form", submitted);
        on.event(heard);
    }
}

fn error() -> Error {
    format!("the database at {SECRET} is gone, @everyone").into()
}

macro_rules! commands {
    ($($name:ident($($attribute:tt)*) $body:block)*) => { $(
        /// Does not work
        #[poise::command(slash_command, prefix_command, $($attribute)*)]
        async fn $name(_ctx: Context<'_>) -> Result<(), Error> $body
    )* };
}

commands! {
    fails() { Err(error()) }
    panics() { panic!("{}", error()) }
    refuses() { Err(Refusal::new("Not on Sundays.").into()) }
    checked(check = "broken_check") { Ok(()) }
}

async fn broken_check(_: Context<'_>) -> Result<bool, Error> {
    Err(error())
}

/// A number whose error tells too much.
struct Odd;

impl std::str::FromStr for Odd {
    type Err = std::io::Error;

    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Err(std::io::Error::other(error()))
    }
}

/// Takes what it cannot read
#[poise::command(slash_command, prefix_command)]
async fn odd(_ctx: Context<'_>, number: u8, #[string] odd: Option<Odd>) -> Result<(), Error> {
    let _ = (number, odd.is_some());
    Ok(())
}

async fn suggest_badly(_: Context<'_>, _: &str) -> serenity::CreateAutocompleteResponse {
    panic!("{SECRET} while typing")
}

/// Panics while it is typed
#[poise::command(slash_command)]
async fn typing(_ctx: Context<'_>, #[autocomplete = "suggest_badly"] word: String) -> Result<(), Error> {
    let _ = word;
    Ok(())
}

/// Does not work
#[poise::command(context_menu_command = "Break it")]
async fn break_it(_ctx: Context<'_>, _user: serenity::User) -> Result<(), Error> {
    Err(error())
}

/// Shows buttons
#[poise::command(slash_command)]
async fn buttons(ctx: Context<'_>) -> Result<(), Error> {
    let button = |id: &str| serenity::CreateButton::new(format!("faulty:{id}")).label(id);
    let row = serenity::CreateActionRow::Buttons(["fail", "panic", "refuse", "form"].map(button).to_vec());
    ctx.send(poise::CreateReply::default().content("here").components(vec![row])).await?;
    Ok(())
}

async fn pressed(ctx: EventContext, press: serenity::ComponentInteraction) -> Result<(), Error> {
    match press.data.custom_id.as_str() {
        "faulty:fail" => Err(error()),
        "faulty:refuse" => Err(Refusal::new("Not on Sundays.").into()),
        "faulty:form" => {
            let input = serenity::CreateInputText::new(serenity::InputTextStyle::Short, "Word", "word");
            let form = serenity::CreateModal::new("faulty-form", "Form")
                .components(vec![serenity::CreateActionRow::InputText(input)]);
            press.create_response(&ctx, serenity::CreateInteractionResponse::Modal(form)).await?;
            Ok(())
        }
        _ => panic!("{}", error()),
    }
}

async fn submitted(_: EventContext, _: serenity::ModalInteraction) -> Result<(), Error> {
    Err(error())
}

async fn heard(_: EventContext, message: event::Message) -> Result<(), Error> {
    match message.new_message.content.as_str() {
        "listen" => Err(format!("{SECRET} while listening").into()),
        _ => Ok(()),
    }
}

const FAULTY: PluginEntry = plugin("commands-faulty", || Box::new(Faulty));

async fn production(entries: &[PluginEntry]) -> Bot {
    LazyLock::force(&LOG);
    Bot::start_in(Environment::Production, entries).await
}

#[tokio::test]
async fn commands_that_fail_or_panic_give_a_number_that_the_log_has() {
    let bot = production(&[FAULTY]).await;
    for command in ["fails", "panics", "checked"] {
        let answer = bot.run("bob", &format!("/{command}")).await;
        assert!(answer.ephemeral && answer.callbacks == 1, "{answer:?}");
        is_a_reference(&answer.content);
        is_a_reference(text(&bot.say("bob", &format!("!{command}")).await));
    }
    is_a_reference(&bot.ask(Run::on("Break it", "@carol").by("bob")).await.content);
    assert_eq!(bot.run("bob", "/refuses").await.content, "Not on Sundays.");
    assert_eq!(text(&bot.say("bob", "!refuses").await), "Not on Sundays.");
}

#[tokio::test]
async fn an_argument_is_explained_only_where_the_words_are_for_who_typed_it() {
    let bot = production(&[FAULTY]).await;
    let known = bot.say("bob", "!odd many").await;
    assert_eq!(text(&known), "`many` cannot be used here: invalid digit found in string.");
    let own = bot.say("bob", "!odd 7 `x").await;
    let words = text(&own).strip_prefix("`'x` cannot be used here (reference ").unwrap();
    let number = words.strip_suffix(").").unwrap();
    assert_eq!(logged(&[&format!("reference={number}"), SECRET]).len(), 1);
}

#[tokio::test]
async fn buttons_and_forms_that_fail_give_a_number_too() {
    let bot = production(&[FAULTY]).await;
    let shown = bot.run("bob", "/buttons").await.message.unwrap();
    let press =
        async |button: &str| bot.people.press("bob", id(&shown), &format!("faulty:{button}")).await.unwrap();
    for button in ["fail", "panic"] {
        let answer = press(button).await;
        assert!(answer.ephemeral, "{answer:?}");
        is_a_reference(&answer.content);
    }
    assert_eq!(press("refuse").await.content, "Not on Sundays.");
    let form = press("form").await;
    let filled = Map::from_iter([("word".to_owned(), Value::from("x"))]);
    is_a_reference(&bot.people.submit(&form, filled).await.unwrap().content);
}

#[tokio::test]
async fn where_nobody_waits_for_words_the_log_has_the_number_alone() {
    let bot = production(&[FAULTY]).await;
    assert_eq!(bot.complete("bob", "/typing word:x").await, Vec::<Value>::new());
    bot.people.send("bob", "bot-test", "listen").await.unwrap();
    for part in ["while typing", "while listening"] {
        let line = bot.until(part, async || logged(&[SECRET, part, "reference="]).pop()).await;
        assert!(line.contains("ERROR"), "{line}");
    }
}

/// A plugin whose `on_error` says nothing, or panics.
struct Silent;

impl Plugin for Silent {
    fn options(&self, options: &mut FrameworkOptions) {
        options.on_error = |error| {
            Box::pin(async move {
                let is_worse = error.ctx().is_some_and(|ctx| ctx.command().name == "worse");
                assert!(!is_worse, "{SECRET} @everyone");
            })
        };
    }

    fn commands(&self) -> Vec<Command> {
        vec![silent(), worse()]
    }
}

commands! {
    silent() { Err(error()) }
    worse() { Err(error()) }
}

const SILENT: PluginEntry = plugin("commands-silent", || Box::new(Silent));

#[tokio::test]
async fn what_a_plugins_on_error_leaves_unsaid_has_a_number_and_so_has_its_panic() {
    let bot = production(&[SILENT]).await;
    for command in ["/silent", "/worse"] {
        is_a_reference(&bot.run("bob", command).await.content);
    }
    is_a_reference(text(&bot.say("bob", "!worse").await));
}

#[tokio::test]
async fn in_development_the_words_stay_and_mention_nobody() {
    let bot = Bot::start(&[FAULTY, SILENT]).await;
    let answer = bot.run("alice", "/fails").await;
    assert_eq!(answer.content, error().to_string());
    for command in ["!fails", "!panics", "!worse"] {
        // The bot may mention everyone here, so it is the answer that does not.
        let answer = bot.say("alice", command).await;
        assert!(text(&answer).contains(SECRET) && text(&answer).contains("@everyone"), "{answer}");
        assert_eq!(answer["mention_everyone"], false, "{answer}");
    }
}
