//! Music in voice channels. The player itself belongs to the host, so it keeps playing while these commands reload.

use sdk::prelude::*;
use serenity::GatewayIntents;

mod announce;
mod bar;
mod buttons;
mod card;
mod choose;
mod clear;
mod defer;
mod display;
mod guard;
mod join;
mod jump;
mod leave;
mod live_messages;
mod look;
mod r#loop;
mod lyrics;
mod r#move;
mod nowplaying;
mod pace;
mod page;
mod pause;
mod play;
mod previous;
mod queue;
mod remove;
mod resume;
mod seek;
mod settings;
mod shuffle;
mod skip;
mod state;
mod stop;
mod time;
mod volume;
mod votes;
mod voteskip;

struct Player;

#[async_trait]
impl Plugin for Player {
    fn commands(&self) -> Vec<Command> {
        vec![
            clear::clear(),
            join::join(),
            jump::jump(),
            leave::leave(),
            r#loop::repeat(),
            lyrics::lyrics(),
            r#move::reorder(),
            nowplaying::nowplaying(),
            pause::pause(),
            play::play(),
            previous::previous(),
            queue::queue(),
            remove::remove(),
            resume::resume(),
            seek::seek(),
            settings::settings(),
            shuffle::shuffle(),
            skip::skip(),
            stop::stop(),
            volume::volume(),
            voteskip::voteskip(),
        ]
    }

    fn subscriptions(&self, on: &mut Subscriptions) {
        on.component(buttons::PREFIX, buttons::pressed);
        on.voice(announce::heard);
    }

    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<state::Music>())
    }

    fn intents(&self) -> GatewayIntents {
        // Voice states, and the bot's permissions in channels.
        GatewayIntents::GUILDS | GatewayIntents::GUILD_VOICE_STATES
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        live_messages::start(data);
        Ok(())
    }
}

sdk::export!(Player);
