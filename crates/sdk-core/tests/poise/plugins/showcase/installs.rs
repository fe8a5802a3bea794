//! Where a command can be used, and how the bot has to be installed for it.

use sdk::prelude::*;

/// For everybody everywhere
#[poise::command(
    slash_command,
    install_context = "Guild|User",
    interaction_context = "Guild|BotDm|PrivateChannel"
)]
pub(super) async fn anywhere(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("Anywhere").await?;
    Ok(())
}

/// For everybody everywhere, in a menu
#[poise::command(
    context_menu_command = "Anywhere",
    install_context = "Guild|User",
    interaction_context = "Guild|BotDm|PrivateChannel"
)]
pub(super) async fn anywhere_menu(ctx: Context<'_>, message: serenity::Message) -> Result<(), Error> {
    message.reply(ctx, "Anywhere, from a menu").await?;
    ctx.say("Replied").await?;
    Ok(())
}

/// For users who have installed it
#[poise::command(slash_command, install_context = "User", interaction_context = "Guild|BotDm|PrivateChannel")]
pub(super) async fn own(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("Your own").await?;
    Ok(())
}

/// Not in servers
#[poise::command(slash_command, install_context = "User", interaction_context = "BotDm|PrivateChannel")]
pub(super) async fn private(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("In private").await?;
    Ok(())
}

/// For users who have installed it, in servers
#[poise::command(slash_command, install_context = "User", interaction_context = "Guild")]
pub(super) async fn own_in_servers(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("Your own, in servers").await?;
    Ok(())
}
