//! `/ping`: checks that the bot answers, and shows the latency to Discord.

use sdk::prelude::*;

/// Answers, with the latency to Discord's gateway
#[poise::command(slash_command)]
pub(crate) async fn ping(ctx: Context<'_>) -> Result<(), Error> {
    let latency = ctx.ping().await;
    if latency.is_zero() {
        ctx.say("Pong! The gateway has not been measured yet.").await?;
    } else {
        ctx.say(format!("Pong! The gateway is {} ms away.", latency.as_millis())).await?;
    }
    Ok(())
}
