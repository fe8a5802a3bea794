//! Live messages: the last answers of `/nowplaying` and `/queue` in each server follow the player.
//!
//! One task looks at all of them in turn. It knows them from the plugin's state, so a reload or a restart goes on with
//! the messages that there were, drawn by the new code. A message is edited only when it would look different, and not
//! again before the next turn; one that is gone is forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sdk::prelude::*;
use sdk::tracing;
use sdk::voice::{ConnectionState, PlayerStatus};
use serenity::{GuildId, HttpError, MessageId};

use crate::look::Look;
use crate::memory::{Guild, Music, Place, change};
use crate::{card, page};

/// Time between two turns, and so between two edits of a message.
const TURN: Duration = Duration::from_secs(3);

/// What live messages show, as far as it is known; `None` while an edit is under way.
type Shown = Arc<Mutex<BTreeMap<MessageId, Option<Look>>>>;

/// Begins to look after the live messages, in the start hook.
pub(crate) fn start(data: &Data) {
    let (own, shown) = (data.clone(), Shown::default());
    let turn = data.settings().environment.delay(TURN);
    data.every("live messages", turn, move || {
        let turned = look_after_all(&own, &shown);
        async move { turned }
    });
}

/// One live message as it should look.
struct Live {
    guild: GuildId,
    place: Place,
    look: Look,
    /// The bot is out, so that nothing more will change by itself.
    is_last: bool,
}

fn look_after_all(data: &Data, shown: &Shown) -> Result<(), Error> {
    let all = data.state::<Music>().read(|music| {
        let guilds = music.guilds.iter();
        guilds.flat_map(|(id, guild)| of_guild(data, *id, guild)).collect::<Vec<_>>()
    })?;
    let mut known = shown.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|message, _| all.iter().any(|live| live.place.message == *message));
    for live in all {
        match known.get(&live.place.message) {
            Some(None) => {}
            // Shown for a whole turn, in which a player that comes back after a restart would have gone on.
            Some(Some(look)) if *look == live.look && live.is_last => forget(data, live.guild, live.place)?,
            Some(Some(look)) if *look == live.look => {}
            _ => {
                known.insert(live.place.message, None);
                data.spawn("live message", edit(data.clone(), shown.clone(), live));
            }
        }
    }
    Ok(())
}

fn of_guild(data: &Data, id: GuildId, guild: &Guild) -> Vec<Live> {
    if guild.now.is_none() && guild.queue.is_none() {
        return Vec::new();
    }
    // After a restart there is none until its server comes.
    let Some(player) = data.voice().existing(id) else { return Vec::new() };
    let status = player.status();
    let is_last = is_over(&status);
    let live = |place, look| Live { guild: id, place, look, is_last };
    let now = guild.now.map(|place| live(place, card::now(&status)));
    let queue = guild.queue.map(|(place, at)| live(place, page::page(&status, at)));
    now.into_iter().chain(queue).collect()
}

fn is_over(status: &PlayerStatus) -> bool {
    status.connection == ConnectionState::Disconnected
}

async fn edit(data: Data, shown: Shown, live: Live) {
    let edited = match data.serenity_context() {
        // Not connected to Discord yet; the next turn tries again.
        None => Edited::Failed,
        Some(ctx) => put(&ctx, live.place, live.look.clone()).await,
    };
    if edited == Edited::Gone {
        // A generation that was replaced meanwhile leaves it to the next one.
        let _ = forget(&data, live.guild, live.place);
    }
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    if edited == Edited::Done {
        shown.insert(live.place.message, Some(live.look));
    } else {
        shown.remove(&live.place.message);
    }
}

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edited {
    Done,
    /// The message or its channel is gone, or closed to the bot.
    Gone,
    Failed,
}

/// Gives a message these looks.
async fn put(ctx: &serenity::Context, place: Place, look: Look) -> Edited {
    match place.channel.edit_message(ctx, place.message, look.edit()).await {
        Ok(_) => Edited::Done,
        Err(error) if is_gone(&error) => Edited::Gone,
        Err(error) => {
            tracing::warn!(channel = %place.channel, %error, "a message about music could not be edited");
            Edited::Failed
        }
    }
}

/// Takes the buttons off a message that another one has taken the place of.
pub(crate) async fn retire(ctx: Context<'_>, before: Option<Place>) {
    let Some(before) = before else { return };
    let edit = serenity::EditMessage::new().components(Vec::new());
    // Whoever deleted it has done the same.
    let _ = before.channel.edit_message(ctx, before.message, edit).await;
}

fn forget(data: &Data, guild: GuildId, place: Place) -> Result<(), Error> {
    change(data, guild, |guild| {
        guild.now.take_if(|now| *now == place);
        guild.queue.take_if(|(queue, _)| *queue == place);
    })
}

/// Says whether a channel (10003) or message (10008) is gone, or closed to the bot (50001, 50013).
fn is_gone(error: &serenity::Error) -> bool {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
            matches!(answer.error.code, 10003 | 10008 | 50001 | 50013)
        }
        _ => false,
    }
}
