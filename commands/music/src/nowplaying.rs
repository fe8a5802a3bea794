//! `/nowplaying`: a live card of the current track, with buttons.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::memory::{Place, change};
use crate::{card, live};

/// Shows what is on, live, with buttons to steer it
#[poise::command(slash_command, guild_only)]
pub(crate) async fn nowplaying(ctx: Context<'_>) -> Result<(), Error> {
    let desk = Desk::of(ctx)?;
    desk.current()?;
    let sent = ctx.send(card::now(&desk.status).reply()).await?;
    let place = Place::of(&sent.into_message().await?);
    let before = change(ctx.data(), desk.guild, |guild| guild.now.replace(place))?;
    live::retire(ctx, before).await;
    Ok(())
}
