//! `/loop`: sets what repeats.

use sdk::prelude::*;
use sdk::voice::Loop;

use crate::display;
use crate::guard::MusicContext;

/// What can repeat.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub(crate) enum Mode {
    #[name = "off"]
    Off,
    #[name = "track"]
    Track,
    #[name = "queue"]
    Queue,
}

/// Repeats the track or the queue, or nothing
#[poise::command(slash_command, guild_only, rename = "loop")]
pub(crate) async fn repeat(
    ctx: Context<'_>,
    #[description = "What repeats"] mode: Mode,
) -> Result<(), Error> {
    let music = MusicContext::steering(ctx)?;
    let mode = match mode {
        Mode::Off => Loop::Off,
        Mode::Track => Loop::Track,
        Mode::Queue => Loop::Queue,
    };
    music.player.set_loop(mode).await?;
    display::say(ctx, format!("From now on {}.", display::repeat(mode))).await
}
