//! `/dev restart`: replaces the host process by a new one.

use sdk::prelude::*;

/// Replaces the bot's process by a new one; state and timers stay
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn restart(
    ctx: Context<'_>,
    #[description = "At once, instead of when no command is under way"] now: Option<bool>,
) -> Result<(), Error> {
    let Some(reloader) = crate::reloader(ctx).await? else { return Ok(()) };
    let now = now.unwrap_or_default();
    let words = match reloader.restart(!now) {
        Ok(()) if now => "The bot restarts now.".to_owned(),
        Ok(()) => "The bot restarts as soon as nothing is under way.".to_owned(),
        Err(why) => format!("The bot does not restart: {why}."),
    };
    ctx.say(words).await?;
    Ok(())
}
