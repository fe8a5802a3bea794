//! Ways to answer: buttons, modals, pages, replies, edits, panics; and commands below commands.

use std::time::Duration;

use sdk::poise::{CreateReply, Modal as _};
use sdk::prelude::*;

/// Lists servers
#[poise::command(prefix_command, slash_command)]
pub(super) async fn servers(ctx: Context<'_>) -> Result<(), Error> {
    poise::builtins::servers(ctx).await?;
    Ok(())
}

/// Counts presses
#[poise::command(prefix_command, slash_command, track_edits)]
pub(super) async fn boops(ctx: Context<'_>) -> Result<(), Error> {
    let id = ctx.id().to_string();
    let button = serenity::CreateButton::new(&id).label("Boop");
    let row = serenity::CreateActionRow::Buttons(vec![button]);
    ctx.send(CreateReply::default().content("No boop yet").components(vec![row])).await?;
    let mut count = 0;
    while count < 2 {
        let wanted = id.clone();
        let press = serenity::ComponentInteractionCollector::new(ctx)
            .author_id(ctx.author().id)
            .channel_id(ctx.channel_id())
            .timeout(Duration::from_mins(2))
            .filter(move |press| press.data.custom_id == wanted);
        let Some(press) = press.await else { break };
        count += 1;
        let edit = serenity::EditMessage::new().content(format!("Boops: {count}"));
        press.message.clone().edit(ctx, edit).await?;
        press.create_response(ctx, serenity::CreateInteractionResponse::Acknowledge).await?;
    }
    Ok(())
}

#[derive(poise::ChoiceParameter)]
enum Salute {
    #[name = "Good to have you here"]
    #[name_localized("de", "Schön, dass du da bist")]
    #[name_localized("es-ES", "Qué bien que estés aquí")]
    Here,
    #[name = "Coffee?"]
    #[name_localized("de", "Kaffee?")]
    Coffee,
}

/// Salutes somebody
#[poise::command(
    slash_command,
    name_localized("de", "empfange"),
    name_localized("es-ES", "recibir"),
    description_localized("de", "Empfängt jemanden"),
    description_localized("es-ES", "Recibe a alguien")
)]
pub(super) async fn salute(
    ctx: Context<'_>,
    #[name_localized("de", "wen")]
    #[description_localized("de", "Wer empfangen wird")]
    #[description = "Whom"]
    user: serenity::User,
    #[name_localized("de", "womit")]
    #[description_localized("de", "Was gesagt wird")]
    #[description = "With what"]
    words: Salute,
) -> Result<(), Error> {
    use sdk::poise::ChoiceParameter as _;
    let text = words.localized_name(ctx.locale().unwrap_or("")).unwrap_or_else(|| words.name());
    ctx.say(format!("{}: {text}", user.name)).await?;
    Ok(())
}

#[derive(poise::Modal)]
#[name = "A form"]
struct Form {
    first: String,
    #[paragraph]
    second: Option<String>,
}

/// Opens a form
#[poise::command(slash_command)]
pub(super) async fn form(ctx: sdk::poise::ApplicationContext<'_, Data, Error>) -> Result<(), Error> {
    let form = Form::execute(ctx).await?.ok_or("nobody has filled it in")?;
    ctx.say(format!("{} / {:?}", form.first, form.second)).await?;
    Ok(())
}

/// Opens a form from a button
#[poise::command(prefix_command, slash_command)]
pub(super) async fn button_form(ctx: Context<'_>) -> Result<(), Error> {
    let id = format!("form{}", ctx.id());
    let button = serenity::CreateButton::new(&id).label("Open");
    let row = serenity::CreateActionRow::Buttons(vec![button]);
    ctx.send(CreateReply::default().content("A form").components(vec![row])).await?;
    let press = serenity::ComponentInteractionCollector::new(ctx)
        .timeout(Duration::from_mins(2))
        .filter(move |press| press.data.custom_id == id);
    let Some(press) = press.await else { return Ok(()) };
    let serenity = ctx.serenity_context();
    let form = poise::execute_modal_on_component_interaction::<Form>(serenity, press, None, None).await?;
    let form = form.ok_or("nobody has filled it in")?;
    ctx.say(format!("{} / {:?}", form.first, form.second)).await?;
    Ok(())
}

/// Has pages
#[poise::command(prefix_command, slash_command)]
pub(super) async fn pages(ctx: Context<'_>) -> Result<(), Error> {
    poise::builtins::paginate(ctx, &["one", "two", "three"]).await?;
    Ok(())
}

/// Panics when it divides by zero
#[poise::command(prefix_command, slash_command)]
pub(super) async fn divide(ctx: Context<'_>, a: i32, b: i32) -> Result<(), Error> {
    ctx.say((a / b).to_string()).await?;
    Ok(())
}

/// Replies to the message
#[poise::command(prefix_command, slash_command)]
pub(super) async fn answer_me(ctx: Context<'_>) -> Result<(), Error> {
    ctx.reply(format!("Yes, {}?", ctx.author().name)).await?;
    Ok(())
}

/// Has two commands below it
#[poise::command(prefix_command, slash_command, subcommands("son", "daughter"))]
pub(super) async fn family(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("The parents").await?;
    Ok(())
}

/// Has two commands below it and does nothing itself
#[poise::command(prefix_command, slash_command, subcommands("son", "daughter"), subcommand_required)]
pub(super) async fn strict_family(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// The son
#[poise::command(prefix_command, slash_command)]
async fn son(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("The son").await?;
    Ok(())
}

/// The daughter
#[poise::command(prefix_command, slash_command)]
async fn daughter(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("The daughter").await?;
    Ok(())
}

/// Answers twice in one message
#[poise::command(prefix_command, slash_command, reuse_response)]
pub(super) async fn twice(ctx: Context<'_>) -> Result<(), Error> {
    let embed = serenity::CreateEmbed::new().description("embed 1");
    let button = serenity::CreateButton::new("1").label("button 1");
    let row = serenity::CreateActionRow::Buttons(vec![button]);
    ctx.send(CreateReply::default().content("first").embed(embed).components(vec![row])).await?;
    let embed = serenity::CreateEmbed::new().description("embed 2");
    ctx.send(CreateReply::default().content("second").embed(embed)).await?;
    Ok(())
}

/// Adds two numbers, and once more when the message is edited
#[poise::command(prefix_command, slash_command, track_edits)]
pub(super) async fn add(
    ctx: Context<'_>,
    #[description = "A number"] a: f64,
    #[description = "Another one"] b: f32,
) -> Result<(), Error> {
    ctx.say(format!("= {}", a + f64::from(b))).await?;
    Ok(())
}

/// Tells of the last message that was no command, and of the last wrong argument
#[poise::command(prefix_command, slash_command)]
pub(super) async fn heard(ctx: Context<'_>) -> Result<(), Error> {
    let heard: Option<String> = ctx.data().store().get("heard")?;
    let wrong: Option<bool> = ctx.data().store().get("wrong")?;
    ctx.say(format!("{heard:?}, {wrong:?}")).await?;
    Ok(())
}
