//! `/volume`: shows or sets the volume for everyone.

use sdk::prelude::*;
use sdk::voice::VoiceError;

use crate::guard::Desk;
use crate::words;

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
        let volume = Desk::of(ctx)?.status.volume;
        return words::say(ctx, format!("The volume is {volume} %.")).await;
    };
    let desk = Desk::steering(ctx)?;
    if percent > desk.settings.max_volume {
        return Err(VoiceError::TooLoud { max: desk.settings.max_volume }.into());
    }
    desk.player.set_volume(percent).await?;
    words::say(ctx, format!("The volume is {percent} % now.")).await
}
