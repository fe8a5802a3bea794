//! Live messages: the last answers of `/nowplaying` and `/queue` in each server are kept up to date.
//!
//! One task updates all of them in turn. It knows them from the plugin's state, so after a reload or a restart the new
//! code continues with the same messages. A message is edited only if it would look different, and at most once per
//! turn. A deleted one is forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sdk::prelude::*;
use sdk::tracing;
use sdk::voice::{ConnectionState, PlayerStatus};
use serenity::{GuildId, HttpError, MessageId};

use crate::look::Look;
use crate::state::{Guild, MessageRef, Music, change};
use crate::{card, page};

/// Time between two turns, and so the minimum time between two edits of a message.
const TURN: Duration = Duration::from_secs(3);

/// The content of live messages, if known; `None` during an edit.
type Shown = Arc<Mutex<BTreeMap<MessageId, Option<Look>>>>;

/// Starts updating the live messages. Called in the start hook.
pub(crate) fn start(data: &Data) {
    let (own, shown) = (data.clone(), Shown::default());
    let turn = data.settings().environment.delay(TURN);
    data.every("live messages", turn, move || {
        let turned = look_after_all(&own, &shown);
        async move { turned }
    });
}

/// A live message and its wanted content.
struct Live {
    guild: GuildId,
    place: MessageRef,
    look: Look,
    /// The bot has left, so nothing will change any more by itself.
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
            // Shown for a whole turn, in which a player that comes back after a restart would have continued.
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
    // After a restart there is no player until its server is available.
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
        // Not connected to Discord yet. The next turn tries again.
        None => Edited::Failed,
        Some(ctx) => put(&ctx, live.place, live.look.clone()).await,
    };
    if edited == Edited::Gone {
        // A generation that was replaced meanwhile leaves this to the next one.
        let _ = forget(&data, live.guild, live.place);
    }
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    if edited == Edited::Done {
        shown.insert(live.place.message, Some(live.look));
    } else {
        shown.remove(&live.place.message);
    }
}

/// The result of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edited {
    Done,
    /// The message or its channel was deleted, or the bot has no access.
    Gone,
    Failed,
}

/// Edits a message. Returns the outcome.
async fn put(ctx: &serenity::Context, place: MessageRef, look: Look) -> Edited {
    match place.channel.edit_message(ctx, place.message, look.edit()).await {
        Ok(_) => Edited::Done,
        Err(error) if is_gone(&error) => Edited::Gone,
        Err(error) => {
            tracing::warn!(channel = %place.channel, %error, "a message about music could not be edited");
            Edited::Failed
        }
    }
}

/// Removes the buttons of a message that another one has replaced.
pub(crate) async fn retire(ctx: Context<'_>, before: Option<MessageRef>) {
    let Some(before) = before else { return };
    let edit = serenity::EditMessage::new().components(Vec::new());
    // The message may have been deleted, which is fine.
    let _ = before.channel.edit_message(ctx, before.message, edit).await;
}

fn forget(data: &Data, guild: GuildId, place: MessageRef) -> Result<(), Error> {
    change(data, guild, |guild| {
        guild.now.take_if(|now| *now == place);
        guild.queue.take_if(|(queue, _)| *queue == place);
    })
}

/// Returns whether a channel (10003) or message (10008) was deleted, or the bot has no access (50001, 50013).
fn is_gone(error: &serenity::Error) -> bool {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
            matches!(answer.error.code, 10003 | 10008 | 50001 | 50013)
        }
        _ => false,
    }
}
