//! `/volume`: shows or sets the volume for everyone.

use sdk::prelude::*;
use sdk::voice::VoiceError;

use crate::display;
use crate::guard::MusicContext;

/// Shows the volume, or sets it for everyone
#[poise::command(slash_command, guild_only)]
pub(crate) async fn volume(
    ctx: Context<'_>,
    #[description = "Per cent; 100 is the volume of the source"]
    #[min = 0]
    #[max = 200]
    percent: Option<u16>,
) -> Result<(), Error> {
    let Some(percent) = percent else {
        let volume = MusicContext::of(ctx)?.status.volume;
        return display::say(ctx, format!("The volume is {volume} %.")).await;
    };
    let music = MusicContext::steering(ctx)?;
    if percent > music.settings.max_volume {
        return Err(VoiceError::TooLoud { max: music.settings.max_volume }.into());
    }
    music.player.set_volume(percent).await?;
    display::say(ctx, format!("The volume is {percent} % now.")).await
}
