//! Messages about the player without a command: started tracks, in the announce channel, and problems.

use sdk::prelude::*;
use sdk::text;
use sdk::tracing;
use sdk::voice::{EndReason, Track, VoiceEventKind};
use serenity::{ChannelId, CreateAllowedMentions, CreateMessage, EditMessage, GuildId, MessageFlags};

use crate::state::{MessageRef, change, forget};
use crate::{card, display};

/// Number of lines about problems in one message. Earlier ones are counted.
const LINES: usize = 8;
/// Maximum number of characters of a reason, which may contain text of a server or a file.
const WHY: usize = 120;

/// Handles voice events.
pub(crate) async fn heard(ctx: EventContext, event: VoiceEvent) -> Result<(), Error> {
    let guild = event.guild;
    match event.kind {
        VoiceEventKind::TrackStarted { track, number } => {
            change(ctx.data(), guild, |guild| {
                guild.votes.begin(number);
                (guild.trouble, guild.more_trouble) = (None, 0);
            })?;
            announce(&ctx, guild, &track).await
        }
        VoiceEventKind::TrackFailed { track, why } => {
            let (track, why) =
                (display::bold(&track), foreign(text::clause(&why).as_str(), Surface::Line, WHY));
            tell(&ctx, guild, format!("{track} could not be played: {why}.")).await
        }
        VoiceEventKind::Suppressed { why } => tell(&ctx, guild, why).await,
        VoiceEventKind::GuildGone => forget(ctx.data(), guild),
        VoiceEventKind::GaveUp { why } => {
            withdraw(&ctx, guild).await?;
            tell(&ctx, guild, why).await
        }
        VoiceEventKind::Left { why } => {
            withdraw(&ctx, guild).await?;
            // Without a channel, either no music was requested or the bot was told to leave.
            if change(ctx.data(), guild, |guild| guild.asked_in.is_some())? {
                tell(&ctx, guild, why).await?;
            }
            change(ctx.data(), guild, |guild| (guild.asked_in, guild.trouble) = (None, None))
        }
        VoiceEventKind::QueueEnded | VoiceEventKind::TrackEnded { reason: EndReason::Stopped, .. } => {
            withdraw(&ctx, guild).await
        }
        _ => Ok(()),
    }
}

/// Posts the started track, in place of the previous announcement.
async fn announce(ctx: &EventContext, guild: GuildId, track: &Track) -> Result<(), Error> {
    withdraw(ctx, guild).await?;
    let Some(channel) = ctx.data().voice().settings(guild).announce else { return Ok(()) };
    let message =
        CreateMessage::new().embed(card::announcement(track)).flags(MessageFlags::SUPPRESS_NOTIFICATIONS);
    if let Some(place) = post(ctx, channel, message).await {
        change(ctx.data(), guild, |guild| guild.announced = Some(place))?;
    }
    Ok(())
}

/// Deletes the previous announcement.
async fn withdraw(ctx: &EventContext, guild: GuildId) -> Result<(), Error> {
    let before = change(ctx.data(), guild, |guild| guild.announced.take())?;
    if let Some(before) = before
        && let Err(error) = before.channel.delete_message(ctx, before.message).await
    {
        // The message may have been deleted.
        tracing::debug!(channel = %before.channel, %error, "an announcement could not be taken back");
    }
    Ok(())
}

/// Reports a problem where the music was requested. One message collects all problems until a track starts.
async fn tell(ctx: &EventContext, guild: GuildId, line: String) -> Result<(), Error> {
    let (asked_in, trouble, mut earlier) =
        change(ctx.data(), guild, |guild| (guild.asked_in, guild.trouble.clone(), guild.more_trouble))?;
    let Some(channel) = asked_in.or_else(|| ctx.data().voice().settings(guild).announce) else {
        return Ok(());
    };
    let (before, mut lines) = trouble.map_or((None, Vec::new()), |(place, lines)| (Some(place), lines));
    if before.is_none() {
        earlier = 0;
    }
    lines.push(text::cut(line, 230));
    if lines.len() > LINES {
        earlier += lines.len() - LINES;
        lines.drain(..lines.len() - LINES);
    }
    let words = gathered(&lines, earlier);
    let nobody = CreateAllowedMentions::new();
    let mut place = None;
    if let Some(before) = before {
        let edit = EditMessage::new().content(words.as_str()).allowed_mentions(nobody.clone());
        place = before.channel.edit_message(ctx, before.message, edit).await.is_ok().then_some(before);
    }
    if place.is_none() {
        place = post(ctx, channel, CreateMessage::new().content(words).allowed_mentions(nobody)).await;
    }
    change(ctx.data(), guild, |guild| {
        (guild.trouble, guild.more_trouble) = (place.map(|place| (place, lines)), earlier);
    })
}

async fn post(ctx: &EventContext, channel: ChannelId, message: CreateMessage) -> Option<MessageRef> {
    match channel.send_message(ctx, message).await {
        Ok(message) => Some(MessageRef::of(&message)),
        Err(error) => {
            tracing::warn!(%channel, %error, "a message about music could not be sent");
            None
        }
    }
}

/// Writes the last lines, and how many came before them.
fn gathered(lines: &[String], earlier: usize) -> String {
    let mut words = Vec::new();
    if earlier > 0 {
        words.push(format!("And {earlier} more before:"));
    }
    words.extend(lines.iter().map(|line| format!("⚠️ {line}")));
    words.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_amount_of_trouble_fits_one_message() {
        let lines: Vec<_> = (1..=LINES).map(|number| format!("{number} {}", "x".repeat(227))).collect();
        assert_eq!(gathered(&lines[..1], 0).lines().count(), 1);
        let words = gathered(&lines, 42);
        assert!(words.starts_with("And 42 more before:\n⚠️ 1 x"), "{words}");
        assert_eq!(words.lines().count(), 9);
        assert!(words.chars().count() <= text::MESSAGE, "{}", words.chars().count());
    }
}
