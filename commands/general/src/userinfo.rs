//! `/userinfo`, and the same in a user's context menu.

use sdk::prelude::*;
use sdk::text;
use serenity::{Member, Mentionable as _, User};

/// Shows facts about a user
#[poise::command(slash_command)]
pub(crate) async fn userinfo(
    ctx: Context<'_>,
    #[description = "Whom to show; you, if left out"] user: Option<User>,
) -> Result<(), Error> {
    show(ctx, user.as_ref().unwrap_or_else(|| ctx.author())).await
}

/// Shows facts about a user
#[poise::command(context_menu_command = "User information", ephemeral)]
pub(crate) async fn user_information(ctx: Context<'_>, user: User) -> Result<(), Error> {
    show(ctx, &user).await
}

async fn show(ctx: Context<'_>, user: &User) -> Result<(), Error> {
    let member = match ctx.guild_id() {
        // A user who has left the server can still be shown.
        Some(guild) => guild.member(ctx, user.id).await.ok(),
        None => None,
    };
    ctx.send(poise::CreateReply::default().embed(describe(user, member.as_ref()))).await?;
    Ok(())
}

fn describe(user: &User, member: Option<&Member>) -> serenity::CreateEmbed {
    let created = user.id.created_at().unix_timestamp();
    let mut embed = serenity::CreateEmbed::new()
        .title(foreign(user.display_name(), Surface::Line, text::EMBED_TITLE))
        .description(user.mention().to_string())
        .thumbnail(user.face())
        .field("Name", foreign(&user.name, Surface::Line, text::EMBED_FIELD), true)
        .field("Id", user.id.to_string(), true)
        .field("On Discord since", format!("<t:{created}:D>, <t:{created}:R>"), false);
    if user.bot {
        embed = embed.field("Account", "A bot", true);
    }
    let Some(member) = member else { return embed };
    if let Some(joined) = member.joined_at.map(|joined| joined.unix_timestamp()) {
        embed = embed.field("In this server since", format!("<t:{joined}:D>, <t:{joined}:R>"), false);
    }
    if !member.roles.is_empty() {
        embed = embed.field("Roles", roles(&member.roles), false);
    }
    embed
}

/// Lists as many roles as fit into a field, and the number of the rest.
fn roles(roles: &[serenity::RoleId]) -> String {
    let mut list = String::new();
    for (index, role) in roles.iter().enumerate() {
        let mention = role.mention().to_string();
        let rest = format!("and {} more", roles.len() - index);
        if list.len() + mention.len() + rest.len() + 2 > text::EMBED_FIELD {
            return list + &rest;
        }
        list += &mention;
        list.push(' ');
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_do_not_fit_are_counted() {
        let many: Vec<_> =
            (0..250).map(|index| serenity::RoleId::new(1_120_000_000_000_000_000 + index)).collect();
        let list = roles(&many);
        let shown = list.matches("<@&").count();
        assert!(list.len() <= text::EMBED_FIELD, "{}", list.len());
        assert!(list.ends_with(&format!("and {} more", 250 - shown)), "{list}");
        assert_eq!(roles(&many[..2]).matches("<@&").count(), 2);
    }
}
