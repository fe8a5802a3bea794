//! Presses of the buttons under live messages, created by this generation or an earlier one.

use sdk::prelude::*;
use sdk::voice::{Loop, VoiceError};
use serenity::{ComponentInteraction, CreateInteractionResponse, CreateInteractionResponseMessage};

use crate::card::{self, Act};
use crate::guard::MusicContext;
use crate::look::Look;
use crate::state::{MessageRef, change};
use crate::{page, skip, voteskip};

/// Prefix of the custom ids of this plugin's buttons.
pub(crate) const PREFIX: &str = "music:";

/// Turns a page of the queue, or performs the action of a button under the card of the current track.
pub(crate) async fn pressed(ctx: EventContext, press: ComponentInteraction) -> Result<(), Error> {
    let music = MusicContext::pressing(&ctx, &press)?;
    let id = press.data.custom_id.strip_prefix(PREFIX).unwrap_or_default();
    if let Some(page) = page::read(id) {
        return show(&ctx, &press, turn(&music, &press, page)?).await;
    }
    let Some((act, number)) = Act::read(id) else {
        return Err(Refusal::new("This button has no meaning any more; use the command instead.").into());
    };
    if music.current()?.number != number {
        return Err(VoiceError::TrackOver.into());
    }
    if let Some(words) = perform(&music, act, number).await? {
        let nobody = serenity::CreateAllowedMentions::new();
        let message = CreateInteractionResponseMessage::new().content(words).allowed_mentions(nobody);
        press.create_response(&ctx, CreateInteractionResponse::Message(message)).await?;
        return Ok(());
    }
    show(&ctx, &press, card::now(&music.player.status())).await
}

async fn show(ctx: &EventContext, press: &ComponentInteraction, look: Look) -> Result<(), Error> {
    press.create_response(ctx, look.update()).await?;
    Ok(())
}

/// Turns a page of the message, which becomes the live one. Returns the page.
fn turn(music: &MusicContext, press: &ComponentInteraction, page: usize) -> Result<Look, Error> {
    let page = page::within(&music.status, page);
    // The press may come before `/queue` has stored its answer.
    change(&music.data, music.guild, |guild| guild.queue = Some((MessageRef::of(&press.message), page)))?;
    Ok(page::page(&music.status, page))
}

/// Performs the action. Returns the text of an answer, if the card does not show the result.
async fn perform(music: &MusicContext, act: Act, number: u64) -> Result<Option<String>, Error> {
    if act == Act::Skip && skip::may_skip(music).is_err() {
        music.is_listening()?;
        return voteskip::vote(music).await.map(Some);
    }
    if act != Act::Skip {
        music.may_steer()?;
    }
    match act {
        Act::Pause if music.current()?.paused => music.player.resume().await?,
        Act::Pause => music.player.pause().await?,
        Act::Skip => drop(music.player.skip_start(number, 1).await?),
        Act::Loop => music.player.set_loop(after(music.status.repeat)).await?,
        Act::Stop => drop(music.player.stop().await?),
    }
    Ok(None)
}

/// Returns the next loop mode after a press.
fn after(repeat: Loop) -> Loop {
    match repeat {
        Loop::Off => Loop::Track,
        Loop::Track => Loop::Queue,
        Loop::Queue => Loop::Off,
    }
}
