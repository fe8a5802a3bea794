//! Keeps what edited and deleted messages said, in a log channel.

use sdk::prelude::*;
use serenity::GatewayIntents;

mod deleted;
mod edited;
mod log;

/// Messages that are remembered in each channel; what is no longer remembered can't be quoted.
const REMEMBERED: usize = 1000;

struct ModLog;

#[async_trait]
impl Plugin for ModLog {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(remember);
        on.event(edited::edited);
        on.event(deleted::deleted);
        on.event(deleted::deleted_at_once);
    }

    fn intents(&self) -> GatewayIntents {
        // Without MESSAGE_CONTENT Discord sends other people's messages with empty texts.
        GatewayIntents::GUILDS | GatewayIntents::MESSAGE_CONTENT
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        // Loaded into a bot that is ready already, there is no Ready to come.
        if let Some(ctx) = data.host().serenity_context() {
            keep_messages(&ctx.cache);
        }
        Ok(())
    }
}

async fn remember(ctx: EventContext, _: event::Ready) -> Result<(), Error> {
    keep_messages(&ctx.cache);
    Ok(())
}

/// Has serenity's cache keep messages, which it does not by default.
fn keep_messages(cache: &serenity::Cache) {
    let kept = cache.settings().max_messages;
    cache.set_max_messages(kept.max(REMEMBERED));
}

sdk::export!(ModLog);
