//! `/config set` and `/config reset`: a setting of a plugin.

use sdk::prelude::*;

use crate::{admin, display, say};

/// Changes a setting of this server
#[poise::command(slash_command, guild_only, ephemeral)]
pub(crate) async fn set(
    ctx: Context<'_>,
    #[description = "Setting to change"]
    #[autocomplete = "crate::complete::setting"]
    setting: String,
    #[description = "Its value: a name, a mention or an id; true or false; 90s or 1h 30m"]
    #[autocomplete = "crate::complete::value"]
    value: String,
) -> Result<(), Error> {
    let admin = admin(ctx)?;
    ctx.defer_ephemeral().await?;
    let setting = admin.setting(&setting)?;
    let value = admin.set(&setting, &value).await?;
    say(ctx, format!("`{}` is {} now.", setting.name, display::value(&value))).await
}

/// Changes a setting of this server back to its default
#[poise::command(slash_command, guild_only, ephemeral)]
pub(crate) async fn reset(
    ctx: Context<'_>,
    #[description = "Setting to change back"]
    #[autocomplete = "crate::complete::setting"]
    setting: String,
) -> Result<(), Error> {
    let admin = admin(ctx)?;
    ctx.defer_ephemeral().await?;
    let setting = admin.setting(&setting)?;
    let was_set = admin.reset(&setting).await?;
    let value = match admin.value(&setting).await?.0 {
        Some(value) => display::value(&value),
        None => "not set".to_owned(),
    };
    let words = if was_set {
        format!("`{}` is back to its default: {value}.", setting.name)
    } else {
        format!("`{}` was not changed in this server: {value}.", setting.name)
    };
    say(ctx, words).await
}
