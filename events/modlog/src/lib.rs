//! Logs edited and deleted messages in a channel, and entries of other plugins.
//!
//! The old content comes from serenity's cache, in which the host stores messages.

use std::sync::Arc;

use sdk::prelude::*;
use sdk::services::{self, MODLOG};
use serenity::GatewayIntents;

mod deleted;
mod edited;
mod log;
mod written;

struct ModLog;

impl Plugin for ModLog {
    fn subscriptions(&self, on: &mut Subscriptions) {
        on.event(edited::edited);
        on.event(deleted::deleted);
        on.event(deleted::deleted_at_once);
    }

    fn services(&self, offer: &mut Services) {
        let written = written::Written::new(offer.data().clone());
        offer.provide::<dyn services::ModLog>(MODLOG, "1.0.0", Arc::new(written));
    }

    fn server_settings(&self) -> Vec<SettingDeclaration> {
        vec![log::CHANNEL.declaration(), log::EDITS.declaration(), log::DELETIONS.declaration()]
    }

    fn intents(&self) -> GatewayIntents {
        // Without MESSAGE_CONTENT Discord sends other users' messages with empty texts.
        GatewayIntents::GUILDS | GatewayIntents::MESSAGE_CONTENT
    }
}

sdk::export!(ModLog);
