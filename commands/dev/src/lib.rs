//! Commands for the bot's owners: what is live, and reload.

use sdk::prelude::*;

mod plugins;
mod reload;

struct Dev;

impl Plugin for Dev {
    fn commands(&self) -> Vec<Command> {
        vec![dev()]
    }
}

/// Looks after the running bot
#[poise::command(slash_command, owners_only, subcommands("plugins::plugins", "reload::reload"))]
async fn dev(_ctx: Context<'_>) -> Result<(), Error> {
    // Discord calls only its subcommands.
    Ok(())
}

sdk::export!(Dev);
