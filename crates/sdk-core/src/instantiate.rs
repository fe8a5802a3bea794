//! Generic code that plugins commonly use, instantiated here once.
//!
//! If an upstream crate has already instantiated a generic function (at low optimisation), rustc uses that instance. So
//! no plugin has to compile the code below again with each reload. Measured with `./dev-env.sh bench`.

#![expect(dead_code, reason = "compiled for its instantiations, never called")]

use std::time::Duration;

use poise::CreateReply;
use serenity::all::{
    Attachment, AutocompleteChoice, ChannelId, ComponentInteraction, CreateActionRow, CreateAllowedMentions,
    CreateAutocompleteResponse, CreateButton, CreateEmbed, CreateEmbedAuthor, CreateEmbedFooter,
    CreateInteractionResponse, CreateInteractionResponseMessage, CreateMessage, EditInteractionResponse,
    EditMessage, FullEvent, GuildChannel, GuildId, Mentionable as _, MessageId, Role, User, UserId,
};

use crate::scheduler::Timer;
use crate::server::ServerSetting;
use crate::{Context, Error, EventContext};

/// Answers of the kinds that commands send.
async fn answers(ctx: Context<'_>, guild: GuildId, user: User, channel: ChannelId) -> Result<(), Error> {
    ctx.say("").await?;
    ctx.say(String::new()).await?.edit(ctx, CreateReply::default().content(String::new())).await?;
    let reply = CreateReply::default().embed(embed("")).content("").ephemeral(true);
    ctx.send(reply.components(buttons())).await?.into_message().await?;
    ctx.defer().await?;
    ctx.defer_ephemeral().await?;
    channel.say(ctx, String::new()).await?;
    channel.send_message(ctx, message()).await?;
    let _ = guild.member(ctx, user.id).await?;
    let _ = (user.mention().to_string(), UserId::new(1).mention().to_string());
    ctx.data().schedule("", "", Duration::ZERO, &(channel, MessageId::new(1))).await?;
    Ok(())
}

/// Reads of settings of all kinds.
async fn settings(server: crate::server::Server) -> Result<(), Error> {
    let _ = server.get(ServerSetting::boolean("", "", false)).await?;
    let _ = server.get(ServerSetting::integer("", "", 0..=0, 0)).await?;
    let _ = server.get(ServerSetting::text("", "", 0, "")).await?;
    let _ = server.get(ServerSetting::choice("", "", &[], "")).await?;
    let _ = server.get(ServerSetting::channel("", "")).await?;
    let _ = server.get(ServerSetting::role("", "")).await?;
    let _ = server.get(ServerSetting::user("", "")).await?;
    let _ =
        server.get(ServerSetting::duration("", "", Duration::ZERO..=Duration::ZERO, Duration::ZERO)).await?;
    Ok(())
}

/// Requests of the kinds that handlers of events, components and timers send.
async fn events(ctx: EventContext, press: ComponentInteraction, timer: Timer) -> Result<(), Error> {
    let (channel, message_id): (ChannelId, MessageId) = timer.payload()?;
    channel.say(&ctx, "").await?;
    channel.say(&ctx, String::new()).await?;
    channel.send_message(&ctx, message()).await?;
    channel.edit_message(&ctx, message_id, EditMessage::new().embed(embed("")).components(buttons())).await?;
    let answer = CreateInteractionResponseMessage::new().content("").content(String::new()).ephemeral(true);
    let answer = answer.embed(embed("")).components(buttons());
    press.create_response(&ctx, CreateInteractionResponse::Message(answer)).await?;
    let edit = EditInteractionResponse::new().content("").content(String::new());
    press.edit_response(&ctx, edit.embed(embed("")).components(buttons())).await?;
    Ok(())
}

fn embed(text: &str) -> CreateEmbed {
    CreateEmbed::new()
        .title(text)
        .title(String::new())
        .description(text)
        .description(String::new())
        .field(text, text, true)
        .field(text, String::new(), true)
        .field(String::new(), String::new(), true)
        .color(0_u32)
        .thumbnail(String::new())
        .thumbnail(text)
        .url(text)
        .author(CreateEmbedAuthor::new(text))
        .footer(CreateEmbedFooter::new(String::new()))
}

fn message() -> CreateMessage {
    let mentions = CreateAllowedMentions::new().users([UserId::new(1)]);
    CreateMessage::new()
        .embed(embed(""))
        .embeds(vec![embed("")])
        .content(String::new())
        .allowed_mentions(mentions)
}

fn buttons() -> Vec<CreateActionRow> {
    let button = CreateButton::new(String::new()).label("").label(String::new());
    vec![CreateActionRow::Buttons(vec![button])]
}

/// A command with the usual kinds of options, whose arguments poise takes apart
#[poise::command(slash_command)]
#[allow(clippy::too_many_arguments)] // One of each kind.
async fn options(
    ctx: Context<'_>,
    text: String,
    user: User,
    number: u32,
    #[autocomplete = "complete"] maybe_text: Option<String>,
    maybe_user: Option<User>,
    maybe_number: Option<u32>,
    maybe_bool: Option<bool>,
    maybe_channel: Option<GuildChannel>,
    maybe_role: Option<Role>,
    maybe_file: Option<Attachment>,
) -> Result<(), Error> {
    let _ = (ctx, text, user, number, maybe_text, maybe_user, maybe_number);
    let _ = (maybe_bool, maybe_channel, maybe_role, maybe_file);
    Ok(())
}

/// A command of a user's menu
#[poise::command(context_menu_command = "user")]
async fn user(_ctx: Context<'_>, _user: User) -> Result<(), Error> {
    Ok(())
}

async fn complete(_ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let choices: Vec<_> = [partial].into_iter().map(|name| AutocompleteChoice::new(name, name)).collect();
    CreateAutocompleteResponse::new().set_choices(choices)
}

fn lists() -> (Vec<crate::Command>, Vec<String>) {
    let _ = FullEvent::clone;
    (vec![options(), user()], vec![String::new()])
}
