//! Keeps what edited and deleted messages said, in a log channel.
//!
//! What they said comes from serenity's cache, in which the host has messages kept.

use sdk::prelude::*;
use serenity::GatewayIntents;

mod deleted;
mod edited;
mod log;

struct ModLog;

impl Plugin for ModLog {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(edited::edited);
        on.event(deleted::deleted);
        on.event(deleted::deleted_at_once);
    }

    fn intents(&self) -> GatewayIntents {
        // Without MESSAGE_CONTENT Discord sends other people's messages with empty texts.
        GatewayIntents::GUILDS | GatewayIntents::MESSAGE_CONTENT
    }
}

sdk::export!(ModLog);
