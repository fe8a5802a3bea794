//! Moderation: what moderators do to users, channels and messages, with numbered cases.

use sdk::database::{Migration, PersonalData};
use sdk::prelude::*;
use sdk::services::MODLOG;
use serenity::GatewayIntents;

mod act;
mod answer;
mod automod;
mod ban;
mod case;
mod cases;
mod discord;
mod duration;
mod evidence;
mod expiry;
mod guard;
mod history;
mod kick;
mod lock;
mod log;
mod nick;
mod personal;
mod purge;
mod role;
mod settings;
mod slowmode;
mod timeout;
mod warn;
mod warnings;

struct Moderation;

impl Plugin for Moderation {
    fn dependencies(&self) -> Vec<Dependency> {
        vec![Dependency::optional_service(MODLOG, "^1")]
    }

    fn commands(&self) -> Vec<Command> {
        vec![
            automod::automod(),
            ban::ban(),
            ban::softban(),
            ban::tempban(),
            ban::unban(),
            case::case(),
            history::moderation_history(),
            kick::kick(),
            lock::lock(),
            lock::unlock(),
            nick::nick(),
            purge::purge(),
            role::role(),
            slowmode::slowmode(),
            timeout::timeout(),
            timeout::untimeout(),
            warn::warn(),
            warn::warn_about(),
            warnings::warnings(),
        ]
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        on.component(history::PAGE, history::turned);
        on.modal(warn::FORM, warn::submitted);
        on.timer(expiry::TIMER, expiry::due);
        on.event(expiry::guild_available);
        on.event(expiry::unbanned);
    }

    fn migrations(&self) -> &'static [Migration] {
        sdk::migrations!["0001_cases", "0002_locks"]
    }

    fn personal_data(&self) -> &'static [PersonalData] {
        personal::TABLES
    }

    fn intents(&self) -> GatewayIntents {
        // The cache has roles and channels; /purge reads the content of messages.
        GatewayIntents::GUILDS | GatewayIntents::MESSAGE_CONTENT
    }
}

sdk::export!(Moderation);
