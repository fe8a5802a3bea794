//! `/about`: the bot's version and uptime.

use sdk::prelude::*;
use sdk::text;

/// Shows the bot's version and how long it has been up
#[poise::command(slash_command)]
pub(crate) async fn about(ctx: Context<'_>) -> Result<(), Error> {
    let data = ctx.data();
    let live = data.live().generations().len();
    let embed = serenity::CreateEmbed::new()
        .title(format!("Hotcord {}", data.version()))
        .description("A Discord bot in Rust whose commands and events reload while it runs")
        .field("Up for", text::duration(data.uptime()), true)
        .field("Plugins live", live.to_string(), true)
        .field(data.plugin().as_str(), format!("generation {}", data.generation()), true);
    ctx.send(poise::CreateReply::default().embed(embed)).await?;
    Ok(())
}
