//! `/dev prune`: removes commands that no live plugin defines any more, before their grace period ends.

use sdk::prelude::*;

/// Removes commands from Discord that no plugin defines any more, without waiting
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn prune(ctx: Context<'_>) -> Result<(), Error> {
    // The requests, one for each command, may take longer than Discord waits for an answer.
    ctx.defer_ephemeral().await?;
    let words = match ctx.data().registrar() {
        Some(registrar) => registrar.prune().await.unwrap_or_else(|why| why.to_string()),
        None => "commands are not registered yet".to_owned(),
    };
    ctx.say(words).await?;
    Ok(())
}
