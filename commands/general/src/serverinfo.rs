//! `/serverinfo`: facts about the server.

use sdk::prelude::*;
use sdk::text;
use serenity::{ChannelType, Guild, Mentionable as _};

/// Shows facts about this server
#[poise::command(slash_command, guild_only)]
pub(crate) async fn serverinfo(ctx: Context<'_>) -> Result<(), Error> {
    // The cache's lock must not be held over an await, so the embed is created first.
    let Some(embed) = ctx.guild().map(|guild| describe(&guild)) else {
        let words = "Discord has not told the bot about this server yet; try again in a moment.";
        return Err(Refusal::new(words).into());
    };
    ctx.send(poise::CreateReply::default().embed(embed)).await?;
    Ok(())
}

fn describe(guild: &Guild) -> serenity::CreateEmbed {
    let channels = |kind| guild.channels.values().filter(|channel| channel.kind == kind).count();
    let (written, voice) = (channels(ChannelType::Text), channels(ChannelType::Voice));
    let created = guild.id.created_at().unix_timestamp();
    let boosts = guild.premium_subscription_count.unwrap_or_default();
    let mut embed = serenity::CreateEmbed::new()
        .title(foreign(&guild.name, Surface::Line, text::EMBED_TITLE))
        .field("Owner", guild.owner_id.mention().to_string(), true)
        .field("Created", format!("<t:{created}:D>, <t:{created}:R>"), true)
        .field("Members", guild.member_count.to_string(), true)
        .field("Channels", format!("{written} text, {voice} voice"), true)
        // The role that everyone has is left out.
        .field("Roles", guild.roles.len().saturating_sub(1).to_string(), true)
        .field("Boosts", boosts.to_string(), true)
        .field("Id", guild.id.to_string(), true);
    if let Some(description) = &guild.description {
        embed = embed.description(foreign(description, Surface::Lines, text::EMBED_DESCRIPTION));
    }
    if let Some(icon) = guild.icon_url() {
        embed = embed.thumbnail(icon);
    }
    embed
}
