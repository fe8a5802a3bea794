//! `/poll`: a question with buttons, counted live.
//!
//! The votes are in the plugin's state and its end is a timer of the host, so a poll outlives every reload and restart:
//! any later generation can count, show and close it.

use std::time::Duration;

use sdk::prelude::*;
use sdk::services::{MODLOG, ModLog};
use sdk::tracing;
use serenity::{
    ChannelId, ComponentInteraction, CreateInteractionResponse, CreateInteractionResponseMessage,
    EditInteractionResponse, EditMessage, HttpError, Mentionable as _, MessageId, Permissions, Timestamp,
};

mod ballot;
mod polls;

use ballot::{Ballot, Button, OVER};
pub(crate) use polls::Polls;

/// How long a closed poll is kept, to answer users who press its buttons.
const REMEMBERED: Duration = Duration::from_hours(1);

/// Asks a question and counts the answers
///
/// One person has at most 5 open polls, and a server at most 25. A poll counts at most 10,000 votes.
#[poise::command(slash_command, guild_only)]
#[allow(clippy::too_many_arguments)] // Discord has no option that takes a list.
pub(crate) async fn poll(
    ctx: Context<'_>,
    #[description = "What you want to know"]
    #[max_length = 250]
    question: String,
    #[description = "First answer to choose from"]
    #[max_length = 80]
    option1: String,
    #[description = "Second answer"]
    #[max_length = 80]
    option2: String,
    #[description = "Third answer"]
    #[max_length = 80]
    option3: Option<String>,
    #[description = "Fourth answer"]
    #[max_length = 80]
    option4: Option<String>,
    #[description = "Fifth answer"]
    #[max_length = 80]
    option5: Option<String>,
    #[description = "How long it is open; an hour, if left out"]
    #[min = 1]
    #[max = 10_080]
    minutes: Option<u32>,
) -> Result<(), Error> {
    let answers = [Some(option1), Some(option2), option3, option4, option5];
    let open_for = Duration::from_mins(minutes.unwrap_or(60).into());
    let closes_at = Timestamp::now().unix_timestamp() + open_for.as_secs().cast_signed();
    let (answers, guild) = (answers.iter().flatten(), ctx.guild_id());
    let ballot = Ballot::new(&question, answers, ctx.author().id, guild, closes_at)
        .map_err(|error| Refusal::new(error.to_string()))?;

    let (data, id) = (ctx.data(), ctx.id().to_string());
    // Stored before it is shown, so that no vote comes too early.
    let forgotten = data.state::<Polls>().update(|polls| polls.add(&id, ballot.clone()))??;
    for id in &forgotten {
        data.unschedule("poll", id);
    }
    let reply = poise::CreateReply::default().embed(ballot.embed()).components(ballot.buttons(&id));
    let sent = async { ctx.send(reply).await?.into_message().await };
    let message = match sent.await {
        Ok(message) => message,
        Err(error) => {
            data.state::<Polls>().update(|polls| polls.remove(&id))?;
            return Err(error.into());
        }
    };
    data.schedule("poll", &id, open_for, &(message.channel_id, message.id)).await
}

/// Counts a vote, or closes the poll.
pub(crate) async fn pressed(ctx: EventContext, press: ComponentInteraction) -> Result<(), Error> {
    let Some((id, button)) = ballot::pressed(&press.data.custom_id) else {
        return Err(Refusal::new(OVER).into());
    };
    let member = press.member.as_ref();
    let may_manage = member
        .and_then(|member| member.permissions)
        .is_some_and(|all| all.intersects(Permissions::MANAGE_MESSAGES | Permissions::ADMINISTRATOR));
    let state = ctx.data().state::<Polls>();
    let mut shown = state.update(|polls| polls.press(id, press.user.id, may_manage, button))??;
    if button == Button::Close {
        let place = (press.channel_id, press.message.id);
        ctx.data().schedule("poll", id, REMEMBERED, &place).await?;
    }

    let message = CreateInteractionResponseMessage::new().embed(shown.embed()).components(shown.buttons(id));
    press.create_response(&ctx, CreateInteractionResponse::UpdateMessage(message)).await?;
    if button == Button::Close && press.user.id != shown.creator() {
        log_closing(&ctx, &press, &shown).await;
    }
    // Two concurrent edits may reach Discord in reverse order. A call that finds newer counts after its own edit edits
    // again, so the last edit always shows the final counts.
    let latest = || state.read(|polls| polls.get(id).cloned());
    while let Some(latest) = latest()?.filter(|latest| *latest != shown) {
        let edit = EditInteractionResponse::new().embed(latest.embed()).components(latest.buttons(id));
        press.edit_response(&ctx, edit).await?;
        shown = latest;
    }
    Ok(())
}

/// Writes to the moderators' log, if there is one, that a moderator has closed another user's poll.
async fn log_closing(ctx: &EventContext, press: &ComponentInteraction, ballot: &Ballot) {
    let (Some(guild), Ok(log)) = (press.guild_id, ctx.data().service::<dyn ModLog>(MODLOG)) else { return };
    let entry = ballot
        .embed()
        .field("Closed by", press.user.mention().to_string(), true)
        .field("Asked by", ballot.creator().mention().to_string(), true)
        .field("Channel", press.channel_id.mention().to_string(), true);
    if let Err(error) = log.write(guild, entry).await {
        tracing::warn!(%error, "a closed poll could not be logged");
    }
}

/// Closes a poll whose time is up. When the timer fires again, forgets it.
pub(crate) async fn due(ctx: EventContext, timer: Timer) -> Result<(), Error> {
    let (id, data) = (&timer.key, ctx.data());
    let Some(ballot) = data.state::<Polls>().update(|polls| polls.due(id))? else { return Ok(()) };
    let place: (ChannelId, MessageId) = timer.payload()?;
    data.schedule("poll", id, REMEMBERED, &place).await?;
    let (channel, message) = place;
    let edit = EditMessage::new().embed(ballot.embed()).components(ballot.buttons(id));
    match channel.edit_message(&ctx, message, edit).await {
        Err(error) if !is_gone(&error) => {
            Err(format!("the result of a poll could not be shown in channel {channel}: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Returns whether the channel (10003) or the message (10008) was deleted, which ends a poll silently.
fn is_gone(error: &serenity::Error) -> bool {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
            matches!(answer.error.code, 10003 | 10008)
        }
        _ => false,
    }
}
