//! Calls of plugins and commands that a server has switched off.

use std::sync::Arc;

use serenity::all::{Context, FullEvent, GuildId};

use crate::collectors::Awaited;
use crate::event::guild_of;
use crate::generation::Generation;
use crate::routing_table::{HandlerRef, RoutingTable};

/// Returns the answer to a call of what is switched off; `what` is a command or a plugin.
pub(super) fn sentence(what: &str) -> String {
    format!("{what} is switched off in this server; a manager can switch it on with /config enable.")
}

/// Returns the guild whose rules apply to an event.
pub(super) fn guild(ctx: &Context, event: &FullEvent) -> Option<GuildId> {
    guild_of(event).or_else(|| match event {
        // serenity leaves the guild out of this one.
        FullEvent::ReactionRemoveAll { channel_id, .. } => {
            #[allow(deprecated)] // The guild is what is looked for, so its channels cannot be asked.
            ctx.cache.channel(channel_id).map(|channel| channel.guild_id)
        }
        _ => None,
    })
}

/// Returns the plugin of a press, a choice or a modal, if the server has switched that off: the one that waits for it,
/// or the one with the handler `keyed`.
pub(super) fn off_plugin<T: Awaited>(
    snapshot: &RoutingTable,
    guild: Option<GuildId>,
    interaction: &T,
    keyed: Option<&HandlerRef>,
) -> Option<Arc<Generation>> {
    guild?;
    let mut all = snapshot.generations().values();
    let waiting = all.find(|generation| generation.data.collectors().wants(interaction));
    let owner = waiting.or(keyed.map(|(generation, _)| generation))?;
    owner.is_off(guild, None).then(|| owner.clone())
}
