//! Reactions to messages that are in the cache.

use serde_json::json;
use serenity::all::{Cache, ChannelId, MessageId, MessageReaction, Reaction};

use super::updates::Updates;

/// A change of a message's reactions.
pub(super) enum Change<'a> {
    Add(&'a Reaction),
    Remove(&'a Reaction),
    RemoveEmoji(&'a Reaction),
    Clear(ChannelId, MessageId),
}

impl Change<'_> {
    fn message(&self) -> (ChannelId, MessageId) {
        match self {
            Self::Add(one) | Self::Remove(one) | Self::RemoveEmoji(one) => (one.channel_id, one.message_id),
            Self::Clear(channel, message) => (*channel, *message),
        }
    }
}

/// Applies the change to the message, if the message is in the cache.
pub(super) fn apply(cache: &Cache, change: &Change<'_>) {
    let (channel, message) = change.message();
    let own = cache.current_user().id;
    let found = cache
        .message(channel, message)
        .map(|message| (message.reactions.clone(), message.edited_timestamp, message.guild_id));
    let Some((mut reactions, edited_timestamp, guild_id)) = found else { return };
    match change {
        Change::Add(one) => {
            let place = reactions.iter().position(|known| known.reaction_type == one.emoji);
            let place = place.or_else(|| {
                reactions.push(first(one)?);
                Some(reactions.len() - 1)
            });
            let Some(known) = place.and_then(|place| reactions.get_mut(place)) else { return };
            count(known, one, own == one.user_id.unwrap_or_default(), true);
        }
        Change::Remove(one) => {
            if let Some(known) = reactions.iter_mut().find(|known| known.reaction_type == one.emoji) {
                count(known, one, own == one.user_id.unwrap_or_default(), false);
            }
            reactions.retain(|known| known.count > 0);
        }
        Change::RemoveEmoji(one) => reactions.retain(|known| known.reaction_type != one.emoji),
        Change::Clear(..) => reactions.clear(),
    }
    Updates(cache).message(json!({ "id": message, "channel_id": channel }), |event| {
        event.reactions = Some(reactions);
        // serenity overwrites these two from every update.
        (event.edited_timestamp, event.guild_id) = (edited_timestamp, guild_id);
    });
}

/// Creates the entry of an emoji without reactions so far.
fn first(reaction: &Reaction) -> Option<MessageReaction> {
    let mut entry = serde_json::from_value::<MessageReaction>(json!({
        "count": 0, "count_details": { "burst": 0, "normal": 0 }, "me": false, "me_burst": false,
        "emoji": { "id": null, "name": "?" }, "burst_colors": [],
    }))
    .ok()?;
    entry.reaction_type = reaction.emoji.clone();
    entry.burst_colours = reaction.burst_colours.clone().unwrap_or_default();
    Some(entry)
}

fn count(entry: &mut MessageReaction, reaction: &Reaction, is_own: bool, is_added: bool) {
    let step = |number: &mut u64| *number = if is_added { *number + 1 } else { number.saturating_sub(1) };
    step(&mut entry.count);
    let (details, mine) = if reaction.burst {
        (&mut entry.count_details.burst, &mut entry.me_burst)
    } else {
        (&mut entry.count_details.normal, &mut entry.me)
    };
    step(details);
    if is_own {
        *mine = is_added;
    }
}
