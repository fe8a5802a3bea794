//! Messages with components that serenity does not know, sent by a plugin.

use sandbox::answer::Answer;
use sdk::components::twilight_model::channel::message::Component;
use sdk::components::twilight_util::builder::message as make;
use sdk::components::{
    ComponentContext as _, ComponentInteractions as _, ComponentMessage, ComponentMessages as _,
};
use sdk::prelude::*;
use sdk::serenity::all::{ComponentInteraction, CreateAttachment};
use serde_json::{Value, json};

use crate::rig::{Bot, id, plugin};

/// A plugin that sends every kind of component.
struct Sender;

impl Plugin for Sender {
    fn commands(&self) -> Vec<Command> {
        vec![every(), later(), wrong(), both(), channel()]
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        on.component("page:", turn);
    }
}

fn every_kind() -> ComponentMessage {
    let section = json!({
        "type": 9,
        "components": [{ "type": 10, "content": "next to a picture" }],
        "accessory": { "type": 11, "media": { "url": "https://example.com/a.png" } },
    });
    let select = |kind: u8| {
        let mut select = json!({ "type": kind, "custom_id": format!("page:{kind}") });
        if kind == 3 {
            select["options"] = json!([{ "label": "One", "value": "1" }]);
        }
        json!({ "type": 1, "components": [select] })
    };
    let buttons = json!({ "type": 1, "components": [
        { "type": 2, "style": 1, "label": "Next", "custom_id": "page:next" },
        { "type": 2, "style": 5, "label": "Docs", "url": "https://example.com" },
    ] });
    let text: Component = make::TextDisplayBuilder::new("# Title").build().into();
    let mut message = ComponentMessage::new()
        .component(text)
        .component(json!({ "type": 17, "accent_color": 0x0058_65f2, "components": [section] }))
        .component(json!({ "type": 12, "items": [{ "media": { "url": "https://example.com/b.png" } }] }))
        .component(json!({ "type": 14, "divider": true, "spacing": 2 }))
        .component(json!({ "type": 13, "file": { "url": "attachment://notes.txt" } }))
        .file(CreateAttachment::bytes("some notes", "notes.txt"))
        .component(buttons);
    for kind in [3, 5, 6, 7, 8] {
        message = message.component(select(kind));
    }
    message
}

/// Sends every kind of component
#[poise::command(slash_command, prefix_command)]
async fn every(ctx: Context<'_>) -> Result<(), Error> {
    let sent = ctx.send_components(every_kind()).await?;
    assert_eq!(sent.message().await?.author.id, ctx.serenity_context().cache.current_user().id);
    Ok(())
}

/// Answers after deferring, twice, and edits
#[poise::command(slash_command)]
async fn later(ctx: Context<'_>) -> Result<(), Error> {
    ctx.defer().await?;
    let first = ctx.send_components(ComponentMessage::new().text("first")).await?;
    ctx.send_components(ComponentMessage::new().text("second").ephemeral(true)).await?;
    first.edit(ComponentMessage::new().text("edited")).await?;
    Ok(())
}

/// Is refused before anything is sent, so that the error is the answer
#[poise::command(slash_command)]
async fn wrong(ctx: Context<'_>) -> Result<(), Error> {
    ctx.send_components(ComponentMessage::new().text("a").content("b")).await?;
    Ok(())
}

/// Sends a poll and a message with poise's own means
#[poise::command(slash_command)]
async fn both(ctx: Context<'_>) -> Result<(), Error> {
    let poll = json!({
        "question": { "text": "Tea?" },
        "answers": [{ "poll_media": { "text": "Yes" } }, { "poll_media": { "text": "No" } }],
        "duration": 1,
    });
    ctx.send_components(ComponentMessage::new().poll(poll)).await?;
    ctx.say("a followup").await?;
    Ok(())
}

/// Sends to the channel: a voice message, and a forward of it
#[poise::command(slash_command)]
async fn channel(ctx: Context<'_>) -> Result<(), Error> {
    let (http, channel) = (ctx.http(), ctx.channel_id());
    let recording = CreateAttachment::bytes("OggS", "voice-message.ogg");
    let voice = ComponentMessage::new().voice(recording, 1.5, &[0, 128, 255]);
    let voice = channel.send_components(http, voice).await?;
    channel.send_components(http, ComponentMessage::new().forward(channel, voice.id)).await?;
    let text = channel.send_components(http, ComponentMessage::new().text("old")).await?;
    channel.edit_components(http, text.id, ComponentMessage::new().text("new")).await?;
    ctx.send_components(ComponentMessage::new().text("sent").ephemeral(true)).await?;
    Ok(())
}

