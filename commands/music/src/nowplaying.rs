//! `/nowplaying`: a live card of the current track, with buttons.

use sdk::prelude::*;

use crate::guard::MusicContext;
use crate::state::{MessageRef, change};
use crate::{card, live_messages};

/// Shows what is on, live, with buttons to steer it
#[poise::command(slash_command, guild_only)]
pub(crate) async fn nowplaying(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::of(ctx)?;
    music.current()?;
    let sent = ctx.send(card::now(&music.status).reply()).await?;
    let place = MessageRef::of(&sent.into_message().await?);
    let before = change(ctx.data(), music.guild, |guild| guild.now.replace(place))?;
    live_messages::retire(ctx, before).await;
    Ok(())
}
