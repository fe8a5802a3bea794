//! What poise checks before a command runs.

use sdk::prelude::*;

#[poise::command(prefix_command, owners_only, hide_in_help)]
pub(super) async fn switch_off(ctx: Context<'_>) -> Result<(), Error> {
    ctx.framework().shard_manager().shutdown_all().await;
    Ok(())
}

/// For those who keep order
#[poise::command(prefix_command, slash_command, required_permissions = "MANAGE_MESSAGES | MANAGE_THREADS")]
pub(super) async fn moderators(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("You keep order").await?;
    Ok(())
}

/// Removes a message
#[poise::command(prefix_command, slash_command, required_bot_permissions = "MANAGE_MESSAGES")]
pub(super) async fn remove_message(
    ctx: Context<'_>,
    #[description = "Link or id"] message: serenity::Message,
) -> Result<(), Error> {
    message.delete(ctx).await?;
    ctx.say("Gone").await?;
    Ok(())
}

async fn is_crab(ctx: Context<'_>) -> Result<bool, Error> {
    let nick = match ctx.guild_id() {
        Some(guild) => ctx.author().nick_in(ctx, guild).await,
        None => None,
    };
    Ok(nick.as_ref().unwrap_or(&ctx.author().name).eq_ignore_ascii_case("ferris"))
}

async fn counts(ctx: Context<'_>) -> Result<bool, Error> {
    let checks: u32 = ctx.data().store().get("checks")?.unwrap_or_default();
    ctx.data().store().put("checks", &(checks + 1))?;
    Ok(true)
}

/// For crabs
#[poise::command(prefix_command, slash_command, check = "is_crab", check = "counts")]
pub(super) async fn crabs(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("🦀").await?;
    Ok(())
}

/// Now and then
#[poise::command(
    prefix_command,
    slash_command,
    track_edits,
    global_cooldown = 1,
    user_cooldown = 600,
    guild_cooldown = 2,
    channel_cooldown = 2,
    member_cooldown = 3
)]
pub(super) async fn seldom(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("Not for a while now").await?;
    Ok(())
}

/// Tells the server's name
#[poise::command(prefix_command, slash_command, guild_only)]
pub(super) async fn server_name(ctx: Context<'_>) -> Result<(), Error> {
    let guild = ctx.partial_guild().await.ok_or("there is no server")?;
    ctx.say(guild.name).await?;
    Ok(())
}

/// Works in direct messages
#[poise::command(prefix_command, slash_command, dm_only)]
pub(super) async fn letter(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("Between you and me").await?;
    Ok(())
}

/// Works in age-restricted channels
#[poise::command(prefix_command, slash_command, nsfw_only)]
pub(super) async fn grown_up(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("Taxes").await?;
    Ok(())
}

/// For administrators
#[poise::command(slash_command, default_member_permissions = "ADMINISTRATOR")]
pub(super) async fn administrators(ctx: Context<'_>) -> Result<(), Error> {
    ctx.say("At your service").await?;
    Ok(())
}

/// Has commands below it, which inherit its check
#[poise::command(prefix_command, slash_command, subcommands("middle"), check = "counts")]
pub(super) async fn outer(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Has a command below it
#[poise::command(prefix_command, slash_command, subcommands("deepest"), check = "counts")]
async fn middle(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Tells how it was called, and how many checks there were
#[poise::command(prefix_command, slash_command, check = "counts")]
async fn deepest(ctx: Context<'_>, flag: bool, text: String, number: u32) -> Result<(), Error> {
    let _ = (flag, text, number);
    let checks: u32 = ctx.data().store().get("checks")?.unwrap_or_default();
    ctx.data().store().remove("checks");
    ctx.say(format!("{checks} checks: {}", ctx.invocation_string())).await?;
    Ok(())
}
