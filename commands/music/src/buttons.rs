//! Presses of the buttons under live messages, made by this generation or any before.

use sdk::prelude::*;
use sdk::voice::{Loop, VoiceError};
use serenity::{ComponentInteraction, CreateInteractionResponse, CreateInteractionResponseMessage};

use crate::card::{self, Act};
use crate::guard::Desk;
use crate::look::Look;
use crate::memory::{Place, change};
use crate::{page, skip, voteskip};

/// Custom ids of this plugin's buttons begin with it.
pub(crate) const PREFIX: &str = "music:";

/// Turns a page of the queue, or does what a button under the card of what is on says.
pub(crate) async fn pressed(ctx: EventContext, press: ComponentInteraction) -> Result<(), Error> {
    let desk = Desk::pressing(&ctx, &press)?;
    let id = press.data.custom_id.strip_prefix(PREFIX).unwrap_or_default();
    if let Some(page) = page::read(id) {
        return show(&ctx, &press, turn(&desk, &press, page)?).await;
    }
    let Some((act, number)) = Act::read(id) else {
        return Err(Refusal::new("This button has no meaning any more; use the command instead.").into());
    };
    if desk.current()?.number != number {
        return Err(VoiceError::TrackOver.into());
    }
    if let Some(words) = perform(&desk, act, number).await? {
        let nobody = serenity::CreateAllowedMentions::new();
        let message = CreateInteractionResponseMessage::new().content(words).allowed_mentions(nobody);
        press.create_response(&ctx, CreateInteractionResponse::Message(message)).await?;
        return Ok(());
    }
    show(&ctx, &press, card::now(&desk.player.status())).await
}

async fn show(ctx: &EventContext, press: &ComponentInteraction, look: Look) -> Result<(), Error> {
    press.create_response(ctx, look.update()).await?;
    Ok(())
}

/// Turns a page of the message, which is the live one from then on.
fn turn(desk: &Desk, press: &ComponentInteraction, page: usize) -> Result<Look, Error> {
    let page = page::within(&desk.status, page);
    // The press may come before `/queue` has noted its answer.
    change(&desk.data, desk.guild, |guild| guild.queue = Some((Place::of(&press.message), page)))?;
    Ok(page::page(&desk.status, page))
}

/// Does it, and gives what to say where the card does not show it.
async fn perform(desk: &Desk, act: Act, number: u64) -> Result<Option<String>, Error> {
    if act == Act::Skip && skip::may_skip(desk).is_err() {
        desk.is_listening()?;
        return voteskip::vote(desk).await.map(Some);
    }
    if act != Act::Skip {
        desk.may_steer()?;
    }
    match act {
        Act::Pause if desk.current()?.paused => desk.player.resume().await?,
        Act::Pause => desk.player.pause().await?,
        Act::Skip => drop(desk.player.skip_start(number, 1).await?),
        Act::Loop => desk.player.set_loop(after(desk.status.repeat)).await?,
        Act::Stop => drop(desk.player.stop().await?),
    }
    Ok(None)
}

/// Gives what the button makes of what repeats.
fn after(repeat: Loop) -> Loop {
    match repeat {
        Loop::Off => Loop::Track,
        Loop::Track => Loop::Queue,
        Loop::Queue => Loop::Off,
    }
}
