//! As poise's `event_handler`: counts how often a word is said, in data that was `Data` of the bot.

use sdk::poise::FrameworkContext;
use sdk::prelude::*;
use sdk::serenity::all::GatewayIntents;

/// What the bot had in `setup`: it outlives every reload now.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Mentions {
    poise: u32,
}

impl State for Mentions {
    const VERSION: u32 = 1;
}

pub(crate) struct Events;

impl Plugin for Events {
    fn options(&self, options: &mut FrameworkOptions) {
        options.event_handler = |framework, event| Box::pin(heard(framework, event));
    }

    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<Mentions>())
    }

    fn intents(&self) -> GatewayIntents {
        // What was given to `ClientBuilder`, as far as it is needed.
        GatewayIntents::GUILD_MESSAGES | GatewayIntents::MESSAGE_CONTENT
    }
}

async fn heard(
    framework: FrameworkContext<'_, Data, Error>,
    event: &serenity::FullEvent,
) -> Result<(), Error> {
    let ctx = framework.serenity_context;
    match event {
        serenity::FullEvent::Ready { data_about_bot } => {
            framework.user_data.store().put("name", &data_about_bot.user.name)?;
        }
        serenity::FullEvent::Message { new_message } => {
            let is_own = new_message.author.id == ctx.cache.current_user().id;
            if is_own || !new_message.content.to_lowercase().contains("poise") {
                return Ok(());
            }
            if new_message.content.contains("fail") {
                return Err("this event was meant to fail".into());
            }
            let count = framework.user_data.state::<Mentions>().update(|mentions| {
                mentions.poise += 1;
                mentions.poise
            })?;
            new_message.reply(ctx, format!("Somebody has said it {count} times")).await?;
        }
        _ => {}
    }
    Ok(())
}
