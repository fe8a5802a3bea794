//! Edits and deletions of messages that were text commands.

use sdk::PluginEntry;
use sdk::prelude::*;

use crate::rig::{Bot, id, plugin};

/// A plugin with a command that follows edits, one that follows deletions alone, and one that does neither.
struct Sums;

impl Plugin for Sums {
    fn commands(&self) -> Vec<Command> {
        vec![add(), forgetful(), once()]
    }
}

/// Whose code it is, by generation.
fn words(ctx: Context<'_>, result: u32) -> String {
    format!("{result}, says generation {}", ctx.data().generation())
}

#[poise::command(prefix_command, track_edits)]
async fn add(ctx: Context<'_>, a: u32, b: u32) -> Result<(), Error> {
    ctx.say(words(ctx, a + b)).await?;
    Ok(())
}

#[poise::command(prefix_command, invoke_on_edit, reuse_response)]
async fn forgetful(ctx: Context<'_>, a: u32) -> Result<(), Error> {
    ctx.say(words(ctx, a)).await?;
    Ok(())
}

#[poise::command(prefix_command)]
async fn once(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say(words(ctx, 1)).await?;
    Ok(())
}

/// Another plugin with a command that follows edits.
struct Products;

impl Plugin for Products {
    fn commands(&self) -> Vec<Command> {
        vec![times()]
    }
}

#[poise::command(prefix_command, track_edits)]
async fn times(ctx: Context<'_>, a: u32, b: u32) -> Result<(), Error> {
    ctx.say(words(ctx, a * b)).await?;
    Ok(())
}

/// A plugin that takes no notice of edits that make a message a command.
struct Strict;

impl Plugin for Strict {
    fn options(&self, options: &mut FrameworkOptions) {
        options.prefix_options.execute_untracked_edits = false;
    }

    fn commands(&self) -> Vec<Command> {
        vec![strict()]
    }
}

#[poise::command(prefix_command, track_edits)]
async fn strict(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("strict").await?;
    Ok(())
}

const SUMS: PluginEntry = plugin("commands-sums", || Box::new(Sums));
const PRODUCTS: PluginEntry = plugin("commands-products", || Box::new(Products));
const STRICT: PluginEntry = plugin("commands-strict", || Box::new(Strict));

#[tokio::test]
async fn an_edited_command_edits_its_answer() {
    let bot = Bot::start_deaf(&[SUMS]).await;
    let (sent, answers) = bot.handle("bob", "!add 1 2").await;
    assert_eq!(answers, ["3, says generation 1"]);
    assert_eq!(bot.handle_edit("bob", &sent, "!add 1 3").await, ["4, says generation 1"]);
    assert_eq!(bot.handle_edit("bob", &sent, "!add 1 3").await, ["4, says generation 1"]);
    assert_eq!(bot.handle_edit("bob", &sent, "!add 2 3").await, ["5, says generation 1"]);
    assert!(bot.handle_deletion("bob", &sent).await.is_empty(), "track_edits has the answer deleted");
}

#[tokio::test]
async fn an_edit_after_a_reload_goes_to_the_new_code_and_edits_the_old_answer() {
    let bot = Bot::start_deaf(&[SUMS]).await;
    let (sent, answers) = bot.handle("bob", "!add 1 2").await;
    assert_eq!(answers, ["3, says generation 1"]);
    bot.swap(&[SUMS]).await;
    assert_eq!(bot.handle_edit("bob", &sent, "!add 1 3").await, ["4, says generation 2"]);
    bot.swap(&[SUMS]).await;
    assert!(bot.handle_deletion("bob", &sent).await.is_empty());
}

#[tokio::test]
async fn commands_say_what_they_follow() {
    let bot = Bot::start_deaf(&[SUMS]).await;
    let (sent, _) = bot.handle("bob", "!once").await;
    assert_eq!(bot.handle_edit("bob", &sent, "!once more").await.len(), 1, "it is not run again");
    assert_eq!(bot.handle_deletion("bob", &sent).await.len(), 1);
    let (sent, _) = bot.handle("bob", "!forgetful 1").await;
    assert_eq!(bot.handle_edit("bob", &sent, "!forgetful 2").await, ["2, says generation 1"]);
    assert_eq!(bot.handle_deletion("bob", &sent).await.len(), 1);
}

#[tokio::test]
async fn an_edit_may_make_a_message_the_command_of_another_plugin_or_of_none() {
    let bot = Bot::start_deaf(&[SUMS, PRODUCTS]).await;
    let (sent, _) = bot.handle("bob", "!add 3 4").await;
    assert_eq!(bot.handle_edit("bob", &sent, "!times 3 4").await, ["12, says generation 1"]);
    assert_eq!(bot.handle_edit("bob", &sent, "nothing").await, ["12, says generation 1"]);
    assert_eq!(bot.handle_edit("bob", &sent, "!add 3 5").await, ["8, says generation 1"]);
}

#[tokio::test]
async fn a_slip_of_the_pen_is_put_right_by_an_edit_where_the_plugin_allows_it() {
    let bot = Bot::start_deaf(&[SUMS, STRICT]).await;
    let (sent, answers) = bot.handle("bob", "!ad 1 2").await;
    assert!(answers.is_empty());
    assert_eq!(bot.handle_edit("bob", &sent, "!add 1 2").await, ["3, says generation 1"]);
    assert_eq!(bot.handle_edit("bob", &sent, "!add 2 2").await, ["4, says generation 1"]);
    let (sent, _) = bot.handle("bob", "!strictly").await;
    assert!(bot.handle_edit("bob", &sent, "!strict").await.is_empty());
}

#[tokio::test]
async fn edits_and_deletions_come_from_the_gateway_with_the_intents_of_text_commands() {
    let bot = Bot::start(&[SUMS]).await;
    let sent = bot.people.send("bob", "bot-test", "!add 1 2").await.unwrap();
    let answer = bot.after("bob", "bot-test", &sent).await;
    bot.people.edit("bob", id(&sent), "!add 20 2").await.unwrap();
    bot.message(&answer, |message| message["content"] == "22, says generation 1").await;
    bot.people.delete("bob", id(&sent)).await.unwrap();
    bot.until("the answer is deleted", async || {
        let messages = bot.people.messages("bob", "bot-test", 50).await.unwrap();
        messages.iter().all(|message| message["id"] != answer["id"]).then_some(())
    })
    .await;
}
