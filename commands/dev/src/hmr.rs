//! `/dev hmr`: pauses or resumes reloading on save.

use sdk::prelude::*;

/// Whether saves start builds.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub(crate) enum Switch {
    #[name = "on"]
    On,
    #[name = "off"]
    Off,
}

/// Stops reloading on save, or goes on with it; what was saved meanwhile comes in then
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn hmr(
    ctx: Context<'_>,
    #[description = "Whether a save starts a build"]
    #[rename = "switch"]
    switch: Switch,
) -> Result<(), Error> {
    let Some(reloader) = crate::reloader(ctx).await? else { return Ok(()) };
    let words = reloader.watch(matches!(switch, Switch::On)).await.unwrap_or_else(|why| why.to_string());
    ctx.say(words).await?;
    Ok(())
}
