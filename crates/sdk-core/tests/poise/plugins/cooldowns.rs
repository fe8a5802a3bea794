//! As poise's `advanced_cooldowns`: a command that keeps its own cooldown, which depends on the user.

use std::time::Duration;

use sdk::poise::CooldownConfig;
use sdk::prelude::*;

pub(crate) struct Cooldowns;

impl Plugin for Cooldowns {
    fn options(&self, options: &mut FrameworkOptions) {
        // Or else poise would start the cooldown before the command looks at it.
        options.manual_cooldowns = true;
    }

    fn commands(&self) -> Vec<Command> {
        vec![patience()]
    }
}

/// Has bob wait
#[poise::command(slash_command, prefix_command, user_cooldown = 600)]
async fn patience(ctx: Context<'_>) -> Result<(), Error> {
    {
        let mut tracker = ctx.command().cooldowns.lock().unwrap();
        let user = (ctx.author().name == "bob").then(|| Duration::from_mins(10));
        let config = CooldownConfig { user, ..CooldownConfig::default() };
        match tracker.remaining_cooldown(ctx.cooldown_context(), &config) {
            Some(left) => return Err(Refusal::new(format!("{} minutes left", left.as_secs() / 60)).into()),
            None => tracker.start_cooldown(ctx.cooldown_context()),
        }
    }
    ctx.say("Not too often!").await?;
    Ok(())
}
