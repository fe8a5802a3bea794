//! Everyday commands.

use sdk::prelude::*;
use sdk::services::MODLOG;
use serenity::GatewayIntents;

mod about;
mod help;
mod ping;
mod poll;
mod serverinfo;
mod userinfo;

struct General;

impl Plugin for General {
    fn dependencies(&self) -> Vec<Dependency> {
        vec![Dependency::optional_service(MODLOG, "^1")]
    }

    fn commands(&self) -> Vec<Command> {
        vec![
            about::about(),
            help::help(),
            ping::ping(),
            poll::poll(),
            serverinfo::serverinfo(),
            userinfo::userinfo(),
            userinfo::user_information(),
        ]
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        on.component("poll:", poll::pressed);
        on.timer("poll", poll::due);
    }

    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<poll::Polls>())
    }

    fn intents(&self) -> GatewayIntents {
        // Fills the cache that /serverinfo reads.
        GatewayIntents::GUILDS
    }
}

sdk::export!(General);
