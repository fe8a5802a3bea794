//! Commands for the bot's owners: what is live, reload and rollback, restart, and states kept by hand.

use std::sync::Arc;

use sdk::host::Reloader;
use sdk::prelude::*;

mod choose;
mod confirm;
mod hmr;
mod plugins;
mod prune;
mod reload;
mod restart;
mod rollback;
mod snapshot;

struct Dev;

impl Plugin for Dev {
    fn commands(&self) -> Vec<Command> {
        vec![dev()]
    }
}

/// Looks after the running bot
#[poise::command(
    slash_command,
    owners_only,
    subcommands(
        "hmr::hmr",
        "plugins::plugins",
        "prune::prune",
        "reload::reload",
        "restart::restart",
        "rollback::generations",
        "rollback::rollback",
        "snapshot::restore",
        "snapshot::snapshot"
    )
)]
async fn dev(_ctx: Context<'_>) -> Result<(), Error> {
    // Discord calls only its subcommands.
    Ok(())
}

/// Gives the reload engine; where there is none, tells the user so.
async fn reloader(ctx: Context<'_>) -> Result<Option<Arc<dyn Reloader>>, Error> {
    let reloader = ctx.data().host().reloader().cloned();
    if reloader.is_none() {
        ctx.say("This bot runs without hot reload: a change is live after a restart.").await?;
    }
    Ok(reloader)
}

sdk::export!(Dev);
