//! `/config`: what managers set for their server.

use poise::CreateReply;
use sdk::host::ServerAdmin;
use sdk::prelude::*;
use serenity::{CreateAllowedMentions, GatewayIntents};

mod complete;
mod display;
mod prefix;
mod set;
mod show;
mod switch;

struct Config;

impl Plugin for Config {
    fn commands(&self) -> Vec<Command> {
        vec![config()]
    }

    fn intents(&self) -> GatewayIntents {
        // Fills the cache with channels and roles, which are checked and suggested.
        GatewayIntents::GUILDS
    }

    fn is_always_on(&self) -> bool {
        true
    }
}

/// Shows and changes what this server has set
#[poise::command(
    slash_command,
    guild_only,
    default_member_permissions = "MANAGE_GUILD",
    subcommands(
        "show::show",
        "set::set",
        "set::reset",
        "switch::disable",
        "switch::enable",
        "prefix::prefix"
    )
)]
async fn config(_ctx: Context<'_>) -> Result<(), Error> {
    // Discord only calls its subcommands.
    Ok(())
}

/// Returns access to what the server can change.
fn admin(ctx: Context<'_>) -> Result<ServerAdmin, Refusal> {
    let guild = ctx.guild_id().ok_or_else(|| Refusal::new("This command works in servers only."))?;
    Ok(ctx.data().server_admin(guild))
}

/// Sends an answer in which mentions ping no one.
async fn answer(ctx: Context<'_>, reply: CreateReply) -> Result<(), Error> {
    ctx.send(reply.allowed_mentions(CreateAllowedMentions::new())).await?;
    Ok(())
}

async fn say(ctx: Context<'_>, words: String) -> Result<(), Error> {
    answer(ctx, CreateReply::default().content(words)).await
}

sdk::export!(Config);
