//! Commands for the bot's owners: live plugins, reload and rollback, restart, and snapshots of state.

use std::sync::Arc;

use sdk::host::Reloader;
use sdk::prelude::*;

mod choose;
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

    fn is_always_on(&self) -> bool {
        true
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
    // Discord only calls its subcommands.
    Ok(())
}

/// Returns the reload engine. If there is none, tells the user.
async fn reloader(ctx: Context<'_>) -> Result<Option<Arc<dyn Reloader>>, Error> {
    let reloader = ctx.data().reloader();
    if reloader.is_none() {
        ctx.say("This bot runs without hot reload: a change is live after a restart.").await?;
    }
    Ok(reloader)
}

sdk::export!(Dev);
