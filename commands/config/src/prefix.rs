//! `/config prefix`: the prefix of text commands.

use sdk::prelude::*;

use crate::{admin, display, say};

/// Changes the prefix of text commands in this server
#[poise::command(slash_command, guild_only, ephemeral)]
pub(crate) async fn prefix(
    ctx: Context<'_>,
    #[description = "1 to 10 characters without spaces; the bot's prefix, if left out"] prefix: Option<
        String,
    >,
) -> Result<(), Error> {
    let admin = admin(ctx)?;
    ctx.defer_ephemeral().await?;
    admin.set_prefix(prefix.as_deref()).await?;
    let words = match admin.prefix() {
        (Some(own), _) => format!("Text commands begin with {} in this server now.", display::code(&own)),
        (None, Some(bot)) => format!("Text commands begin with {} in this server.", display::code(&bot)),
        (None, None) => "Text commands are turned off for this bot.".to_owned(),
    };
    say(ctx, words).await
}
