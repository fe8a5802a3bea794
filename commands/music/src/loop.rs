//! `/loop`: sets what repeats.

use sdk::prelude::*;
use sdk::voice::Loop;

use crate::guard::Desk;
use crate::words;

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
    let desk = Desk::steering(ctx)?;
    let mode = match mode {
        Mode::Off => Loop::Off,
        Mode::Track => Loop::Track,
        Mode::Queue => Loop::Queue,
    };
    desk.player.set_loop(mode).await?;
    words::say(ctx, format!("From now on {}.", words::repeat(mode))).await
}
