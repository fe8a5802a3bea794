//! `/purge`: deletes messages that match.

use std::collections::BTreeSet;

use sdk::prelude::*;
use sdk::text;
use serde_json::json;
use serenity::{ChannelId, GetMessages, Http, Mentionable as _, Message, MessageId, Permissions, User};

use crate::guard::ModerationContext;
use crate::{answer, discord};

mod filter;

use filter::{Filter, Has};

/// Most messages of one purge.
const MOST: usize = 500;
/// Most messages that are looked at.
const LOOKED_AT: usize = 2_000;
/// Most messages of one request, to read and to delete. Sources: "Get Channel Messages" and "Bulk Delete Messages" in
/// Discord's documentation.
const CHUNK: u8 = 100;
/// Age in seconds at which Discord does not delete messages at once any more: two weeks, less a minute for the
/// request. Source: "Bulk Delete Messages" in Discord's documentation.
const TOO_OLD: i64 = 14 * 86_400 - 60;

/// Deletes messages of this channel
///
/// Pinned messages stay. The filters are combined: only messages that match all of them are deleted.
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MANAGE_MESSAGES")]
#[allow(clippy::too_many_arguments)] // Discord has no option that takes several.
pub(crate) async fn purge(
    ctx: Context<'_>,
    #[description = "How many messages at most"]
    #[min = 1]
    #[max = 500]
    count: usize,
    #[description = "Only messages of this user"] user: Option<User>,
    #[description = "Only messages of bots"] bots: Option<bool>,
    #[description = "Only messages that contain this text, in capitals or not"]
    #[max_length = 200]
    contains: Option<String>,
    #[description = "Only messages with these"] has: Option<Has>,
    #[description = "Only messages before this one: a link or an id"]
    #[max_length = 200]
    before: Option<String>,
    #[description = "Only messages after this one: a link or an id"]
    #[max_length = 200]
    after: Option<String>,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let channel = ctx.channel_id();
    let (before, after) =
        (before.as_deref().map(message).transpose()?, after.as_deref().map(message).transpose()?);
    let needed = Permissions::VIEW_CHANNEL | Permissions::READ_MESSAGE_HISTORY | Permissions::MANAGE_MESSAGES;
    at.bot_may_in(channel, needed, "to delete messages there")?;
    ctx.defer_ephemeral().await?;
    let filter = Filter::new(user.map(|user| user.id), bots.unwrap_or_default(), contains, has);
    let what = "delete messages in this channel";
    // By Discord's clock, which decides.
    let oldest = ctx.created_at().unix_timestamp() - TOO_OLD;
    let found = find(ctx.http(), channel, &filter, (count.min(MOST), oldest), (before, after)).await;
    let found = found.map_err(|error| discord::explained(error, what))?;
    let reason = at.audit(reason.as_deref());
    let deleted = delete(ctx.http(), channel, &found.messages, &reason).await;
    if deleted.count == 0
        && let Some(error) = deleted.error
    {
        return Err(discord::explained(error, what));
    }
    let mut sentence = format!("{} deleted in {}", text::count(deleted.count, "message"), channel.mention());
    if let Some(error) = deleted.error {
        let why = discord::explained(error, "delete the others").to_string();
        sentence += &format!(", and then I had to stop: {}", text::clause(&why));
    } else if found.is_end_old {
        sentence +=
            "; messages older than 14 days stay, because Discord lets bots delete those only one by one";
    } else if found.is_cut {
        sentence += &format!("; I looked at the last {LOOKED_AT} messages only");
    }
    answer::logged(ctx, &at, "Messages purged", sentence).await
}

/// Parses a message's id or link.
fn message(text: &str) -> Result<MessageId, Refusal> {
    let id = text.trim().rsplit('/').next().and_then(|id| id.parse::<u64>().ok()).filter(|id| *id > 0);
    id.map(MessageId::new).ok_or_else(|| {
        let shown = foreign(text, Surface::Code, 100);
        Refusal::new(format!("`{shown}` is no message; give its link or its id."))
    })
}

#[derive(Default)]
struct Found {
    messages: Vec<MessageId>,
    /// Whether the search ended at messages that are too old.
    is_end_old: bool,
    /// Whether it ended at [`LOOKED_AT`].
    is_cut: bool,
}

/// Finds the newest messages that match: so many at most, and none from before `oldest`.
async fn find(
    http: &Http,
    channel: ChannelId,
    filter: &Filter,
    (count, oldest): (usize, i64),
    (mut before, after): (Option<MessageId>, Option<MessageId>),
) -> Result<Found, serenity::Error> {
    let mut found = Found::default();
    for _ in 0..LOOKED_AT / usize::from(CHUNK) {
        let page = GetMessages::new().limit(CHUNK);
        let page = before.map_or(page, |before| page.before(before));
        let page: Vec<Message> = channel.messages(http, page).await?;
        for message in &page {
            if after.is_some_and(|after| message.id <= after) {
                return Ok(found);
            }
            if message.id.created_at().unix_timestamp() < oldest {
                found.is_end_old = true;
                return Ok(found);
            }
            if filter.matches(message) {
                found.messages.push(message.id);
            }
            if found.messages.len() == count {
                return Ok(found);
            }
        }
        if page.len() < usize::from(CHUNK) {
            return Ok(found);
        }
        before = page.last().map(|message| message.id);
    }
    found.is_cut = true;
    Ok(found)
}

struct Deleted {
    count: usize,
    error: Option<serenity::Error>,
}

/// Deletes messages, at most [`CHUNK`] with a request.
async fn delete(http: &Http, channel: ChannelId, messages: &[MessageId], reason: &str) -> Deleted {
    let distinct: BTreeSet<_> = messages.iter().copied().collect();
    let distinct: Vec<_> = distinct.into_iter().rev().collect();
    let mut count = 0;
    for chunk in distinct.chunks(CHUNK.into()) {
        let answer = match chunk {
            [one] => http.delete_message(channel, *one, Some(reason)).await,
            several => http.delete_messages(channel, &json!({ "messages": several }), Some(reason)).await,
        };
        if let Err(error) = answer {
            return Deleted { count, error: Some(error) };
        }
        count += chunk.len();
    }
    Deleted { count, error: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_named_by_its_id_or_its_link() {
        assert_eq!(message("123").unwrap(), MessageId::new(123));
        assert_eq!(message("https://discord.com/channels/1/2/3").unwrap(), MessageId::new(3));
        for text in ["", "0", "abc", "https://discord.com/channels/1/2/", "-1"] {
            assert!(message(text).unwrap_err().to_string().contains("is no message"), "{text}");
        }
    }
}
