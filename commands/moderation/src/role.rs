//! `/role`: gives a member a role, or takes it.

use sdk::prelude::*;
use serenity::{Mentionable as _, Permissions, Role, User};

use crate::guard::ModerationContext;
use crate::{answer, discord};

/// Gives and takes roles
#[poise::command(
    slash_command,
    guild_only,
    ephemeral,
    default_member_permissions = "MANAGE_ROLES",
    subcommands("add", "remove"),
    subcommand_required
)]
pub(crate) async fn role(_ctx: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Gives a member a role
#[poise::command(slash_command, guild_only, ephemeral)]
async fn add(
    ctx: Context<'_>,
    #[description = "Who gets it"] user: User,
    #[description = "Which role"] role: Role,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    change(ctx, user, &role, reason.as_deref(), true).await
}

/// Takes a role from a member
#[poise::command(slash_command, guild_only, ephemeral)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Who loses it"] user: User,
    #[description = "Which role"] role: Role,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    change(ctx, user, &role, reason.as_deref(), false).await
}

async fn change(
    ctx: Context<'_>,
    user: User,
    role: &Role,
    reason: Option<&str>,
    adds: bool,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    ctx.defer_ephemeral().await?;
    let target = at.target(user).await?;
    let (name, mention) = (target.name(), role.mention());
    at.bot_may(Permissions::MANAGE_ROLES, &format!("to change the roles of {name}"))?;
    at.check(&target, "change the roles of")?;
    at.check_role(role.id)?;
    let Some(roles) = &target.roles else {
        let words = format!("I cannot change the roles of {name}, who is not in this server.");
        return Err(Refusal::new(words).into());
    };
    if roles.contains(&role.id) == adds {
        let words = if adds {
            format!("{name} has {mention} already.")
        } else {
            format!("{name} does not have {mention}.")
        };
        return Err(Refusal::new(words).into());
    }
    let (http, reason) = (ctx.http(), at.audit(reason));
    let answer = if adds {
        http.add_member_role(at.guild, target.user.id, role.id, Some(&reason)).await
    } else {
        http.remove_member_role(at.guild, target.user.id, role.id, Some(&reason)).await
    };
    answer.map_err(|error| discord::explained(error, &format!("change the roles of {name}")))?;
    let sentence = if adds { format!("{name} has {mention} now") } else { format!("{name} lost {mention}") };
    answer::logged(ctx, &at, "Roles", sentence).await
}
