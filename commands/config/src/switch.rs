//! `/config disable` and `/config enable`: plugins and commands.

use sdk::prelude::*;

use crate::{admin, display, say};

/// Switches a plugin or a command off in this server
#[poise::command(slash_command, guild_only, ephemeral)]
pub(crate) async fn disable(
    ctx: Context<'_>,
    #[description = "Plugin, such as commands/music, or command, such as /play"]
    #[autocomplete = "crate::complete::switched_on"]
    name: String,
) -> Result<(), Error> {
    let admin = admin(ctx)?;
    ctx.defer_ephemeral().await?;
    let (switch, changed) = admin.switch(&name, false).await?;
    let state = if changed { "is switched off now" } else { "is switched off already" };
    say(ctx, format!("{} {state}.", display::code(&switch.to_string()))).await
}

/// Switches a plugin or a command on again in this server
#[poise::command(slash_command, guild_only, ephemeral)]
pub(crate) async fn enable(
    ctx: Context<'_>,
    #[description = "Plugin or command that is switched off"]
    #[autocomplete = "crate::complete::switched_off"]
    name: String,
) -> Result<(), Error> {
    let admin = admin(ctx)?;
    ctx.defer_ephemeral().await?;
    let (switch, changed) = admin.switch(&name, true).await?;
    let name = display::code(&switch.to_string());
    let state = if changed { "is switched on now" } else { "is not switched off" };
    let words = match admin.plugin_off(&switch) {
        Some(plugin) => {
            let plugin = display::code(plugin.as_str());
            format!("{name} {state}, but its plugin {plugin} is off: use /config enable for that too.")
        }
        None => format!("{name} {state}."),
    };
    say(ctx, words).await
}
