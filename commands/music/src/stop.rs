//! `/stop`: stops the music and empties the queue.

use sdk::prelude::*;
use sdk::text;

use crate::display;
use crate::guard::MusicContext;

/// Ends the music and empties the queue; the bot stays in the channel
#[poise::command(slash_command, guild_only)]
pub(crate) async fn stop(ctx: Context<'_>) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    let waited = match music.player.stop().await? {
        0 => String::new(),
        waited => format!("; {} that waited will not be played", text::count(waited, "track")),
    };
    display::say(ctx, format!("Stopped{waited}.")).await
}
