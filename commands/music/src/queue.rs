//! `/queue`: shows the waiting tracks in pages, live.

use sdk::prelude::*;

use crate::guard::MusicContext;
use crate::state::{MessageRef, change};
use crate::{live_messages, page};

/// Shows what is on and what waits, live
#[poise::command(slash_command, guild_only)]
pub(crate) async fn queue(
    ctx: Context<'_>,
    #[description = "Page to begin with"]
    #[min = 1]
    page: Option<u32>,
) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    let at = page::within(&music.status, page.map_or(0, |page| page as usize - 1));
    let sent = ctx.send(page::page(&music.status, at).reply()).await?;
    let place = MessageRef::of(&sent.into_message().await?);
    let before = change(ctx.data(), music.guild, |guild| match guild.queue {
        // Its page has been turned already.
        Some((live, _)) if live == place => None,
        _ => guild.queue.replace((place, at)),
    })?;
    live_messages::retire(ctx, before.map(|(place, _)| place)).await;
    Ok(())
}
