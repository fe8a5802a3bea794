//! `/queue`: shows the waiting tracks in pages, live.

use sdk::prelude::*;

use crate::guard::Desk;
use crate::memory::{Place, change};
use crate::{live, page};

/// Shows what is on and what waits, live
#[poise::command(slash_command, guild_only)]
pub(crate) async fn queue(
    ctx: Context<'_>,
    #[description = "Page to begin with"]
    #[min = 1]
    page: Option<u32>,
) -> Result<(), Error> {
    let desk = Desk::of(ctx)?;
    let at = page::within(&desk.status, page.map_or(0, |page| page as usize - 1));
    let sent = ctx.send(page::page(&desk.status, at).reply()).await?;
    let place = Place::of(&sent.into_message().await?);
    let before = change(ctx.data(), desk.guild, |guild| match guild.queue {
        // Its page has been turned already.
        Some((live, _)) if live == place => None,
        _ => guild.queue.replace((place, at)),
    })?;
    live::retire(ctx, before.map(|(place, _)| place)).await;
    Ok(())
}