async fn turn(ctx: EventContext, press: ComponentInteraction) -> Result<(), Error> {
    let words = format!("turned by {}", press.data.custom_id);
    if press.data.custom_id == "page:next" {
        press.update_components(&ctx.http, ComponentMessage::new().text(words)).await?;
        press.follow_up_components(&ctx.http, ComponentMessage::new().text("more").ephemeral(true)).await?;
    } else {
        press.send_components(&ctx.http, ComponentMessage::new().text(words).ephemeral(true)).await?;
    }
    Ok(())
}

async fn bot() -> Bot {
    Bot::start(&[plugin("sender", || Box::new(Sender))]).await
}

fn kinds(components: &[Value]) -> Vec<u64> {
    components.iter().map(|component| component["type"].as_u64().unwrap()).collect()
}

fn only_text(answer: &Answer) -> &str {
    assert!(answer.is_ok(), "{answer:?}");
    answer.components[0]["content"].as_str().unwrap()
}

#[sdk::tokio::test]
async fn a_command_sends_every_kind_and_its_components_work() {
    let bot = bot().await;
    let answer = bot.run("alice", "/every").await;
    assert!(answer.is_ok() && answer.callbacks == 1, "{answer:?}");
    assert_eq!(kinds(&answer.components), [10, 17, 12, 14, 13, 1, 1, 1, 1, 1, 1]);
    let message = answer.message.unwrap();
    assert_eq!(message["flags"].as_u64().unwrap() & 1 << 15, 1 << 15);
    let chosen = bot.people.choose("bob", id(&message), "page:3", &["1"]).await.unwrap();
    assert_eq!(only_text(&chosen), "turned by page:3");
    assert!(chosen.ephemeral);
    let pressed = bot.people.press("bob", id(&message), "page:next").await.unwrap();
    assert_eq!((only_text(&pressed), pressed.callbacks), ("turned by page:next", 1));

    let said = bot.say("alice", "!every").await;
    assert_eq!(kinds(said["components"].as_array().unwrap())[..2], [10, 17]);
}

#[sdk::tokio::test]
async fn the_answer_of_a_command_stays_true_with_poise() {
    let bot = bot().await;
    let answer = bot.run("alice", "/later").await;
    assert!(answer.deferred, "{answer:?}");
    let edited = async || {
        let answer = bot.people.interaction(answer.interaction).await.unwrap();
        (only_text(&answer) == "edited").then_some(answer)
    };
    let answer = bot.until("the deferred answer is edited", edited).await;
    assert_eq!((answer.callbacks, answer.followups.len()), (1, 1));
    assert_eq!(answer.followups[0]["components"][0]["content"], "second");

    let answer = bot.run("alice", "/wrong").await;
    assert!(answer.is_ok() && answer.ephemeral && answer.callbacks == 1, "{answer:?}");

    let answer = bot.run("alice", "/both").await;
    assert_eq!(answer.message.as_ref().unwrap()["poll"]["question"]["text"], "Tea?", "{answer:?}");
    let followed = async || {
        let answer = bot.people.interaction(answer.interaction).await.unwrap();
        (!answer.followups.is_empty()).then_some(answer)
    };
    let answer = bot.until("the poll is followed by a message", followed).await;
    assert_eq!((&answer.followups[0]["content"], answer.callbacks), (&json!("a followup"), 1));
}

#[sdk::tokio::test]
async fn a_channel_gets_voice_messages_forwards_and_edits() {
    let bot = bot().await;
    let answer = bot.run("alice", "/channel").await;
    assert_eq!(only_text(&answer), "sent");
    let messages = bot.people.messages("alice", "bot-test", 50).await.unwrap();
    let voice = messages.iter().find(|message| message["attachments"][0]["waveform"].is_string()).unwrap();
    assert_eq!(voice["attachments"][0]["waveform"], "AID/");
    let is_forward = |message: &&Value| message["message_reference"]["type"] == 1;
    let forward = messages.iter().find(is_forward).unwrap();
    assert_eq!(forward["message_reference"]["message_id"], voice["id"]);
    assert!(messages.iter().any(|message| message["components"][0]["content"] == "new"));
}
