//! `/case`: shows, edits, lists and removes cases.

use sdk::prelude::*;
use sdk::text;
use serenity::{CreateEmbed, Mentionable as _, User};

use crate::cases::{self, Edit};
use crate::guard::ModerationContext;
use crate::{answer, history, log};

/// Maximum number of changes of a reason that are shown, and of characters of each earlier reason. All texts of an embed
/// together have at most 6000 characters.
const EDITS: usize = 5;
const OLD_REASON: usize = 400;

/// Looks after cases
#[poise::command(
    slash_command,
    guild_only,
    ephemeral,
    default_member_permissions = "MODERATE_MEMBERS",
    subcommands("show", "edit", "list", "remove"),
    subcommand_required
)]
pub(crate) async fn case(_ctx: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Shows a case
#[poise::command(slash_command, guild_only, ephemeral)]
async fn show(
    ctx: Context<'_>,
    #[description = "Number of the case"]
    #[min = 1]
    number: i64,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let sql = at.data.sql();
    let case = cases::one(&sql, at.guild, number).await?;
    let edits = cases::edits(&sql, at.guild, number).await?;
    answer::embed(ctx, with_edits(log::case(&case), &edits)).await
}

/// Changes the reason of a case; the old one is kept
#[poise::command(slash_command, guild_only, ephemeral)]
async fn edit(
    ctx: Context<'_>,
    #[description = "Number of the case"]
    #[min = 1]
    number: i64,
    #[description = "The new reason"]
    #[max_length = 400]
    reason: String,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    ctx.defer_ephemeral().await?;
    about_somebody_else(&at, number).await?;
    cases::edit(&at.data.sql(), at.guild, number, at.moderator.id, &reason).await?;
    let entry = log::entry(&format!("Case {number} edited"), at.moderator.id)
        .description(log::reason(Some(reason.as_str())));
    let remark = log::write(&at.data, at.guild, entry).await;
    answer::sentence(ctx, format!("The reason of case {number} is changed{remark}")).await
}

/// Lists the cases of a user
#[poise::command(slash_command, guild_only, ephemeral)]
async fn list(ctx: Context<'_>, #[description = "Whose cases"] user: User) -> Result<(), Error> {
    history::show(ctx, &user).await
}

/// Removes a case: its points do not count any more, and what was done stays
#[poise::command(slash_command, guild_only, ephemeral)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Number of the case"]
    #[min = 1]
    number: i64,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    ctx.defer_ephemeral().await?;
    about_somebody_else(&at, number).await?;
    cases::remove(&at.data.sql(), at.guild, number, at.moderator.id).await?;
    let entry = log::entry(&format!("Case {number} removed"), at.moderator.id);
    let remark = log::write(&at.data, at.guild, entry).await;
    answer::sentence(ctx, format!("Case {number} is removed, and its points do not count any more{remark}"))
        .await
}

/// Refuses a change of a case about the moderator, unless they own the server.
async fn about_somebody_else(at: &ModerationContext, number: i64) -> Result<(), Error> {
    let case = cases::one(&at.data.sql(), at.guild, number).await?;
    if case.user_id == at.moderator.id && !at.is_owner()? {
        let words = format!("Case {number} is about you; somebody else has to change it.");
        return Err(Refusal::new(words).into());
    }
    Ok(())
}

fn with_edits(embed: CreateEmbed, edits: &[Edit]) -> CreateEmbed {
    let shown = edits.len().saturating_sub(EDITS);
    edits[shown..].iter().fold(embed, |embed, edit| {
        let name = "Edited";
        let old = edit.old_reason.as_deref();
        let old = old.map_or_else(|| "none".to_owned(), |old| foreign(old, Surface::Line, OLD_REASON));
        let value = format!("<t:{}:f> by {}, before: {old}", edit.edited_at, edit.edited_by.mention());
        embed.field(name, text::cut(value, text::EMBED_FIELD), false)
    })
}
