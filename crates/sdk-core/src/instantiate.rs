//! Generic code that plugins commonly use, instantiated here once.
//!
//! rustc takes a generic function that an upstream crate has already instantiated from there (at low
//! optimisation), so each line here is code that no plugin compiles again on its every reload. Measured with
//! `./dev-env.sh bench`.

use poise::CreateReply;
use serenity::all::{ChannelId, CreateEmbed, CreateMessage, Mentionable as _, User, UserId};

use crate::{Context, Error};

#[expect(dead_code, reason = "compiled for its instantiations, never called")]
async fn common(ctx: Context<'_>, user: User, channel: ChannelId) -> Result<(), Error> {
    ctx.say("").await?;
    ctx.say(String::new()).await?.edit(ctx, CreateReply::default().content(String::new())).await?;
    let embed = CreateEmbed::new()
        .title("")
        .title(String::new())
        .description("")
        .description(String::new())
        .field("", "", true)
        .field("", String::new(), true)
        .field(String::new(), String::new(), true)
        .color(0_u32)
        .thumbnail(String::new());
    ctx.send(CreateReply::default().embed(embed.clone()).content("").ephemeral(true)).await?;
    ctx.defer().await?;
    ctx.defer_ephemeral().await?;
    channel.say(ctx, String::new()).await?;
    channel.send_message(ctx, CreateMessage::new().embed(embed).content(String::new())).await?;
    let _ = (user.mention().to_string(), UserId::new(1).mention().to_string());
    Ok(())
}
